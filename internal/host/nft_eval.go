package host

import (
	"encoding/json"
	"fmt"
	"strings"
)

// nftVerdict is what becomes of the packet at the end of a chain.
type nftVerdict int

const (
	nftPass nftVerdict = iota // it goes on after the chain
	nftAccept
	nftDrop
)

// nftEnd is how a chain ends for the packet, and where.
type nftEnd struct {
	verdict nftVerdict
	where   string
}

// nftEval leads one packet through the rules: the first of a TCP connection over
// IPv4 to port, from anywhere but this machine.
type nftEval struct {
	rs   *ruleset
	port int
	// mayAccept: a rule that depends on more than is known lets it pass.
	mayAccept bool
	// translated: a rule gives it another destination, or may.
	translated bool
	steps      int
}

// Limits on rules that jump in circles, which the kernel would not take.
const (
	maxJumps = 16
	maxRules = 100_000
)

func (e *nftEval) chain(c *nftChain, depth int) nftEnd {
	left := false // some packets return from here early
	for _, r := range c.rules {
		if e.steps++; e.steps > maxRules || depth > maxJumps {
			e.mayAccept = true
			return nftEnd{}
		}
		end, over, some := e.rule(r, depth)
		left = left || some
		if !over {
			continue
		}
		if left && end.verdict == nftDrop {
			return nftEnd{} // those that returned go on
		}
		return end
	}
	return nftEnd{}
}

// rule applies one rule: over says that the chain ends here for the packet, some
// that it does for some packets, without a verdict.
func (e *nftEval) rule(r nftRule, depth int) (end nftEnd, over, some bool) {
	cond := yes
	for _, expr := range r.Expr {
		for kind, body := range expr {
			switch kind {
			case "counter", "log", "comment", "mangle", "notrack", "meter", "last":
			case "match":
				cond = min(cond, e.match(r, body))
			case "vmap":
				return e.vmap(r, cond, body, depth)
			case "dnat", "redirect", "tproxy":
				if cond != no {
					e.translated = true
				}
				return nftEnd{}, false, false
			case "accept", "drop", "reject", "queue", "return", "jump", "goto", "continue":
				if cond == no {
					return nftEnd{}, false, false
				}
				return e.verdict(r, cond, kind, body, depth)
			default:
				// limit, xt, ct helpers and what is not known.
				cond = min(cond, maybe)
			}
		}
		if cond == no {
			break
		}
	}
	return nftEnd{}, false, false
}

// verdict applies a verdict under a condition that is met, or may be.
func (e *nftEval) verdict(r nftRule, cond tri, kind string, body json.RawMessage, depth int) (end nftEnd, over, some bool) {
	switch kind {
	case "accept", "queue":
		if cond == yes {
			return nftEnd{verdict: nftAccept}, true, false
		}
		e.mayAccept = true
	case "drop", "reject":
		if cond == yes {
			return nftEnd{nftDrop, fmt.Sprintf("%s %s %s, %s", r.Family, r.Table, r.Chain, kind)}, true, false
		}
	case "return":
		return nftEnd{}, cond == yes, cond == maybe
	case "jump", "goto":
		var to struct{ Target string }
		target := (*nftChain)(nil)
		if json.Unmarshal(body, &to) == nil {
			target = e.rs.chains[nftKey(r.Family, r.Table, to.Target)]
		}
		if target == nil {
			e.mayAccept = true
			return nftEnd{}, false, false
		}
		end = e.chain(target, depth+1)
		if cond == maybe {
			if end.verdict == nftAccept {
				e.mayAccept = true
			}
			// What a goto leads away, and is not judged there, is at the end of
			// this chain.
			return nftEnd{}, false, kind == "goto" && end.verdict == nftPass
		}
		return end, end.verdict != nftPass || kind == "goto", false
	}
	return nftEnd{}, false, false
}

// vmap applies a verdict map: each element is a key and its verdict.
func (e *nftEval) vmap(r nftRule, cond tri, body json.RawMessage, depth int) (end nftEnd, over, some bool) {
	var m struct {
		Key  json.RawMessage
		Data json.RawMessage
	}
	if cond == no || json.Unmarshal(body, &m) != nil {
		return nftEnd{}, false, false
	}
	var data struct{ Set []json.RawMessage }
	elems := []json.RawMessage(nil)
	var name string
	if json.Unmarshal(m.Data, &name) == nil {
		elems = e.rs.sets[nftKey(r.Family, r.Table, name)]
	} else if json.Unmarshal(m.Data, &data) == nil {
		elems = data.Set
	}
	for _, raw := range elems {
		var pair []json.RawMessage
		var verdict map[string]json.RawMessage
		if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 || json.Unmarshal(pair[1], &verdict) != nil {
			e.mayAccept = true
			continue
		}
		hit := min(cond, e.compare(r, m.Key, "==", pair[0]))
		if hit == no {
			continue
		}
		for kind, to := range verdict {
			end, over, one := e.verdict(r, hit, kind, to, depth)
			if some = some || one; over {
				return end, true, some
			}
		}
	}
	return nftEnd{}, false, some
}

func (e *nftEval) match(r nftRule, body json.RawMessage) tri {
	var m struct {
		Op          string
		Left, Right json.RawMessage
	}
	if json.Unmarshal(body, &m) != nil {
		return maybe
	}
	return e.compare(r, m.Left, m.Op, m.Right)
}

// compare answers for what is known of the packet: protocol, port, state, that it
// comes from elsewhere and is for this machine.
func (e *nftEval) compare(r nftRule, left json.RawMessage, op string, right json.RawMessage) tri {
	var l struct {
		Meta    *struct{ Key string }
		Payload *struct{ Protocol, Field string }
		CT      *struct{ Key string }
		Fib     *struct {
			Result string
			Flags  json.RawMessage
		}
	}
	if json.Unmarshal(left, &l) != nil {
		return maybe
	}
	t := maybe
	switch {
	case l.Payload != nil && (l.Payload.Protocol == "tcp" || l.Payload.Protocol == "th") && l.Payload.Field == "dport":
		return e.number(r, op, right)
	case l.Payload != nil && l.Payload.Protocol == "udp", l.Payload != nil && strings.HasPrefix(l.Payload.Protocol, "icmp"),
		l.Payload != nil && l.Payload.Protocol == "ip6":
		return no // the rule is for other packets, whatever it compares
	case l.Payload != nil && l.Payload.Protocol == "ip" && l.Payload.Field == "protocol", l.Meta != nil && l.Meta.Key == "l4proto":
		const tcp = 6
		var n int
		if t = oneOf("tcp", right); json.Unmarshal(right, &n) == nil {
			t = when(n == tcp)
		}
	case l.Meta != nil && l.Meta.Key == "nfproto":
		t = oneOf("ipv4", right)
	case l.Meta != nil && (l.Meta.Key == "iifname" || l.Meta.Key == "iif"):
		if list, ok := words(right); ok && len(list) == 1 && list[0] == "lo" {
			t = no
		}
	case l.CT != nil && l.CT.Key == "state":
		t = oneOf("new", right)
	case l.CT != nil && l.CT.Key == "status":
		if list, ok := words(right); ok && len(list) == 1 && list[0] == "dnat" {
			t = no
		}
	case l.Fib != nil && l.Fib.Result == "type" && oneOf("daddr", l.Fib.Flags) == yes:
		t = oneOf("local", right)
	}
	if op == "!=" {
		return t.not()
	}
	return t
}

// number compares the port.
func (e *nftEval) number(r nftRule, op string, right json.RawMessage) tri {
	switch op {
	case "==", "in", "":
		return e.rs.matches(r, e.port, right)
	case "!=":
		return e.rs.matches(r, e.port, right).not()
	}
	var n int
	if json.Unmarshal(right, &n) != nil {
		return maybe
	}
	switch op {
	case "<":
		return when(e.port < n)
	case ">":
		return when(e.port > n)
	case "<=":
		return when(e.port <= n)
	case ">=":
		return when(e.port >= n)
	}
	return maybe
}
