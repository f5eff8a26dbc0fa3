package host

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"xrdpfix/diagnose"
)

// ErrNotInstalled is returned where no xrdp program is found.
var ErrNotInstalled = errors.New("xrdp is not installed")

// ErrVersionUnknown is returned where xrdp is installed but does not tell its
// version in a form that is known.
var ErrVersionUnknown = errors.New("the version of xrdp is not known")

const (
	versionPatience  = 10 * time.Second
	maxVersionOutput = 64 << 10
	maxDpkgStatus    = 256 << 20
)

// sbinDirs are where xrdp is looked for: the distributions' place first, then
// that of an own build.
var sbinDirs = []string{"/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin", "/usr/local/bin", "/opt/xrdp/sbin"}

// FindBinary finds the xrdp program of the live machine: hint (from the unit's
// ExecStart= or the running process) if it is one, else in the usual
// directories. What others than root could have written is passed over, since
// it is going to be run.
func FindBinary(hint string) (string, error) {
	names := []string{}
	if filepath.Base(hint) == xrdpComm && filepath.IsAbs(hint) {
		names = append(names, hint)
	}
	for _, dir := range sbinDirs {
		names = append(names, filepath.Join(dir, xrdpComm))
	}
	var refused error
	for _, name := range names {
		switch err := trustedProgram(name); {
		case err == nil:
			return name, nil
		case !errors.Is(err, fs.ErrNotExist) && refused == nil:
			refused = err
		}
	}
	if refused != nil {
		return "", fmt.Errorf("%w: %w", ErrNotInstalled, refused)
	}
	return "", ErrNotInstalled
}

// trustedProgram: a regular file that belongs to root and that nobody else can
// write.
func trustedProgram(name string) error {
	st, err := os.Stat(name)
	if err != nil {
		return err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok || !st.Mode().IsRegular() || st.Mode()&0o111 == 0 || sys.Uid != 0 || st.Mode()&0o022 != 0 {
		return &fs.PathError{Op: "run", Path: name, Err: errors.New("not a program that only root can change")}
	}
	return nil
}

// ReadPackage tells which xrdp is installed. On the live machine it runs
// "xrdp --version" with an empty environment; an offline tree is asked through
// dpkg's status file, and its programs are never run.
func ReadPackage(ctx context.Context, root, hint string) (diagnose.Package, error) {
	if !IsLive(root) {
		return offlinePackage(root)
	}
	binary, err := FindBinary(hint)
	if err != nil {
		return diagnose.Package{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, versionPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "--version")
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	out := &limitedBuffer{limit: maxVersionOutput}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second
	runErr := cmd.Run()
	pkg := ParseVersion(out.Bytes())
	pkg.Binary = binary
	if pkg.Version != "" {
		return pkg, nil
	}
	if runErr != nil {
		return pkg, fmt.Errorf("running %s --version: %w: %w", binary, ErrVersionUnknown, runErr)
	}
	return pkg, fmt.Errorf("running %s --version: %w", binary, ErrVersionUnknown)
}

// The first line is "xrdp 0.9.21.1" from 0.9.7 on, "xrdp: A Remote Desktop
// Protocol server." followed by "Version 0.9.5" before. The OpenSSL line names
// the library that is loaded, not the one xrdp was compiled with.
var (
	versionLine = regexp.MustCompile(`(?m)^\s*(?:xrdp|Version)\s+v?([0-9]+(?:\.[0-9]+)+)`)
	opensslLine = regexp.MustCompile(`(?m)Compiled with OpenSSL\s+([0-9][0-9A-Za-z.]*)`)
)

// ParseVersion reads the output of "xrdp --version" of any generation. A version
// that is not found is empty.
func ParseVersion(out []byte) diagnose.Package {
	var p diagnose.Package
	if m := versionLine.FindSubmatch(out); m != nil {
		p.Version = string(m[1])
	}
	if m := opensslLine.FindSubmatch(out); m != nil {
		p.OpenSSL = string(m[1])
	}
	return p
}

// limitedBuffer keeps the first limit bytes and swallows the rest, so that a
// talkative program ends by itself.
type limitedBuffer struct {
	bytes.Buffer
	limit int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := b.limit - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func offlinePackage(root string) (diagnose.Package, error) {
	var pkg diagnose.Package
	for _, dir := range sbinDirs {
		f, err := openRegular(root, filepath.Join(dir, xrdpComm))
		if err == nil {
			_ = f.Close()
			pkg.Binary = filepath.Join(dir, xrdpComm)
			break
		}
	}
	if f, err := openRegular(root, "/var/lib/dpkg/status"); err == nil {
		defer func() { _ = f.Close() }()
		pkg.Version = upstreamVersion(dpkgVersion(io.LimitReader(f, maxDpkgStatus), xrdpComm))
		if pkg.Version != "" {
			return pkg, nil
		}
	}
	if pkg.Binary == "" {
		return pkg, ErrNotInstalled
	}
	return pkg, ErrVersionUnknown
}

// dpkgVersion is the version of an installed package in dpkg's status file, ""
// where it is not found or a line is longer than dpkg writes them.
func dpkgVersion(status io.Reader, name string) string {
	field := map[string]string{}
	found := func() bool {
		return field["Package"] == name && strings.HasSuffix(field["Status"], " installed")
	}
	for lines := bufio.NewScanner(status); lines.Scan(); {
		line := lines.Text()
		if line == "" {
			if found() {
				break
			}
			clear(field)
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if ok && (key == "Package" || key == "Status" || key == "Version") {
			field[key] = strings.TrimSpace(value)
		}
	}
	if !found() {
		return ""
	}
	return field["Version"]
}

// upstreamVersion cuts epoch and Debian revision off: "0.9.21.1" of
// "0.9.21.1-1+deb12u3".
func upstreamVersion(v string) string {
	if _, rest, ok := strings.Cut(v, ":"); ok {
		v = rest
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		v = v[:i]
	}
	if i := strings.IndexAny(v, "~+"); i >= 0 {
		v = v[:i]
	}
	return v
}
