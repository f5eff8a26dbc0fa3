package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 5, 0, time.UTC)

func TestPackageVersion(t *testing.T) {
	for _, tt := range []struct{ describe, want string }{
		{"v0.1.0", "0.1.0"},
		{"v0.1.0-dirty", "0.1.0+dirty"},
		{"v1.2-12-gabcdef1", "1.2+12.gabcdef1"},
		{"v1.2.3-1-gabcdef1-dirty", "1.2.3+1.gabcdef1+dirty"},
		{"abcdef1", "0.1.0~git20261123.120005.abcdef1"},
		{"abcdef1-dirty", "0.1.0~git20261123.120005.abcdef1+dirty"},
		{"release-7", ""},
		{"v1.2-rc1", ""},
		{"", ""},
	} {
		got, err := packageVersion(tt.describe, "0.1.0", noon)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("packageVersion(%q) = %q, %v, want %q", tt.describe, got, err, tt.want)
		}
	}
}

// TestCollectionVersion: what Galaxy takes for a version, in the order of the
// packages.
func TestCollectionVersion(t *testing.T) {
	// https://semver.org, its own suggestion
	valid := regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$`)
	for _, tt := range []struct{ version, want string }{
		{"0.1.0", "0.1.0"},
		{"1.2", "1.2.0"},
		{"0.1.0+dirty", "0.1.0+dirty"},
		{"1.2+12.gabcdef1", "1.2.0+12.gabcdef1"},
		{"1.2.3+1.gabcdef1+dirty", "1.2.3+1.gabcdef1.dirty"},
		{"0.1.0~git20261123.020005.0123456", "0.1.0-git20261123-020005-0123456"},
		{"0.1.0~git20261123.120005.abcdef1+dirty", "0.1.0-git20261123-120005-abcdef1+dirty"},
	} {
		if got := collectionVersion(tt.version); got != tt.want || !valid.MatchString(got) {
			t.Errorf("collectionVersion(%q) = %q, want %q", tt.version, got, tt.want)
		}
	}
}

func TestPublisher(t *testing.T) {
	for _, tt := range []struct {
		publisher
		ok bool
	}{
		{nobody, true},
		{publisher{"A B <a@b.example>", "https://b.example/x"}, true},
		{publisher{"", ""}, false},
		{publisher{"a@b.example", ""}, false},
		{publisher{"A B", ""}, false},
		{publisher{"A B <a@b.example>", "http://b.example"}, false},
		{publisher{"A B <a@b.example>", "b.example"}, false},
	} {
		if err := tt.check(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v, want ok %v", tt.publisher, err, tt.ok)
		}
	}
}

// TestCollectionFiles: galaxy.yml as it stands is good for ansible-galaxy too,
// and the licence of its MIT files is ours.
func TestCollectionFiles(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	changes, err := parseChanges(string(text))
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{source: source{version: changes[0].version}}
	info, err := b.galaxyInfo()
	if err != nil {
		t.Fatal(err)
	}
	galaxy, err := os.ReadFile(filepath.Join(collectionDir, "galaxy.yml"))
	if err != nil || !strings.Contains(string(galaxy), fmt.Sprintf("%q: %q,", "version", info["version"])) {
		t.Errorf("galaxy.yml has another version than CHANGELOG.md, %v (%v)", info["version"], err)
	}
	_, texts, err := collectionFiles()
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("LICENSE")
	if err != nil || string(own) != string(texts["LICENSES/MIT.txt"]) {
		t.Errorf("LICENSES/MIT.txt of the collection is not LICENSE (%v)", err)
	}
	for name, text := range texts {
		want := "SPDX-License-Identifier: MIT"
		switch {
		case strings.HasSuffix(name, ".py"):
			want = "SPDX-License-Identifier: GPL-3.0-or-later"
		case strings.HasPrefix(name, "LICENSES/"), strings.HasSuffix(name, ".md"), strings.HasSuffix(name, "policy.ini.j2"):
			continue
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %s", name, want)
		}
	}
}

func TestParseChanges(t *testing.T) {
	const text = "# Changelog\n\n- not a change\n\n## 0.2.0 (unreleased)\n\nText.\n\n- One.\n\n### Group\n\n- Two\n  lines.\n\n## 0.1.0 (2026-11-22)\n\n- First.\n"
	got, err := parseChanges(text)
	want := []section{
		{"0.2.0", time.Time{}, []string{"One.", "Two lines."}, map[int]string{1: "Group"}, "\nText.\n\n- One.\n\n### Group\n\n- Two\n  lines.\n\n"},
		{"0.1.0", time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), []string{"First."}, map[int]string{}, "\n- First.\n\n"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("parseChanges = %+v, %v\nwant %+v", got, err, want)
	}
	for _, bad := range []string{"", "# Changelog\n- x\n", "## 0.1.0 (unreleased)\n", "## Unreleased\n- x\n", "## 0.1.0 (soon)\n- x\n", "## 0.1.0 (2026-13-01)\n- x\n"} {
		if got, err := parseChanges(bad); err == nil {
			t.Errorf("parseChanges(%q) = %+v, want an error", bad, got)
		}
	}
}

func TestDebianChangelog(t *testing.T) {
	changes := []section{
		{version: "0.2.0", changes: []string{"A change that is told in so many words that they do not fit into one line of it.", "Another."},
			groups: map[int]string{0: "What it finds", 1: "What it repairs"}},
		{version: "0.1.0", date: noon.AddDate(0, 0, -1), changes: []string{"First."}},
	}
	const want = `xrdpfix (0.2.0~git1-1) unstable; urgency=medium

  [ What it finds ]
  * A change that is told in so many words that they do not fit into one line
    of it.

  [ What it repairs ]
  * Another.

 -- A B <a@b.invalid>  Mon, 23 Nov 2026 12:00:05 +0000

xrdpfix (0.1.0-1) unstable; urgency=medium

  * First.

 -- A B <a@b.invalid>  Sun, 22 Nov 2026 12:00:05 +0000
`
	if got := debianChangelog("xrdpfix", "0.2.0~git1-1", "A B <a@b.invalid>", noon, changes); got != want {
		t.Errorf("debianChangelog:\n%s\nwant\n%s", got, want)
	}
}

func TestZip(t *testing.T) {
	packed, err := zip([]byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if string(text) != "text" || err != nil || r.Name != "" || !r.ModTime.IsZero() {
		t.Errorf("zip: %q, %v, name %q, time %v", text, err, r.Name, r.ModTime)
	}
}

const (
	mit    = "MIT License\n\nCopyright (c) 2020 Somebody\n\nPermission is hereby granted, free of charge, to X.\nIt shall be included in all copies.\n"
	bsd    = "Copyright (c) 2009 The Go Authors. All rights reserved.\n\nRedistribution and use in source and binary\nforms. Neither the name of Google.\n"
	apache = "  Apache License\n  Version 2.0, January 2004\n\n  Copyright [yyyy] [name]\n"
)

func TestReadModule(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"both/LICENSE": apache, "both/LICENSE-MIT.txt": mit, "both/NOTICE": "Copyright 2018 CoreOS, Inc\n", "both/license.go": "",
		"odd/COPYING": "Do what you want.\n", "none/README": mit,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "both", "license.go")); err != nil {
		t.Fatal(err)
	}
	got, err := readModule(filepath.Join(dir, "both"))
	want := module{
		licenses: []license{{"Apache-2.0", strings.TrimSpace(apache) + "\n"}, {"MIT", mit}}, notice: "Copyright 2018 CoreOS, Inc\n",
	}
	if err != nil || !reflect.DeepEqual(got, want) || got.expression() != "Apache-2.0 AND MIT" {
		t.Errorf("readModule = %+v, %v (%s)\nwant %+v", got, err, got.expression(), want)
	}
	for _, bad := range []string{"odd", "none", "nowhere"} {
		if got, err := readModule(filepath.Join(dir, bad)); err == nil {
			t.Errorf("readModule(%s) = %+v, want an error: nobody allowed to pass it on", bad, got)
		}
	}
}

func TestLicenseID(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{mit, "MIT"}, {bsd, "BSD-3-Clause"}, {apache, "Apache-2.0"},
		{"Redistribution and use in source and binary forms, with", "BSD-2-Clause"},
		{"GNU General Public License", ""}, {"", ""},
	} {
		if got := licenseID(tt.text); got != tt.want {
			t.Errorf("licenseID(%.40q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestDebianCopyright: each text once, those of other modules by name, Apache by
// the copy that Debian has.
func TestDebianCopyright(t *testing.T) {
	mods := []module{
		{path: "example.org/a", licenses: []license{{"MIT", strings.Replace(mit, "2020 Somebody", "2021 Another", 1)}}},
		{path: "example.org/b", licenses: []license{{"Apache-2.0", apache}}, notice: "Notice.\nCopyright 2018 B\n"},
		{path: "example.org/c", licenses: []license{{"Apache-2.0", apache}}},
		{path: "example.org/d", licenses: []license{{"BSD-3-Clause", bsd}}},
	}
	const want = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: xrdpfix
Comment: The program is linked statically. The paragraphs behind the first are
 about the Go modules in it, which the source names in go.mod.

Files: *
Copyright: 2020 Somebody
License: Expat

License: Expat
 MIT License
 .
 Permission is hereby granted, free of charge, to X.
 It shall be included in all copies.

Files: example.org/a/*
Copyright: 2021 Another
License: Expat

Files: example.org/b/*
Copyright: 2018 B
License: Apache-2.0
Comment: Its notice:
 Notice.
 Copyright 2018 B

License: Apache-2.0
 On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.

Files: example.org/c/*
Copyright: 2026 the authors of example.org/c
License: Apache-2.0

Files: example.org/d/*
Copyright: 2009 The Go Authors. All rights reserved.
License: BSD-3-Clause-2

License: BSD-3-Clause-2
 Redistribution and use in source and binary
 forms. Neither the name of Google.
`
	if got := debianCopyright(mit, mods, noon); got != want {
		t.Errorf("debianCopyright:\n%s\nwant\n%s", got, want)
	}
	if got := wholeLicense("MIT", mods); got != "Apache-2.0 AND BSD-3-Clause AND MIT" {
		t.Errorf("wholeLicense = %q", got)
	}
	if got := thirdParty(mods); strings.Count(got, "Apache License") != 1 || !strings.Contains(got, "example.org/b \nexample.org/c \n") || !strings.Contains(got, "Notice of example.org/b\n") {
		t.Errorf("thirdParty:\n%s", got)
	}
}

func TestSums(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b": "b", "a": "", "SHA256SUMS": "old", "SHA256SUMS.asc": "old"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b := &builder{dir: dir, out: io.Discard}
	name, err := b.sums()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	want := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n" +
		"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b\n"
	if string(got) != want || err != nil {
		t.Errorf("SHA256SUMS:\n%s%v\nwant\n%s", got, err, want)
	}
	if err := b.remove("SHA256SUMS*", "none"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("remove leaves %v, %v, want what is not ours: a, b", entries, err)
	}
}

func TestFilesBelow(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sub/x.ini", "a.timer", "README.md", ".hidden"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := filesBelow(dir); err != nil || !reflect.DeepEqual(got, []string{"a.timer", "sub/x.ini"}) {
		t.Errorf("filesBelow = %q, %v", got, err)
	}
	if got, err := filesBelow(filepath.Join(dir, "nowhere")); err != nil || got != nil {
		t.Errorf("filesBelow of nothing = %q, %v", got, err)
	}
}
