//go:build lab

package matrix

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// factsDir is where the saved facts of this test go when they are to become the
// samples of diagnose/testdata/facts.
const factsDir = "XRDPFIX_SAMPLES"

// plantSecrets puts words into both files that must not leave the host.
const plantSecrets = `
cat >>/etc/xrdp/xrdp.ini <<'END'
#password=Geheim77a
[vnc-office]
name=office ; password: Geheim77c
lib=libvnc.so
ip=10.20.30.40
port=5901
username=anna.berg
password=Geheim77d
END
printf '; old pwd = Geheim77e\n' >>/etc/xrdp/sesman.ini
sed -i '/^\[Security\]/a tls_min_version=1.0\ntls_max_version=1.2' /etc/xrdp/sesman.ini
`

// TestFacts saves facts on real servers, broken and mended, and judges them
// elsewhere: the findings are those of the server itself, word by word, and
// nothing secret travels.
func TestFacts(t *testing.T) {
	onEach(t, func(t *testing.T, m *machine) {
		m.Must(t, own+plantSecrets+"gpasswd -d xrdp ssl-cert 2>/dev/null || true\nsed -i '0,/^security_layer=/s/^security_layer=.*/security_layer=rdp/' /etc/xrdp/xrdp.ini; chmod 600 /etc/ssl/private/ssl-cert-snakeoil.key; systemctl restart xrdp")
		if err := m.WaitPort(t.Context(), lab.RDPPort); err != nil {
			t.Fatal(err)
		}
		_ = m.tls(t) // a client that fails, to be in the log
		m.replay(t, "broken")
		m.apply(t)
		if r := m.tls(t); !r.OK() {
			t.Errorf("after apply: FreeRDP says %s", r.Name)
		}
		session := m.login(t)
		m.replay(t, "fixed")
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
}

// replay compares what check says on the host with what it says here.
func (m *machine) replay(t *testing.T, state string) {
	t.Helper()
	r, err := m.Sh(t.Context(), "rm -f /root/f.json /root/r.json; xrdpfix check --json --save-facts /root/f.json; echo status $? >&2")
	if err != nil {
		t.Fatal(err)
	}
	there := documentOf(t, r.Stdout)
	if got := m.Must(t, "stat -c '%a %U' /root/f.json"); got != "600 root\n" {
		t.Errorf("the facts are saved as %s", got)
	}
	facts := filepath.Join(t.TempDir(), "f.json")
	data := []byte(m.Must(t, "cat /root/f.json"))
	if err := os.WriteFile(facts, data, 0o600); err != nil {
		t.Fatal(err)
	}
	here := m.elsewhere(t, "check", "--json", "--facts", facts)
	for _, part := range []string{"findings", "unseen", "clients", "exit", "xrdp", "host", "plan"} {
		// The sums of files with passwords are others on purpose.
		withoutSums(there[part])
		withoutSums(here[part])
		if !reflect.DeepEqual(there[part], here[part]) {
			a, _ := json.MarshalIndent(there[part], "", " ")
			b, _ := json.MarshalIndent(here[part], "", " ")
			t.Errorf("%s: %s of the saved facts differ:\n%s", state, part, difference(string(a)+"\n", string(b)+"\n"))
		}
	}
	hidden := filepath.Join(t.TempDir(), "hidden.json")
	again := m.elsewhere(t, "check", "--json", "--facts", facts, "--save-facts", hidden, "--redact")
	redacted, err := os.ReadFile(hidden)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := codesOf(again), codesOf(m.elsewhere(t, "check", "--json", "--facts", hidden)); a != b {
		t.Errorf("%s: the redacted facts raise %q, the others %q", state, b, a)
	}
	key := strings.Split(m.Must(t, "cat /etc/ssl/private/ssl-cert-snakeoil.key /etc/xrdp/tls/*/key.pem 2>/dev/null || true"), "\n")
	for _, secret := range append([]string{"Geheim77"}, key...) {
		if len(secret) > 6 && !strings.HasPrefix(secret, "-----") && bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s: %q is in the saved facts", state, secret)
		}
	}
	for _, name := range []string{m.Name, "anna.berg", "10.20.30.40"} {
		if bytes.Contains(redacted, []byte(name)) {
			t.Errorf("%s: %q is in the redacted facts", state, name)
		}
	}
	if dir := os.Getenv(factsDir); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, string(m.Suite)+"-"+state+".json"), redacted, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// elsewhere runs the program on the machine of the tests, which has no xrdp.
func (m *machine) elsewhere(t *testing.T, args ...string) map[string]any {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil || errOut.Len() > 0 {
		t.Fatalf("xrdpfix %s: %v\n%s", strings.Join(args, " "), err, errOut.String())
	}
	return documentOf(t, out.String())
}

func documentOf(t *testing.T, text string) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return doc
}

func codesOf(doc map[string]any) string {
	var codes []string
	list, _ := doc["findings"].([]any)
	for _, x := range list {
		f, _ := x.(map[string]any)
		code, _ := f["code"].(string)
		codes = append(codes, code)
	}
	return strings.Join(codes, " ")
}

func withoutSums(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "sha256")
		for _, below := range v {
			withoutSums(below)
		}
	case []any:
		for _, below := range v {
			withoutSums(below)
		}
	}
}
