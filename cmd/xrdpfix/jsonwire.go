package main

import (
	"strings"
	"time"

	"xrdpfix/logwatch"
	"xrdpfix/probe"
)

// probeDoc is what a server offers, from the wire.
type probeDoc struct {
	Addr      string        `json:"addr"`
	Remote    string        `json:"remote,omitempty"`
	Reachable bool          `json:"reachable"`
	ElapsedMS int64         `json:"elapsed_ms"`
	Security  []securityDoc `json:"security"`
	TLS       []versionDoc  `json:"tls"`
	Failure   *failureDoc   `json:"failure,omitempty"`
	// Software is what answers, by its behaviour: "xrdp", "Windows", "FreeRDP".
	Software string          `json:"software,omitempty"`
	Because  string          `json:"because,omitempty"`
	CutOff   *cutOffDoc      `json:"cut_off,omitempty"`
	NTLM     *probe.NTLMInfo `json:"ntlm,omitempty"`
}

// cutOffDoc counts connections that were reset after the ClientHello.
type cutOffDoc struct {
	Times int `json:"times"`
	Of    int `json:"of"`
}

// securityDoc is one answer to an X.224 Connection Request.
type securityDoc struct {
	Asked      string `json:"asked"`
	Selected   string `json:"selected,omitempty"`
	Refused    string `json:"refused,omitempty"`
	Encryption string `json:"encryption,omitempty"`
	Level      string `json:"level,omitempty"`
}

// versionDoc is the answer about one TLS version.
type versionDoc struct {
	Version string       `json:"version"`
	Answer  probe.Answer `json:"answer"`
	Cipher  string       `json:"cipher,omitempty"`
	Alert   string       `json:"alert,omitempty"`
}

type failureDoc struct {
	Stage string     `json:"stage"`
	Kind  probe.Kind `json:"kind"`
	Text  string     `json:"text"`
}

func probeOf(s probe.ServerSurvey) *probeDoc {
	doc := &probeDoc{
		Addr: s.Addr, Reachable: s.Full.Negotiation != nil, ElapsedMS: s.Elapsed.Milliseconds(),
		Security: []securityDoc{}, TLS: []versionDoc{},
	}
	if r := s.Full.Remote; r.IsValid() {
		doc.Remote = r.String()
	}
	for _, r := range asked(s) {
		n := r.Negotiation
		sec := securityDoc{Asked: askedText(n.Requested), Selected: n.Selected.String()}
		if n.FailureCode != 0 {
			sec.Selected, sec.Refused = "", n.FailureCode.String()
		} else if n.Selected == probe.ProtocolRDP && r.MCS != nil {
			sec.Encryption, sec.Level = r.MCS.EncryptionMethod.String(), r.MCS.EncryptionLevel.String()
		}
		doc.Security = append(doc.Security, sec)
	}
	for _, v := range s.Versions {
		ver := versionDoc{Version: v.Version.String(), Answer: v.Answer, Cipher: v.Cipher}
		if v.Failure != nil {
			ver.Alert = v.Failure.AlertName
		}
		doc.TLS = append(doc.TLS, ver)
	}
	software, because := s.Software()
	doc.Software, doc.Because = string(software), because
	if times, of, _ := s.CutOff(); times > 0 {
		doc.CutOff = &cutOffDoc{times, of}
	}
	if f := s.Full.Failure; f != nil {
		doc.Failure = &failureDoc{f.Stage.String(), f.Kind, f.Text}
	}
	return doc
}

// asked are the connections that came to a negotiation, the weakest first.
func asked(s probe.ServerSurvey) []*probe.Result {
	var out []*probe.Result
	for _, r := range []*probe.Result{s.Classic, s.SSL, &s.Full} {
		if r != nil && r.Negotiation != nil {
			out = append(out, r)
		}
	}
	return out
}

// askedText prints what was asked for: "RDP", "SSL|HYBRID".
func askedText(p probe.Protocol) string {
	if p == probe.ProtocolRDP {
		return "RDP"
	}
	return strings.TrimPrefix(p.String(), "PROTOCOL_")
}

// connectionDoc is one connection of xrdp.log.
type connectionDoc struct {
	Time    time.Time            `json:"time"`
	Client  string               `json:"client"`
	Name    string               `json:"name"`
	Asked   string               `json:"asked"`
	Got     string               `json:"got"`
	Cipher  string               `json:"cipher"`
	Outcome logwatch.OutcomeKind `json:"outcome"`
	Cause   string               `json:"cause"`
	Likely  bool                 `json:"likely"`
	// Own: xrdpfix itself connected.
	Own bool `json:"own"`
}

func connectionOf(c *logwatch.Connection, o logwatch.Outcome) connectionDoc {
	doc := connectionDoc{
		Time: c.Start.UTC(), Client: clientAddr(c), Name: c.ClientName, Asked: strings.TrimSuffix(c.Requested, "|RDP"),
		Outcome: o.Kind, Cause: o.Cause, Likely: o.Likely, Cipher: c.Cipher, Own: o.Own,
	}
	switch {
	case c.TLSVersion != "":
		doc.Got = strings.Replace(c.TLSVersion, "TLSv", "TLS ", 1)
	case c.Protocol != "":
		doc.Got = c.Protocol
	}
	return doc
}

// clientAddr is the client's address, "" where the log does not tell it.
func clientAddr(c *logwatch.Connection) string {
	if !c.Client.IsValid() {
		return ""
	}
	return c.Client.Addr().String()
}
