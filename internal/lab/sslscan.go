package lab

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"
)

// A ScanResult is what sslscan found out.
type ScanResult struct {
	Versions map[string]bool     // "SSLv2" to "TLSv1.3": whether the server accepts it
	Ciphers  map[string][]string // accepted cipher suites of each version, best first; only where asked for
	Output   string
}

// Accepted returns the accepted versions, the oldest first, as in "1.0 1.1 1.2";
// SSL versions have their name in front.
func (r ScanResult) Accepted() string {
	var list []string
	for _, v := range []string{"SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"} {
		if r.Versions[v] {
			list = append(list, strings.TrimPrefix(v, "TLSv"))
		}
	}
	return strings.Join(list, " ")
}

// versionsOnly keeps sslscan to the seven connections that tell the versions; a
// full scan makes over a hundred.
var versionsOnly = []string{
	"--no-ciphersuites", "--no-renegotiation", "--no-compression", "--no-heartbleed",
	"--no-groups", "--no-fallback", "--no-check-certificate",
}

// SSLScan asks the host's xrdp, from inside its network, which TLS versions it
// accepts. Arguments replace the ones that keep the scan short. By itself sslscan
// takes a server for one without the version when it has not answered for three
// seconds.
func SSLScan(ctx context.Context, h *Host, args ...string) (ScanResult, error) {
	if len(args) == 0 {
		args = versionsOnly
	}
	argv := append([]string{"sslscan", "--rdp", "--xml=-", "--timeout=60"}, args...)
	var r Result
	var err error
	h.Settled(ctx, func() { r, err = h.Net(ctx, append(argv, fmt.Sprintf("127.0.0.1:%d", RDPPort))...) })
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("exit status %d: %s", r.Code, lastLine(r.Stderr))
	}
	if err != nil {
		return ScanResult{}, fmt.Errorf("sslscan of %s: %w", h.Name, err)
	}
	s, err := parseSSLScan(r.Stdout)
	if err != nil {
		return ScanResult{}, fmt.Errorf("sslscan of %s: %w", h.Name, err)
	}
	return s, nil
}

// parseSSLScan reads sslscan's XML report of one target.
func parseSSLScan(text string) (ScanResult, error) {
	var doc struct {
		Tests []struct {
			Protocols []struct {
				Type    string `xml:"type,attr"`
				Version string `xml:"version,attr"`
				Enabled string `xml:"enabled,attr"`
			} `xml:"protocol"`
			Ciphers []struct {
				Version string `xml:"sslversion,attr"`
				Name    string `xml:"cipher,attr"`
			} `xml:"cipher"`
		} `xml:"ssltest"`
	}
	if err := xml.Unmarshal([]byte(text), &doc); err != nil {
		return ScanResult{}, fmt.Errorf("read the report: %w", err)
	}
	if len(doc.Tests) != 1 || len(doc.Tests[0].Protocols) == 0 {
		return ScanResult{}, fmt.Errorf("read the report: it tells of no versions: %s", lastLine(text))
	}
	r := ScanResult{Versions: map[string]bool{}, Ciphers: map[string][]string{}, Output: text}
	for _, p := range doc.Tests[0].Protocols {
		r.Versions[strings.ToUpper(p.Type)+"v"+p.Version] = p.Enabled == "1"
	}
	for _, c := range doc.Tests[0].Ciphers {
		r.Ciphers[c.Version] = append(r.Ciphers[c.Version], c.Name)
	}
	return r, nil
}
