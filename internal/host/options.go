package host

import (
	"errors"
	"io/fs"
	"strings"
)

// OptionFiles are the environment files that xrdp.service of upstream and of the
// distributions reads, in its order: of two that set a variable the last wins.
var OptionFiles = []string{"/etc/sysconfig/xrdp", "/etc/default/xrdp"}

const maxOptionFile = 1 << 20

// Options are the command-line options that xrdp is started with.
type Options struct {
	// Args are the words, without the program.
	Args []string
	// Port is the value of -p or --port, Config that of -c or --config; "" where
	// not given. Both override xrdp.ini.
	Port, Config string
	// From is the file that Args come from, "" for none.
	From string
}

// ReadOptions reads XRDP_OPTIONS from the environment files of xrdp.service
// inside root. No file at all gives empty Options.
func ReadOptions(root string) (Options, error) {
	var o Options
	for _, name := range OptionFiles {
		data, err := ReadFile(root, name, maxOptionFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return o, err
		}
		if v, ok := ParseEnvironmentFile(data)["XRDP_OPTIONS"]; ok {
			o = ParseOptions(splitWords(v))
			o.From = name
		}
	}
	return o, nil
}

// ParseOptions picks out of xrdp's arguments (without the program) what
// overrides xrdp.ini. As in xrdp (xrdp/xrdp.c, xrdp_process_params), names match
// in any case, a value is the next argument, and the last one counts.
func ParseOptions(args []string) Options {
	o := Options{Args: args}
	for i := 0; i+1 < len(args); i++ {
		switch strings.ToLower(args[i]) {
		case "-p", "--port":
			i++
			o.Port = args[i]
		case "-c", "--config":
			i++
			o.Config = args[i]
		}
	}
	return o
}

// ParseEnvironmentFile reads the syntax of EnvironmentFile= (systemd.exec(5)):
// NAME=VALUE a line, "#" and ";" begin a comment line, quotes around all or part
// of a value, a backslash joins lines or takes the meaning from a character.
// No shell expansion takes place.
func ParseEnvironmentFile(data []byte) map[string]string {
	env := map[string]string{}
	s := strings.ReplaceAll(string(data), "\r\n", "\n")
	for len(s) > 0 {
		s = strings.TrimLeft(s, " \t\n\r")
		if s == "" {
			break
		}
		if s[0] == '#' || s[0] == ';' {
			s = skipComment(s)
			continue
		}
		eq := strings.IndexAny(s, "=\n")
		if eq < 0 {
			break
		}
		if s[eq] == '\n' {
			s = s[eq+1:]
			continue
		}
		name := strings.TrimSpace(s[:eq])
		var value string
		value, s = envValue(s[eq+1:])
		if validEnvName(name) {
			env[name] = value
		}
	}
	return env
}

// skipComment drops a comment line; a backslash at its end continues it.
func skipComment(s string) string {
	for {
		i := strings.IndexByte(s, '\n')
		if i < 0 {
			return ""
		}
		continued := i > 0 && s[i-1] == '\\'
		s = s[i+1:]
		if !continued {
			return s
		}
	}
}

// envValue reads a value up to the end of its line and returns the rest.
func envValue(s string) (value, rest string) {
	var b strings.Builder
	quote, keep := byte(0), 0 // keep: trailing blanks before this length are part of the value
	for i := len(s) - len(strings.TrimLeft(s, " \t")); i < len(s); i++ {
		c := s[i]
		switch {
		case quote == '\'' && c != '\'':
			b.WriteByte(c)
			keep = b.Len()
		case c == '\\' && quote != '\'':
			i++
			if i >= len(s) || s[i] == '\n' {
				continue
			}
			// Inside double quotes only these lose their meaning.
			if quote == '"' && !strings.ContainsRune("\"\\`$", rune(s[i])) {
				b.WriteByte('\\')
			}
			b.WriteByte(s[i])
			keep = b.Len()
		case quote != 0 && c == quote:
			quote = 0
			keep = b.Len()
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && c == '\n':
			return trimAfter(b.String(), keep), s[i+1:]
		default:
			b.WriteByte(c)
			if quote != 0 {
				keep = b.Len()
			}
		}
	}
	return trimAfter(b.String(), keep), ""
}

// trimAfter drops trailing blanks, but none of the first keep bytes.
func trimAfter(s string, keep int) string {
	return s[:keep] + strings.TrimRight(s[keep:], " \t\r")
}

func validEnvName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// splitWords splits the value of a variable that a unit uses as $XRDP_OPTIONS:
// at blanks, with quotes honoured (systemd.service(5)).
func splitWords(s string) []string {
	var words []string
	var b strings.Builder
	quote, inWord := byte(0), false
	for i := range len(s) {
		c := s[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote, inWord = c, true
		case strings.IndexByte(" \t\n\r", c) >= 0:
			if inWord {
				words = append(words, b.String())
			}
			b.Reset()
			inWord = false
		default:
			b.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, b.String())
	}
	return words
}
