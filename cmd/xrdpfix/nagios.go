package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
)

// formatNagios is one line and an exit status for a monitoring system
// (Monitoring Plugins Development Guidelines, "Plugin Output" and "Plugin Return
// Codes"): Nagios, Icinga, Naemon, Checkmk, Zabbix.
const formatNagios = "nagios"

// pluginState is the exit status of a plugin.
type pluginState int

// The states.
const (
	pluginOK pluginState = iota
	pluginWarning
	pluginCritical
	pluginUnknown
)

func (s pluginState) String() string {
	return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[s]
}

// worse is the one of two states that is told: what is known to be broken before
// what could not be seen, and that before a warning.
func (s pluginState) worse(o pluginState) pluginState {
	rank := [...]int{pluginOK: 0, pluginWarning: 1, pluginUnknown: 2, pluginCritical: 3}
	if rank[o] > rank[s] {
		return o
	}
	return s
}

// pluginFlags are the thresholds of --output nagios.
type pluginFlags struct {
	critDays int
	failOn   []string
}

// defaultCritDays is when an ending certificate is critical: a week is what a CA
// and a human need.
const defaultCritDays = 7

func (n *pluginFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&n.critDays, "crit-days", defaultCritDays, "nagios: CRITICAL where the certificate that is served ends within `DAYS`")
	f.StringSliceVar(&n.failOn, "fail-on", []string{string(diagnose.Error)}, "nagios: CRITICAL for findings of `CODE`, or of a severity (error, warning)\nand above; several times or with commas")
}

// check refuses thresholds that mean nothing.
func (n *pluginFlags) check(warnDays int, stated bool) error {
	if !stated {
		n.critDays = min(n.critDays, warnDays)
	}
	for _, word := range n.failOn {
		_, known := diagnose.Describe(diagnose.Code(word))
		if !known && word != string(diagnose.Error) && word != string(diagnose.Warning) {
			return usagef("--fail-on %s is neither error, warning nor a finding code", word)
		}
	}
	switch {
	case n.critDays < 0:
		return usagef("--crit-days must not be negative")
	case n.critDays > warnDays:
		return usagef("--crit-days %d is more than --warn-days %d", n.critDays, warnDays)
	}
	return nil
}

// state is what one finding means to a monitoring system. What is only to be known
// is nothing, unless it was asked for by its code.
func (n *pluginFlags) state(x diagnose.Finding) pluginState {
	stated := func(word string) bool { return slices.Contains(n.failOn, word) }
	switch {
	case stated(string(x.Code)),
		x.Severity == diagnose.Error && (stated(string(diagnose.Error)) || stated(string(diagnose.Warning))),
		x.Severity == diagnose.Warning && stated(string(diagnose.Warning)):
		return pluginCritical
	case x.Severity == diagnose.Info:
		return pluginOK
	}
	return pluginWarning
}

// days is what the rest of a certificate's validity means.
func (n *pluginFlags) days(left time.Duration, warnDays int) pluginState {
	switch {
	case left < time.Duration(n.critDays)*day:
		return pluginCritical
	case left < time.Duration(warnDays)*day:
		return pluginWarning
	}
	return pluginOK
}

// pluginLine is what a plugin prints.
type pluginLine struct {
	state pluginState
	text  string
	perf  []string
}

// measure adds performance data: 'label'=value[UOM];[warn];[crit];[min];[max].
func (l *pluginLine) measure(label, value string, rest ...string) {
	l.perf = append(l.perf, strings.TrimRight(perfLabel(label)+"="+value+";"+strings.Join(rest, ";"), ";"))
}

// count measures how many there are of something.
func (l *pluginLine) count(label string, n int) { l.measure(label, strconv.Itoa(n), "", "", "0") }

// perfLabel quotes a label: no equals sign and no line break may stand in it, and a
// single quote stands twice.
func perfLabel(s string) string {
	s = strings.ReplaceAll(clean(s), "=", "_")
	if s == "" {
		return "value"
	}
	if strings.ContainsAny(s, " ';|") {
		return "'" + strings.ReplaceAll(strings.ReplaceAll(s, "|", "/"), "'", "''") + "'"
	}
	return s
}

// String is the line. A bar would begin the performance data.
func (l pluginLine) String() string {
	s := "XRDPFIX " + l.state.String() + " - " + strings.ReplaceAll(clean(l.text), "|", "/")
	if len(l.perf) > 0 {
		s += " | " + strings.Join(l.perf, " ")
	}
	return s
}

// printPlugin prints the line and sets the plugin's exit status.
func (a *app) printPlugin(l pluginLine, why reason) error {
	a.quit = exit{int(l.state), why}
	_, err := fmt.Fprintln(a.out, l)
	return err
}

// asksNagios looks for --output nagios where the flags could not be parsed.
func asksNagios(args []string) bool { return asksFormat(args, formatNagios) }

// checkPlugin is check for a monitoring system.
func checkPlugin(l *look, n *pluginFlags, warnDays int) pluginLine {
	line := pluginLine{}
	_, line.text = health(l)
	line.text = strings.TrimSuffix(line.text, ".")
	var codes []string
	for _, x := range l.found {
		s := n.state(x)
		line.state = line.state.worse(s)
		if s != pluginOK && !slices.Contains(codes, string(x.Code)) {
			codes = append(codes, string(x.Code))
		}
	}
	if len(codes) > 0 {
		line.text = strings.Join(codes, ", ") + ": " + line.text
	}
	left, served := servedLeft(&l.facts)
	if served && !ignored(l, diagnose.CertExpiring) {
		line.state = line.state.worse(n.days(left, warnDays))
	}
	if missing := unseen(&l.facts); len(missing) > 0 || !l.facts.Wire.Ok() && line.state != pluginCritical {
		line.state = line.state.worse(pluginUnknown)
		if len(missing) > 0 {
			line.text += "; not seen: " + strings.Join(missing, "; ")
		}
	}
	if served {
		line.measure("cert_days", strconv.Itoa(int(left/day)), strconv.Itoa(warnDays)+":", strconv.Itoa(n.critDays)+":")
	}
	line.count("errors", l.count(diagnose.Error))
	line.count("warnings", l.count(diagnose.Warning))
	line.count("ignored", len(l.ignored))
	if l.facts.Desktops.Ok() {
		line.count("desktops", len(l.facts.Desktops.Value))
	}
	if r := l.facts.Log.Recent; r.Ok() {
		line.count("client_failures", sum(r.Value.Causes))
	}
	return line
}

// servedLeft is how long the certificate on the wire is valid still.
func servedLeft(f *diagnose.Facts) (time.Duration, bool) {
	cert, served := servedCert(f)
	if !served {
		return 0, false
	}
	return cert.Left(f.Taken), true
}

func ignored(l *look, code diagnose.Code) bool {
	return slices.ContainsFunc(l.ignored, func(x diagnose.Finding) bool { return x.Code == code })
}

func sum(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}
