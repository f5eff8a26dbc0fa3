// Package plaintext makes strings from outside safe where they are printed or pasted:
// on a terminal, in a comment, on a page, in a command line. Names of hosts, users,
// certificates and files may be anything.
package plaintext

import (
	"strings"
	"unicode"
)

// Hidden reports whether a character would hide or turn the text around it: control,
// format and private characters, separators of lines and paragraphs, and U+FFFD, which
// stands for what is no UTF-8.
func Hidden(r rune) bool {
	return r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}

// Line returns s on one line, with a question mark for each character that is hidden.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		if Hidden(r) {
			return '?'
		}
		return r
	}, s)
}

// Pasteable are the characters that need no quotes in any shell.
const Pasteable = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:=@%"

// ShellWord makes a name one word of a command of a POSIX shell that is printed to be
// pasted: a path with a blank or a semicolon, or a forged one in facts from elsewhere,
// must not become another command. A plain name stays as it is. No shell has a NUL in
// a word; it is left out.
func ShellWord(s string) string {
	if s != "" && s[0] != '-' && strings.Trim(s, Pasteable) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, "\x00", ""), "'", `'\''`) + "'"
}
