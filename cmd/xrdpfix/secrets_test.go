package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/certs"
	"xrdpfix/internal/rdptest"
)

// mark stands for every secret that is planted.
const mark = "SECRETMARK"

// planted are files with secrets in them, in every file of a tree that is read.
// A backup in the journal may hold them, and nothing else.
var planted = map[string]string{
	"etc/xrdp/xrdp.ini": "[Globals]\nport=3389\n; password=" + mark + "0\nsecurity_layer=rdp\npassword=" + mark + "1\ncertificate=/etc/xrdp/cert.pem\nkey_file=/etc/xrdp/key.pem\n" +
		"ssl_protocols=TLSv1.2, TLSv1.3\nPassWord = " + mark + "2\n[Xorg]\nname=Xorg\nlib=libxup.so\npassword=" + mark + "3\npampassword=" + mark + "4\n[Logging]\nLogFile=/var/log/xrdp.log\nLogLevel=INFO\n",
	"etc/xrdp/xrdp.ini.dpkg-dist":                   "[Globals]\npassword=" + mark + "5\nsecurity_layer=tls\n",
	"etc/xrdp/sesman.ini":                           "[Globals]\nListenPort=3350\n[Security]\ntls_min_version=1.0\ntls_max_version=1.2\npassword=" + mark + "6\n[SessionVariables]\nDB_PASSWORD=" + mark + "7\n",
	"etc/xrdp/rsakeys.ini":                          "[keys]\npub_exp=0x01,0x00,0x01,0x00\npub_mod=0x01\npub_sig=0x01\npri_exp=" + mark + "8\n",
	"etc/default/xrdp":                              "TOKEN=" + mark + "9\n",
	"etc/systemd/system/xrdp.service.d/secret.conf": "[Service]\nEnvironment=TOKEN=" + mark + "A\n",
	"etc/ssl/openssl.cnf":                           "openssl_conf = d\n[d]\nssl_conf = s\n[s]\nsystem_default = f\n[f]\nMinProtocol = TLSv1.2\n[req]\ninput_password = " + mark + "B\n",
	"etc/shadow":                                    "root:" + mark + "C:1::::::\n",
}

// commandWords are arguments for the commands that want some. One that is not
// here is run without and with each of someWords.
var commandWords = map[string][][]string{
	"cert request":  {{}, {"--name", "desk01"}}, // a tree gets no key
	"confirm":       {{}, {"2"}},                // nothing waits in a tree
	"cert install":  {{"{tree}/etc/xrdp/cert.pem", "{tree}/etc/xrdp/key.pem"}},
	"generate":      {{}},
	"generate man":  {{"{scratch}"}},
	"explain":       {{}, {"key-unreadable"}},
	"history":       {{}, {"2"}},
	"probe":         {{"{server}"}},
	"rollback":      {{}, {"2"}},
	"cert":          {{}},
	"xrdpfix":       {{}},
	"generate bash": {{}},
}

var someWords = [][]string{{}, {"{server}"}, {"windows"}, {"key-unreadable"}, {"{tree}/etc/xrdp/xrdp.ini"}, {"{scratch}"}}

// flagWords are values for flags that take one; a flag that is not here is not
// given, and each switch is.
var flagWords = map[string]string{
	"profile": "modern", "tls-min": "1.2", "since": "24h", "save-facts": "{scratch}/facts.json", "for": "14d", "confirm-within": "10m", "cert": "renew",
}

// everyFormat are all that any command may know; one that it does not know is usage.
var everyFormat = []string{"text", "json", "html", "nagios", "prometheus", "csv", "yaml"}

// TestSecrets plants marked secrets in every file, runs every command that there
// is, in every format and with every switch, and looks for them in all that is
// printed, in journals, in facts, and in every file that was not planted.
func TestSecrets(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: a tree is changed as root only; make test runs as root")
	}
	server := rdptest.Start(t, rdptest.Config{}).Addr
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	root := newRoot(&app{})
	runs, commands := 0, 0
	var following sync.WaitGroup // what has no end of its own: the others need not wait for it
	defer following.Wait()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		name := strings.TrimPrefix(cmd.CommandPath(), "xrdpfix ")
		if name == "help" || !cmd.Runnable() {
			return
		}
		commands++
		lists, known := commandWords[name]
		if !known {
			lists = someWords
		}
		ran := false
		for i, words := range lists {
			for _, flags := range switches(cmd) {
				for _, format := range everyFormat {
					if (flags != nil || i > 0) && format != "text" && (format != "json" || i > 0) {
						continue
					}
					runs++
					args := append(append(strings.Fields(name), words...), flags...)
					if name == "xrdpfix" {
						args = flags
					}
					args = append(args, "--output", format)
					if slices.Contains(flags, "--follow") {
						following.Go(func() { oneSecretRun(t, tmp, server, args) })
						continue
					}
					ran = oneSecretRun(t, tmp, server, args) || ran
				}
			}
		}
		if !ran && !known {
			t.Errorf("%s: every run was wrong usage: give commandWords arguments for it", name)
		}
	}
	walk(root)
	t.Logf("%d commands, %d runs", commands, runs)
}

// switches are the flags to run a command with: none, and each by itself.
func switches(cmd *cobra.Command) [][]string {
	out := [][]string{nil}
	usages := cmd.LocalNonPersistentFlags().FlagUsages() + cmd.InheritedFlags().FlagUsages()
	for _, m := range switchName.FindAllStringSubmatch(usages, -1) {
		name := m[1]
		_, err := cmd.Flags().GetBool(name)
		switch value, ok := flagWords[name]; {
		case ok:
			out = append(out, []string{"--" + name, value})
		case err == nil && name != "help" && name != "json":
			out = append(out, []string{"--" + name})
		}
	}
	return out
}

// switchName finds the flags in their help.
var switchName = regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`)

// oneSecretRun runs one command on a tree of its own; false means wrong usage.
func oneSecretRun(t *testing.T, tmp, server string, args []string) bool {
	t.Helper()
	tree, scratch := secretTree(t)
	defer func() { _ = os.RemoveAll(filepath.Dir(tree)) }()
	for i := range args {
		args[i] = strings.NewReplacer("{tree}", tree, "{scratch}", scratch, "{server}", server).Replace(args[i])
	}
	// What follows a file has no end of its own.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var out bytes.Buffer
	// An apply comes first, so that there is a journal to tell of.
	if args[0] == "history" || args[0] == "rollback" || args[0] == "confirm" {
		run(ctx, []string{"--root", tree, "apply"}, &out, &out)
	}
	code := run(ctx, append([]string{"--root", tree}, args...), &out, &out)
	if secret := leaked(out.Bytes()); secret != "" {
		t.Errorf("xrdpfix %s prints %q:\n%s", strings.Join(args, " "), secret, out.String())
	}
	for _, dir := range []string{tree, scratch, tmp} {
		err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			inside, _ := filepath.Rel(tree, name)
			backup := strings.Contains(name, "/var/lib/xrdpfix/journal/") && filepath.Base(name) != "journal.json"
			if _, ok := planted[inside]; ok || backup || filepath.Base(name) == "key.pem" {
				info, err := e.Info()
				if err == nil && backup && info.Mode().Perm() != 0o600 {
					t.Errorf("xrdpfix %s: %s has mode %v", strings.Join(args, " "), name, info.Mode())
				}
				return err
			}
			data, err := os.ReadFile(name)
			if secret := leaked(data); secret != "" {
				t.Errorf("xrdpfix %s writes %q to %s", strings.Join(args, " "), secret, name)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if dir == tmp {
			if left, _ := os.ReadDir(tmp); len(left) > 0 {
				t.Errorf("xrdpfix %s leaves %s in the directory of temporary files", strings.Join(args, " "), left[0])
			}
		}
	}
	return code != 2
}

// leaked finds a mark or a piece of the key.
func leaked(text []byte) string {
	if i := bytes.Index(text, []byte(mark)); i >= 0 {
		return string(text[i:min(len(text), i+len(mark)+1)])
	}
	pair, _ := secretPair()
	for _, piece := range pair.pieces {
		if bytes.Contains(text, piece) {
			return "a piece of the key"
		}
	}
	return ""
}

// secretTree is a tree with a secret in every file.
func secretTree(t *testing.T) (tree, scratch string) {
	t.Helper()
	base := t.TempDir() // beside TMPDIR, where nothing may stay
	tree, scratch = filepath.Join(base, "tree"), filepath.Join(base, "scratch")
	if err := os.Mkdir(scratch, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(tree, os.DirFS(filepath.Join(testdata, "tree"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range planted {
		name = filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := secretPair()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"cert.pem": pair.cert, "key.pem": pair.key} {
		if err := os.WriteFile(filepath.Join(tree, "etc/xrdp", name), data, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return tree, scratch
}

// keyPair is a pair with the pieces of its key that are in no other file: half of
// a key is public.
type keyPair struct {
	cert, key []byte
	pieces    [][]byte
}

var secretPair = sync.OnceValues(func() (p keyPair, err error) {
	p.cert, p.key, err = certs.SelfSigned(rand.Reader, time.Now().Add(-time.Hour), certs.Request{
		DNSNames: []string{"desk01"}, CommonName: "desk01", Lifetime: certs.DefaultLifetime, Key: certs.RSA2048,
	})
	for line := range bytes.Lines(p.key) {
		line = bytes.TrimSpace(line)
		if len(line) <= 16 || bytes.HasPrefix(line, []byte("-----")) {
			continue
		}
		for _, piece := range [][]byte{line[:16], line[len(line)-16:]} {
			if !bytes.Contains(p.cert, piece) {
				p.pieces = append(p.pieces, piece)
			}
		}
	}
	if len(p.pieces) < 20 {
		err = errors.Join(err, fmt.Errorf("a key of %d pieces", len(p.pieces)))
	}
	return p, err
})

// TestNoCore crashes the program: no memory is written to disk, whatever the
// limits of the caller.
func TestNoCore(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	silent := rdptest.Start(t, rdptest.Config{Fault: rdptest.Stall, FaultAt: rdptest.AtConfirm}).Addr
	dir, bin := t.TempDir(), filepath.Join(t.TempDir(), "xrdpfix")
	if err := os.Symlink(self, bin); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -c unlimited 2>/dev/null || ulimit -c "$(ulimit -H -c)"; exec "$@"`, "sh", bin, "probe", "--timeout", "20s", silent)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GOTRACEBACK=") }), "GOTRACEBACK=crash")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	limits := "/proc/" + strconv.Itoa(cmd.Process.Pid) + "/limits"
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		data, err := os.ReadFile(limits)
		if err == nil && strings.Contains(string(data), "Max core file size        0                    0 ") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the limit of core files is not nothing: %v\n%s", err, data)
		}
	}
	time.Sleep(200 * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.CoreDump() {
		t.Errorf("crashed: %t, memory written: %t", status.Signaled(), status.CoreDump())
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("the crash leaves %s", left[0])
	}
}
