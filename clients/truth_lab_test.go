//go:build lab

package clients_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"xrdpfix/clients"
	"xrdpfix/internal/lab"
	"xrdpfix/probe"
)

// program is a profile and the real program that it says to be.
type program struct {
	key    string
	client lab.Client
	args   string
}

// programs are the clients that run here.
var programs = []program{
	{"freerdp2", lab.FreeRDP2Client, freerdpArgs},
	{"freerdp3", lab.FreeRDP3TrixieClient, freerdpArgs},
	{"freerdp3-sid", lab.FreeRDP3SidClient, freerdpArgs},
	{"freerdp-nla", lab.FreeRDP3TrixieClient, freerdpArgs + " /sec:nla"},
	{"rdesktop", lab.RdesktopClient, "-u x -p y"},
	{"remmina", lab.RemminaBookwormClient, ""},
	{"krdc", lab.KRDCBookwormClient, ""},
}

// freerdpArgs end a FreeRDP at the login. The certificate is accepted, as by a person who says yes.
const freerdpArgs = "/cert:ignore +auth-only /u:x /p:y /v:127.0.0.1"

// outcome is how a client fared.
type outcome struct{ connects, tls, cipher string }

func (o outcome) String() string {
	return strings.TrimSpace(o.connects + " " + strings.TrimPrefix(o.tls, "TLS ") + " " + o.cipher)
}

var (
	established = regexp.MustCompile(`(Non-)?TLS connection established from [^\n]*\n`)
	withCipher  = regexp.MustCompile(`(TLSv1(?:\.\d)?) with cipher (\S+)`)
)

// real runs a client against the server and tells how it fared, by its exit status and by xrdp's log of it.
func (m *server) real(ctx context.Context, t *testing.T, p program) outcome {
	t.Helper()
	before := m.log(ctx, t)
	if !m.run(ctx, t, p) {
		return outcome{connects: clients.ConnectsNo}
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		lines := m.log(ctx, t)
		if len(lines) >= len(before) {
			lines = lines[len(before):]
		}
		if found := established.FindAllSubmatch(lines, -1); len(found) > 0 {
			last := found[len(found)-1]
			// Remmina has no word for a connection that xrdp ended for its MAC, and KRDC may be stopped before it says so.
			if p.windowed() && bytes.Contains(lines, []byte("MAC checksum error")) {
				return outcome{connects: clients.ConnectsNo}
			}
			if len(last[1]) > 0 {
				return outcome{connects: clients.ConnectsWeak}
			}
			with := withCipher.FindSubmatch(last[0])
			if with == nil {
				t.Fatalf("xrdp logged %q", last[0])
			}
			v, err := probe.ParseTLSVersion(string(with[1]))
			if err != nil {
				t.Errorf("xrdp logged %q: %v", last[0], err)
			}
			return outcome{clients.ConnectsYes, v.String(), string(with[2])}
		}
		if time.Now().After(end) {
			if p.windowed() { // it fails in a window
				return outcome{connects: clients.ConnectsNo}
			}
			t.Errorf("%s connected, and xrdp.log does not say so:\n%s", p.key, lines)
			return outcome{connects: "?"}
		}
	}
}

// run reports whether the client got to the login.
func (m *server) run(ctx context.Context, t *testing.T, p program) bool {
	t.Helper()
	var r lab.ClientResult
	var err error
	switch p.key {
	case "rdesktop":
		// It never ends by itself once it shows the login; until then it does.
		var in func() bool
		if in, err = m.Logs(ctx, lab.LogLogin); err != nil {
			t.Fatal(err)
		}
		r, err = p.client.Attend(ctx, m.Host, in, `yes yes | rdesktop "$@" >/dev/null 2>&1`, append(strings.Fields(p.args), "127.0.0.1")...)
		if r.Code = 1; in() {
			r.Code = 0
		}
	case "remmina":
		r, err = p.client.Script(ctx, m.Host, remminaScript, "127.0.0.1", "6")
		r.Code = strings.Count(r.Output, "ERRCONNECT_")
	case "krdc":
		r, err = p.client.Script(ctx, m.Host, krdcScript, "127.0.0.1")
		if !strings.Contains(r.Output, "Starting xfreerdp with arguments") {
			t.Fatalf("KRDC did not come as far as to start xfreerdp:\n%s", r.Output)
		}
		r.Code = strings.Count(r.Output, "ERRCONNECT_")
	default:
		r, err = p.client.Run(ctx, m.Host, strings.Fields(p.args)...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r.OK()
}

// remminaScript runs Remmina with a profile that accepts the certificate. It never ends by itself.
const remminaScript = `
mkdir -p /run/user/0
printf '[remmina]\nname=t\nprotocol=RDP\nserver=%s\nusername=x\npassword=y\nignore-tls-errors=1\ncert_ignore=1\n' "$1" >/root/t.remmina
export XDG_RUNTIME_DIR=/run/user/0 GDK_BACKEND=x11 NO_AT_BRIDGE=1
timeout "$2" dbus-run-session -- remmina -c /root/t.remmina </dev/null 2>&1; :`

// krdcScript runs KRDC, which has no file for a password: the one key that its window wants is pressed, by a program. What
// xfreerdp says is in KRDC's log. It never ends by itself.
const krdcScript = `
install -d -m 0700 /run/user/0 /root/.config
printf '[hostpreferences][rdp://x@%s]\nshowConfigAgain=false\nwalletSupport=false\n' "$1" >/root/.config/krdcrc
export XDG_RUNTIME_DIR=/run/user/0 QT_QPA_PLATFORM=xcb NO_AT_BRIDGE=1 QT_LOGGING_RULES='KRDC.debug=true'
timeout 120 dbus-run-session -- sh -c '
krdc "rdp://x@$1" 2>&1 &
until id=$(xdotool search --name ^Password); do sleep 0.1; done
xdotool windowfocus --sync $id type y
xdotool key Return
sleep 4
kill $!' sh "$1" </dev/null 2>&1; :`

// windowed: it fails in a window, and says nothing where a test can read it.
func (p program) windowed() bool { return p.key == "remmina" || p.key == "krdc" }

// server is a host whose xrdp.ini each row writes anew.
type server struct {
	*lab.Host
	addr  string
	stock []byte
}

func startServer(t *testing.T, suite lab.Suite) *server {
	t.Helper()
	m := &server{Host: lab.Start(t, suite, lab.WithVeth)}
	host, _ := m.Addr()
	m.addr = probe.WithPort(host.String())
	m.Must(t, truthPairs)
	stock, err := m.ReadFile(t.Context(), "/etc/xrdp/xrdp.ini")
	if err != nil {
		t.Fatal(err)
	}
	m.stock = stock
	return m
}

func (m *server) log(ctx context.Context, t *testing.T) []byte {
	t.Helper()
	log, err := m.ReadFile(ctx, "/var/log/xrdp.log")
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// configure writes the stock xrdp.ini with a good pair and the settings of a row.
func (m *server) configure(t *testing.T, settings []string) {
	t.Helper()
	ini := m.stock
	for _, s := range append([]string{"certificate=/etc/xrdp/t/rsa2048.pem", "key_file=/etc/xrdp/t/rsa2048.key"}, settings...) {
		key, _, _ := strings.Cut(s, "=")
		line := regexp.MustCompile(`(?m)^[#;]?` + key + `=.*$`)
		at := line.FindIndex(ini)
		if at == nil {
			t.Fatalf("no line %s= in the stock xrdp.ini", key)
		}
		ini = bytes.Join([][]byte{ini[:at[0]], []byte(s), ini[at[1]:]}, nil)
	}
	if err := m.WriteFile(t.Context(), "/etc/xrdp/xrdp.ini", ini, 0o644); err != nil {
		t.Fatal(err)
	}
}
