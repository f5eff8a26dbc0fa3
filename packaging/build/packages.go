package main

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

const (
	debianRevision = "1"
	summary        = "find, fix and prove the security negotiation of xrdp"
	description    = `xrdpfix finds out why Remote Desktop clients cannot negotiate security with
the xrdp of a machine ("security protocol negotiation failed"), makes the
smallest safe change, connects as a client does, reads that very connection
in xrdp.log, and only then says that it is fixed; what it cannot prove, it
puts back. It restarts xrdp only where nobody is disturbed.`
)

// A builder makes files in dir.
type builder struct {
	source
	publisher
	dir           string
	architectures []string  // as Go and nfpm call them
	out           io.Writer // a line for each file that is made
}

// A product is the program for one architecture, and what is linked into it.
type product struct {
	arch string
	file string
	info *debug.BuildInfo
	mods []module
}

// packages builds a .deb and a .rpm for each architecture and the Ansible
// collection, and returns the programs in the packages, which stay in work.
func (b *builder) packages(ctx context.Context, work string) ([]product, error) {
	nfpm, err := b.nfpm(ctx)
	if err != nil {
		return nil, err
	}
	var products []product
	native := ""
	for _, arch := range b.architectures {
		p, err := b.product(ctx, arch, filepath.Join(work, "xrdpfix-"+arch))
		if err != nil {
			return nil, err
		}
		products = append(products, p)
		if arch == runtime.GOARCH {
			native = p.file
		}
	}
	if native == "" {
		native = filepath.Join(work, "xrdpfix")
		if err := b.program(ctx, runtime.GOARCH, native); err != nil {
			return nil, err
		}
	}
	generated := filepath.Join(work, "generated")
	for _, what := range []string{"man", "completions"} {
		if err := do(ctx, nil, native, "generate", what, generated); err != nil {
			return nil, err
		}
	}
	if err := b.remove("xrdpfix_*.deb", "xrdpfix-*.rpm", "xrdpfix-xrdp-*.tar.gz"); err != nil {
		return nil, err
	}
	for _, p := range products {
		for _, f := range formats {
			if err := b.pack(ctx, nfpm, f, p, filepath.Join(work, f.name+"-"+p.arch), generated); err != nil {
				return nil, err
			}
		}
	}
	return products, b.collection()
}

func (b *builder) product(ctx context.Context, arch, file string) (product, error) {
	p := product{arch: arch, file: file}
	if err := b.program(ctx, arch, file); err != nil {
		return p, err
	}
	var err error
	if p.info, err = buildinfo.ReadFile(file); err != nil {
		return p, err
	}
	p.mods, err = modules(ctx, p.info)
	return p, err
}

// program builds the static binary. What it holds depends on the commit and on
// the version of Go alone.
func (b *builder) program(ctx context.Context, arch, to string) error {
	flags := "-s -w -X main.version=" + b.version + " -X main.revision=" + b.revision + " -X main.buildDate=" + b.date.Format(time.RFC3339)
	env := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off"}
	return do(ctx, env, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", to, "./cmd/xrdpfix")
}

// pack makes one package.
func (b *builder) pack(ctx context.Context, nfpm string, f format, p product, work, generated string) error {
	list, err := b.contents(f, filepath.Join(work, "root"), p.file, generated, p.mods)
	if err != nil {
		return fmt.Errorf("lay out the %s: %w", f.name, err)
	}
	conf := b.config(f, p.arch, list, p.mods)
	if f.name == "rpm" {
		conf["changelog"] = filepath.Join(work, "changelog.json")
		if err := writeJSON(filepath.Join(work, "changelog.json"), b.rpmChangelog()); err != nil {
			return err
		}
	}
	name := filepath.Join(work, "nfpm.json") // JSON is YAML
	if err := writeJSON(name, conf); err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	target := filepath.Join(b.dir, b.packageName(f, p.arch))
	env := []string{fmt.Sprintf("SOURCE_DATE_EPOCH=%d", b.date.Unix())}
	if err := do(ctx, env, nfpm, "package", "--config", name, "--packager", f.name, "--target", target); err != nil {
		return err
	}
	return b.made(target)
}

func (b *builder) made(name string) error {
	_, err := fmt.Fprintln(b.out, name)
	return err
}

// packageName is what the distributions call such a file.
func (b *builder) packageName(f format, arch string) string {
	if f.name == "deb" {
		return fmt.Sprintf("xrdpfix_%s-%s_%s.deb", b.version, debianRevision, arch)
	}
	return fmt.Sprintf("xrdpfix-%s-1.%s.rpm", b.version, map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch])
}

// config is nfpm's configuration.
func (b *builder) config(f format, arch string, list []content, mods []module) map[string]any {
	return map[string]any{
		"name": "xrdpfix", "arch": arch, "platform": "linux", "version": b.version, "version_schema": "none", "release": "1",
		"section": "admin", "priority": "optional", "maintainer": b.maintainer, "homepage": b.homepage, "license": wholeLicense("MIT", mods),
		"description":      f.description(),
		"disable_globbing": true,
		"contents":         list,
		"scripts": map[string]string{
			"postinstall": "packaging/scripts/postinst", "preremove": "packaging/scripts/prerm", "postremove": "packaging/scripts/postrm",
		},
		"deb": map[string]any{"compression": "xz", "fields": map[string]string{"Enhances": "xrdp"}},
		"rpm": map[string]any{"compression": "xz", "buildhost": "localhost", "summary": strings.ToUpper(summary[:1]) + summary[1:], "group": "Applications/System"},
	}
}

// description begins with the summary where the form has no field for that.
func (f format) description() string {
	if f.name == "deb" {
		return summary + "\n" + description
	}
	return description
}

// entry is a version in the changelog of an .rpm, as nfpm reads it.
type entry struct {
	Version  string    `json:"semver"`
	Date     time.Time `json:"date"`
	Packager string    `json:"packager"`
	Changes  []change  `json:"changes"`
}

type change struct {
	Note string `json:"note"`
}

func (b *builder) rpmChangelog() []entry {
	var out []entry
	for i, s := range b.changes {
		e := entry{Version: s.version, Date: s.date, Packager: b.maintainer}
		if i == 0 {
			e.Version = b.version + "-1" // with the release, as rpm wants it
		}
		if e.Date.IsZero() {
			e.Date = b.date
		}
		for _, c := range s.changes {
			e.Changes = append(e.Changes, change{strings.TrimSpace(c)})
		}
		out = append(out, e)
	}
	return out
}

func writeJSON(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}
