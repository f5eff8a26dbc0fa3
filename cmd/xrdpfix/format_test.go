package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestOffer: a command has the formats that it declares, says so, and no other
// command has them.
func TestOffer(t *testing.T) {
	tree := func() (*app, *cobra.Command, *string) {
		a := &app{out: new(bytes.Buffer), errOut: new(bytes.Buffer)}
		root, ran := newRoot(a), new(string)
		page := &cobra.Command{Use: "page", Run: func(*cobra.Command, []string) { *ran = a.global.output }}
		plain := &cobra.Command{Use: "plain", Run: func(*cobra.Command, []string) { *ran = a.global.output }}
		a.offer(page, "html", "csv")
		root.AddCommand(page, plain)
		return a, root, ran
	}
	for _, tt := range []struct{ args, ran, wrong string }{
		{args: "page", ran: "text"},
		{args: "page --output html", ran: "html"},
		{args: "page -o csv", ran: "csv"},
		{args: "--output html page", ran: "html"},
		{args: "page -o json", ran: "json"},
		{args: "plain -o json", ran: "json"},
		{args: "plain -o html", wrong: "--output html is not text or json"},
		{args: "page -o pdf", wrong: "--output pdf is not text, json, html or csv"},
		{args: "page -o html --json", wrong: "--json and --output html contradict each other"},
	} {
		_, root, ran := tree()
		root.SetArgs(strings.Fields(tt.args))
		err := root.Execute()
		if tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || err.Error() != tt.wrong || exitOf(err).Code != 2) {
			t.Errorf("%s: error %v, want %q", tt.args, err, tt.wrong)
		}
		if *ran != tt.ran {
			t.Errorf("%s: ran with format %q, want %q", tt.args, *ran, tt.ran)
		}
	}

	a, root, _ := tree()
	root.SetArgs([]string{"page", "--help"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	if help := a.out.(*bytes.Buffer).String(); strings.Count(help, "--output FORMAT") != 1 || !strings.Contains(help, "output FORMAT: text, json, html or csv") {
		t.Errorf("help does not list the formats once:\n%s", help)
	}
}
