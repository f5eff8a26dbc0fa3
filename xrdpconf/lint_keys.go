package xrdpconf

import "slices"

// lintKeys looks at every line with a key.
func (f *File) lintKeys(c *collector) {
	var in sectionOfKeys
	f.eachPlace(func(i int, meant string) {
		p := f.place(i, meant)
		if p.Section != in.name || !in.known {
			in = f.sectionOfKeys(p.Section)
		}
		f.lintKey(c, i, p, in)
	})
}

// sectionOfKeys is what the lint of a key needs to know about its section.
type sectionOfKeys struct {
	name          string
	known         bool // the rest is filled in
	server        bool // [Globals] of xrdp.ini
	declaresRange bool // [Security] of sesman.ini
	words         *vocabulary
}

func (f *File) sectionOfKeys(name string) sectionOfKeys {
	folded := fold(name)
	return sectionOfKeys{
		name: name, known: true,
		server:        f.kind == KindServer && folded == fold(SectionGlobals),
		declaresRange: f.kind == KindSessionManager && folded == fold(SectionSecurity),
		words:         f.vocabularyOf(name),
	}
}

// lintKey looks at one occurrence of a key: is it where something reads it, and does
// anything know it.
func (f *File) lintKey(c *collector, i int, p Place, in sectionOfKeys) {
	if !p.Live() && p.Fate != FateDuplicateSection && p.Fate != FateBehindBracket {
		return
	}
	key := fold(p.Key)
	switch {
	case key == KeyTLSMin || key == KeyTLSMax:
		if !in.declaresRange {
			c.add(p.Line, IssueTLSRange, p.Key, "no xrdp reads %s; the range is ssl_protocols in [Globals] of xrdp.ini", p.Key)
		}
		return
	case slices.Contains(tlsKeys, key):
		if !in.server {
			c.add(p.Line, IssueMisplaced, p.Key, "%s counts only in [Globals] of xrdp.ini, not in [%s] of %s", p.Key, p.Section, f.kind)
		}
		return
	}
	if in.server {
		f.lintObsolete(c, p)
	}
	if why, ok := foreignKeys[key]; ok {
		c.add(p.Line, IssueForeignKey, p.Key, "xrdp has no key %s: %s", p.Key, why)
		return
	}
	if in.words == nil || in.words.list || f.lines[i].unread {
		return
	}
	if near, ok := in.words.nearest(key); ok {
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
