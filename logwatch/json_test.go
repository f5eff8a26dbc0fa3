package logwatch

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// TestConnectionJSON: what a connection is judged to be is the same after a
// round trip, its private parts included.
func TestConnectionJSON(t *testing.T) {
	lines := []string{
		"[20261122-14:09:02] [INFO ] Socket 12: AF_INET6 connection received from ::ffff:192.0.2.7 port 33418",
		"[20261122-14:09:02] [INFO ] Security protocol: configured [SSL|RDP], requested [SSL|HYBRID|RDP], selected [RDP]",
		"[20261122-14:09:02] [ERROR] Cannot read private key file /etc/xrdp/key.pem: No such file or directory",
		"[20261122-14:09:02] [INFO ] Connected client computer name: LAPTOP",
	}
	var entries []Entry
	for _, l := range lines {
		e, ok := ParseLine(l, time.UTC)
		if !ok {
			t.Fatalf("%q is no line", l)
		}
		entries = append(entries, e)
	}
	was := Group(entries)
	data, err := json.Marshal(was)
	if err != nil {
		t.Fatal(err)
	}
	var is []Connection
	if err := json.Unmarshal(data, &is); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(is); err != nil || len(was) == 0 || !bytes.Equal(again, data) {
		t.Errorf("came back as\n%s, was\n%s (%v)", again, data, err)
	}
	if a, b := was[0].Outcome(), is[0].Outcome(); !reflect.DeepEqual(a, b) {
		t.Errorf("judged to be %+v, was %+v", b, a)
	}
}

func TestConnectionJSONUnknown(t *testing.T) {
	var c Connection
	in := `{"matches":[{"rule":"key-not-readable","text":"a message of a later xrdp"},{"rule":"renamed","level":"INFO","text":"Connected client computer name: X"}]}`
	if err := json.Unmarshal([]byte(in), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Matches) != 1 || c.Matches[0].Rule.ID != "client-name" || c.Matches[0].Field("name") != "X" {
		t.Errorf("matches %+v", c.Matches)
	}
	for _, bad := range []string{`{"matches":[{"level":"LOUD"}]}`, `{"matches":1}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), &c); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestRewrite(t *testing.T) {
	m, ok := Classify(Entry{Text: "Cannot read private key file /etc/xrdp/key.pem: Permission denied"})
	if !ok {
		t.Fatal("no rule")
	}
	got, ok := m.Rewrite(func(field, old string) string {
		if field == "key" || field == "file" {
			return "/x"
		}
		return old
	})
	if !ok || got.Entry.Text != "Cannot read private key file /x: Permission denied" {
		t.Errorf("%q, %v", got.Entry.Text, ok)
	}
	if _, ok := m.Rewrite(func(string, string) string { return "" }); ok {
		t.Error("a message without its fields is the same message")
	}
	if _, ok := (Match{}).Rewrite(func(_, old string) string { return old }); ok {
		t.Error("no message is a message")
	}
}
