//go:build lab

package logwatch

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestHpcloudTail: what README.md says of github.com/hpcloud/tail is so. The
// program is a module of its own, and only this test has the library fetched.
func TestHpcloudTail(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile("testdata/hpcloud.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := txtar.Write(archive, dir); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "hpcloud")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	bursts := regexp.MustCompile(`burst=true +delivered +(\d+) of 4000 lines`).FindAllStringSubmatch(string(out), -1)
	if len(bursts) != 2 {
		t.Fatalf("%d measurements in bursts:\n%s", len(bursts), out)
	}
	for _, b := range bursts {
		if n, err := strconv.Atoi(b[1]); err != nil || n >= 2000 {
			t.Errorf("half of the lines came: README.md says less\n%s", out)
		}
	}
	// A namespace of its own has its own limit: nobody else's inotify instances count.
	out, err = exec.CommandContext(t.Context(), "unshare", "--user", "--map-root-user", "sh", "-c",
		`echo 0 >/proc/sys/user/max_inotify_instances; exec "$1"`, "sh", program).CombinedOutput()
	if err == nil || err.Error() != "exit status 1" || !strings.Contains(string(out), "failed to create Watcher") {
		t.Errorf("without inotify: %v\n%s", err, out)
	}
}
