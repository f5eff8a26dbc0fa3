package main

import (
	"crypto/tls"
	"testing"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/probe"
)

// TestModern: whether a host could go to TLS 1.3 only. The facts are those of a
// real server; each row changes one thing.
func TestModern(t *testing.T) {
	all := func(f *diagnose.Facts) { // what is left came with TLS 1.3
		f.Log.Recent.Value.ByClient = f.Log.Recent.Value.ByClient[:0]
		f.Log.Recent.Value.ByClient = append(f.Log.Recent.Value.ByClient, diagnose.ClientSeen{
			Addr: "192.0.2.9", Connections: 3, Last: f.Taken, TLS: "TLSv1.3",
			Ways: []diagnose.Way{{TLS: "TLSv1.3", Asked: "SSL|HYBRID", Count: 3, First: f.Taken.Add(-day), Last: f.Taken}},
		})
	}
	offers := func(f *diagnose.Facts, versions ...probe.TLSVersion) {
		s := &f.Wire.Value
		s.Versions = nil
		for _, v := range versions {
			s.Versions = append(s.Versions, probe.VersionAnswer{Version: v, Answer: probe.AnswerAccepted})
		}
		s.Full.TLS.Version = versions[len(versions)-1]
	}
	for _, tt := range []struct {
		name   string
		change func(*diagnose.Facts)
		want   string
	}{
		{"as it is", func(*diagnose.Facts) {}, "no, loses 3 of 6"},
		{"all came with 1.3", all, "yes, 1 client"},
		{"one came with 1.2 when xrdp.ini was another", func(f *diagnose.Facts) {
			all(f)
			way := &f.Log.Recent.Value.ByClient[0].Ways[0]
			way.TLS = "TLSv1.2"
			f.Config.Value.MTime = way.Last.Add(time.Hour)
		}, "unknown, 1 of 1"},
		{"some clients are left out", func(f *diagnose.Facts) { all(f); f.Log.Recent.Value.Left = 4 }, "unknown, 4 of 5"},
		{"nobody came", func(f *diagnose.Facts) { f.Log.Recent.Value.ByClient = nil }, "unknown, no client seen"},
		{"the log was not read", func(f *diagnose.Facts) { f.Log.Recent = diagnose.Failed[diagnose.Recent]("permission denied") }, "unknown, no log"},
		{"only 1.3 is on offer", func(f *diagnose.Facts) { offers(f, tls.VersionTLS13) }, "already"},
		{"1.3 is not on offer", func(f *diagnose.Facts) { offers(f, tls.VersionTLS11, tls.VersionTLS12) }, "unknown, 1.3 not on offer"},
		{"no TLS", func(f *diagnose.Facts) { f.Wire.Value.Full.TLS, f.Wire.Value.Versions = nil, nil }, "unknown, no TLS now"},
		{"offline", func(f *diagnose.Facts) { f.Wire = diagnose.Skipped[probe.ServerSurvey]("offline") }, "unknown, not probed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := readLook(t, "bookworm-clients", plain).facts
			tt.change(&f)
			if got := modern(&f).text(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestCSVText(t *testing.T) {
	for text, want := range map[string]string{
		"desk01": "desk01", "": "", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(1)": "'@SUM(1)",
		"\uff1d1": "'\uff1d1", "\t=1": " =1", "\r=1": "?=1", "a\nb": "a b", "a=1": "a=1", "\u202e=1": "?=1",
	} {
		if got := csvText(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
