package xrdpconf

import (
	"strings"
)

// lintServer looks at the values that decide about security.
func (f *File) lintServer(c *collector) {
	s := ReadServer(f, Version{}, nil)
	for _, key := range tlsKeys {
		v, ok := f.Lookup(SectionGlobals, key)
		if !ok {
			continue
		}
		quoted := len(v.Text) > 1 && strings.ContainsRune(`"'`, rune(v.Text[0]))
		switch {
		case quoted:
			c.add(v.Line, IssueQuoted, key, "quotes belong to the value: xrdp reads %s=%s with them", key, v.Text)
		case key == "security_layer" && !s.SecurityLayerValid:
			c.add(v.Line, IssueInvalidValue, key, "security_layer=%s is not one of rdp, tls, negotiate: xrdp uses negotiate", v.Text)
		case key == "crypt_level" && !s.CryptLevelValid:
			c.add(v.Line, IssueInvalidValue, key, "crypt_level=%s is not one of none, low, medium, high, fips: xrdp uses high", v.Text)
		case (key == "certificate" || key == "key_file") && v.Text != "" && !strings.HasPrefix(v.Text, "/"):
			c.add(v.Line, IssueRelativePath, key, "%s=%s is not an absolute path: xrdp uses its default", key, v.Text)
		case key == "ssl_protocols":
			f.lintProtocols(c, v, s)
		}
	}
	if v, ok := f.Lookup(SectionGlobals, "port"); ok {
		f.lintPort(c, v, s.Listen)
	}
}

func (f *File) lintProtocols(c *collector, v Value, s Server) {
	if i := strings.IndexAny(v.Text, "\t:"); i >= 0 {
		c.add(v.Line, IssueSeparator, "ssl_protocols", "%q does not separate: ssl_protocols wants commas or spaces", v.Text[i])
	} else if l := f.lineAt(v); l.comment < l.end && f.data[l.comment] == ';' {
		for _, t := range tokens {
			if rest := strings.TrimSpace(f.data[l.comment+1 : l.end]); strings.HasPrefix(fold(rest), fold(t.token)) {
				c.add(v.Line, IssueSeparator, "ssl_protocols", "';' begins a comment: ssl_protocols wants commas or spaces")
				break
			}
		}
	}
	for _, word := range s.UnknownProtocols {
		c.add(v.Line, IssueUnknownProtocol, "ssl_protocols", "xrdp does not know %q: the words are SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3, spelled so", word)
	}
}

// lineAt returns the live line of a value of [Globals].
func (f *File) lineAt(v Value) line {
	for _, i := range f.liveLines(SectionGlobals) {
		if l := f.lines[i]; l.number == v.Line && l.value == v.Raw {
			return l
		}
	}
	return line{}
}

// lintPort reports a value that xrdp takes apart otherwise than it looks.
func (f *File) lintPort(c *collector, v Value, listen []Listen) {
	if len(listen) == 0 {
		c.add(v.Line, IssuePort, "port", "port=%s names nothing to listen on: xrdp runs without a port", v.Text)
		return
	}
	words := strings.FieldsFunc(v.Text, func(r rune) bool { return r == ',' || r <= ' ' })
	var plain []string
	for _, l := range listen {
		if l.Port < 1 && l.Network != NetworkUnix || l.Port > 65535 && l.Network != NetworkVsock {
			c.add(v.Line, IssuePort, "port", "port=%s makes xrdp listen on port %d", v.Text, l.Port)
			return
		}
		plain = append(plain, l.String())
	}
	if len(words) != len(listen) {
		c.add(v.Line, IssuePort, "port", "port=%s means %q to xrdp", v.Text, strings.Join(plain, " "))
	}
}

// lintLogging looks at the levels of [Logging].
func (f *File) lintLogging(c *collector) {
	for _, key := range []string{"LogLevel", "SyslogLevel", "ConsoleLevel"} {
		v, ok := f.Lookup(SectionLogging, key)
		if !ok {
			continue
		}
		if _, valid := ParseLogLevel(v.Text); !valid {
			c.add(v.Line, IssueInvalidValue, key, "%s=%s is no level: xrdp uses debug", key, v.Text)
		}
	}
}
