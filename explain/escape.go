package explain

import "strings"

// escapeLength is the length of the escape sequence at the start of s, by
// ECMA-48: CSI ends with a byte from @ to ~, the strings OSC, DCS, SOS, PM and
// APC with BEL or ST, others after one byte.
func escapeLength(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= '@' && s[i] <= '~' {
				return i + 1
			}
			if s[i] < ' ' || s[i] > '~' {
				return i
			}
		}
		return len(s)
	case ']', 'P', 'X', '^', '_':
		end := strings.IndexAny(s[2:], "\a\x1b\n")
		switch {
		case end < 0:
			return len(s)
		case s[2+end] == '\n':
			return 2 + end
		case s[2+end] == 0x1b && strings.HasPrefix(s[2+end:], "\x1b\\"):
			return 2 + end + 2
		case s[2+end] == 0x1b:
			return 2 + end
		}
		return 2 + end + 1
	}
	if s[1] < ' ' || s[1] > '~' {
		return 1
	}
	return 2
}
