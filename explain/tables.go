package explain

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"xrdpfix/logwatch"
)

// All returns every entry in the order of the list. The caller must not change
// the slices inside.
func All() []Entry { return append([]Entry(nil), static()...) }

// static builds the tables once.
var static = sync.OnceValue(func() []Entry {
	out := []Entry{guideEntry()}
	for _, part := range [][]Entry{findingEntries(), mstscEntries(), extendedEntries, macEntries, freerdpTable(),
		remminaEntries, guacamoleEntries, eventEntries, statusEntries(), serverEntries} {
		out = append(out, part...)
	}
	return out
})

// rules are entries of the messages of xrdp.log. They are explained when they
// are pasted, and too many to be listed.
var rules = sync.OnceValue(func() []Entry {
	var out []Entry
	for _, r := range logwatch.Rules() {
		e := ruleEntry(&r, r.Cause)
		e.Said = []string{r.Pattern}
		out = append(out, e)
	}
	return out
})

// opensslReasons are the reasons that logwatch has a rule for.
var opensslReasons = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for _, r := range logwatch.Rules() {
		if rest, ok := strings.CutPrefix(r.Pattern, "SSL: error:"); ok && !strings.HasSuffix(rest, "}") {
			known[rest[strings.LastIndexByte(rest, ':')+1:]] = true
		}
	}
	return known
})

// entryByID finds an entry by its name; findings come before rules.
func entryByID(id string) (Entry, bool) {
	for _, e := range static() {
		if e.ID == id {
			return e, true
		}
	}
	return Entry{}, false
}

func hex(n uint32) string     { return strings.ToUpper(strconv.FormatUint(uint64(n), 16)) }
func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// pad8 is eight hexadecimal digits.
func pad8(n uint32) string {
	s := hex(n)
	return strings.Repeat("0", 8-len(s)) + s
}

func lowerDash(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "-")) }

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// withClient puts the step for a client in the place of the one for Windows,
// without touching the table that they come from.
func withClient(steps []Step, client Step) []Step {
	out := slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return strings.HasPrefix(s.Line, "xrdpfix client") })
	return append(out, client)
}
