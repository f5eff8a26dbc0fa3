package main

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xrdpfix/certs"
	"xrdpfix/clientele"
	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

// hostRow is what a report keeps of one host.
type hostRow struct {
	file  string
	name  string
	taken time.Time
	os    string
	xrdp  string
	// state is the word of health.
	state            string
	exit             exit
	errors, warnings []string // finding codes
	cert             *certs.CertInfo
	ready            readiness
}

// readiness is whether a host could serve TLS 1.3 only and lose nobody.
type readiness struct {
	// answer is "already", "yes", "no" or "unknown".
	answer string
	// why says what is not known, in a word or two.
	why string
	// seen counts the clients that the log tells of, lose and unknown those that
	// would lose access and of which that is not known.
	seen, lose, unknown int
	// who are those that would lose access.
	who []string
}

// The answers of readiness.
const (
	readyAlready = "already"
	readyYes     = "yes"
	readyNo      = "no"
	readyUnknown = "unknown"
)

// hostRow reads one file.
func (a *app) hostRow(ctx context.Context, file string, warnDays int) (hostRow, error) {
	facts, err := readFacts(file)
	if err != nil {
		return hostRow{}, err
	}
	w := plain
	w.replay, w.warnDays = &facts, warnDays
	l, err := a.look(ctx, w)
	if err != nil {
		return hostRow{}, err
	}
	defer l.close()
	f := &l.facts
	h := hostRow{
		file: file, name: hostName(f), taken: f.Taken, os: f.Host.OS, xrdp: f.Package.Value.Version,
		exit: checkExit(l), ready: modern(f),
	}
	h.state, _ = health(l)
	for _, x := range l.found {
		switch x.Severity {
		case diagnose.Error:
			h.errors = append(h.errors, string(x.Code))
		case diagnose.Warning:
			h.warnings = append(h.warnings, string(x.Code))
		}
	}
	h.errors, h.warnings = slices.Compact(h.errors), slices.Compact(h.warnings)
	if f.Pair.Ok() && f.Cert.Exists && f.Pair.Value.Cert.Problem == "" {
		h.cert = &f.Pair.Value.Cert
	}
	return h, nil
}

// modern judges whether TLS 1.3 only would lose any client that was seen. What
// else the server lets in stays as it is.
func modern(f *diagnose.Facts) readiness {
	if !f.Wire.Ok() {
		return readiness{answer: readyUnknown, why: "not probed"}
	}
	recent, now := f.Log.Recent, policyNow(f)
	r := readiness{answer: readyUnknown}
	switch only := (xrdpconf.Range{Min: xrdpconf.TLS13, Max: xrdpconf.TLS13}); {
	case now.Range == (xrdpconf.Range{}):
		r.why = "no TLS now"
		return r
	case now.Range == only:
		return readiness{answer: readyAlready}
	case now.Range.Max < xrdpconf.TLS13:
		r.why = "1.3 not on offer"
		return r
	case !recent.Ok():
		r.why = "no log"
		return r
	default:
		s := clientele.Situation{Now: now, After: clientele.Policy{Range: only, Classic: now.Classic}, Settled: f.Config.Value.MTime.Truncate(time.Second)}
		r.judge(clientele.Judge(recent.Value, s), recent.Value.Left)
	}
	return r
}

// judge counts the fates. Clients that the facts left out are not known.
func (r *readiness) judge(judged []clientele.Client, left int) {
	r.unknown = left
	r.seen = left
	for _, c := range judged {
		switch c.Fate {
		case clientele.Lose:
			r.lose++
			r.who = append(r.who, strings.TrimSpace(c.Addr+" "+c.Name))
		case clientele.Unknown:
			r.unknown++
		case clientele.Keep:
		default:
			continue // it does not get in with TLS today
		}
		r.seen++
	}
	switch {
	case r.lose > 0:
		r.answer = readyNo
	case r.unknown > 0:
		r.why = "see their log"
	case r.seen == 0:
		r.why = "no client seen"
	default:
		r.answer = readyYes
	}
}

// order puts those that need attention first, and names hosts of one name by
// their files too: placeholders of redacted facts are the same in every file.
func (inv *inventory) order() {
	times := map[string]int{}
	for _, h := range inv.hosts {
		times[h.name]++
	}
	for i := range inv.hosts {
		if h := &inv.hosts[i]; times[h.name] > 1 {
			h.name += " (" + filepath.Base(h.file) + ")"
		}
	}
	rank := func(h hostRow) int {
		return slices.Index([]bool{h.state == "BROKEN", h.state == "UNKNOWN" || h.exit.Code == 6, h.state == "OFFLINE", len(h.warnings) > 0, true}, true)
	}
	slices.SortStableFunc(inv.hosts, func(a, b hostRow) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.name, b.name))
	})
}

// text says in a few words whether TLS 1.3 only is possible.
func (r readiness) text() string {
	switch r.answer {
	case readyYes:
		return "yes, " + plural(r.seen, "client")
	case readyNo:
		return "no, loses " + countOf(r.lose, r.seen)
	case readyUnknown:
		if r.unknown > 0 {
			return "unknown, " + countOf(r.unknown, r.seen)
		}
		return "unknown, " + r.why
	}
	return r.answer
}
