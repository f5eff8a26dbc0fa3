package clientele

import (
	"xrdpfix/xrdpconf"
)

// Policy is what a client meets.
type Policy struct {
	// Range is the TLS versions on offer; the zero range is no TLS at all.
	Range xrdpconf.Range
	// Classic says whether a client without TLS gets in.
	Classic bool
}

// offersTLS reports whether there is any TLS.
func (p Policy) offersTLS() bool { return p.Range.Min != 0 }

// has reports whether a version is on offer.
func (p Policy) has(v xrdpconf.TLSVersion) bool {
	return p.offersTLS() && p.Range.Min <= v && v <= p.Range.Max
}

// Flags are the flags of plan and apply that state the policy.
func (p Policy) Flags() string {
	layer := " --security-layer tls"
	switch {
	case !p.offersTLS():
		return "--security-layer rdp"
	case p.Classic:
		layer = " --security-layer negotiate"
	}
	switch p.Range {
	case xrdpconf.Range{Min: xrdpconf.TLS13, Max: xrdpconf.TLS13}:
		return "--profile modern" + layer
	case xrdpconf.Range{Min: xrdpconf.TLS12, Max: xrdpconf.TLS13}:
		return "--profile intermediate" + layer
	case xrdpconf.Range{Min: xrdpconf.TLS10, Max: xrdpconf.TLS13}:
		return "--profile legacy" + layer
	}
	return "--tls-min " + p.Range.Min.Number() + " --tls-max " + p.Range.Max.Number() + layer
}
