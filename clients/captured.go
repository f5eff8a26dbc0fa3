package clients

import (
	"crypto/tls"
	"embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"xrdpfix/probe"
)

// captures has one ClientHello of each captured client, in hexadecimal, below a line that says of which program. A test
// on real programs compares them (clients, TestCaptures).
//
//go:embed captures
var captures embed.FS

// nego are the requests of FreeRDP, in the order of its state machine (libfreerdp/core/nego.c).
var nego = []probe.Protocol{probe.ProtocolSSL | probe.ProtocolHybrid, probe.ProtocolSSL, probe.ProtocolRDP}

// negoEx is nego since FreeRDP 3.16, which begins with Early User Authorization.
var negoEx = append([]probe.Protocol{probe.ProtocolSSL | probe.ProtocolHybrid | probe.ProtocolHybridEx}, nego...)

// profiles is made once; reading a broken capture is a bug that every test finds.
var profiles = sync.OnceValue(func() []Profile {
	list := slices.Concat(windows(), freerdp(), others())
	for i := range list {
		p := &list[i]
		if p.Known != Captured {
			continue
		}
		if err := p.load(); err != nil {
			panic(fmt.Sprintf("clients: capture of %s: %v", p.Key, err))
		}
	}
	return list
})

// captureOf names the file of a profile that shares another one's ClientHello.
var captureOf = map[string]string{"freerdp-nla": "freerdp3"}

// load reads the capture of the profile.
func (p *Profile) load() error {
	name := p.Key
	if shared, ok := captureOf[p.Key]; ok {
		name = shared
	}
	text, err := captures.ReadFile("captures/" + name + ".txt")
	if err != nil {
		return err
	}
	of, records, err := ReadCapture(string(text))
	if err != nil {
		return err
	}
	hello, err := probe.ParseClientHello(records)
	if err != nil {
		return err
	}
	p.Of, p.Records, p.Hello = of, records, hello
	if p.Versions == nil {
		p.Versions = slices.Sorted(slices.Values(hello.Versions))
	}
	return nil
}

// ReadCapture reads the text of a capture: a line "# program", then hexadecimal.
func ReadCapture(text string) (of string, records []byte, err error) {
	head, rest, _ := strings.Cut(text, "\n")
	of, ok := strings.CutPrefix(head, "# ")
	if !ok {
		return "", nil, fmt.Errorf("no line that says of what it is")
	}
	records, err = hex.DecodeString(strings.Join(strings.Fields(rest), ""))
	return of, records, err
}

// WriteCapture gives the text that ReadCapture reads.
func WriteCapture(of string, records []byte) string {
	const width = 48
	var b strings.Builder
	b.WriteString("# " + of + "\n")
	for line := range slices.Chunk(records, width) {
		b.WriteString(hex.EncodeToString(line) + "\n")
	}
	return b.String()
}

// freerdp are FreeRDP and what stands on it, captured.
func freerdp() []Profile {
	base := Profile{
		Kind: "freerdp", Known: Captured, Requests: nego, NLA: true, Classic: true, SaltedMAC: true, Trust: TrustAsks,
		Versions: []probe.TLSVersion{tls.VersionTLS12, tls.VersionTLS13},
		// "unable to retrieve bindings": the channel binding needs a hash that Ed25519 does not name.
		RefusesKeys: []string{"Ed25519"},
	}
	with := func(key, name string, change func(*Profile)) Profile {
		p := base
		p.Key, p.Name = key, name
		if change != nil {
			change(&p)
		}
		return p
	}
	return []Profile{
		with("freerdp2", "FreeRDP 2", nil),
		with("freerdp3", "FreeRDP 3.15", nil),
		with("freerdp3-sid", "FreeRDP 3.32", func(p *Profile) { p.Requests = negoEx }),
		with("freerdp-nla", "FreeRDP, /sec:nla", func(p *Profile) {
			p.Requests, p.InsistsNLA, p.Classic = nego[:1], true, false
		}),
		with("remmina", "Remmina", func(p *Profile) {
			p.Kind = "remmina"
		}),
		// It starts "xfreerdp -decorations ... /rfx /cert-ignore +clipboard /port:3389 /v:HOST". There is no /sec, so the
		// requests are those of FreeRDP. What "Extra options" says of fingerprints stands before /cert-ignore and counts for
		// nothing. From 24.02 on KRDC has FreeRDP's library inside; of that nothing was captured.
		with("krdc", "KRDC 22.12", func(p *Profile) {
			p.Kind, p.Trust = "krdc", TrustAny
		}),
		with("rdesktop", "rdesktop", func(p *Profile) {
			p.Kind, p.Versions, p.RefusesKeys = "", nil, nil
			p.Requests = []probe.Protocol{probe.ProtocolSSL | probe.ProtocolHybrid, probe.ProtocolRDP}
			p.RetriesClassic, p.RC4Only = true, true
			p.NLA, p.SaltedMAC = false, false // its CredSSP is for Kerberos and smart cards only
		}),
	}
}
