package diagnose

import (
	"crypto/tls"
	"testing"

	"xrdpfix/probe"
	"xrdpfix/xrdpconf"
)

func TestVersions(t *testing.T) {
	const listed = "ssl_protocols=TLSv1.2, TLSv1.3"
	// accepts lets the wire accept a version, or refuse it.
	wire := func(v probe.TLSVersion, answer probe.Answer) func(*Facts) {
		return func(f *Facts) {
			for i := range f.Wire.Value.Versions {
				if f.Wire.Value.Versions[i].Version == v {
					f.Wire.Value.Versions[i] = probe.VersionAnswer{Version: v, Answer: answer}
				}
			}
		}
	}
	none := func(f *Facts) {
		f.Wire.Value.Full.TLS = nil
		for _, v := range []probe.TLSVersion{tls.VersionTLS12, tls.VersionTLS13} {
			wire(v, probe.AnswerRefused)(f)
		}
	}
	raise(t, []fault{
		{"no line", inIni(listed+"\n", ""), []Code{TLSVersionsMissing}},
		{"SSLv3 alone", inIni(listed, "ssl_protocols=SSLv3"), []Code{TLSVersionsEmpty}},
		{"SSLv3 among others", inIni(listed, "ssl_protocols=SSLv3, TLSv1.2, TLSv1.3"), nil},
		{"empty", inIni(listed, "ssl_protocols="), []Code{TLSVersionsEmpty}},
		{"colons", inIni(listed, "ssl_protocols=TLSv1.2:TLSv1.3"), []Code{TLSVersionsEmpty}},
		{"one that is not known", inIni(listed, "ssl_protocols=TLSv1.0, TLSv1.2, TLSv1.3"), []Code{TLSVersionsUnknown}},
		{"1.3 alone", func(t *testing.T, f *Facts, s *Settings) {
			inIni(listed, "ssl_protocols=TLSv1.3")(t, f, s)
			wire(tls.VersionTLS12, probe.AnswerRefused)(f)
		}, nil},
		{"TLS 1.1 is accepted", func(t *testing.T, f *Facts, s *Settings) {
			inIni(listed, "ssl_protocols=TLSv1.1, TLSv1.2, TLSv1.3")(t, f, s)
			wire(tls.VersionTLS11, probe.AnswerAccepted)(f)
		}, []Code{TLSVersionsObsolete}},
		{"TLS 1.1 is listed and refused", inIni(listed, "ssl_protocols=TLSv1.1, TLSv1.2, TLSv1.3"), nil},
		{"all that is listed is refused", simple(none), []Code{TLSRangeBlocked}},
		{"nothing runs, and OpenSSL forbids all that is listed", simple(func(f *Facts) {
			f.Wire, f.Daemon.Running = Skipped[probe.ServerSurvey]("nothing listens"), Skipped[Process]("no xrdp process runs")
			max := &ConfValue{Name: "MaxProtocol", Text: "TLSv1.1", File: "/etc/ssl/openssl.cnf", Line: 9}
			f.OpenSSL = Seen(OpenSSL{MaxProtocol: max, Refused: []string{"TLSv1.2", "TLSv1.3"}})
		}), []Code{TLSRangeBlocked}},
		{"nothing runs, and OpenSSL forbids one of those listed", simple(func(f *Facts) {
			f.Wire, f.Daemon.Running = Skipped[probe.ServerSurvey]("nothing listens"), Skipped[Process]("no xrdp process runs")
			max := &ConfValue{Name: "MaxProtocol", Text: "TLSv1.2", File: "/etc/ssl/openssl.cnf", Line: 9}
			f.OpenSSL = Seen(OpenSSL{MaxProtocol: max, Refused: []string{"TLSv1.3"}})
		}), nil},
		{"nothing runs, and OpenSSL 3 has no level for TLS 1.0 and 1.1", func(t *testing.T, f *Facts, s *Settings) {
			inIni(listed, "ssl_protocols=TLSv1, TLSv1.1")(t, f, s)
			f.Wire, f.Daemon.Running = Skipped[probe.ServerSurvey]("nothing listens"), Skipped[Process]("no xrdp process runs")
			f.OpenSSL = Seen(OpenSSL{})
		}, []Code{TLSRangeBlocked}},
		{"nothing runs, and tls_ciphers has the level for them", func(t *testing.T, f *Facts, s *Settings) {
			inIni(listed, "ssl_protocols=TLSv1, TLSv1.1\ntls_ciphers=DEFAULT:@SECLEVEL=0")(t, f, s)
			f.Wire, f.Daemon.Running = Skipped[probe.ServerSurvey]("nothing listens"), Skipped[Process]("no xrdp process runs")
			f.OpenSSL = Seen(OpenSSL{})
		}, nil},
		{"1.1 stated and refused", func(t *testing.T, f *Facts, s *Settings) {
			inIni(listed, "ssl_protocols=TLSv1.1, TLSv1.2, TLSv1.3")(t, f, s)
			s.Wanted = xrdpconf.Range{Min: xrdpconf.TLS11, Max: xrdpconf.TLS13}
		}, []Code{TLSRangeBlocked}},
		{"declared otherwise", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Sesman, "[Security]", "[Security]\ntls_min_version=1.0\ntls_max_version=1.2")
		}, []Code{TLSRangeIneffective}},
		{"declared so", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Sesman, "[Security]", "[Security]\ntls_min_version=1.2\ntls_max_version=1.3")
		}, nil},
		{"tls_pms_log_file", inIni("port=3389\n", "port=3389\ntls_pms_log_file=/tmp/pms\n"), []Code{TLSSecretsLogged}},
		{"tls_pms_log_file empty", inIni("port=3389\n", "port=3389\ntls_pms_log_file=\n"), nil},
	})
}

func TestCiphersInvalid(t *testing.T) {
	refused := func(line string) func(*testing.T, *Facts, *Settings) {
		return func(t *testing.T, f *Facts, s *Settings) {
			inIni("[Logging]", "tls_ciphers=HIGH\n[Logging]")(t, f, s)
			refusedBy(f, line)
			f.Wire.Value.Full.Negotiation.Selected, f.Wire.Value.Full.Reached = probe.ProtocolSSL, probe.StageNegotiation
			f.Wire.Value.Full.Failure = &probe.Failure{Stage: probe.StageTLS, Kind: probe.KindTLSSetupFailed, Text: "set-up failed"}
		}
	}
	raise(t, []fault{
		{"OpenSSL refuses it", refused("Invalid TLS cipher options NOSUCHCIPHER"), []Code{TLSCiphersInvalid}},
		{"suites of TLS 1.3 alone, and xrdp does not run", func(t *testing.T, f *Facts, s *Settings) {
			inIni("[Logging]", "tls_ciphers=TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256\n[Logging]")(t, f, s)
			f.Wire = Skipped[probe.ServerSurvey]("nothing listens")
		}, []Code{TLSCiphersInvalid}},
		{"such suites beside another", func(t *testing.T, f *Facts, s *Settings) {
			inIni("[Logging]", "tls_ciphers=TLS_AES_256_GCM_SHA384:HIGH\n[Logging]")(t, f, s)
			f.Wire = Skipped[probe.ServerSurvey]("nothing listens")
		}, nil},
		{"something else fails", refused("Connected client computer name: xrdpfix"), []Code{TLSFails}},
	})
}

func TestWire(t *testing.T) {
	failed := func(kind probe.Kind) func(*testing.T, *Facts, *Settings) {
		return simple(func(f *Facts) {
			full := &f.Wire.Value.Full
			full.TLS, full.Reached = nil, probe.StageNegotiation
			full.Failure = &probe.Failure{Stage: probe.StageTLS, Kind: kind, Text: "what happened"}
			f.Wire.Value.Versions = nil
		})
	}
	classicRDP := func(f *Facts) {
		f.Wire.Value.Full.TLS = nil
		f.Wire.Value.Full.Negotiation.Selected = probe.ProtocolRDP
		f.Wire.Value.Versions = nil
	}
	admitted := func(f *Facts) {
		f.Wire.Value.Classic = &probe.Result{Negotiation: &probe.Negotiation{Requested: probe.ProtocolRDP, Selected: probe.ProtocolRDP, Answered: true}}
	}
	raise(t, []fault{
		{"cut off", failed(probe.KindTLSCutOff), []Code{TLSCutOff}},
		{"an alert", failed(probe.KindTLSAlert), []Code{TLSFails}},
		{"we were cancelled", failed(probe.KindCancelled), nil},
		{"classic RDP", simple(classicRDP), []Code{ClassicServed}},
		{"classic RDP, explained", func(t *testing.T, f *Facts, s *Settings) {
			classicRDP(f)
			inIni("security_layer=tls", "security_layer=rdp")(t, f, s)
		}, []Code{SecurityLayerRDP}},
		{"classic RDP accepted", simple(admitted), []Code{ClassicAccepted}},
		{"classic RDP refused", simple(func(f *Facts) {
			admitted(f)
			f.Wire.Value.Classic.Negotiation.FailureCode = probe.SSLRequiredByServer
		}), nil},
	})
}
