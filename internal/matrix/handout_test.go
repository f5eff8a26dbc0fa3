//go:build lab

package matrix

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// handouts runs client for a server and brings its files here.
func (m *machine) handouts(t *testing.T, kind string) (dir string) {
	t.Helper()
	r, err := m.Run(t.Context(), lab.Cmd{Args: []string{"xrdpfix", "--json", "client", kind, "--server", "127.0.0.1", "--user", "x", "--out", "/root/" + kind}})
	if err != nil || r.Code != 0 {
		t.Fatalf("client %s: status %d, %v\n%s%s", kind, r.Code, err, r.Stdout, r.Stderr)
	}
	var doc struct {
		Handout struct{ Files []struct{ Name, Path string } }
	}
	if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil || len(doc.Handout.Files) == 0 {
		t.Fatalf("client %s: %v\n%s", kind, err, r.Stdout)
	}
	dir = t.TempDir()
	for _, f := range doc.Handout.Files {
		data, err := m.ReadFile(t.Context(), f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestHandouts has the real readers of the files that client writes read them: both
// FreeRDPs, openssl, and the registry of hivex.
func TestHandouts(t *testing.T) {
	if err := lab.Require(t.Context(), nil, "hivexregedit"); err != nil {
		t.Fatal(err)
	}
	m := start(t, lab.Bookworm)
	m.listening(t)
	if r := m.xrdpfix(t, "cert", "renew"); r.Exit.Code != 0 {
		t.Fatalf("cert renew: %s", r)
	}
	dir := m.handouts(t, "freerdp")

	// The certificate is the one that xrdp serves, and the fingerprint is its.
	pem := filepath.Join(dir, "127.0.0.1.pem")
	out, err := exec.Command("openssl", "x509", "-in", pem, "-noout", "-fingerprint", "-sha256").Output()
	if err != nil {
		t.Fatalf("openssl does not read the certificate: %v", err)
	}
	_, print, _ := strings.Cut(strings.TrimSpace(string(out)), "=")
	served := m.Must(t, "openssl x509 -in \"$(sed -n 's/^certificate=//p' /etc/xrdp/xrdp.ini | tail -n 1)\" -noout -fingerprint -sha256")
	if !strings.Contains(served, print) {
		t.Errorf("the file has the certificate %s, xrdp serves %s", print, served)
	}
	script, err := os.ReadFile(filepath.Join(dir, "127.0.0.1.sh"))
	if err != nil || !strings.Contains(string(script), "/cert:fingerprint:sha256:"+strings.ToLower(print)) {
		t.Errorf("the script does not pin %s (%v):\n%s", print, err, script)
	}

	// Both FreeRDPs open the file, go where it says and get in with the right
	// fingerprint, not with another.
	rdp := filepath.Join(dir, "127.0.0.1.rdp")
	right := "/cert:fingerprint:sha256:" + strings.ToLower(print)
	wrong := "/cert:fingerprint:sha256:00" + strings.ToLower(print)[2:]
	for _, tt := range []struct {
		cert string
		want string
	}{{right, "ok"}, {wrong, "tls-failed"}} {
		if r := m.client(t, rdp, tt.cert); r.Name != tt.want {
			t.Errorf("FreeRDP 2 with the .rdp file and %s: %s, want %s\n%s", tt.cert, r.Name, tt.want, r.Output)
		}
		r, err := lab.FreeRDP3(t.Context(), m.Host, rdp, tt.cert)
		if err != nil {
			t.Fatal(err)
		}
		if r.Name != tt.want {
			t.Errorf("FreeRDP 3 with the .rdp file and %s: %s, want %s\n%s", tt.cert, r.Name, tt.want, r.Output)
		}
	}

	// The registry files, merged into a hive and out of it again.
	seven := m.handouts(t, "win7")
	const client = `\SCHANNEL\Protocols\TLS 1.2\Client`
	hive := filepath.Join(t.TempDir(), "hive")
	if err := os.WriteFile(hive, emptyHive(), 0o644); err != nil {
		t.Fatal(err)
	}
	const prefix = `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders`
	// What Windows has, or makes by itself, above the keys of the file.
	seed := "Windows Registry Editor Version 5.00\n\n"
	for _, key := range []string{`\SCHANNEL`, `\SCHANNEL\Protocols`, `\SCHANNEL\Protocols\TLS 1.1`, `\SCHANNEL\Protocols\TLS 1.2`} {
		seed += "[" + prefix + key + "]\n\n"
	}
	cmd := exec.Command("hivexregedit", "--merge", "--prefix", prefix, hive)
	cmd.Stdin = strings.NewReader(seed)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the hive is none: %v\n%s", err, out)
	}
	merged := func(file string) string {
		// hivexregedit wants the text in one byte a letter: iconv goes by the byte
		// order mark, as Windows does.
		text, err := exec.Command("iconv", "-f", "UTF-16", "-t", "UTF-8", filepath.Join(seven, file)).Output()
		if err != nil || strings.Count(string(text), "\r\n") != strings.Count(string(text), "\n") {
			t.Fatalf("%s is not UTF-16 with CR LF: %v\n%q", file, err, text)
		}
		cmd := exec.Command("hivexregedit", "--merge", "--prefix", prefix, hive)
		cmd.Stdin = strings.NewReader(strings.ReplaceAll(string(text), "\r\n", "\n"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("hivexregedit does not take %s: %v\n%s", file, err, out)
		}
		out, err := exec.Command("hivexregedit", "--export", hive, client).CombinedOutput()
		if err != nil {
			t.Fatalf("hivexregedit finds no key after %s: %v\n%s", file, err, out)
		}
		return string(out)
	}
	for _, value := range []string{`"DisabledByDefault"=dword:00000000`, `"Enabled"=dword:00000001`} {
		if got := merged("tls12.reg"); !strings.Contains(got, value) {
			t.Errorf("tls12.reg does not set %s:\n%s", value, got)
		}
	}
	if got := merged("tls12-undo.reg"); strings.Contains(got, "dword") {
		t.Errorf("tls12-undo.reg leaves values:\n%s", got)
	}
}

// emptyHive is a registry hive with a root key and nothing in it: a base block of
// 4096 bytes, one bin of as many, and in that the root key, its security
// descriptor and free space.
func emptyHive() []byte {
	const block, none = 4096, 0xffffffff
	h := make([]byte, 2*block)
	le := binary.LittleEndian
	copy(h, "regf")
	le.PutUint32(h[4:], 1)      // primary and
	le.PutUint32(h[8:], 1)      // secondary sequence
	le.PutUint32(h[20:], 1)     // version 1.3
	le.PutUint32(h[24:], 3)     //
	le.PutUint32(h[32:], 1)     // format
	le.PutUint32(h[36:], 0x20)  // the root key, from the first bin on
	le.PutUint32(h[40:], block) // the size of all bins
	le.PutUint32(h[44:], 1)     // clustering
	bin := h[block:]
	copy(bin, "hbin")
	le.PutUint32(bin[8:], block)
	cell := func(at, size int, used bool) []byte {
		if used {
			size = -size
		}
		le.PutUint32(bin[at:], uint32(int32(size)))
		return bin[at+4:]
	}
	const keyAt, keySize, secAt, secSize = 0x20, 88, 0x20 + 88, 48
	key := cell(keyAt, keySize, true)
	copy(key, "nk")
	le.PutUint16(key[2:], 0x2c) // the root, not to be deleted, its name in one byte a letter
	le.PutUint32(key[16:], none)
	le.PutUint32(key[28:], none)  // no list of subkeys
	le.PutUint32(key[32:], none)  //
	le.PutUint32(key[40:], none)  // no list of values
	le.PutUint32(key[44:], secAt) // security
	le.PutUint32(key[48:], none)  // no class
	le.PutUint16(key[72:], 4)     // length of the name
	copy(key[76:], "ROOT")
	sec := cell(secAt, secSize, true)
	copy(sec, "sk")
	le.PutUint32(sec[4:], secAt) // the only one in its ring
	le.PutUint32(sec[8:], secAt)
	le.PutUint32(sec[12:], 1)
	le.PutUint32(sec[16:], 20) // an empty descriptor
	sec[20], sec[22], sec[23] = 1, 0, 0x80
	cell(secAt+secSize, block-secAt-secSize, false)
	var sum uint32
	for i := 0; i < 508; i += 4 {
		sum ^= le.Uint32(h[i:])
	}
	le.PutUint32(h[508:], sum)
	return h
}
