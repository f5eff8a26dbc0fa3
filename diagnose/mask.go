package diagnose

import (
	"bytes"
	"regexp"
)

var (
	// secretLine matches a line, commented out or not, that sets a password-like
	// key.
	secretLine = regexp.MustCompile(`(?im)^([^=\r\n]*(?:password|passwd|pwd|secret)[^=\r\n]*=[ \t]*)([^\r\n]*)`)
	// secretRemark matches what people write behind other settings and into
	// comments, "admin pwd: ..." and "-passwd=..." among it.
	secretRemark = regexp.MustCompile(`(?im)((?:password|passwd|pwd)[ \t]*[=:][ \t]*)([^ \t\r\n][^\r\n]*)`)
)

const masked = "********"

// Limits from which on masking must not move anything: xrdp reads so many bytes
// of a file, and of a line (common/file.c: 32 KiB and FILE_MAX_LINE_BYTES).
const (
	placesMatter = 32 << 10
	lengthMatter = 2048
)

// Mask replaces the value of each password-like key by asterisks. It keeps the
// number of lines, and whatever makes xrdp read the rest of the file otherwise
// (brackets, a NUL, lines and files that are too long), so that the masked file
// has the same faults as the real one.
func Mask(data []byte) []byte {
	long := len(data) > placesMatter
	mask := func(re *regexp.Regexp) {
		data = re.ReplaceAllFunc(data, func(line []byte) []byte {
			m := re.FindSubmatch(line)
			return append(bytes.Clone(m[1]), maskValue(m[2], long || len(line) >= lengthMatter)...)
		})
	}
	mask(secretLine)
	mask(secretRemark)
	return data
}

// maskValue hides a value and the comment behind it. What asks the user for a
// password (ask, asksame) is none. The length shows only where that matters.
func maskValue(value []byte, keepLength bool) []byte {
	word, rest := value, []byte(nil)
	if i := bytes.IndexAny(value, "#;"); i >= 0 {
		word, rest = value[:i], value[i:]
	}
	out := bytes.Clone(word)
	switch w := bytes.ToLower(bytes.TrimSpace(word)); {
	case len(w) == 0, string(w) == "ask", string(w) == "asksame", string(w) == "same", string(w) == masked:
	default:
		out = out[:0]
		if bytes.HasPrefix(w, []byte("ask")) {
			out = append(out, "ask"...)
		}
		out = append(out, masked...)
		if open := bytes.IndexByte(word, '['); open >= 0 && bytes.IndexByte(word[open:], ']') > 0 {
			out = append(out, "[*]"...)
		}
		if bytes.IndexByte(word, 0) >= 0 {
			out = append(out, 0)
		}
		if n := len(word) - len(out); keepLength && n > 0 {
			out = append(bytes.Repeat([]byte("*"), n), out...)
		}
	}
	if text := bytes.TrimSpace(bytes.TrimLeft(rest, "#;")); len(text) > 0 {
		n := 0
		if keepLength {
			n = max(0, len(rest)-2-len(masked))
		}
		return append(append(append(out, rest[0], ' '), bytes.Repeat([]byte("*"), n)...), masked...)
	}
	return append(out, rest...)
}
