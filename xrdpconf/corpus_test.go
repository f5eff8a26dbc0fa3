package xrdpconf

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// testEnv is the environment of the parser's cases, in the tests and in the daemons
// that they are compared with.
func testEnv(name string) string { return map[string]string{"LAYER": "tls"}[name] }

// parserCase is a file and what xrdp makes of its [Globals].
type parserCase struct {
	name string
	text string
	want []string // key=value each
	old  []string // by 0.9, where it differs
}

// parserCases are the parser's rules, one file each.
func parserCases() []parserCase {
	long := func(n int) string { return strings.Repeat("x", n) }
	return []parserCase{
		// Lexical rules.
		{"hash ends a line anywhere", "[Globals]\na=tls#x\n", []string{"a=tls"}, nil},
		{"semicolon ends a line anywhere", "[Globals]\na=1;2\nb=x ; y\n", []string{"a=1", "b=x"}, nil},
		{"exclamation mark is no comment", "[Globals]\na=1!2\n", []string{"a=1!2"}, nil},
		{"line ends", "[Globals]\ra=1\r\nb=2\n\r\n\rc=3", []string{"a=1", "b=2", "c=3"}, nil},
		{"truly blank lines", "\n\n[Globals]\n\n\na=1\n\n", []string{"a=1"}, nil},
		{"blanks only are an entry", "[Globals]\n \t\na=1\n", []string{"=", "a=1"}, nil},
		{"indented comment is an entry", "[Globals]\n  # c\n#c\na=1\n", []string{"=", "a=1"}, nil},
		{"header anywhere in the line", "xyz[Globals]zzz\na=1\n", []string{"a=1"}, nil},
		{"indented header", "\t[Globals]\na=1\n", []string{"a=1"}, nil},
		{"header takes the last bracket", "[x[Globals]]\na=1\n", []string{"a=1"}, nil},
		{"closing bracket first", "][Globals]\na=1\n", []string{"a=1"}, nil},
		{"header not trimmed", "[ Globals ]\na=1\n[Globals]\nb=2\n", []string{"b=2"}, nil},
		{"header in any case", "[gLOBALS]\na=1\n", []string{"a=1"}, nil},
		{"commented header", "#[Globals]\na=1\n;[Globals]\n[Globals] # [x]\nb=2 ; [y]\n", []string{"b=2"}, nil},
		{"brackets in a value", "[Globals]\na=1\nport=tcp6://[::1]:3389\nb=2\n", []string{"a=1"}, nil},
		{"one bracket is nothing", "[Globals]\na=[1\nb=]2\nc=]3[\n", []string{"a=[1", "b=]2", "c=]3["}, nil},
		{"empty header", "[Globals]\na=1\n[]\nb=2\n", []string{"a=1"}, nil},
		{"first equals", "[Globals]\na=b=c\n=v\n", []string{"a=b=c", "=v"}, nil},
		{"colon is no separator", "[Globals]\na:1\n", []string{"a:1="}, nil},
		{"trimming", "[Globals]\n \t\x01a \x1f=\x02 1\t \n", []string{"a=1"}, nil},
		{"blank stays inside", "[Globals]\na b = 1  2\n", []string{"a b=1  2"}, nil},
		{"no-break space stays", "[Globals]\na=\u00a01\n", []string{"a=\u00a01"}, nil},
		{"invalid UTF-8", "[Globals]\na = 1\xff \nb = \xc3\xa4 \n", []string{"a=1\xff", "b=\u00e4"}, []string{"a= 1\xff ", "b=\u00e4\xa4 "}},
		{"several bytes a character", "[Globals]\na=/\u00fcml \nb =\u00e4\nc= \u20ac\u20ac\n", []string{"a=/\u00fcml", "b=\u00e4", "c=\u20ac\u20ac"}, []string{"a=/\u00fcml ", "b=\u00e4", "c=\u20ac\xac\u20ac"}},
		{"quotes stay", "[Globals]\na=\"tls\"\nb='x'\nc=`y`\n", []string{`a="tls"`, "b='x'", "c=`y`"}, nil},
		{"backslash is nothing", "[Globals]\na=1\\\nb=\\#2\n", []string{`a=1\`, `b=\`}, nil},
		{"environment", "[Globals]\na=$LAYER\nb=$NONE\nc=x$LAYER\nd=$LAYER/x\n", []string{"a=tls", "b=", "c=x$LAYER", "d="}, nil},
		{"line without equals", "[Globals]\na\n", []string{"a="}, nil},
		{"BOM before a header", "\xef\xbb\xbf[Globals]\na=1\n", []string{"a=1"}, nil},
		{"BOM before a key", "[Globals]\n\xef\xbb\xbfa=1\n", []string{"\xef\xbb\xbfa=1"}, nil},
		{"NUL cuts the line", "[Globals]\na=1\x00b=2\nc=3\n\x00d=4\n", []string{"a=1", "c=3"}, nil},
		{"NUL hides a header", "[Globals]\na=1\n\x00[x]\nb=2\n", []string{"a=1", "b=2"}, nil},

		// Structure and limits.
		{"second section is dead", "[Globals]\na=1\n[x]\n[GLOBALS]\na=2\nb=2\n", []string{"a=1"}, nil},
		{"keys before the first header", "a=0\n[Globals]\nb=1\n", []string{"b=1"}, nil},
		{"duplicates in order", "[Globals]\na=1\nA=2\n", []string{"a=1", "A=2"}, nil},
		{"2047 bytes", "[Globals]\na=" + long(2045) + "\nb=1\n", []string{"a=" + long(2045), "b=1"}, nil},
		{"2048 bytes end the file", "[Globals]\nz=0\na=" + long(2046) + "\nb=1\n", []string{"z=0"}, nil},
		{"comment text does not count", "[Globals]\na=1 #" + long(9000) + "\nb=1\n", []string{"a=1", "b=1"}, nil},
		{"NUL counts", "[Globals]\na=1\x00" + long(2048) + "\nb=1\n", nil, nil},
		{"long line before the section", "a=" + long(2046) + "\n[Globals]\nb=1\n", nil, nil},
		{"bracket far right is no header", "[Globals]\n" + long(1030) + "[x]\na=1\n", []string{long(1030) + "[x]=", "a=1"}, nil},
		{"bracket within reach", "[Globals]\n" + long(1000) + "[x]\na=1\n", nil, nil},
		{"32 KiB", "[Globals]\n#" + long(ReadLimit-20) + "\na=12345\nb=2\n", []string{"a=12345"}, nil},
		{"32 KiB inside a value", "[Globals]\n#" + long(ReadLimit-15) + "\na=12345\nb=2\n", []string{"a=1"}, nil},
		{"32 KiB inside a key", "[Globals]\n#" + long(ReadLimit-14) + "\nab=12345\n", []string{"ab="}, nil},
		{"empty file", "", nil, nil},
	}
}

// generator makes configuration files that look like a person's at a distance and
// hit the parser's corners. The same seed gives the same files everywhere.
type generator struct {
	*rand.Rand
	kind Kind
}

func newGenerator(seed uint64, kind Kind) generator {
	return generator{rand.New(rand.NewPCG(seed, uint64(kind))), kind}
}

func (g generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// oneIn reports true once in n times.
func (g generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// file makes one file, most often with a live [Globals] at its beginning.
func (g generator) file() string {
	var b strings.Builder
	if g.oneIn(12) {
		b.WriteString(bom)
	}
	if !g.oneIn(8) {
		b.WriteString("[Globals]\n")
	}
	for range 4 + g.IntN(40) {
		b.WriteString(g.line())
		b.WriteString(g.lineEnd())
	}
	text := b.String()
	switch g.IntN(12) {
	case 0:
		text = strings.ReplaceAll(text, "\n", "\r\n")
	case 1:
		text = strings.ReplaceAll(text, "\n", "\r")
	case 2:
		text = strings.TrimRight(text, "\r\n")
	case 3: // the read limit falls among the lines
		fill := ReadLimit - g.IntN(len(text)+1)
		text = "#" + strings.Repeat("f", fill) + "\n" + text
	case 4: // and into a section
		at := strings.LastIndexByte(text[:g.IntN(len(text))+1], '\n') + 1
		fill := ReadLimit - at - g.IntN(len(text)-at+1)
		text = text[:at] + "#" + strings.Repeat("f", fill) + "\n" + text[at:]
	}
	return text
}

func (g generator) lineEnd() string {
	return g.pick("\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n\n", "\r\n", "\r", "\n\r\n", "\n \n")
}

func (g generator) line() string {
	switch g.IntN(24) {
	case 0, 1:
		return g.pick("", " ", "\t") + "[" + g.section() + "]" + g.pick("", "", "", " ", " # x", "tail")
	case 2:
		return g.pick("x[", "[[", "]", "a=[", "[ ") + g.section() + g.pick("]", "]]", "", "] ")
	case 3:
		return g.pick("#", ";", "  #", "\t;", "#[", "; ") + g.word() + g.pick("", "]", "=1")
	case 4:
		return g.pick(" ", "\t", " \t ", "\x01", "\x0b")
	case 5:
		return g.noise(30)
	case 6:
		return g.key()
	case 7:
		return "=" + g.value()
	case 8:
		if g.oneIn(6) {
			return g.key() + "=" + strings.Repeat(g.pick("x", "y ", "é"), 1000+g.IntN(60))
		}
		return g.key() + "=" + strings.Repeat("z", 200+g.IntN(200))
	}
	blank := []string{"", "", "", " ", "  ", "\t", "\x02"}
	return g.pick(blank...) + g.key() + g.pick(blank...) + "=" + g.pick(blank...) + g.value() + g.pick(blank...) +
		g.pick("", "", "", "", "#c", " ; c", ";", "\x00", "\x00=x")
}

func (g generator) section() string {
	if g.kind == KindSessionManager {
		return g.pick("Globals", "globals", "Security", "SECURITY", "Sessions", "Xorg", "xorg", "Xvnc", "SessionVariables", "X11rdp", " Security", "Logging", "x")
	}
	return g.pick("Globals", "globals", "GLOBALS", " Globals", "Globals ", "Xorg", "Logging", "Channels", "Security", "x", "")
}

func (g generator) key() string {
	if g.oneIn(8) {
		return g.word()
	}
	if g.kind == KindSessionManager {
		return g.pick("param", "param", "param", "MaxSessions", "maxsessions", "KillDisconnected", "IdleTimeLimit", "DisconnectedTimeLimit",
			"X11DisplayOffset", "AllowRootLogin", "MaxLoginRetry", "AlwaysGroupCheck", "tls_min_version", "tls_max_version",
			"UserWindowManager", "EnableUserWindowManager", "DefaultWindowManager", "AuthFilePath", "LogLevel", "SyslogLevel", "EnableSyslog")
	}
	return g.pick("security_layer", "Security_Layer", "crypt_level", "certificate", "key_file", "ssl_protocols", "SSL_PROTOCOLS",
		"tls_ciphers", "port", "bitmap_cache", "max_bpp", "a b", "ssl-protocols", "sécurité")
}

func (g generator) value() string {
	switch g.IntN(10) {
	case 0:
		return ""
	case 1:
		return g.pick("$LAYER", "$NONE", "$", "$LAYER/x", " $LAYER", "x$LAYER", "\"$LAYER\"")
	case 2:
		return g.noise(20)
	case 3:
		return g.pick(`"tls"`, "'tls'", "`tls`", "TLSv1.2;TLSv1.3", "a\\", "a=b", "a[b", "a]b", "[x]", "50%", "%(port)s", `"""x`)
	case 4:
		return g.pick("0", "1", "-1", "7x", "0x10", "yes", "TRUE", "on", "enabled", "60", "999999999999", "+5", " 4")
	}
	return g.pick("tls", "rdp", "negotiate", "NEGOTIATE", "hybrid", "ssl", "none", "low", "medium", "high", "fips",
		"TLSv1.2, TLSv1.3", "TLSv1.2,TLSv1.3", "TLSv1 TLSv1.1", "tlsv1.2", "TLSv1.0", "TLSv1.2:TLSv1.3", "TLSv1.2\tTLSv1.3", "SSLv3,TLSv1",
		"TLSv1.3,,TLSv1.2 ,", "/nonexistent/cert.pem", "/nonexistent/ümlaut.pem", "cert.pem", "/nonexistent/a b", "-fp \"a b\"", "core", "INFO", "warn", "5")
}

func (g generator) word() string {
	return g.pick("x", "yy", "param", "Globals", "k1", "é", "a.b", "k\u00a0", "k\xff", "\xef\xbb\xbfk")
}

// noise is up to n bytes of what the parser minds.
func (g generator) noise(n int) string {
	alphabet := []string{"[", "]", "#", ";", "=", "=", " ", " ", "\t", "\"", "'", "`", "$", "\\", "%", ":", ",", "a", "B", "7",
		"\x00", "\x01", "\x0b", "\x1f", "\x7f", "\u00a0", "é", "\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xc0\x80", "€", "🙂"}
	var b strings.Builder
	for range g.IntN(n) {
		b.WriteString(g.pick(alphabet...))
	}
	return b.String()
}

// corpus returns all cases and n generated files, by name.
func corpus(kind Kind, n int) map[string]string {
	out := make(map[string]string)
	for i, c := range parserCases() {
		out[fmt.Sprintf("case-%02d-%s", i, strings.ReplaceAll(c.name, " ", "-"))] = c.text
	}
	g := newGenerator(1, kind)
	for i := range n {
		out[fmt.Sprintf("gen-%03d", i)] = g.file()
	}
	return out
}
