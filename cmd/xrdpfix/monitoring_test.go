package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"xrdpfix/diagnose"
)

// pluginForm is a line of a plugin with its performance data.
var pluginForm = regexp.MustCompile(`^XRDPFIX (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+(?: \| (?:(?:[^' =|]+|'(?:[^']|'')+')=-?[0-9.]+s?(?:;[0-9:.]*)*(?: |$))+)?$`)

// pluginManners: one line, and the status that it says.
func pluginManners(out string, code int) []string {
	line, rest, _ := strings.Cut(out, "\n")
	m := pluginForm.FindStringSubmatch(strings.TrimSuffix(line, " "))
	if m == nil || rest != "" {
		return []string{fmt.Sprintf("no line of a plugin: %q", out)}
	}
	if code < 0 || code > 3 || pluginState(code).String() != m[1] {
		return []string{fmt.Sprintf("exit status %d, but the line says %s", code, m[1])}
	}
	return nil
}

var (
	metricHead = regexp.MustCompile(`^# (?:HELP (xrdpfix_[a-z_]+) [^\n]+|TYPE (xrdpfix_[a-z_]+) gauge)$`)
	metricLine = regexp.MustCompile(`^(xrdpfix_[a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?[0-9.]+$`)
)

// metricManners: every value stands below the help and the type of its name, and
// none twice.
func metricManners(out string) []string {
	var bad []string
	seen, now, heads := map[string]bool{}, "", map[string]int{}
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if m := metricHead.FindStringSubmatch(line); m != nil {
			now = m[1] + m[2]
			heads[now]++
			continue
		}
		m := metricLine.FindStringSubmatch(line)
		switch {
		case m == nil:
			bad = append(bad, fmt.Sprintf("no metric: %q", line))
		case m[1] != now || heads[now] != 2:
			bad = append(bad, fmt.Sprintf("%q is not below its help and type", line))
		case seen[m[1]+m[2]]:
			bad = append(bad, fmt.Sprintf("%q is there twice", m[1]+m[2]))
		}
		if m != nil {
			seen[m[1]+m[2]] = true
		}
	}
	return bad
}

// TestMonitoringEscapes: what comes from outside breaks neither line nor format.
func TestMonitoringEscapes(t *testing.T) {
	hostile := []string{"plain", "", "a b", "it's", "a=b", "a|b", "a\nb", "\x1b[31m", `quo"te`, `back\slash`, "umlaut ü", "\xff", "a;b", "'", "''", "{}", `\n`, `\"`, "\u202e"}
	for _, s := range hostile {
		l := pluginLine{state: pluginCritical, text: "text " + s}
		l.measure(s, "1", "2:", "3:")
		l.count(s+" more", 4)
		if bad := pluginManners(l.String()+"\n", 2); len(bad) > 0 {
			t.Errorf("%q: %s", s, bad)
		}
		m := &gauges{}
		m.gauge("xrdpfix_test", "Help with \\ and\nanother line.", 1.5, label{"one", s}, label{"two", "x"})
		m.flag("xrdpfix_test", "", true, label{"one", "other " + s})
		if bad := metricManners(m.b.String()); len(bad) > 0 {
			t.Errorf("%q: %s", s, bad)
		}
	}
	m := &gauges{}
	m.gauge("xrdpfix_test", "Help.", 1795729811, label{"v", "a\"b\\c\nd"})
	if want := "# HELP xrdpfix_test Help.\n# TYPE xrdpfix_test gauge\nxrdpfix_test{v=\"a\\\"b\\\\c\\nd\"} 1795729811\n"; m.b.String() != want {
		t.Errorf("%s, want %s", m.b.String(), want)
	}
	for _, bad := range []string{"xrdpfix_a 1\n", "# HELP xrdpfix_a A.\n# TYPE xrdpfix_a gauge\nxrdpfix_a{b=\"\"\"} 1\n", "# HELP xrdpfix_a A.\n# TYPE xrdpfix_a gauge\nxrdpfix_a 1\nxrdpfix_a 2\n"} {
		if len(metricManners(bad)) == 0 {
			t.Errorf("%q passes", bad)
		}
	}
	for _, bad := range []string{"", "OK\n", "XRDPFIX OK - a | b\n", "XRDPFIX OK - a\nb\n"} {
		if len(pluginManners(bad, 0)) == 0 {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestPluginState(t *testing.T) {
	x := func(code diagnose.Code, s diagnose.Severity) diagnose.Finding {
		return diagnose.Finding{Code: code, Severity: s}
	}
	for _, tt := range []struct {
		failOn string
		x      diagnose.Finding
		want   pluginState
	}{
		{"error", x(diagnose.KeyMissing, diagnose.Error), pluginCritical},
		{"error", x(diagnose.CertName, diagnose.Warning), pluginWarning},
		{"error", x(diagnose.ClassicAccepted, diagnose.Info), pluginOK},
		{"warning", x(diagnose.CertName, diagnose.Warning), pluginCritical},
		{"warning", x(diagnose.KeyMissing, diagnose.Error), pluginCritical},
		{"cert-name-mismatch", x(diagnose.CertName, diagnose.Warning), pluginCritical},
		{"cert-name-mismatch", x(diagnose.KeyMissing, diagnose.Error), pluginWarning},
		{"classic-rdp-accepted", x(diagnose.ClassicAccepted, diagnose.Info), pluginCritical},
	} {
		if got := (&pluginFlags{failOn: []string{tt.failOn}}).state(tt.x); got != tt.want {
			t.Errorf("--fail-on %s, %s %s: %s, want %s", tt.failOn, tt.x.Severity, tt.x.Code, got, tt.want)
		}
	}
	n := &pluginFlags{critDays: 7}
	for left, want := range map[time.Duration]pluginState{
		30 * day: pluginOK, 30*day - 1: pluginWarning, 7 * day: pluginWarning, 7*day - 1: pluginCritical, -day: pluginCritical,
	} {
		if got := n.days(left, 30); got != want {
			t.Errorf("%v left: %s, want %s", left, got, want)
		}
	}
	order := []pluginState{pluginOK, pluginWarning, pluginUnknown, pluginCritical}
	for i, a := range order {
		for j, b := range order {
			if got := a.worse(b); got != order[max(i, j)] {
				t.Errorf("%s and %s: %s", a, b, got)
			}
		}
	}
}
