package explain

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The shapes of numbers in a text.
var (
	hexNumber = regexp.MustCompile(`(?i)\b0x([0-9a-f]{1,8})\b`)
	bareHex   = regexp.MustCompile(`(?i)\b[0-9a-f]{8}\b`)
	byteRun   = regexp.MustCompile(`(?i)\b(?:[0-9a-f]{2}[ \t]+){3,}[0-9a-f]{2}\b|\b(?:[0-9a-f]{2}){5,}\b`)
	number    = regexp.MustCompile(`-?\b[0-9]{1,10}\b`)
	// onlyNumber is a text that is a number and the words around numbers.
	onlyNumber = regexp.MustCompile(`(?i)^(?:(?:error|code|event|id|exit|status|reason|mstsc|no\.?)[ :=#]*)*(-?[0-9]{1,10})\.?$`)
	// introduced is what stands before a small number that is a code.
	introduced = regexp.MustCompile(`(?i)(?:code|reason|status|exit|error|event|id|termdd|schannel|rdpclient|mstsc|mac(?:os)?)[ :=#(]*$`)
	extended   = regexp.MustCompile(`(?i)extended[^0-9]{0,30}$`)
)

// contexts are the words that say in which space a number is meant.
var contexts = []struct {
	space Space
	words *regexp.Regexp
}{
	{SpaceTermDD, regexp.MustCompile(`(?i)termdd`)},
	{SpaceSchannel, regexp.MustCompile(`(?i)schannel`)},
	{SpaceRDPClient, regexp.MustCompile(`(?i)rdpclient|terminalservices-rdp`)},
	{SpaceExit, regexp.MustCompile(`(?i)freerdp|exit`)},
	{SpaceGuacamole, regexp.MustCompile(`(?i)guac`)},
	{SpaceMac, regexp.MustCompile(`(?i)\bmac|windows app|\bios\b|android`)},
	{SpaceMSTSC, regexp.MustCompile(`(?i)mstsc|reason|clientactivex|disconnect`)},
	{SpaceNegFailure, regexp.MustCompile(`(?i)neg_?failure|failure ?code`)},
}

// Which spaces a number without any context can be of.
var (
	hexSpaces  = []Space{SpaceMSTSC, SpaceMac, SpaceFreeRDP, SpaceStatus}
	bareSpaces = []Space{SpaceMSTSC, SpaceExit, SpaceGuacamole, SpaceTermDD, SpaceSchannel, SpaceRDPClient}
)

// coded finds the entries of the numbers in a text.
func coded(text string) []Match {
	meant := contextOf(text)
	var out []Match
	add := func(heard string, n uint32, spaces []Space) bool {
		found := inSpaces(heard, n, spaces)
		out = append(out, found...)
		return len(found) > 0
	}
	for _, at := range hexNumber.FindAllStringSubmatchIndex(text, -1) {
		heard := text[at[0]:at[1]]
		v, err := strconv.ParseUint(text[at[2]:at[3]], 16, 32)
		if err != nil {
			continue
		}
		n := uint32(v)
		switch {
		case extended.MatchString(before(text, at)):
			add(heard, n, []Space{SpaceExtended})
		case add(heard, n, both(meant, append(hexSpaces[:len(hexSpaces):len(hexSpaces)], SpaceGuacamole, SpaceNegFailure))):
		case add(heard, n, hexSpaces):
		default:
			out = append(out, statusOf(heard, n)...)
		}
	}
	for _, run := range byteRun.FindAllString(text, -1) {
		out = append(out, lastBytes(run, slices.Contains(meant, SpaceTermDD))...)
	}
	for _, word := range bareHex.FindAllString(text, -1) {
		if v, err := strconv.ParseUint(word, 16, 32); err == nil {
			out = append(out, statusOf(word, uint32(v))...)
		}
	}
	if only := onlyNumber.FindStringSubmatch(strings.TrimSpace(text)); only != nil && len(meant) == 0 {
		add(only[1], value(only[1]), append(bareSpaces[:len(bareSpaces):len(bareSpaces)], SpaceStatus))
		return out
	}
	for _, at := range number.FindAllStringIndex(text, -1) {
		word := text[at[0]:at[1]]
		n := value(word)
		if partOfMore(text, at) {
			continue
		}
		// The words before it are looked at last: that takes the longest.
		if found := inSpaces(word, n, meant); len(found) > 0 && (n >= 100 || introduced.MatchString(before(text, at))) {
			out = append(out, found...)
		}
	}
	return out
}

// before is what stands right before a number: more than the longest words that
// say what a number is. All of what is before it would be read again for each
// number, which of a long text takes minutes.
func before(text string, at []int) string {
	const most = 160 // 30 characters of four bytes, and the words
	return text[max(0, at[0]-most):at[0]]
}

// partOfMore: the number is a part of a time, a date, an address or a version.
func partOfMore(text string, at []int) bool {
	const glue = ".:-/"
	digit := func(i int) bool { return i >= 0 && i < len(text) && text[i] >= '0' && text[i] <= '9' }
	return at[0] > 0 && strings.IndexByte(glue, text[at[0]-1]) >= 0 && digit(at[0]-2) ||
		at[1] < len(text) && strings.IndexByte(glue, text[at[1]]) >= 0 && digit(at[1]+1)
}

// value reads a decimal number; negative ones are HRESULTs as COM prints them.
// 0 is returned for what is too large.
func value(word string) uint32 {
	v, err := strconv.ParseInt(word, 10, 64)
	if err != nil || v > 0xffffffff || v < -0x80000000 {
		return 0
	}
	return uint32(v) //nolint:gosec // two's complement is meant
}

func contextOf(text string) []Space {
	var out []Space
	for _, c := range contexts {
		if c.words.MatchString(text) {
			out = append(out, c.space)
		}
	}
	return out
}

func both(a, b []Space) []Space {
	return slices.DeleteFunc(slices.Clone(a), func(s Space) bool { return !slices.Contains(b, s) })
}

// inSpaces finds the entries with that number, in the order of the spaces.
func inSpaces(heard string, n uint32, spaces []Space) []Match {
	var out []Match
	for _, space := range spaces {
		for _, e := range static() {
			if slices.Contains(e.Codes, Code{space, n}) {
				out = append(out, Match{Entry: e, Heard: heard})
			}
		}
	}
	return out
}

// ntBit is FACILITY_NT_BIT, which HRESULT_FROM_NT adds to an NTSTATUS.
const ntBit = 0x10000000

// statusOf finds an NTSTATUS or HRESULT as it is, as an HRESULT made of an
// NTSTATUS, and with its bytes reversed, as event 56 of TermDD has it.
func statusOf(heard string, n uint32) []Match {
	for _, try := range []struct {
		n    uint32
		made string
	}{
		{n, ""},
		{n &^ ntBit, ", without 0x10000000: " + pad8(n&^ntBit)},
		{reversed(n), ", bytes reversed: " + pad8(reversed(n))},
		{reversed(n) &^ ntBit, ", bytes reversed: " + pad8(reversed(n)) + ", without 0x10000000: " + pad8(reversed(n)&^ntBit)},
	} {
		if found := inSpaces(heard+try.made, try.n, []Space{SpaceStatus}); len(found) > 0 {
			return found
		}
	}
	return nil
}

func reversed(n uint32) uint32 { return n<<24 | n<<8&0xff0000 | n>>8&0xff00 | n>>24 }

// lastBytes takes the binary data of an event apart, whose last four bytes are
// the status in reversed order.
func lastBytes(run string, termDD bool) []Match {
	digits := strings.Join(strings.Fields(run), "")
	if len(digits) < 8 {
		return nil
	}
	tail := digits[len(digits)-8:]
	v, err := strconv.ParseUint(tail, 16, 32)
	if err != nil {
		return nil
	}
	n := uint32(v)
	if found := statusOf(strings.ToUpper(tail), n); len(found) > 0 {
		return found
	}
	e, ok := entryByID("termdd-56")
	if !ok || !termDD {
		return nil
	}
	status := reversed(n)
	if status>>28 == 0xD || status>>28 == 0x9 {
		status &^= ntBit
	}
	return []Match{{Entry: e, Heard: strings.ToUpper(tail) + ", bytes reversed: " + pad8(status) + ", which is not in the list here"}}
}
