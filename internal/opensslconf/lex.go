package opensslconf

import "strings"

// blanks are CONF_WS of crypto/conf/conf_def.h.
const blanks = " \t\r\n"

// Characters of names beside letters, digits and "_" (CONF_ALNUM_PUNCT).
const namePunct = "!.%&*+,/;?@^~|-"

func isAlnum(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// nameEnd is the length of the name that s begins with.
func (p *parser) nameEnd(s string) int {
	i := 0
	for i < len(s) {
		switch c := s[i]; {
		case c == '\\':
			i += 2
		case isAlnum(c), strings.IndexByte(namePunct, c) >= 0, p.dollarID && c == '$':
			i++
		default:
			return i
		}
	}
	return min(i, len(s))
}

// stripComment cuts a line at its first "#" that is neither quoted nor escaped.
func stripComment(s string) string {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '#':
			return s[:i]
		case c == '\\':
			i++
		case isQuote(c):
			i = quoteEnd(s, i)
		}
	}
	return s
}

// quoteEnd is the index of the quote that ends the one at i, or the end of s.
func quoteEnd(s string, i int) int {
	q := s[i]
	for i++; i < len(s) && s[i] != q; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return i
}

// expand takes quotes and escapes out of a value and puts variables in
// (str_copy in crypto/conf/conf_def.c).
func (p *parser) expand(section, s string, at place) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case isQuote(c):
			i++
			for i < len(s) && s[i] != c {
				if s[i] == '\\' {
					if i++; i >= len(s) {
						break
					}
				}
				b.WriteByte(s[i])
				i++
			}
			i++
		case c == '\\':
			if i+1 >= len(s) {
				return b.String(), nil
			}
			b.WriteByte(unescape(s[i+1]))
			i += 2
		case c == '$' && (!p.dollarID || strings.HasPrefix(s[i+1:], "{") || strings.HasPrefix(s[i+1:], "(")):
			value, n, err := p.variable(section, s[i+1:], at)
			if err != nil {
				return "", err
			}
			b.WriteString(value)
			i += 1 + n
		default:
			b.WriteByte(c)
			i++
		}
		if b.Len() > maxValue {
			return "", at.errorf("variable expansion too long")
		}
	}
	return b.String(), nil
}

func unescape(c byte) byte {
	switch c {
	case 'r':
		return '\r'
	case 'n':
		return '\n'
	case 'b':
		return '\b'
	case 't':
		return '\t'
	}
	return c
}

// variable reads what follows "$": name, section::name, and either in braces or
// parentheses. It returns how much of s that was.
func (p *parser) variable(section, s string, at place) (value string, length int, err error) {
	closing := byte(0)
	i := 0
	if s != "" {
		switch s[0] {
		case '{':
			closing, i = '}', 1
		case '(':
			closing, i = ')', 1
		}
	}
	start := i
	for i < len(s) && isAlnum(s[i]) {
		i++
	}
	name := s[start:i]
	if strings.HasPrefix(s[i:], "::") {
		section = name
		i += 2
		start = i
		for i < len(s) && isAlnum(s[i]) {
			i++
		}
		name = s[start:i]
	}
	if closing != 0 {
		if i >= len(s) || s[i] != closing {
			return "", 0, at.errorf("no close brace")
		}
		i++
	}
	if v, ok := p.lookup(section, name); ok {
		return v, i, nil
	}
	return "", 0, at.errorf("variable %q has no value", name)
}

// lookup is _CONF_get_string: the section, the environment for ENV, and the
// default section.
func (p *parser) lookup(section, name string) (string, bool) {
	if v, ok := p.all.get(section, name); ok {
		return v.Text, true
	}
	if section == "ENV" {
		if v, ok := p.src.getenv(name); ok {
			return v, true
		}
	}
	v, ok := p.all.get(defaultSection, name)
	return v.Text, ok
}
