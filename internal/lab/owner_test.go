//go:build lab

package lab

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestOwnerDies kills a process that owns a host: the host dies with it, and
// the next one to come clears up.
func TestOwnerDies(t *testing.T) {
	if os.Getenv("LAB_TEST_OWNER") != "" {
		if _, err := Boot(t.Context(), Bookworm, Options{Name: os.Getenv("LAB_TEST_OWNER")}); err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("booted\n")
		select {}
	}
	name := randomName("orphan")
	cmd := exec.Command(os.Args[0], "-test.run=^TestOwnerDies$")
	cmd.Env = append(os.Environ(), "LAB_TEST_OWNER="+name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait() //nolint:errcheck // it was killed
	if n, err := out.Read(make([]byte, 64)); err != nil || n == 0 {
		t.Fatalf("the owner did not boot a host: %v", err)
	}
	h, err := Attach(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := Reap(t.Context()); err != nil || !h.st.PID1.alive() {
		t.Fatalf("reaped although its owner lives (%v)", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for deadline := time.Now().Add(time.Minute); h.st.PID1.alive(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the host outlives its owner by a minute")
		}
	}
	if err := Reap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(hostDir(name)); err == nil {
		t.Error("its directory was not reaped")
	}
}
