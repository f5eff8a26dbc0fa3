package main

import "xrdpfix/handout"

type kindDoc struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
}

// handoutDoc is what client makes for one kind.
type handoutDoc struct {
	Kind     string           `json:"kind"`
	Title    string           `json:"title"`
	Server   handoutServerDoc `json:"server"`
	Warnings []string         `json:"warnings"`
	Steps    []handoutStepDoc `json:"steps"`
	Notes    []string         `json:"notes"`
	Files    []handoutFileDoc `json:"files"`
}

type handoutServerDoc struct {
	Name     string   `json:"name"`
	Port     uint16   `json:"port"`
	User     string   `json:"user,omitempty"`
	TLS      []string `json:"tls"`
	NLA      bool     `json:"nla"`
	NameFits bool     `json:"name_fits"`
}

type handoutStepDoc struct {
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

type handoutFileDoc struct {
	Name     string `json:"name"`
	For      string `json:"for"`
	Encoding string `json:"encoding"`
	Text     string `json:"text"`
	// Path is where it was written, absent where it was not.
	Path string `json:"path,omitempty"`
}

func handoutOf(h handout.Handout, s handout.Server, written []string) *handoutDoc {
	doc := &handoutDoc{
		Kind: string(h.Kind), Title: h.Title, Warnings: list(h.Warnings), Steps: []handoutStepDoc{}, Notes: list(h.Notes), Files: []handoutFileDoc{},
		Server: handoutServerDoc{Name: s.Name, Port: s.Port, User: s.User, TLS: list(s.TLS), NLA: s.NLA, NameFits: s.NameFits()},
	}
	for _, st := range h.Steps {
		doc.Steps = append(doc.Steps, handoutStepDoc{Text: st.Text, Command: st.Command})
	}
	for i, f := range h.Files {
		d := handoutFileDoc{Name: f.Name, For: f.For, Encoding: f.Encoding, Text: f.Text}
		if i < len(written) {
			d.Path = written[i]
		}
		doc.Files = append(doc.Files, d)
	}
	return doc
}
