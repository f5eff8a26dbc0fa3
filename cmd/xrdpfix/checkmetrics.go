package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"xrdpfix/certs"
	"xrdpfix/clients"
	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
	"xrdpfix/probe"
	"xrdpfix/xrdpconf"
)

// checkMetrics is check as metrics.
func checkMetrics(l *look) string {
	m, f := &gauges{}, &l.facts
	m.gauge("xrdpfix_build_info", "The xrdpfix that looked, and the xrdp that it found.", 1,
		label{"version", version}, label{"xrdp", f.Package.Value.Version})
	m.at("xrdpfix_check_timestamp_seconds", "When the check began.", f.Taken)
	m.flag("xrdpfix_check_complete", "Whether everything could be looked at.", len(unseen(f)) == 0 && f.Wire.Ok())
	findingMetrics(m, l)
	wireMetrics(m, f)
	if f.Key.Failed == "" {
		m.flag("xrdpfix_key_readable", "Whether xrdp can read its private key.", f.Key.Exists && f.Key.Readable)
	}
	if declared, effective := declaredRange(l); declared {
		m.flag("xrdpfix_declared_range_effective", "Whether the wire does what sesman.ini declares.", effective)
	}
	m.flag("xrdpfix_config_drift", "Whether a file was changed since the last apply.", has(l, diagnose.IniDrift))
	m.flag("xrdpfix_change_due", "Whether apply would change something.", !l.plan.Empty())
	if f.Desktops.Ok() {
		m.gauge("xrdpfix_live_desktops", "Desktops of users that run now.", float64(len(f.Desktops.Value)))
	}
	if r := f.Log.Recent; r.Ok() {
		clientMetrics(m, r.Value)
	}
	if list := f.Applied.Value; f.Applied.Ok() && len(list) > 0 {
		m.at("xrdpfix_last_apply_timestamp_seconds", "When the last apply began, and what became of it.", list[0].Time, label{"state", list[0].State})
		m.at("xrdpfix_undo_timestamp_seconds", "When it is undone by itself.", list[0].Until)
	}
	return m.b.String()
}

func findingMetrics(m *gauges, l *look) {
	const byCode = "Findings that count, by code."
	for _, x := range oncePerCode(l.found) {
		m.gauge("xrdpfix_findings", byCode, float64(x.n), label{"code", string(x.Code)}, label{"severity", string(x.Severity)})
	}
	for _, s := range []diagnose.Severity{diagnose.Error, diagnose.Warning, diagnose.Info} {
		m.gauge("xrdpfix_findings_by_severity", "Findings that count, by severity.", float64(l.count(s)), label{"severity", string(s)})
	}
	for _, x := range oncePerCode(l.ignored) {
		m.gauge("xrdpfix_ignored_findings", "Findings that do not count, as stated.", float64(x.n),
			label{"code", string(x.Code)}, label{"severity", string(x.Severity)})
	}
}

// counted is a finding with how many there are of its code.
type counted struct {
	diagnose.Finding
	n int
}

// oncePerCode counts: two values with the same labels are no metric.
func oncePerCode(found []diagnose.Finding) []counted {
	var out []counted
next:
	for _, x := range found {
		for i := range out {
			if out[i].Code == x.Code && out[i].Severity == x.Severity {
				out[i].n++
				continue next
			}
		}
		out = append(out, counted{x, 1})
	}
	return out
}

func wireMetrics(m *gauges, f *diagnose.Facts) {
	if !f.Wire.Ok() {
		return
	}
	s := f.Wire.Value
	n := s.Full.Negotiation
	m.flag("xrdpfix_rdp_success", "Whether xrdp answered a connection request.", n != nil)
	if n != nil && n.FailureCode == 0 {
		for _, p := range []probe.Protocol{probe.ProtocolRDP, probe.ProtocolSSL, probe.ProtocolHybrid} {
			m.flag("xrdpfix_selected_protocol", "What xrdp selects when a client asks for SSL|HYBRID.", n.Selected == p, label{"protocol", p.String()})
		}
	}
	for _, v := range []probe.TLSVersion{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		// What was not asked is left out, but where there is no TLS none succeeds.
		ans, asked := s.Version(v)
		if n != nil && !servesTLS(s) || asked && ans.Answer != probe.AnswerUnknown {
			m.flag("xrdpfix_handshake_success", "Whether a TLS handshake of that version succeeds.", ans.Answer == probe.AnswerAccepted,
				label{"tls_version", strings.TrimPrefix(v.String(), "TLS ")})
		}
	}
	if c, served := servedCert(f); served {
		m.at("xrdpfix_served_certificate_expiry_timestamp_seconds", "When the certificate on the wire ends.", c.NotAfter)
		m.gauge("xrdpfix_served_certificate_remaining_seconds", "How long it is valid still; negative when it has ended.",
			float64(int64(c.Left(f.Taken).Seconds())), label{"self_signed", fmt.Sprint(c.SelfSigned)})
	}
}

// servedCert is the certificate on the wire.
func servedCert(f *diagnose.Facts) (certs.CertInfo, bool) {
	if !f.Wire.Ok() {
		return certs.CertInfo{}, false
	}
	if chain := clients.Chain(&f.Wire.Value); len(chain) > 0 {
		c := certs.InspectDER(chain)
		return c, c.Problem == ""
	}
	// Saved facts have no certificates, but fingerprints.
	t, file := f.Wire.Value.Full.TLS, f.Pair.Value.Cert
	same := t != nil && len(t.Fingerprints) > 0 && t.Fingerprints[0].SHA256 == file.SHA256
	return file, f.Pair.Ok() && same && file.Problem == ""
}

func clientMetrics(m *gauges, r diagnose.Recent) {
	m.at("xrdpfix_clients_since_timestamp_seconds", "From when on the next metrics count, from xrdp.log.", r.Since)
	m.gauge("xrdpfix_clients", "Clients seen there.", float64(r.Clients))
	m.gauge("xrdpfix_client_connections", "Their connections.", float64(r.Connections))
	m.gauge("xrdpfix_clients_without_tls", "Clients that came with classic RDP only.", float64(r.Classic))
	m.counts("xrdpfix_client_failures", "Their connections that failed, by cause.", "code", r.Causes)
}

func has(l *look, code diagnose.Code) bool {
	for _, x := range append(append([]diagnose.Finding{}, l.found...), l.ignored...) {
		if x.Code == code {
			return true
		}
	}
	return false
}

// declaredRange reports whether sesman.ini declares a range, and whether it holds.
func declaredRange(l *look) (declared, effective bool) {
	if !l.facts.Sesman.Ok() {
		return false, false
	}
	_, declared, err := xrdpconf.ReadSessionManager(l.facts.SesmanFile(), nil).DeclaredRange()
	return declared || err != nil, err == nil && !has(l, diagnose.TLSRangeIneffective)
}

// writeTextfile replaces a file of metrics atomically: node_exporter may read it at
// any moment. It is for everybody to read, since the exporter is not root.
func writeTextfile(name, text string) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	root, err := atomicfile.OpenRoot("/")
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	_, err = root.Write(name, []byte(text), atomicfile.Attr{UID: os.Geteuid(), GID: os.Getegid(), Mode: 0o644}, atomicfile.Options{})
	if errors.Is(err, atomicfile.ErrNotDurable) {
		return nil // the next one comes soon
	}
	return err
}
