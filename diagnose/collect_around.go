package diagnose

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"sync"

	"xrdpfix/xrdpconf"
)

// collectAround looks at what surrounds the daemon while the wire is being asked:
// it writes other facts than collectWire does, and waits for nobody. Call the
// returned function before the facts are used.
func collectAround(ctx context.Context, env Env, opts Options, f *Facts) (wait func()) {
	var wg sync.WaitGroup
	if env.Recent == nil {
		f.Log.Recent = Skipped[Recent]("offline")
	} else {
		wg.Go(func() {
			f.Log.Recent = ask(func() (Recent, error) {
				return env.Recent(ctx, f.Log.Path, RecentOptions{Days: RecentDays, Whole: opts.EveryClient})
			})
		})
	}
	if env.Sesman == nil {
		f.SesmanReach = Skipped[SesmanReach]("offline")
	} else {
		version := f.version()
		sesman := xrdpconf.ReadSessionManager(f.SesmanFile(), nil)
		if !f.Package.Ok() || !f.Sesman.Ok() {
			f.SesmanReach = Skipped[SesmanReach]("where xrdp looks for xrdp-sesman is not known")
		} else {
			wg.Go(func() {
				f.SesmanReach = ask(func() (SesmanReach, error) { return env.Sesman(ctx, sesman, version) })
			})
		}
	}
	if env.Firewall == nil {
		f.Firewall = Skipped[Firewall]("offline")
	} else {
		ports := f.Ports()
		wg.Go(func() {
			f.Firewall = ask(func() (Firewall, error) { return env.Firewall(ctx, ports) })
		})
	}
	wg.Go(func() { f.Denials = maybe(with(env.Denials, f.Host.SELinux == "enforcing")) })
	wg.Go(func() { f.Leftovers = maybe(env.Leftovers) })
	wg.Go(func() {
		f.Origin = maybe(with(env.Origin, f.Key.Path))
		f.Source = maybe(with(env.Source, f.Cert.Path))
	})
	f.CertLogged = certLogged(f.Pair.Value.Cert.DER)
	return wg.Wait
}

// maybe runs a look that not every machine allows.
func maybe[T any](look func() (T, error)) Observed[T] {
	if look == nil {
		return Skipped[T]("offline")
	}
	return ask(look)
}

// with gives a look its argument, nil stays nil.
func with[A, T any](look func(A) (T, error), a A) func() (T, error) {
	if look == nil {
		return nil
	}
	return func() (T, error) { return look(a) }
}

// sctList is the extension in which a CA embeds signed certificate timestamps
// (RFC 6962, 3.3).
var sctList = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}

// certLogged reports whether a certificate carries them.
func certLogged(der []byte) bool {
	c, err := x509.ParseCertificate(der)
	return err == nil && slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(sctList) })
}
