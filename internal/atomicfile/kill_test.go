package atomicfile

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const killEnv = "ATOMICFILE_TEST_WRITES_IN"

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	unix.Umask(0o022) // what a test makes has the modes that it expects
	if dir := os.Getenv(killEnv); dir != "" {
		writeForever(dir)
	}
	os.Exit(m.Run())
}

// killData is a file whose every part tells which version it belongs to.
func killData(c byte) []byte { return bytes.Repeat([]byte{c}, 200_000) }

func writeForever(dir string) {
	r, err := OpenRoot(dir)
	for i := byte(0); err == nil; i++ {
		_, err = r.Write("f", killData('a'+i%26), Attr{UID: os.Geteuid(), GID: os.Getegid(), Mode: 0o640}, Options{})
	}
	_, _ = os.Stderr.WriteString(err.Error())
	os.Exit(1)
}

// TestKill kills a process that writes one file over and over, at any moment: the
// file is whole each time, and RemoveTemps leaves nothing but it.
func TestKill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	interrupted := 0
	for n := range 30 {
		r, dir := tree(t)
		put(t, dir, "f", string(killData('a')), 0o640)
		before, err := r.Stat("f")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, self)
		cmd.Env = append(os.Environ(), killEnv+"="+dir)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The first new version shows that the process is at work; a moment
		// later, another one each time, it dies.
		for {
			var st unix.Stat_t
			if err := unix.Stat(filepath.Join(dir, "f"), &st); err != nil {
				t.Fatal(err)
			}
			if st.Mtim.Nano() != before.ModTime.UnixNano() || ctx.Err() != nil {
				break
			}
		}
		time.Sleep(time.Duration(n*37%1000) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		cancel()
		if stderr.Len() > 0 {
			t.Fatal(stderr.String())
		}
		data := []byte(read(t, filepath.Join(dir, "f")))
		if len(data) == 0 || !bytes.Equal(data, killData(data[0])) {
			t.Fatalf("after a kill: %d bytes, not one version", len(data))
		}
		if got := modeOf(t, filepath.Join(dir, "f")); got != 0o640 {
			t.Errorf("after a kill: mode %v", got)
		}
		removed, err := r.RemoveTemps("/")
		if err != nil {
			t.Fatal(err)
		}
		interrupted += len(removed)
		if list, err := r.ReadDir("/"); err != nil || len(list) != 1 {
			t.Errorf("left: %v, %v", list, err)
		}
	}
	if interrupted == 0 {
		t.Error("no kill met a write half-way; the test shows nothing")
	}
	t.Logf("%d of 30 kills left a temporary file", interrupted)
}
