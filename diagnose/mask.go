package diagnose

import (
	"bytes"
	"regexp"
)

// secretLine matches a line, commented out or not, that sets a password-like
// key. "ask" is xrdp's word for asking the user, and no secret.
var secretLine = regexp.MustCompile(`(?im)^([^=\r\n]*(?:password|passwd|secret)[^=\r\n]*=[ \t]*)([^\r\n]*)`)

// Mask replaces the value of each password-like key by asterisks. It keeps the
// number of lines, so that line numbers stay right.
func Mask(data []byte) []byte {
	return secretLine.ReplaceAllFunc(data, func(line []byte) []byte {
		m := secretLine.FindSubmatch(line)
		if value := bytes.TrimSpace(m[2]); len(value) == 0 || bytes.EqualFold(value, []byte("ask")) {
			return line
		}
		return append(bytes.Clone(m[1]), "********"...)
	})
}
