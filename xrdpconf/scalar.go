package xrdpconf

import "math"

// atoi reads an integer as the C library's atoi does: blanks, a sign, digits,
// whatever follows is ignored, and no digits are 0.
func atoi(s string) int {
	i := 0
	for i < len(s) && (s[i] == ' ' || s[i] >= '\t' && s[i] <= '\r') {
		i++
	}
	negative := false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		negative = s[i] == '-'
		i++
	}
	n := 0
	for ; i < len(s) && digit(s[i]); i++ {
		if n > (math.MaxInt-9)/10 {
			n = math.MaxInt
			break
		}
		n = n*10 + int(s[i]-'0')
	}
	if negative {
		n = -n
	}
	return int(int32(n)) //nolint:gosec // atoi is strtol cut to an int
}

// ParseBool reads a boolean as xrdp does (common/string_calls.c, g_text2bool): a
// number that is not 0, or true, on, yes in any case. Everything else is false.
func ParseBool(s string) bool {
	switch fold(s) {
	case "true", "on", "yes":
		return true
	}
	return atoi(s) != 0
}

// truncate cuts s as a C buffer of n+1 bytes does.
func truncate(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
