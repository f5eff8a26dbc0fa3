package xrdpconf

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a release of xrdp. The zero value is an unknown one; the typed views
// then assume 0.10.1, the oldest of the generations whose missing keys mean least.
type Version struct {
	Major, Minor, Patch, Sub int
}

// ParseVersion reads the first dotted number in s, so that it takes what xrdp
// prints ("xrdp 0.10.1") as well as package versions ("0.9.21.1-1+deb12u3", with or
// without an epoch).
func ParseVersion(s string) (Version, error) {
	text := s
	if i := strings.IndexByte(text, ':'); i > 0 && strings.Trim(text[:i], "0123456789") == "" {
		text = text[i+1:]
	}
	for len(text) > 0 {
		i := strings.IndexAny(text, "0123456789")
		if i < 0 {
			break
		}
		text = text[i:]
		number := text
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); i >= 0 {
			number = text[:i]
		}
		text = text[len(number):]
		if v, ok := dotted(number); ok {
			return v, nil
		}
	}
	return Version{}, fmt.Errorf("parse xrdp version %q: no dotted number", s)
}

func dotted(s string) (Version, bool) {
	parts := strings.Split(strings.Trim(s, "."), ".")
	if len(parts) < 2 {
		return Version{}, false
	}
	var n [4]int
	for i := range min(len(parts), len(n)) {
		v, err := strconv.Atoi(parts[i])
		if err != nil {
			return Version{}, false
		}
		n[i] = v
	}
	return Version{n[0], n[1], n[2], n[3]}, true
}

// Known reports whether v is more than the zero value.
func (v Version) Known() bool { return v != Version{} }

// String returns the dotted number, or "unknown".
func (v Version) String() string {
	switch {
	case !v.Known():
		return "unknown"
	case v.Sub != 0:
		return fmt.Sprintf("%d.%d.%d.%d", v.Major, v.Minor, v.Patch, v.Sub)
	}
	return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
}

// Compare returns -1, 0 or 1 as v is older than, the same as, or newer than w.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor),
		cmp.Compare(v.Patch, w.Patch), cmp.Compare(v.Sub, w.Sub))
}

// AtLeast reports whether v is the given release or a later one. Up to two further
// numbers, patch and sub, may follow.
func (v Version) AtLeast(major, minor int, rest ...int) bool {
	w := Version{Major: major, Minor: minor}
	if len(rest) > 0 {
		w.Patch = rest[0]
	}
	if len(rest) > 1 {
		w.Sub = rest[1]
	}
	return v.Compare(w) >= 0
}

// orAssumed returns v, or the release to assume when v is unknown.
func (v Version) orAssumed() Version {
	if v.Known() {
		return v
	}
	return Version{0, 10, 1, 0}
}
