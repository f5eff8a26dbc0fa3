package diagnose

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

var (
	addrLike  = regexp.MustCompile(`[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*|\d{1,3}(?:\.\d{1,3}){3}`)
	emailLike = regexp.MustCompile(`[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)
	sumLike   = regexp.MustCompile(`[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){15,}|\b[0-9A-Fa-f]{32,}\b`)
)

// ready makes what was learned findable in texts. The longest name comes first.
func (r *redactor) ready() {
	slices.SortStableFunc(r.order, func(a, b string) int { return len(b) - len(a) })
	var list []string
	for _, n := range r.order {
		list = append(list, regexp.QuoteMeta(n))
	}
	if len(list) > 0 {
		r.find, _ = regexp.Compile("(?i:" + strings.Join(list, "|") + ")")
	}
}

// text redacts what may hold names and addresses beside other things.
func (r *redactor) text(s string) string {
	if s == "" {
		return s
	}
	s = emailLike.ReplaceAllStringFunc(s, func(m string) string {
		user, domain, _ := strings.Cut(m, "@")
		if dot := strings.LastIndexByte(domain, '.'); slices.Contains([]string{"service", "socket", "target", "timer", "slice", "scope", "mount", "path"}, domain[dot+1:]) {
			return m // an instance of a unit
		}
		return r.user(user) + "@" + r.domain(strings.ToLower(domain))
	})
	s = sumLike.ReplaceAllStringFunc(s, r.sum)
	s = replaceWhole(s, addrLike, r.address)
	if r.find == nil {
		return s
	}
	return replaceWhole(s, r.find, func(m string) (string, bool) {
		p, ok := r.known[strings.ToLower(m)]
		return p, ok
	})
}

// address redacts what looks like an address, if it is one.
func (r *redactor) address(m string) (string, bool) {
	rest := ""
	for m != "" {
		if a, err := netip.ParseAddr(m); err == nil {
			return r.addr(a).String() + rest, true
		}
		last := len(m) - 1
		if m[last] != ':' && m[last] != '.' {
			break
		}
		m, rest = m[:last], m[last:]+rest
	}
	return "", false
}

// replaceWhole replaces the matches that are no part of a longer word.
func replaceWhole(s string, re *regexp.Regexp, by func(string) (string, bool)) string {
	var b strings.Builder
	for at := 0; at < len(s); {
		m := re.FindStringIndex(s[at:])
		if m == nil {
			b.WriteString(s[at:])
			break
		}
		from, to := at+m[0], at+m[1]
		whole := from < to && (from == 0 || !alnum(s[from-1])) && (to == len(s) || !alnum(s[to]))
		if re == addrLike && from > 0 && s[from-1] == ':' && strings.Contains(s[from:to], ":") {
			whole = false // the end of a longer row of hexadecimal numbers
		}
		if whole {
			if p, ok := by(s[from:to]); ok {
				b.WriteString(s[at:from] + p)
				at = to
				continue
			}
		}
		b.WriteString(s[at : from+1])
		at = from + 1
	}
	return b.String()
}

func alnum(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
}

// personal matches the settings of both files whose values are names or free
// words, commented out or not.
var personal = regexp.MustCompile(`(?im)^([#; \t]*(?:username|pamusername|domain|ip|ls_title|TerminalServerUsers|TerminalServerAdmins)[ \t]*=[ \t]*)([^\r\n#;]*[^\s#;])`)

// ini redacts a configuration file. Line ends and numbers stay.
func (r *redactor) ini(s string) string {
	s = personal.ReplaceAllStringFunc(s, func(line string) string {
		m := personal.FindStringSubmatch(line)
		key := strings.ToLower(strings.Trim(m[1], "#; \t="))
		value := m[2]
		switch {
		case strings.HasPrefix(strings.ToLower(value), "ask"), value == "tsusers", value == "tsadmins":
			return line
		case key == "ls_title":
			value = r.know(value, "name")
		case key == "ip" || key == "domain":
			value = r.host(value)
		default:
			value = r.user(value)
		}
		return m[1] + value
	})
	return r.text(s)
}
