package opensslconf

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

const defaultSection = "default"

// Versions are the protocol versions that OpenSSL's configuration names and
// that a TLS server can speak, oldest first.
var Versions = []string{"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}

// Config is what openssl.cnf imposes on every TLS context of a program.
type Config struct {
	// File is the file that was asked for, Files all that were read, in order.
	File  string
	Files []string
	// Section is the one that system_default names. It is "" where nothing
	// leads to one: then the configuration imposes nothing on TLS.
	Section string
	// MinProtocol, MaxProtocol and CipherString are the settings that count, nil
	// where not set. Values for DTLS are none.
	MinProtocol, MaxProtocol, CipherString *Value
	// Protocol is the last command that turned single versions off or on, nil
	// where none did. Such commands add up; [Config.Allows] knows the sum.
	Protocol *Value
	off      map[string]bool
}

// Read reads the configuration file called name, as [Path] finds it. A missing
// file imposes nothing, as with OpenSSL. An error that is [ErrSyntax] means that
// OpenSSL ignores the whole configuration too, so that nothing is imposed.
func Read(name string, src Source) (Config, error) {
	p := &parser{src: src, all: sections{}, section: defaultSection}
	c := Config{File: name}
	if err := p.file(name, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("reading the configuration of OpenSSL: %w", err)
	}
	c.Files = p.files
	c.Section = p.all.systemDefault()
	for _, v := range p.all[c.Section] {
		if c.Section != "" {
			c.apply(v)
		}
	}
	return c, nil
}

// systemDefault follows openssl_conf, ssl_conf and system_default. The name of
// a module may carry a number ("ssl_conf.1", CONF_modules_load); of several the
// last that is applied counts.
func (s sections) systemDefault() string {
	root, ok := s.get(defaultSection, "openssl_conf")
	if !ok {
		return ""
	}
	found := ""
	for _, module := range s[root.Text] {
		if name, _, _ := strings.Cut(module.Name, "."); name != "ssl_conf" {
			continue
		}
		if v, ok := s.get(module.Text, "system_default"); ok && s[v.Text] != nil {
			found = v.Text
		}
	}
	return found
}

// apply takes over one command of the section. What stands before the first dot
// is there to tell commands apart ("TLS.MinProtocol", crypto/conf/conf_ssl.c),
// their names match in any case (SSL_CONF_cmd(3)), values do not.
func (c *Config) apply(v Value) {
	name := v.Name
	if _, rest, ok := strings.Cut(name, "."); ok {
		name = rest
	}
	switch strings.ToLower(name) {
	case "minprotocol":
		setVersion(&c.MinProtocol, v)
	case "maxprotocol":
		setVersion(&c.MaxProtocol, v)
	case "cipherstring":
		c.CipherString = &v
	case "protocol":
		c.Protocol = &v
		c.switchVersions(v.Text)
	}
}

// setVersion takes a bound that OpenSSL takes for TLS: "None" lifts it; a DTLS
// version and an unknown word leave it.
func setVersion(bound **Value, v Value) {
	if v.Text == "None" {
		*bound = nil
	} else if slices.Contains(Versions, v.Text) {
		*bound = &v
	}
}

// Allows reports whether the configuration leaves a version of [Versions] to the
// program. The security level, which also ends TLS 1.0 and 1.1 at 1 and above,
// is another matter: a program can lower it.
func (c Config) Allows(version string) bool {
	n := slices.Index(Versions, version)
	if n < 0 {
		return false
	}
	if c.MinProtocol != nil && n < slices.Index(Versions, c.MinProtocol.Text) {
		return false
	}
	if c.MaxProtocol != nil && n > slices.Index(Versions, c.MaxProtocol.Text) {
		return false
	}
	return !c.off[version]
}

// Refused lists the TLS versions that the configuration forbids, whatever the
// program wants; nil where it forbids none.
func (c Config) Refused() []string {
	var out []string
	for _, v := range Versions[1:] {
		if !c.Allows(v) {
			out = append(out, v)
		}
	}
	return out
}

// switchVersions obeys the list of the deprecated command Protocol: names, each
// turned on, or off after "-"; ALL for every version (ssl/ssl_conf.c,
// cmd_Protocol). An unknown name ends the list.
func (c *Config) switchVersions(list string) {
	if c.off == nil {
		c.off = map[string]bool{}
	}
	for word := range strings.SplitSeq(list, ",") {
		word = strings.Trim(word, blanks)
		name := strings.TrimPrefix(word, "-")
		off := name != word
		name = strings.TrimPrefix(name, "+")
		known := strings.EqualFold(name, "SSLv2")
		for _, v := range Versions {
			if strings.EqualFold(name, "ALL") || strings.EqualFold(name, v) {
				c.off[v] = off
				known = true
			}
		}
		if !known {
			return
		}
	}
}
