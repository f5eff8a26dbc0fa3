package main

import (
	"time"

	"xrdpfix/clientele"
	"xrdpfix/diagnose"
)

// clienteleDoc is what a plan means to the clients that xrdp.log saw.
type clienteleDoc struct {
	Since       time.Time `json:"since"`
	Connections int       `json:"connections"`
	Keep        int       `json:"keep"`
	Lose        int       `json:"lose"`
	Gain        int       `json:"gain"`
	Unknown     int       `json:"unknown"`
	Refused     int       `json:"refused"`
	// Left counts addresses that were not looked at.
	Left int `json:"left"`
	// The rest only with --clients.
	Clients   []seenDoc   `json:"clients,omitzero"`
	Strictest *adviceDoc  `json:"strictest,omitempty"`
	Next      []adviceDoc `json:"next,omitzero"`
}

// seenDoc is one client that was seen.
type seenDoc struct {
	Address     string         `json:"address"`
	Name        string         `json:"name"`
	Fate        clientele.Fate `json:"fate"`
	Why         clientele.Why  `json:"why"`
	TLS         string         `json:"tls"`
	Connections int            `json:"connections"`
	Last        time.Time      `json:"last"`
	Mixed       bool           `json:"mixed"`
	Cause       diagnose.Code  `json:"cause,omitempty"`
}

// adviceDoc is a policy and who stands in its way.
type adviceDoc struct {
	Flags string    `json:"flags"`
	First []seenDoc `json:"first"`
}

// clienteleOf judges the clients seen, nil where the log was not read.
func clienteleOf(l *look, listed bool) *clienteleDoc {
	r := l.facts.Log.Recent
	if !r.Ok() {
		return nil
	}
	s := situation(l)
	judged := clientele.Judge(r.Value, s)
	n := fates(judged)
	doc := &clienteleDoc{
		Since: r.Value.Since.UTC(), Connections: r.Value.Connections, Left: r.Value.Left,
		Keep: n[clientele.Keep], Lose: n[clientele.Lose], Gain: n[clientele.Gain], Unknown: n[clientele.Unknown], Refused: n[clientele.Refused],
	}
	if !listed {
		return doc
	}
	doc.Clients, doc.Next = seenDocs(judged), []adviceDoc{}
	if sure, next, ok := clientele.Strictest(r.Value, s); ok {
		doc.Strictest = &adviceDoc{sure.Policy.Flags(), seenDocs(sure.First)}
		for _, a := range next {
			doc.Next = append(doc.Next, adviceDoc{a.Policy.Flags(), seenDocs(a.First)})
		}
	}
	return doc
}

func seenDocs(list []clientele.Client) []seenDoc {
	out := []seenDoc{}
	for _, c := range list {
		doc := seenDoc{
			Address: c.Addr, Name: c.Name, Fate: c.Fate, Why: c.Why,
			Connections: c.Count, Last: c.Last.UTC(), Mixed: c.Mixed, Cause: c.Cause,
		}
		if c.TLS != 0 {
			doc.TLS = c.TLS.Number()
		}
		out = append(out, doc)
	}
	return out
}
