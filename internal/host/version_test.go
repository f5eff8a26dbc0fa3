package host

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"xrdpfix/diagnose"
)

func TestParseVersion(t *testing.T) {
	for _, tt := range []struct {
		name, out string
		want      diagnose.Package
	}{
		{"0.10.6.1", "xrdp 0.10.6.1\n  A Remote Desktop Protocol Server.\n  Copyright (C) 2004-2026 Jay Sorg, Neutrino Labs, and all contributors.\n\n  Configure options:\n      --enable-ipv6\n\n  Compiled with OpenSSL 3.6.5 29 Sep 2026\n",
			diagnose.Package{Version: "0.10.6.1", OpenSSL: "3.6.5"}},
		{"0.9.21.1", "xrdp 0.9.21.1\n  A Remote Desktop Protocol Server.\n  Compiled with OpenSSL 3.0.22 27 Jan 2026\n",
			diagnose.Package{Version: "0.9.21.1", OpenSSL: "3.0.22"}},
		{"0.9.5", "\nxrdp: A Remote Desktop Protocol server.\nCopyright (C) Jay Sorg 2004-2014\nSee http://www.xrdp.org for more information.\nVersion 0.9.5\n\n",
			diagnose.Package{Version: "0.9.5"}},
		{"development", "xrdp 0.10.80-dev\n  Compiled with OpenSSL 1.1.1w  11 Sep 2023\n", diagnose.Package{Version: "0.10.80", OpenSSL: "1.1.1w"}},
		{"usage", "Unknown option --version\nxrdp: usage\n", diagnose.Package{}},
		{"nothing", "", diagnose.Package{}},
	} {
		if got := ParseVersion([]byte(tt.out)); got != tt.want {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

func TestOfflinePackage(t *testing.T) {
	const other = "Package: xorgxrdp\nStatus: install ok installed\nVersion: 9\n\n"
	status := func(state, version string) string {
		return other + "Package: xrdp\nStatus: " + state + "\nDepends: x,\n Package: not this\nVersion: " + version + "\nDescription: x\n y\n\nPackage: zz\nStatus: install ok installed\nVersion: 3\n"
	}
	for _, tt := range []struct {
		name, status string
		binary       bool
		want         diagnose.Package
		err          error
	}{
		{"Debian", status("install ok installed", "0.9.21.1-1+deb12u3"), true, diagnose.Package{Version: "0.9.21.1", Binary: "/usr/sbin/xrdp"}, nil},
		{"epoch, backport, hold", status("hold ok installed", "1:0.10.1~bpo-1-2"), true, diagnose.Package{Version: "0.10.1", Binary: "/usr/sbin/xrdp"}, nil},
		{"removed", status("deinstall ok config-files", "0.9.21.1-1"), false, diagnose.Package{}, ErrNotInstalled},
		{"no dpkg", "", true, diagnose.Package{Binary: "/usr/sbin/xrdp"}, ErrVersionUnknown},
		{"empty version", status("install ok installed", "-"), true, diagnose.Package{Binary: "/usr/sbin/xrdp"}, ErrVersionUnknown},
	} {
		files := map[string]string{"/x": ""}
		if tt.status != "" {
			files["/var/lib/dpkg/status"] = tt.status
		}
		if tt.binary {
			files["/usr/sbin/xrdp"] = "x"
		}
		got, err := ReadPackage(t.Context(), tree(t, files), "")
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

// TestReadPackageRuns runs programs in place of xrdp.
func TestReadPackageRuns(t *testing.T) {
	needRoot(t)
	for _, tt := range []struct {
		name, script string
		mode         os.FileMode
		uid          int
		want         string // version; "" for an error
	}{
		{"tells", "echo 'xrdp 0.9.21.1'", 0o755, 0, "0.9.21.1"},
		{"tells, and fails", "echo 'xrdp 0.9.21.1'; exit 3", 0o755, 0, "0.9.21.1"},
		{"talks without end", "echo 'xrdp 0.9.21.1'; head -c 300000 /dev/zero", 0o755, 0, "0.9.21.1"},
		{"inherits nothing", "test -z \"$HOME$OPENSSL_CONF\" && echo 'xrdp 1.2'", 0o755, 0, "1.2"},
		{"says nothing", "exit 0", 0o755, 0, ""},
		{"others can write it", "echo 'xrdp 6.6.6'", 0o777, 0, ""},
		{"belongs to somebody", "echo 'xrdp 6.6.6'", 0o755, 1000, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("OPENSSL_CONF", "/x")
			name := filepath.Join(t.TempDir(), "xrdp")
			if err := os.WriteFile(name, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(name, tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(name, tt.uid, 0); err != nil {
				t.Fatal(err)
			}
			got, err := ReadPackage(t.Context(), "", name)
			if tt.mode != 0o755 || tt.uid != 0 {
				// This machine may have an xrdp of its own.
				if got.Version == "6.6.6" {
					t.Error("it was run")
				}
				return
			}
			if got.Version != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestLimitedBuffer(t *testing.T) {
	b := &limitedBuffer{limit: 3}
	for range 2 {
		if n, err := b.Write([]byte("ab")); n != 2 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if !bytes.Equal(b.Bytes(), []byte("aba")) {
		t.Errorf("%q", b.Bytes())
	}
}

func FuzzVersion(f *testing.F) {
	f.Add([]byte("xrdp 0.9.21.1\n  Compiled with OpenSSL 3.0.22 27 Jan 2026\n"))
	f.Add([]byte("Package: xrdp\nStatus: install ok installed\nVersion: 1:0.10.1~x-2\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ParseVersion(b)
		upstreamVersion(dpkgVersion(bytes.NewReader(b), "xrdp"))
	})
}
