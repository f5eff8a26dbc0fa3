package host

import (
	"os"
	"strings"
	"testing"
)

// readRuleset reads what nft 1.0.6 printed of the .nft file of that name.
func readRuleset(t *testing.T, name string) *ruleset {
	t.Helper()
	data, err := os.ReadFile("testdata/nft/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	rs, err := parseRuleset(data)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestBlocked(t *testing.T) {
	for _, tt := range []struct {
		rules string
		port  int
		where string
	}{
		{"default", 3389, "inet filter input, policy drop"},
		{"default", 22, ""},
		{"default", 85, ""},
		{"default", 91, "inet filter input, policy drop"},
		{"open", 3389, ""},
		{"open", 3401, "inet filter input, reject"},
		{"partly", 3389, ""},
		{"partly", 3390, ""},
		{"partly", 3391, ""},
		{"partly", 3392, "ip filter input, policy drop"},
		{"firewalld", 3389, "inet firewalld filter_IN_public, reject"},
		{"firewalld", 3390, ""},
		{"firewalld-1.3.3", 3389, "inet firewalld filter_IN_public, reject"},
		{"firewalld-1.3.3", 22, ""},
		{"verdicts", 3389, ""},
		{"verdicts", 3390, ""},
		{"verdicts", 3391, "inet filter input, drop"},
		{"verdicts", 3392, "inet filter shut, reject"},
		{"verdicts", 3393, ""}, // redirected before
		{"verdicts", 3394, "inet filter late, drop"},
		{"verdicts", 3395, "inet filter late, drop"},
		{"verdicts", 3396, ""},
	} {
		if got := readRuleset(t, tt.rules).blocked(tt.port); got != tt.where {
			t.Errorf("%s.nft, port %d: %q, want %q", tt.rules, tt.port, got, tt.where)
		}
	}
}

func TestRulesetManager(t *testing.T) {
	for name, want := range map[string]string{"default": "nftables", "firewalld": "firewalld"} {
		if got := readRuleset(t, name).manager(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	empty, err := parseRuleset([]byte(`{"nftables": [{"metainfo": {"version": "1.0.6"}}]}`))
	if err != nil || empty.manager() != "" || empty.blocked(3389) != "" {
		t.Errorf("no rules: %q, %q, %v", empty.manager(), empty.blocked(3389), err)
	}
}

// TestUnknownRules: what is not understood never makes a port shut.
func TestUnknownRules(t *testing.T) {
	const head = `{"nftables": [
		{"chain": {"family": "ip", "table": "filter", "name": "INPUT", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}},
		{"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "expr": [`
	for expr, where := range map[string]string{
		`{"xt": {"type": "match", "name": "multiport"}}, {"accept": null}`:                                                   "",
		`{"xt": {"type": "match", "name": "multiport"}}, {"drop": null}`:                                                     "ip filter INPUT, policy drop",
		`{"something": {"new": 1}}, {"accept": null}`:                                                                        "",
		`{"match": {"op": "==", "left": {"something": 1}, "right": 1}}, {"accept": null}`:                                    "",
		`{"match": "no object"}, {"accept": null}`:                                                                           "",
		`{"jump": {"target": "nowhere"}}`:                                                                                    "",
		`{"jump": {"target": "INPUT"}}`:                                                                                      "", // in circles
		`{"vmap": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": {"set": ["odd"]}}}`:                    "",
		`{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": "rdp"}}, {"accept": 0}`: "",
		`{"queue": null}`:   "",
		`{"counter": null}`: "ip filter INPUT, policy drop",
		`{"return": null}`:  "ip filter INPUT, policy drop",
	} {
		rs, err := parseRuleset([]byte(head + expr + `]}}]}`))
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if got := rs.blocked(3389); got != where {
			t.Errorf("%s: %q, want %q", expr, got, where)
		}
	}
}

func FuzzRuleset(f *testing.F) {
	for _, name := range []string{"default", "firewalld", "open", "partly", "verdicts"} {
		data, err := os.ReadFile("testdata/nft/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"nftables": []}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rs, err := parseRuleset(data)
		if err != nil {
			return
		}
		if where := rs.blocked(3389); where != "" && !strings.Contains(where, ", ") {
			t.Errorf("blocked by %q", where)
		}
	})
}
