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
			if value := bytes.TrimSpace(m[2]); len(value) == 0 || bytes.EqualFold(value, []byte("ask")) || bytes.Equal(value, []byte(masked)) {
				return line
			}
			return append(bytes.Clone(m[1]), maskValue(m[2], long || len(line) >= lengthMatter)...)
		})
	}
	mask(secretLine)
	mask(secretRemark)
	return data
}

// maskValue hides a value. Its length shows only where that matters.
func maskValue(value []byte, keepLength bool) []byte {
	out := []byte(masked)
	if open := bytes.IndexByte(value, '['); open >= 0 && bytes.IndexByte(value[open:], ']') > 0 {
		out = append(out, "[*]"...)
	}
	if bytes.IndexByte(value, 0) >= 0 {
		out = append(out, 0)
	}
	if n := len(value) - len(out); keepLength && n > 0 {
		out = append(bytes.Repeat([]byte("*"), n), out...)
	}
	return out
}
