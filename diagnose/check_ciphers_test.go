package diagnose

import (
	"crypto/tls"
	"testing"

	"xrdpfix/probe"
)

func TestCiphersNarrow(t *testing.T) {
	// answer makes the wire say something else about TLS 1.2.
	answer := func(a probe.VersionAnswer) func(*Facts) {
		return func(f *Facts) {
			a.Version = tls.VersionTLS12
			for i := range f.Wire.Value.Versions {
				if f.Wire.Value.Versions[i].Version == tls.VersionTLS12 {
					f.Wire.Value.Versions[i] = a
				}
			}
		}
	}
	alert := func(n uint8) func(*Facts) {
		return answer(probe.VersionAnswer{Answer: probe.AnswerRefused, Failure: &probe.Failure{Stage: probe.StageTLS, Kind: probe.KindTLSAlert, Alert: n, Text: "alert"}})
	}
	dhe := answer(probe.VersionAnswer{Answer: probe.AnswerAccepted, Cipher: "DHE-RSA-AES256-GCM-SHA384", Result: &probe.Result{ServerHello: &probe.ServerHello{Version: tls.VersionTLS12}}})
	ccm := answer(probe.VersionAnswer{Answer: probe.AnswerAccepted, Cipher: "ECDHE-ECDSA-AES128-CCM", Result: &probe.Result{ServerHello: &probe.ServerHello{Version: tls.VersionTLS12}}})
	with := func(ciphers string, wire ...func(*Facts)) func(*testing.T, *Facts, *Settings) {
		return func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Config, "[Logging]", ciphers+"[Logging]")
			for _, w := range wire {
				w(f)
			}
		}
	}
	raise(t, []fault{
		{"nothing in common", with("tls_ciphers=ECDHE-ECDSA-AES128-GCM-SHA256\n", alert(40)), []Code{TLSCiphersNarrow}},
		{"not enough security", with("tls_ciphers=HIGH:@SECLEVEL=5\n", alert(71)), []Code{TLSCiphersNarrow}},
		{"DHE only", with("tls_ciphers=DHE-RSA-AES256-GCM-SHA384\n", dhe), []Code{TLSCiphersNarrow}},
		{"CCM only", with("tls_ciphers=AES128-CCM\n", ccm), []Code{TLSCiphersNarrow}},
		{"a list that serves", with("tls_ciphers=HIGH\n"), nil},
		{"another alert is another fault", with("tls_ciphers=HIGH\n", alert(70)), nil},
		{"no list", with("", alert(40)), nil},
		{"a list of one character", with("tls_ciphers=A\n", alert(40)), nil},
		{"the system's list", with("", alert(40), func(f *Facts) {
			f.OpenSSL.Value.CipherString = &ConfValue{Name: "CipherString", Text: "ECDHE-ECDSA-AES128-GCM-SHA256", File: "/etc/ssl/openssl.cnf", Line: 60}
		}), []Code{TLSCiphersNarrow}},
		{"TLS 1.2 is not listed", func(t *testing.T, f *Facts, s *Settings) {
			with("tls_ciphers=DHE-RSA-AES256-GCM-SHA384\n", alert(40))(t, f, s)
			edit(t, &f.Config, "TLSv1.2, TLSv1.3", "TLSv1.3")
		}, nil},
		{"no handshake succeeds", with("tls_ciphers=ECDHE-ECDSA-AES128-GCM-SHA256\n", alert(40), func(f *Facts) {
			f.Wire.Value.Full.TLS = nil
			f.Wire.Value.Full.Reached = probe.StageNegotiation
			f.Wire.Value.Full.Failure = &probe.Failure{Stage: probe.StageTLS, Kind: probe.KindTLSAlert, Alert: 40}
		}), []Code{TLSCiphersNarrow}},
		{"a key that explains it", with("tls_ciphers=aRSA\n", alert(40), func(f *Facts) { f.Pair.Value.Key.Type = "Ed25519" }), []Code{KeyUnsupported}},
	})
}
