package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// errNotRuleset is returned for what is no output of nft -j.
var errNotRuleset = errors.New("not a ruleset of nft")

// ruleset is what "nft -j list ruleset" says (libnftables-json(5)).
type ruleset struct {
	chains map[string]*nftChain
	order  []string // of the chains
	sets   map[string][]json.RawMessage
}

// nftChain is a chain; one with a hook is where packets come in.
type nftChain struct {
	Family, Table, Name string
	Type, Hook, Policy  string
	rules               []nftRule
}

type nftRule struct {
	Family, Table, Chain string
	Handle               int
	Expr                 []map[string]json.RawMessage
}

func nftKey(family, table, name string) string { return family + " " + table + " " + name }

// parseRuleset reads the JSON of nft. Objects that it does not know are left out.
func parseRuleset(data []byte) (*ruleset, error) {
	var doc struct {
		Nftables []map[string]json.RawMessage `json:"nftables"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotRuleset, err)
	}
	if doc.Nftables == nil {
		return nil, errNotRuleset
	}
	rs := &ruleset{chains: map[string]*nftChain{}, sets: map[string][]json.RawMessage{}}
	for _, object := range doc.Nftables {
		if raw, ok := object["chain"]; ok {
			c := &nftChain{}
			if json.Unmarshal(raw, c) == nil {
				key := nftKey(c.Family, c.Table, c.Name)
				rs.chains[key] = c
				rs.order = append(rs.order, key)
			}
		}
		for _, kind := range []string{"set", "map"} {
			var s struct {
				Family, Table, Name string
				Elem                []json.RawMessage
			}
			if raw, ok := object[kind]; ok && json.Unmarshal(raw, &s) == nil {
				rs.sets[nftKey(s.Family, s.Table, "@"+s.Name)] = s.Elem
			}
		}
	}
	for _, object := range doc.Nftables {
		var r nftRule
		raw, ok := object["rule"]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, fmt.Errorf("%w: %w", errNotRuleset, err)
		}
		if c := rs.chains[nftKey(r.Family, r.Table, r.Chain)]; c != nil {
			c.rules = append(c.rules, r)
		}
	}
	return rs, nil
}

// manager tells from the names who wrote the rules.
func (rs *ruleset) manager() string {
	m := ""
	for _, key := range rs.order {
		c := rs.chains[key]
		switch {
		case c.Table == "firewalld":
			return "firewalld"
		case strings.HasPrefix(c.Name, "ufw"):
			m = "ufw"
		case m == "":
			m = "nftables"
		}
	}
	return m
}

// blocked tells where a new TCP connection over IPv4 from elsewhere to a port of
// this machine is dropped whatever its source and its interface, "" for nowhere.
// A rule that depends on more than the port may let some through, and then the
// answer is "": this looks for a port that somebody forgot to open, and does not
// judge who may pass.
func (rs *ruleset) blocked(port int) string {
	for _, key := range rs.order {
		c := rs.chains[key]
		if c.Type == "nat" && c.Hook == "prerouting" && rs.translates(c, port) {
			return "" // it may arrive as another port
		}
	}
	for _, key := range rs.order {
		c := rs.chains[key]
		if c.Hook != "input" && c.Hook != "prerouting" || c.Type != "filter" || c.Family != "ip" && c.Family != "inet" {
			continue
		}
		e := nftEval{rs: rs, port: port}
		end := e.chain(c, 0)
		if end.verdict == nftPass && c.Policy == "drop" {
			end = nftEnd{nftDrop, fmt.Sprintf("%s %s %s, policy drop", c.Family, c.Table, c.Name)}
		}
		if end.verdict == nftDrop && !e.mayAccept {
			return end.where
		}
	}
	return ""
}

// translates reports whether a chain of network address translation may give a
// connection to the port another destination.
func (rs *ruleset) translates(c *nftChain, port int) bool {
	e := nftEval{rs: rs, port: port}
	e.chain(c, 0)
	return e.translated
}

// tri is the answer to whether a packet matches.
type tri int

const (
	no tri = iota
	maybe
	yes
)

// not turns an answer around.
func (t tri) not() tri { return yes - t }

// matches compares a number of the packet with the right side of a match.
func (rs *ruleset) matches(scope nftRule, value int, right json.RawMessage) tri {
	var n int
	if json.Unmarshal(right, &n) == nil {
		return when(n == value)
	}
	var name string
	if json.Unmarshal(right, &name) == nil {
		if !strings.HasPrefix(name, "@") {
			return maybe // a name of a service
		}
		elems, ok := rs.sets[nftKey(scope.Family, scope.Table, name)]
		if !ok {
			return maybe
		}
		return rs.anyOf(scope, value, elems)
	}
	var list []json.RawMessage
	if json.Unmarshal(right, &list) == nil {
		return rs.anyOf(scope, value, list)
	}
	var object struct {
		Set   []json.RawMessage
		Range []int
		Elem  *struct{ Val json.RawMessage }
	}
	if json.Unmarshal(right, &object) != nil {
		return maybe
	}
	switch {
	case len(object.Range) == 2:
		return when(object.Range[0] <= value && value <= object.Range[1])
	case object.Set != nil:
		return rs.anyOf(scope, value, object.Set)
	case object.Elem != nil:
		return rs.matches(scope, value, object.Elem.Val)
	}
	return maybe
}

func (rs *ruleset) anyOf(scope nftRule, value int, list []json.RawMessage) tri {
	best := no
	for _, item := range list {
		best = max(best, rs.matches(scope, value, item))
	}
	return best
}

func when(b bool) tri {
	if b {
		return yes
	}
	return no
}

// words are the names on the right side of a match: one, a list, or a set.
func words(right json.RawMessage) ([]string, bool) {
	var one string
	if json.Unmarshal(right, &one) == nil {
		return []string{one}, !strings.HasPrefix(one, "@")
	}
	var list []string
	if json.Unmarshal(right, &list) == nil {
		return list, true
	}
	var set struct{ Set []string }
	if json.Unmarshal(right, &set) == nil && set.Set != nil {
		return set.Set, true
	}
	return nil, false
}

// oneOf compares a name of the packet with the right side of a match.
func oneOf(name string, right json.RawMessage) tri {
	list, ok := words(right)
	if !ok {
		return maybe
	}
	return when(slices.Contains(list, name))
}
