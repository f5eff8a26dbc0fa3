// Package sbom writes what a Go program was built from as a software bill of
// materials in the form of CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/).
package sbom

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
)

// Program is a built program. Everything comes from outside, so that two
// descriptions of the same bytes are the same.
type Program struct {
	Name    string
	Version string
	License string           // SPDX expression
	SHA256  string           // of the file, in hexadecimal
	Built   time.Time        // SOURCE_DATE_EPOCH
	Info    *debug.BuildInfo // as debug/buildinfo reads it
	// Licenses are the SPDX identifiers of the modules, by path.
	Licenses map[string]string
}

type document struct {
	BomFormat    string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	SerialNumber string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licenses   []choice   `json:"licenses,omitempty"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type choice struct {
	Expression string   `json:"expression,omitempty"`
	License    *license `json:"license,omitempty"`
}

type license struct {
	ID string `json:"id"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// CycloneDX returns the bill as JSON. The components are the modules that are
// linked in and the standard library; of what depends on what, a program records
// only that they are all in it.
func CycloneDX(p Program) ([]byte, error) {
	serial, err := serial(p.SHA256)
	if err != nil {
		return nil, err
	}
	self := component{
		Type: "application", Ref: purl(p.Info.Main.Path, p.Version), Name: p.Name, Version: p.Version,
		Hashes: []hash{{"SHA-256", p.SHA256}}, PURL: purl(p.Info.Main.Path, p.Version), Properties: settings(p.Info),
	}
	if p.License != "" {
		self.Licenses = []choice{{Expression: p.License}}
	}
	goVersion := strings.TrimPrefix(p.Info.GoVersion, "go")
	parts := []component{{Type: "library", Name: "std", Version: goVersion, PURL: purl("stdlib", goVersion), Licenses: ids("BSD-3-Clause")}}
	for _, m := range p.Info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: purl(m.Path, m.Version), Licenses: ids(p.Licenses[m.Path])}
		if m.Sum != "" {
			c.Properties = []property{{"go:sum", m.Sum}}
		}
		parts = append(parts, c)
	}
	deps := dependency{Ref: self.Ref}
	var leaves []dependency
	for i := range parts {
		parts[i].Ref = parts[i].PURL
		deps.DependsOn = append(deps.DependsOn, parts[i].Ref)
		leaves = append(leaves, dependency{Ref: parts[i].Ref})
	}
	out, err := json.MarshalIndent(document{
		BomFormat: "CycloneDX", SpecVersion: "1.6", SerialNumber: serial, Version: 1,
		Metadata:   metadata{p.Built.UTC().Format(time.RFC3339), self},
		Components: parts, Dependencies: append([]dependency{deps}, leaves...),
	}, "", "  ")
	return append(out, '\n'), err
}

// purl is a package URL of the type golang
// (https://github.com/package-url/purl-spec).
func purl(path, version string) string {
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}

// ids is one identifier, or an expression of several.
func ids(id string) []choice {
	switch {
	case id == "":
		return nil
	case strings.Contains(id, " "):
		return []choice{{Expression: id}}
	}
	return []choice{{License: &license{id}}}
}

// settings are those of the build that decide what the program is.
func settings(info *debug.BuildInfo) []property {
	out := []property{{"go:version", info.GoVersion}}
	for _, s := range info.Settings {
		switch s.Key {
		case "CGO_ENABLED", "GOOS", "GOARCH", "GOAMD64", "GOARM64":
			out = append(out, property{"go:" + s.Key, s.Value})
		}
	}
	return out
}

// serial makes a UUID of version 8 (RFC 9562, section 5.8) out of the hash of
// the file that the bill is about.
func serial(sum string) (string, error) {
	if len(sum) != 64 || strings.Trim(sum, "0123456789abcdef") != "" {
		return "", fmt.Errorf("describe a program: %q is no SHA-256 sum", sum)
	}
	return "urn:uuid:" + sum[:8] + "-" + sum[8:12] + "-8" + sum[13:16] + "-8" + sum[17:20] + "-" + sum[20:32], nil
}
