package main

import "xrdpfix/clients"

// clientDoc is a client and what the server does with it; see clients.Row.
type clientDoc struct {
	Key         string `json:"key"`
	Name        string `json:"name"`
	Connects    string `json:"connects"` // "yes", "weak", "no", "unknown"
	Protocol    string `json:"protocol"`
	TLS         string `json:"tls"`
	Cipher      string `json:"cipher"`
	Certificate string `json:"certificate"`
	WhyNot      string `json:"why_not"`
	Whose       string `json:"whose"`
	Code        string `json:"code"`
	Next        string `json:"next"`
	Known       string `json:"known"` // "captured", "documented", "not known"
	Asked       bool   `json:"asked"`
}

func clientDocs(rows []clients.Row) []clientDoc {
	out := make([]clientDoc, 0, len(rows))
	for _, r := range rows {
		doc := clientDoc{r.Key, r.Name, r.Connects, r.Protocol, r.TLS, r.Cipher, r.Certificate, r.WhyNot, r.Whose, r.Code, r.Next, howKnown(r.Known), r.Asked}
		if r.Connects == clients.ConnectsOpen {
			doc.Connects = "unknown"
		}
		out = append(out, doc)
	}
	return out
}
