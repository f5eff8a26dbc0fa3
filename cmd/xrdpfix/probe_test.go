package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"xrdpfix/internal/rdptest"
	"xrdpfix/probe"
)

// hostile starts a server for each fault at each point of the sequence.
func hostile(t *testing.T) (targets []string) {
	t.Helper()
	for _, at := range []rdptest.Point{rdptest.AtConfirm, rdptest.AtTLS, rdptest.AtConnect, rdptest.AtAttach, rdptest.AtJoin, rdptest.AtLastJoin} {
		for _, fault := range []rdptest.Fault{rdptest.Close, rdptest.Reset, rdptest.Stall, rdptest.Garbage, rdptest.HugeLength, rdptest.Endless, rdptest.Drip} {
			targets = append(targets, rdptest.Start(t, rdptest.Config{Fault: fault, FaultAt: at}).Addr)
		}
	}
	return targets
}

// TestProbeHostile: servers that say nothing, that say a byte at a time, that
// never stop, that announce more than they send, at each step. They cost their
// time and no more. TestProbeInterrupted has a healthy one among them.
func TestProbeHostile(t *testing.T) {
	targets := hostile(t)
	var out, errOut bytes.Buffer
	peak, late := watch(t, func() {
		args := append([]string{"probe", "--json", "--timeout", "1s", "--stage-timeout", "300ms", "--parallel", "50"}, targets...)
		if code := run(t.Context(), args, &out, &errOut); code != 3 || errOut.Len() > 0 {
			t.Errorf("status %d, %s", code, errOut.String())
		}
	})
	const most = 64 << 20 // for both sides of every connection
	t.Logf("the heap grew by %d bytes; a timer was late by %s at most", peak, late)
	if peak > most {
		t.Errorf("the heap grew by %d bytes, more than %d", peak, most)
	}
	if bad := jsonManners(out.String(), 3); len(bad) > 0 {
		t.Errorf("%s", strings.Join(bad, "\n"))
	}
	told := map[string]bool{}
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var doc document
		if err := json.Unmarshal(lines.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		if doc.Probe == nil {
			continue
		}
		told[doc.Host] = true
		// Three times --timeout, the second in which a server may close, and one to
		// work in. Where this process waits for a processor, each of the steps may be
		// as late as the timer that nothing else held up.
		if most := 5*time.Second + 20*late; doc.Probe.ElapsedMS > most.Milliseconds() {
			t.Errorf("%s cost %d ms, more than %s", doc.Host, doc.Probe.ElapsedMS, most)
		}
	}
	for _, target := range targets {
		if !told[target] {
			t.Errorf("nothing is told of %s", target)
		}
	}
}

// watch gives the most by which the live heap grew while f ran, and by which a timer
// was late.
func watch(t *testing.T, f func()) (grown uint64, late time.Duration) {
	t.Helper()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	read := func() uint64 { metrics.Read(sample); return sample[0].Value.Uint64() }
	before, peak := read(), uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			peak = max(peak, read())
			const pause = 5 * time.Millisecond
			began := time.Now()
			select {
			case <-stop:
				return
			case <-time.After(pause):
				late = max(late, time.Since(began)-pause)
			}
		}
	}()
	f()
	close(stop)
	<-done
	return peak - min(before, peak), late
}

// triggered is an output that calls a function once a text was written.
type triggered struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	text string
	then func()
}

// Write keeps what is written.
func (w *triggered) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.buf.Write(p)
	if strings.Contains(w.buf.String(), w.text) {
		w.then()
	}
	return n, err
}

// TestProbeInterrupted: what was found by then is told, though another server
// has not answered yet, and the exit status says that it is not all.
func TestProbeInterrupted(t *testing.T) {
	silent := rdptest.Start(t, rdptest.Config{Fault: rdptest.Stall, FaultAt: rdptest.AtConfirm})
	healthy := rdptest.Start(t, rdptest.Config{})
	for _, tt := range []struct {
		flag, found, last string
	}{
		{"--output=text", healthy.Addr + " ", "Interrupted, 1 of 3 probed: 1 with TLS, 0 without, 0 with no RDP (exit 130)\n"},
		{"--output=json", `"host":"` + healthy.Addr, `"exit":{"code":130,"reason":"interrupted"},"summary":{"hosts":1,"unreachable":0,"without_tls":0},"groups":[{"name":"certificate-ending"`},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &triggered{text: tt.found, then: cancel}
		var errOut bytes.Buffer
		code := run(ctx, []string{"probe", "--timeout", "1h", "--stage-timeout", "1h", silent.Addr, healthy.Addr, "[::ffff:" + strings.Replace(silent.Addr, ":", "]:", 1), tt.flag}, out, &errOut)
		if code != 130 || errOut.Len() > 0 || !strings.Contains(out.buf.String(), tt.last) {
			t.Errorf("%s: status %d, %s\n%s\nwant 130 and\n%s", tt.flag, code, errOut.String(), out.buf.String(), tt.last)
		}
		cancel()
	}
	// Nothing was found yet: an error, as of every command.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errOut bytes.Buffer
	if code := run(ctx, []string{"probe", silent.Addr}, &out, &errOut); code != 130 || out.Len() > 0 || !strings.Contains(errOut.String(), "interrupted") {
		t.Errorf("status %d\n%s\n%s", code, out.String(), errOut.String())
	}
}

// TestProbeAliases: one server under several names has two connections at a time
// all the same.
func TestProbeAliases(t *testing.T) {
	server := rdptest.Start(t, rdptest.Config{})
	alias := "[::ffff:" + strings.Replace(server.Addr, ":", "]:", 1)
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"probe", "--json", server.Addr, alias, strings.Replace(alias, "ffff:", "FFFF:", 1)}, &out, &errOut); code != 0 || errOut.Len() > 0 {
		t.Errorf("status %d, %s\n%s", code, errOut.String(), out.String())
	}
	if server.Most() > 2 || strings.Count(out.String(), `"command":"probe"`) != 3 {
		t.Errorf("%d connections at once\n%s", server.Most(), out.String())
	}
}

// TestProbeMany: more servers than workers, sorted by address at the end, and
// what was left out counted.
func TestProbeMany(t *testing.T) {
	classic := rdptest.Start(t, rdptest.Config{Reply: func(uint32, bool) rdptest.Reply { return rdptest.Reply{Protocol: rdptest.RDP} }})
	_, port, _ := strings.Cut(classic.Addr, ":")
	args := []string{"probe", "--parallel", "2"}
	for i := 30; i > 0; i-- {
		args = append(args, fmt.Sprintf("127.0.0.%d:%s", i, port)) // it listens at the last of them only
	}
	var out, errOut bytes.Buffer
	if code := run(t.Context(), args, &out, &errOut); code != 3 || errOut.Len() > 0 {
		t.Fatalf("status %d, %s\n%s", code, errOut.String(), out.String())
	}
	for _, bad := range textManners(out.String()) {
		t.Error(bad)
	}
	lines, look, found := strings.Cut(out.String(), "Look at\n")
	if !found || strings.Count(lines, "127.0.0.") != 30 {
		t.Errorf("not a line for each:\n%s", out.String())
	}
	want := "127.0.0.12:" + port + ", 127.0.0.13:" + port + ", and 17 more (--verbose) without TLS 127.0.0.1:" + port + " 30 hosts:"
	if got := strings.Join(strings.Fields(look), " "); !strings.HasPrefix(got, "not reached 127.0.0.2:"+port) || !strings.Contains(got, want) {
		t.Errorf("%s\nwant in it\n%s", got, want)
	}
	out.Reset()
	run(t.Context(), append(args, "--verbose"), &out, &errOut)
	if page := out.String(); strings.Contains(page, "more (--verbose)") || strings.Count(page, "127.0.0.30:") != 2 {
		t.Errorf("--verbose does not name all:\n%s", page)
	}
}

// TestNTLMVersionIsAClaim: what a server says of itself is taken for true only where
// its behaviour does not speak against it.
func TestNTLMVersionIsAClaim(t *testing.T) {
	told := &probe.NTLMInfo{NetBIOSName: "DESK01", ProductVersion: "10.0.20348"}
	for software, want := range map[probe.Software]string{
		probe.SoftwareWindows: "version             10.0.20348\n",
		probe.SoftwareUnknown: "version             10.0.20348\n",
		probe.SoftwareFreeRDP: "claims to be        Windows 10.0.20348, which it is not\n",
		probe.SoftwareXrdp:    "claims to be        Windows 10.0.20348, which it is not\n",
	} {
		var p page
		showNTLM(&p, &probe.Result{NTLM: told}, software)
		if text := p.b.String(); !strings.HasPrefix(text, "NTLM         computer            DESK01\n") || !strings.HasSuffix(text, want) {
			t.Errorf("%s:\n%s", software, text)
		}
		for _, bad := range textManners(p.b.String()) {
			t.Errorf("%s: %s", software, bad)
		}
	}
	var p page
	showNTLM(&p, &probe.Result{NTLM: &probe.NTLMInfo{NetBIOSName: "DESK01"}}, probe.SoftwareFreeRDP)
	if strings.Contains(p.b.String(), "claims") {
		t.Errorf("a claim that was not made:\n%s", p.b.String())
	}
}
