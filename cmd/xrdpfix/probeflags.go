package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/fleet"
	"xrdpfix/internal/plaintext"
	"xrdpfix/probe"
)

// probeFlags say which servers are probed, and how.
type probeFlags struct {
	from           []string
	ranges         bool
	everyAddress   bool
	parallel       int
	rate           float64
	connectTimeout span
	stageTimeout   span
	full           bool
	plugin         probePlugin
	clients        bool
	profiles       bool
	ntlm           bool
	// tables says that each server's table of clients is shown.
	tables bool
}

func (p *probeFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&p.from, "from", nil, "probe the targets that `FILE` lists, too; - for standard input;\nmay be given several times")
	f.BoolVar(&p.ranges, "range", false, "a target may be a range, as in 192.0.2.0/24 and 192.0.2.10-20,\nof up to 65536 addresses")
	f.BoolVar(&p.everyAddress, "all-addresses", false, "probe every address of a name, not only the first that answers")
	f.IntVar(&p.parallel, "parallel", fleet.DefaultParallel, "probe at most `N` servers at one time")
	f.Float64Var(&p.rate, "rate", 0, "begin with at most `N` servers a second (default no bound)")
	p.connectTimeout = span(fleet.DefaultConnectTimeout)
	f.Var(&p.connectTimeout, "connect-timeout", "`TIME` allowed for a name's look-up, and for TCP to connect")
	p.stageTimeout = span(probe.DefaultStageTimeout)
	f.Var(&p.stageTimeout, "stage-timeout", "`TIME` allowed for each step: X.224, TLS, MCS")
	f.BoolVar(&p.clients, "clients", false, "send each client's own ClientHello: one more connection a client,\nand the table says what the server answered")
	f.BoolVar(&p.profiles, "profiles", false, "tell how each client of the table is known, and probe nothing")
	f.BoolVar(&p.ntlm, "ntlm", false, "ask a server with NLA for its names and version (NTLM challenge);\nits log takes it for an attempt to log in")
	f.BoolVar(&p.full, "full", false, "several servers: all about each, not one line")
}

// rdpPort is probe.DefaultPort as a number.
const rdpPort = 3389

// maxParallel keeps the sockets below the usual limit of open files, 1024.
const maxParallel = 400

func (p *probeFlags) options() (fleet.Options, error) {
	switch {
	case p.parallel < 1 || p.parallel > maxParallel:
		return fleet.Options{}, usagef("--parallel %d is not from 1 to %d", p.parallel, maxParallel)
	case p.rate < 0 || math.IsNaN(p.rate):
		return fleet.Options{}, usagef("--rate %v is less than none", p.rate)
	case p.connectTimeout <= 0 || p.stageTimeout <= 0:
		return fleet.Options{}, usagef("--connect-timeout and --stage-timeout must be longer than nothing")
	}
	return fleet.Options{
		Parallel: p.parallel, Rate: p.rate, ConnectTimeout: time.Duration(p.connectTimeout), EveryAddress: p.everyAddress,
	}, nil
}

// list reads all targets before the first is probed, so that a slip of the pen
// costs nothing.
func (p *probeFlags) list(args []string) (*fleet.List, error) {
	l := &fleet.List{Rules: fleet.Rules{Port: rdpPort, Ranges: p.ranges}}
	for _, arg := range args {
		if err := l.Add(arg); err != nil {
			return nil, targetError(err, arg)
		}
	}
	for _, name := range p.from {
		if err := readTargets(l, name); err != nil {
			return nil, targetError(err, "--from "+name)
		}
	}
	switch {
	case len(args) == 0 && len(p.from) == 0:
		return nil, fail(2, reasonUsage, fmt.Errorf("probe needs a host"), "xrdpfix probe 127.0.0.1")
	case l.Len() == 0:
		return nil, usagef("nothing to probe: the lists of --from are empty")
	}
	return l, nil
}

// targetError classes what is wrong with a list; words are those of the command
// line that brought it.
func targetError(err error, words string) error {
	switch {
	case errors.Is(err, fleet.ErrRange) && !strings.ContainsFunc(words, func(r rune) bool { return !strings.ContainsRune(plaintext.Pasteable+" ", r) }):
		return fail(2, reasonUsage, err, "xrdpfix probe --range "+words)
	case errors.Is(err, fleet.ErrTarget), errors.Is(err, fleet.ErrRangeSize), errors.Is(err, fleet.ErrRange):
		return fail(2, reasonUsage, err)
	}
	return fail(2, reasonUsage, fmt.Errorf("read targets: %w", err))
}

func readTargets(l *fleet.List, name string) error {
	if name == "-" {
		return l.Read(os.Stdin, "standard input")
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return l.Read(file, name)
}
