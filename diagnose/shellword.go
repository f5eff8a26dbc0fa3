package diagnose

import "strings"

// ShellWord makes a name from outside one word of a command that is printed to be
// pasted: a path with a blank or a semicolon, or a forged one in facts from
// elsewhere, must not become another command. A plain name stays as it is.
func ShellWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:=@%"
	if s != "" && s[0] != '-' && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, "\x00", ""), "'", `'\''`) + "'"
}
