package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ErrHarness is wrapped when a client did not get as far as trying to connect:
// the test's own machinery is at fault, not the server.
var ErrHarness = errors.New("the client did not run")

// A ClientResult is how an RDP client fared.
type ClientResult struct {
	Code    int    // its exit status
	Name    string // the status in words, see [ExitName]
	Output  string // what it wrote
	Elapsed time.Duration
}

// OK reports whether the client reached the login.
func (r ClientResult) OK() bool { return r.Code == 0 }

// exitNames are the exit statuses of xfreerdp, which it names XF_EXIT_... in
// client/X11/xfreerdp.h, as far as a server can bring them about.
var exitNames = map[int]string{
	0:   "ok",
	1:   "disconnected",
	2:   "logged-off",
	32:  "protocol-error",
	128: "wrong-arguments",
	130: "protocol",
	131: "connection-failed", // among others the MAC of classic RDP security
	132: "authentication-failed",
	133: "negotiation-failed",
	134: "logon-failed",
	138: "post-connect-failed",
	141: "connect-failed",
	142: "mcs-connect-initial-failed",
	143: "tls-failed",
	145: "cancelled",
	147: "transport-failed",
}

// ExitName puts an exit status of xfreerdp in words: "ok", "negotiation-failed",
// and so on; "exit-N" for the rest.
func ExitName(code int) string {
	if name, ok := exitNames[code]; ok {
		return name
	}
	return "exit-" + strconv.Itoa(code)
}

// clientTimeout ends a client that hangs; a connection takes about a second, on a
// machine that has the time.
const clientTimeout = 3 * time.Minute

// FreeRDP connects to the host with the machine's xfreerdp 2, as far as the
// login unless args say otherwise: /v:127.0.0.1, /cert:ignore, +auth-only and a
// user that does not exist are added where args have none of the kind. (With a
// real user and password xrdp starts a desktop even for +auth-only.) It returns when
// xrdp, too, is done with the client, see [Host.Settled]. The error says that the
// client did not run; how the connection went is in the result.
func FreeRDP(ctx context.Context, h *Host, args ...string) (ClientResult, error) {
	return h.freeRDP(ctx, h.netArgs("xfreerdp"), clientArgs(args))
}

// FreeRDPAcross connects as [FreeRDP] does, but from the machine: the client
// crosses the interface of [Options.Veth] and comes from an address that is not
// the host's own.
func FreeRDPAcross(ctx context.Context, h *Host, args ...string) (ClientResult, error) {
	return h.freeRDP(ctx, []string{"xfreerdp"}, h.acrossArgs(args))
}

// acrossArgs are those of a client on the machine.
func (h *Host) acrossArgs(args []string) []string {
	addr, _ := h.Addr()
	return clientArgs(append([]string{"/v:" + addr.String()}, args...))
}

func (h *Host) freeRDP(ctx context.Context, program, args []string) (ClientResult, error) {
	home, err := os.MkdirTemp("", "lab-client-")
	if err != nil {
		return ClientResult{}, fmt.Errorf("run xfreerdp: %w", err)
	}
	defer os.RemoveAll(home) //nolint:errcheck // temporary
	screen, err := h.screen(ctx)
	if err != nil {
		return ClientResult{}, fmt.Errorf("run xfreerdp: %w", err)
	}
	return h.settled(ctx, append(program, args...), clientEnv(screen, home))
}

// clientArgs completes the arguments of a test connection.
func clientArgs(args []string) []string {
	out := append([]string(nil), args...)
	for _, d := range []struct{ has, add string }{
		{"/v:", "/v:127.0.0.1"},
		{"/cert", "/cert:ignore"},
		{"auth-only", "+auth-only"},
		{"/u:", "/u:x"},
		{"/p:", "/p:y"},
	} {
		if d.has == "/v:" && rdpFile(args) != "" { // it names the server
			continue
		}
		if !strings.Contains("\n"+strings.Join(args, "\n"), d.has) {
			out = append(out, d.add)
		}
	}
	return out
}

// rdpFile is the .rdp file among the arguments, "" where there is none.
func rdpFile(args []string) string {
	for _, a := range args {
		if strings.HasSuffix(a, ".rdp") {
			return a
		}
	}
	return ""
}

func clientEnv(screen, home string) []string {
	return []string{"DISPLAY=" + screen, "HOME=" + home, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
}

// runClient runs an xfreerdp of either version.
func runClient(ctx context.Context, argv, env []string) (ClientResult, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, clientTimeout, errors.New("the client hangs"))
	defer cancel()
	r, err := run(ctx, argv, nil, env)
	out := ClientResult{Code: r.Code, Name: ExitName(r.Code), Output: r.Stdout + r.Stderr, Elapsed: r.Elapsed}
	switch {
	case err != nil:
		return out, fmt.Errorf("%w: %w", ErrHarness, err)
	case r.Code == 128, strings.Contains(out.Output, "failed to open display"), strings.Contains(out.Output, "failed to execute"):
		return out, fmt.Errorf("%w: %q: exit status %d: %s", ErrHarness, argv, r.Code, lastLine(out.Output))
	}
	return out, nil
}
