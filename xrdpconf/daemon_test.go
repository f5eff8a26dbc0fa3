//go:build lab

package xrdpconf

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// generated is how many files each daemon is compared on, besides the parser's cases.
// sesman takes a process each.
const (
	generatedServer  = 600
	generatedManager = 300
)

// TestDaemon compares the package's reading with that of real daemons.
func TestDaemon(t *testing.T) {
	for _, suite := range lab.Suites() {
		t.Run(string(suite), func(t *testing.T) {
			h := lab.Start(t, suite)
			v, err := ParseVersion(h.Image.Versions["xrdp"])
			if err != nil {
				t.Fatal(err)
			}
			o := oracle{h, v}
			o.sh(t, "systemctl stop xrdp xrdp-sesman")
			t.Run("xrdp.ini", o.server)
			t.Run("negotiation", o.negotiation)
			t.Run("sesman.ini", o.sessionManager)
			t.Run("port", o.ports)
		})
	}
}

// oracle is a host whose daemons tell what they read.
type oracle struct {
	*lab.Host
	version Version
}

func (o oracle) sh(t *testing.T, script string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := o.Sh(ctx, script)
	if err != nil || r.Code != 0 {
		t.Fatalf("%s: %v, status %d\n%s%s", script, err, r.Code, r.Stdout, r.Stderr)
	}
}

// ask gives files to a driver inside the host and returns its output for each.
func (o oracle) ask(t *testing.T, driver string, files map[string]string, args ...string) map[string]string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("testdata", "oracle", driver))
	if err != nil {
		t.Fatal(err)
	}
	inside := "/tmp/oracle-" + strings.TrimSuffix(driver, ".py") + strings.Join(args, "")
	dir := o.Path(inside)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("driver", string(script))
	for name, text := range files {
		put(name, text)
	}
	o.sh(t, "python3 "+inside+"/driver "+inside+" "+strings.Join(args, " "))
	outputs, err := filepath.Glob(filepath.Join(dir, "*.out"))
	if err != nil {
		t.Fatal(err)
	}
	answers := make(map[string]string)
	for _, path := range outputs {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		answers[strings.TrimSuffix(filepath.Base(path), ".out")] = string(data)
	}
	return answers
}

// files returns the corpus under the names that the drivers want.
func files(corpus map[string]string) map[string]string {
	out := make(map[string]string)
	for name, text := range corpus {
		out[name+".ini"] = text
	}
	return out
}

var logPrefix = regexp.MustCompile(`^\[[^\]]*\] \[[A-Z]+ *\] `)

// item is one entry of [Globals] as xrdp logs it, with what it says about it.
type item struct {
	line     string
	messages []string
}

func logged(text string) (out []item) {
	for _, line := range strings.Split(text, "\n") {
		message := logPrefix.ReplaceAllString(line, "")
		if strings.HasPrefix(message, "item ") {
			out = append(out, item{line: message})
		} else if n := len(out); n > 0 {
			out[n-1].messages = append(out[n-1].messages, message)
		}
	}
	return out
}

// logLimit is less than what xrdp prints of a line (common/log.h, LOG_BUFFER_SIZE).
const logLimit = 900

// server compares [Globals] item by item, and what xrdp says to the values of keys
// with what the typed view makes of them.
func (o oracle) server(t *testing.T) {
	all := corpus(KindServer, generatedServer)
	maps.Copy(all, stockTexts(t, "xrdp.ini"))
	edits := o.edited(all)
	if len(edits) < generatedServer/4 {
		t.Errorf("only %d of %d files could be edited", len(edits), len(all))
	}
	maps.Copy(all, edits)
	answers := o.ask(t, "xrdp.py", files(all))
	compared := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		answer, ok := answers[name]
		if !ok {
			t.Errorf("%s: no answer", name)
			continue
		}
		f := Parse("xrdp.ini", []byte(all[name]), WithEnv(testEnv), ForVersion(o.version))
		items := logged(answer)
		var got, want []string
		for _, i := range items {
			got = append(got, truncate(i.line, logLimit))
		}
		for _, i := range f.All(SectionGlobals) {
			want = append(want, truncate(fmt.Sprintf("item %s, value %s", i.Key, i.Value.Text), logLimit))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: xrdp %v reads\n%q\nwant\n%q\nof %.3000q", name, o.version, got, want, all[name])
			continue
		}
		o.compareView(t, name, items, ReadServer(f, o.version, nil))
		if _, ok := edits[name]; ok && !slices.Contains(got, "item "+editKey+", value "+editValue) {
			t.Errorf("%s: xrdp %v does not read the edit in %q", name, o.version, got)
		}
		compared += len(got)
	}
	t.Logf("%d files, %d items read alike by xrdp %v", len(all), compared, o.version)
}

// A key and value that no generated file has.
const editKey, editValue = "tls_pms_log_file", "/nonexistent/ümlaut"

// edited returns the files after an edit, those in which it is possible.
func (o oracle) edited(all map[string]string) map[string]string {
	out := make(map[string]string)
	for name, text := range all {
		f, err := Parse("xrdp.ini", []byte(text), ForVersion(o.version)).Edit(Change{Section: SectionGlobals, Key: editKey, Value: editValue, Comment: "an edit"})
		if err == nil {
			out[name+"-edited"] = string(f.Bytes())
		}
	}
	return out
}

// compareView checks the last item of each key, the one that counts.
func (o oracle) compareView(t *testing.T, name string, items []item, s Server) {
	t.Helper()
	says := func(key, what string) bool {
		for _, i := range slices.Backward(items) {
			if got, _, _ := strings.Cut(strings.TrimPrefix(i.line, "item "), ", value "); fold(got) == key {
				return slices.ContainsFunc(i.messages, func(m string) bool { return strings.Contains(m, what) })
			}
		}
		return false
	}
	check := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s: xrdp %v says %v, want %v", name, what, o.version, got, want)
		}
	}
	check("security_layer invalid", says("security_layer", "is not recognized"), !s.SecurityLayerValid)
	check("crypt_level invalid", says("crypt_level", "crypt level is undefined"), !s.CryptLevelValid)
	if s.ProtocolsSet {
		for _, p := range tokens {
			check(p.token, says("ssl_protocols", p.token+" enabled"), slices.Contains(s.Protocols, p.token))
		}
		check("no protocol", says("ssl_protocols", "No SSL/TLS protocols enabled"), len(s.Protocols) == 0)
	}
	for _, p := range []struct {
		key, path, text string
		set             bool
	}{
		{"certificate", s.Certificate, s.CertificateText, s.CertificateSet},
		{"key_file", s.KeyFile, s.KeyFileText, s.KeyFileSet},
	} {
		if p.set {
			check(p.key+" effective: "+p.path, says(p.key, p.path), true)
			check(p.key+" not absolute", says(p.key, "should use absolute path"), p.text != "" && p.text[0] != '/')
			check(p.key+" empty", says(p.key, "Using default"), p.text == "")
		}
	}
}

// negotiation compares the effective security layer with what the server selects on
// the wire. Its pair is the stock one, which root can read.
func (o oracle) negotiation(t *testing.T) {
	const pair = "certificate=\nkey_file=\n"
	all := map[string]string{
		"no-globals": "[Xorg]\nname=x\n", "cut-before": "[Globals]\nls_title=[x]\nsecurity_layer=tls\n" + pair,
		"missing": "[Globals]\n" + pair, "empty": "[Globals]\nsecurity_layer=\n" + pair,
		"twice": "[Globals]\nsecurity_layer=tls\nsecurity_layer=rdp\n" + pair, "comment": "[Globals]\nsecurity_layer=tls;x\n" + pair,
		"no-key": "[Globals]\nsecurity_layer=negotiate\ncertificate=\n", "no-key-tls": "[Globals]\nsecurity_layer=tls\ncertificate=\n",
		"relative": "[Globals]\nsecurity_layer=tls\ncertificate=x.pem\nkey_file=\"/k\"\n", "environment": "[Globals]\nsecurity_layer=$LAYER\n" + pair,
	}
	for _, layer := range []string{"rdp", "tls", "TLS", "negotiate", "hybrid", "ssl", "nla"} {
		all[layer] = "[Globals]\nsecurity_layer=" + layer + "\n" + pair
	}
	answers := o.ask(t, "xrdp.py", files(all), "negotiate")
	for name, text := range all {
		s := ReadServer(Parse("xrdp.ini", []byte(text), WithEnv(testEnv)), o.version, nil)
		usable := s.Certificate != "" && s.KeyFile != ""
		offered, plain := "selected 0", "selected 0"
		switch s.SecurityLayer {
		case SecurityLayerTLS:
			offered, plain = "selected 1", "refused 1"
			if !usable {
				offered, plain = "refused 3", ""
			}
		case SecurityLayerNegotiate:
			if usable {
				offered = "selected 1"
			}
		}
		if want := offered + "\n" + plain; !strings.HasPrefix(answers[name], want) {
			t.Errorf("%s: xrdp %v answers %q to a client with TLS and one without, want %q of %q", name, o.version, answers[name], want, text)
		}
	}
}

// stockTexts returns the stock files of one kind.
func stockTexts(t *testing.T, suffix string) map[string]string {
	out := make(map[string]string)
	for name, data := range stock(t) {
		if strings.HasSuffix(name, "-"+suffix) {
			out[strings.TrimSuffix(name, ".ini")] = string(data)
		}
	}
	return out
}

var listenLine = regexp.MustCompile(`address \[(.*)\] port \[(.*)\] mode (\d+)`)

// ports compares what xrdp takes a value of port for. It gives up at the first
// address that it cannot have, so a prefix has to agree.
func (o oracle) ports(t *testing.T) {
	values := []string{
		"3391", "tcp://:3391", "tcp://.:3391", "tcp://127.0.0.1:3391", "tcp6://.:3391", "tcp6://:3391", "tcp6://{::1}:3391",
		"unix://./tmp/oracle.sock", "unix://./tmp/oracle1,tcp://.:3391 tcp://.:3392", "127.0.0.1:3391", "tcp://localhost:3391",
		"tcp:/127.0.0.1", "rdp", "", "tcp://: 3391", "TCP://:3391", "-3391", "3391,3392", "0.0.0.0:3391", "unix:///tmp/x1",
		"tcp6://::1:3391", "tcp6://{::1:3391", "3391x3392", "tcp://.:", "03391", "unix://./tmp/\u00fcmlaut",
	}
	answers := o.ask(t, "port.py", map[string]string{"ports": strings.Join(values, "\n") + "\n"})
	for n, value := range values {
		var got, want []string
		for _, m := range listenLine.FindAllStringSubmatch(answers[fmt.Sprint(n)], -1) {
			if m[3] != "2" { // xrdp hands the text on, the C library makes a number of it
				m[2] = fmt.Sprint(atoi(m[2]))
			}
			got = append(got, strings.Join(m[1:], "|"))
		}
		for _, l := range ParsePort(value) {
			want = append(want, o.listenLine(l))
		}
		whole := strings.Contains(answers[fmt.Sprint(n)], "xrdp_listen_pp done")
		if !whole && len(got) > 0 && len(want) > len(got) {
			want = want[:len(got)]
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("port=%s: xrdp %v listens on %q, want %q\n%s", value, o.version, got, want, answers[fmt.Sprint(n)])
		}
	}
}

// listenLine renders what xrdp logs of an element: address, port, mode.
func (o oracle) listenLine(l Listen) string {
	port := fmt.Sprint(l.Port)
	switch l.Network {
	case NetworkTCP:
		return "0.0.0.0|" + port + "|1"
	case NetworkUnix:
		return "|" + l.Addr + "|2"
	case NetworkVsock:
		return l.Addr + "|" + port + "|3"
	case NetworkTCP6:
		return l.Addr + "|" + port + "|6"
	}
	return l.Addr + "|" + port + "|4"
}
