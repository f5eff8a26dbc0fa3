package main

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// formatPrometheus is the text format of Prometheus
// (prometheus.io/docs/instrumenting/exposition_formats), which the textfile
// collector of node_exporter reads.
const formatPrometheus = "prometheus"

// gauges are metrics in the order in which they were added. Every name begins with
// xrdpfix_ and ends in its unit, which is a base unit of Prometheus: promtool
// check metrics has nothing to say.
type gauges struct {
	b    strings.Builder
	seen map[string]bool
}

// label is a name and a value; the value may hold anything.
type label struct{ name, value string }

// gauge adds a value. The help is printed above the first of its name, so all of
// one name must follow each other.
func (m *gauges) gauge(name, help string, value float64, labels ...label) {
	if m.seen == nil {
		m.seen = map[string]bool{}
	}
	if !m.seen[name] {
		m.seen[name] = true
		fmt.Fprintf(&m.b, "# HELP %s %s\n# TYPE %s gauge\n", name, escapeHelp(help), name)
	}
	m.b.WriteString(name)
	for i, l := range labels {
		m.b.WriteByte("{,"[min(i, 1)])
		fmt.Fprintf(&m.b, "%s=%q", l.name, labelValue(l.value))
	}
	if len(labels) > 0 {
		m.b.WriteByte('}')
	}
	m.b.WriteString(" " + strconv.FormatFloat(value, 'f', -1, 64) + "\n")
}

// flag adds 1 for true and 0 for false.
func (m *gauges) flag(name, help string, value bool, labels ...label) {
	n := 0.0
	if value {
		n = 1
	}
	m.gauge(name, help, n, labels...)
}

// at adds a point in time; what never was is left out.
func (m *gauges) at(name, help string, t time.Time, labels ...label) {
	if !t.IsZero() {
		m.gauge(name, help, float64(t.Unix()), labels...)
	}
}

// counts adds a value for each key, sorted.
func (m *gauges) counts(name, help, key string, counts map[string]int) {
	var keys []string
	for k := range counts {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		m.gauge(name, help, float64(counts[k]), label{key, k})
	}
}

// labelValue takes from a value what the format cannot escape. Of what is left,
// %q escapes the quote, the backslash and the line break as the format does, and
// nothing else.
func labelValue(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 126 || r < ' ' && r != '\n' {
			return '?'
		}
		return r
	}, s)
}

func escapeHelp(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(s)
}
