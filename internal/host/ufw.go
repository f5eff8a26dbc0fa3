package host

import (
	"slices"
	"strconv"
	"strings"
)

// ufwInput is the chain in which ufw keeps its users' rules for what comes in
// (ufw-framework(8)).
const ufwInput = "ufw-user-input"

// ufwAnswer says what ufw's rules do with a port.
type ufwAnswer int

const (
	ufwDefault ufwAnswer = iota // no rule for it: the policy decides
	ufwOpen                     // somebody at least gets in
	ufwShut                     // denied or rejected for everybody
)

// ufwRules reads user.rules, in the syntax of iptables-restore(8): the first rule
// decides. A rule that depends on more than the port may let some in, which
// counts as open, and shuts the port to some, which counts for nothing.
func ufwRules(data []byte, port int) ufwAnswer {
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "-A" || f[1] != ufwInput {
			continue
		}
		match, target := ufwRule(f[2:], port)
		switch {
		case match == no:
		case target == "ACCEPT" || target == "ufw-user-limit-accept":
			return ufwOpen
		case match == yes && (target == "DROP" || target == "REJECT"):
			return ufwShut
		}
	}
	return ufwDefault
}

// ufwRule reads the words of one rule: does it match a new TCP connection to the
// port, and where does it lead.
func ufwRule(words []string, port int) (match tri, target string) {
	match = yes
	for i := 0; i+1 < len(words); i++ {
		value := words[i+1]
		switch words[i] {
		case "-p":
			if value != "tcp" && value != "all" {
				return no, ""
			}
		case "--dport", "--dports":
			hit, ok := inPorts(value, port)
			if !ok {
				match = min(match, maybe)
			} else if !hit {
				return no, ""
			}
		case "-m":
			if value != "multiport" && value != "tcp" && value != "comment" {
				match = min(match, maybe)
			}
		case "-j":
			target = value
			return match, target
		default:
			match = min(match, maybe) // -s, -d, -i, --sport and others
		}
		i++
	}
	return match, target
}

// inPorts looks for a port in a list as iptables writes it: "22,3380:3400".
func inPorts(list string, port int) (in, ok bool) {
	for item := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(item, ":")
		low, err := strconv.Atoi(from)
		high := low
		if err == nil && isRange {
			high, err = strconv.Atoi(to)
		}
		if err != nil {
			return false, false
		}
		if low <= port && port <= high {
			return true, true
		}
	}
	return false, true
}

// mentions reports whether rules that administrators write by hand (before.rules,
// after.rules) name a port at all: then nothing is said about it.
func mentions(data []byte, port int) bool {
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		i := slices.IndexFunc(f, func(w string) bool { return w == "--dport" || w == "--dports" })
		if i < 0 || i+1 >= len(f) {
			continue
		}
		if in, ok := inPorts(f[i+1], port); in || !ok {
			return true
		}
	}
	return false
}
