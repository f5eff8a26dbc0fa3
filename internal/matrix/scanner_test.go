//go:build lab

package matrix

import (
	"fmt"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// knock opens connections and says nothing, as scanners and health checks do,
// until it is told to stop, and writes down how many it made and how many were
// refused.
const knock = `
cat >/run/knock <<'END'
t=0 r=0
while [ ! -e /run/knock-stop ]; do
	t=$((t+1))
	(exec 3<>/dev/tcp/127.0.0.1/3389) 2>/dev/null || r=$((r+1))
	sleep 0.01
done
echo $t $r >/run/knocked
END
bash /run/knock >/dev/null 2>&1 &
`

// TestAmongScanners: where others hang up all the time, their lines are mixed
// with ours in a log without process ids, and the proof is found all the same.
func TestAmongScanners(t *testing.T) {
	m := start(t, lab.Bookworm)
	m.Must(t, own+unreadable+"systemctl restart xrdp\n")
	m.listening(t)
	m.Must(t, knock)
	for range 5 {
		m.apply(t, "--restart=never")
		if r := m.xrdpfix(t, "rollback", "--restart=never"); r.Exit.Code != 0 {
			t.Errorf("rollback: %s", r)
		}
	}
	m.Must(t, "touch /run/knock-stop; while [ ! -s /run/knocked ]; do sleep 0.1; done")
	var tried, refused int
	if _, err := fmt.Sscan(strings.TrimSpace(m.Must(t, "cat /run/knocked")), &tried, &refused); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d hang-ups meanwhile, %d of them refused", tried, refused)
	if tried < 50 || refused > 0 {
		t.Errorf("%d hang-ups, %d of them refused: nothing is shown by that", tried, refused)
	}
}
