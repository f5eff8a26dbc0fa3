package xrdpconf

import (
	"slices"
	"strings"
)

// lintKey looks at one occurrence of a key: is it where something reads it, and does
// anything know it.
func (f *File) lintKey(c *collector, i int, p Place) {
	if !p.Live() && p.Fate != FateDuplicateSection && p.Fate != FateBehindBracket {
		return
	}
	key := fold(p.Key)
	security := f.kind == KindServer && fold(p.Section) == fold(SectionGlobals)
	switch {
	case key == KeyTLSMin || key == KeyTLSMax:
		if f.kind != KindSessionManager || fold(p.Section) != fold(SectionSecurity) {
			c.add(p.Line, IssueTLSRange, p.Key, "no xrdp reads %s; the range is ssl_protocols in [Globals] of xrdp.ini", p.Key)
		}
		return
	case slices.Contains(tlsKeys, key):
		if !security {
			c.add(p.Line, IssueMisplaced, p.Key, "%s counts only in [Globals] of xrdp.ini, not in [%s] of %s", p.Key, p.Section, f.kind)
		}
		return
	}
	if security {
		f.lintObsolete(c, p)
	}
	if why, ok := foreignKeys[key]; ok {
		c.add(p.Line, IssueForeignKey, p.Key, "xrdp has no key %s: %s", p.Key, why)
		return
	}
	known, ok := f.knownSection(p.Section)
	if !ok || f.isList(p.Section) || f.lines[i].unread {
		return
	}
	if near, ok := nearest(key, known); ok {
		c.add(p.Line, IssueNearMiss, p.Key, "xrdp does not know %s; did somebody mean %s", p.Key, near)
	}
}

func (f *File) lintObsolete(c *collector, p Place) {
	switch fold(p.Key) {
	case "address":
		c.add(p.Line, IssueObsolete, p.Key, "address is not read since 0.9.11; port=tcp://ADDRESS:PORT is")
	case "disablesslv3":
		c.add(p.Line, IssueObsolete, p.Key, "disableSSLv3 is not read since 0.9.2; ssl_protocols is")
	case "use_vsock":
		if ParseBool(p.Value) {
			c.add(p.Line, IssueObsolete, p.Key, "use_vsock is not read since 0.10.4; port=vsock://CID:PORT is")
		}
	}
}

// nearest returns the known key that is a typing error away: other separators, or
// one wrong, missing, additional or swapped letter, two in long keys.
func nearest(key string, known []string) (string, bool) {
	plain := strings.NewReplacer("-", "", "_", "", " ", "", ".", "")
	best, at := "", 3
	for _, k := range known {
		folded := fold(k)
		if folded == key {
			return "", false
		}
		d := distance(plain.Replace(key), plain.Replace(folded))
		limit := 1
		if len(folded) >= 10 {
			limit = 2
		}
		if len(folded) > 3 && d <= limit && d < at {
			best, at = k, d
		}
	}
	return best, best != ""
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to get from a to b (optimal string alignment).
func distance(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
