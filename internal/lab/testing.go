package lab

import (
	"context"
	"testing"
	"time"
)

// startTimeout bounds the making of a test's host, that of its image included.
const startTimeout = 15 * time.Minute

// Start boots a host that lives as long as the test. The test fails when the
// lab cannot run: no row of it is ever skipped. When the test fails, the end of
// the host's xrdp.log is in its output.
func Start(t testing.TB, s Suite, opts ...func(*Options)) *Host {
	t.Helper()
	o := Options{Log: t.Output()}
	for _, opt := range opts {
		opt(&o)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	h, err := Boot(ctx, s, o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if r, err := h.Sh(ctx, "tail -n 40 /var/log/xrdp.log"); err == nil {
				t.Logf("xrdp.log of %s (xrdp %s):\n%s", h.Name, h.Image.Versions["xrdp"], r.Stdout)
			}
		}
		if err := h.Stop(); err != nil {
			t.Errorf("%v", err)
		}
	})
	return h
}

// WithVeth is the option [Options.Veth].
func WithVeth(o *Options) { o.Veth = true }

// WithBind makes a file or directory of the machine visible inside, read-only.
func WithBind(source, target string) func(*Options) {
	return func(o *Options) { o.Binds = append(o.Binds, Bind{Source: source, Target: target}) }
}

// WithPackages installs more Debian packages than a host of the suite has.
func WithPackages(names ...string) func(*Options) {
	return func(o *Options) { o.Packages = append(o.Packages, names...) }
}

// Must runs a shell script inside the host as [Host.Sh] does and returns its
// standard output; the test ends if the script fails.
func (h *Host) Must(t testing.TB, script string) string {
	t.Helper()
	r, err := h.Sh(t.Context(), script)
	if err != nil {
		t.Fatalf("in %s: %v", h.Name, err)
	}
	if r.Code != 0 {
		t.Fatalf("in %s: %s\nexit status %d\n%s%s", h.Name, script, r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}
