package explain

import (
	"slices"
	"strings"

	"xrdpfix/logwatch"
)

// Line is a line of xrdp.log that was recognised.
type Line struct {
	// Rule and Class are those of logwatch.
	Rule  string
	Class logwatch.Class
	Entry logwatch.Entry
	// Cause is the finding that it proves of its connection, "" for none.
	Cause string
	// Fields are the values that xrdp printed into it.
	Fields map[string]string
}

// line recognises a line of xrdp.log, with or without what stands before the
// message, and the errors of OpenSSL as any program prints them.
func line(text string) (Match, bool) {
	e := logwatch.Pasted(text)
	m, ok := logwatch.Classify(e)
	if !ok {
		if e.Text, ok = opensslLine(text); !ok {
			return Match{}, false
		}
		if m, ok = logwatch.Classify(e); !ok {
			return Match{}, false
		}
	}
	entry := ruleEntry(m.Rule, m.Cause())
	return Match{Entry: entry, Heard: m.Entry.Text, Line: &Line{
		Rule: m.Rule.ID, Class: m.Rule.Class, Entry: m.Entry, Cause: m.Cause(), Fields: m.Fields(),
	}}, true
}

// opensslLine puts an error of OpenSSL as xrdp writes it: out of a longer line
// ("...:error:0A000102:SSL routines::unsupported protocol:ssl/statem.c:1"), or
// out of the bare reason ("no shared cipher").
func opensslLine(text string) (string, bool) {
	if _, rest, found := strings.Cut(text, "error:"); found {
		if parts := strings.SplitN(rest, ":", 5); len(parts) >= 4 {
			return "SSL: error:" + strings.Join(parts[:3], ":") + ":" + strings.TrimSpace(parts[3]), true
		}
	}
	reason := strings.ToLower(strings.Join(strings.Fields(text), " "))
	reason = reason[strings.LastIndexByte(reason, ':')+1:]
	reason = strings.TrimSpace(reason)
	if !opensslReasons()[reason] {
		return "", false
	}
	return "SSL: error:0A000000:SSL routines::" + reason, true
}

// ruleEntry explains a rule; cause may say more than the rule's own.
func ruleEntry(r *logwatch.Rule, cause string) Entry {
	e := Entry{
		ID: r.ID, Group: GroupLog, Title: upperFirst(r.Meaning), Known: InSource, Source: r.Source,
		Text: "A line of xrdp.log: " + upperFirst(r.Meaning) + ".",
	}
	if strings.HasPrefix(r.Pattern, "SSL: error:") {
		e.Text = "A reason that OpenSSL gives, in xrdp.log one line of several: " + r.Meaning + "."
	}
	if _, taken := entryByID(r.ID); taken { // a finding has that name
		e.ID = "log-" + r.ID
	}
	if f, ok := entryByID(cause); ok {
		e.Text += " It proves " + cause + " of the connection that it belongs to.\n\n" + f.Text
		e.Causes = []string{cause}
		e.Mend, e.Advice = f.Mend, f.Advice
		if !slices.Contains(f.Mend, stepLog) {
			e.Find = []Step{stepLog}
		}
		return e
	}
	e.Text += "\n\n" + classText(r.Class)
	e.Find, e.Mend = []Step{stepLog}, []Step{stepCheck}
	return e
}

// classText says what a line is worth that proves no cause.
func classText(c logwatch.Class) string {
	switch c {
	case logwatch.ClassNoise:
		return "Noise: every connection leaves it that ends early, those of port scanners and health checks, the first of each mstsc login, and of users who read the certificate for too long. By itself it means nothing; a cause stands in the lines before, or there is none."
	case logwatch.ClassSuccess:
		return "Good news: the connection was established. What fails after it is the login or the desktop, in xrdp-sesman.log."
	case logwatch.ClassConnection, logwatch.ClassNegotiation, logwatch.ClassInfo:
		return "It tells the course of a connection and is no error."
	case logwatch.ClassSession:
		return "It is about login and desktop; the security of the connection was settled before."
	case logwatch.ClassStart:
		return "It is about the daemon, not about a client."
	}
	return "It says that something failed; the cause stands in the lines before it, of the same connection."
}
