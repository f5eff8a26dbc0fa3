package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"xrdpfix/internal/lab"
)

// byHand is the guide that works on this fault: the daemon's user gets the group
// of the key, xrdp is restarted, and somebody tries until it answers.
const byHand = `
adduser --quiet xrdp ssl-cert >/dev/null
systemctl restart xrdp
until openssl s_client -connect 127.0.0.1:3389 -tls1_2 </dev/null 2>&1 | grep -q CONNECTED; do sleep 0.02; done`

// broken brings the fault of a stock Debian 12 back: the key is out of the
// daemon's reach.
const broken = `
gpasswd -d xrdp ssl-cert >/dev/null 2>&1 || true
rm -rf /etc/xrdp /var/lib/xrdpfix
cp -a /root/stock /etc/xrdp
systemctl reset-failed xrdp; systemctl restart xrdp`

// repairs measures an apply that mends, beside the same by hand.
func repairs(ctx context.Context, b *bench) (_ result, err error) {
	h, err := b.server(ctx)
	if err != nil {
		return result{}, err
	}
	defer func() { _ = h.Stop() }()
	reset := func(ctx context.Context) error {
		if err := must(ctx, h, broken); err != nil {
			return err
		}
		return h.WaitPort(ctx, lab.RDPPort)
	}
	var tried, refused int
	inside := func(name, script string) subject {
		return subject{name: name, prepare: reset, run: command{host: h, args: []string{"sh", "-ec", script}}.measure}
	}
	quiet := inside("xrdpfix apply --restart=never", "xrdpfix apply --restart=never >/dev/null")
	measured := quiet.run
	quiet.run = func(ctx context.Context) (cost, error) {
		stop := make(chan struct{})
		done := make(chan [2]int, 1)
		go func() { done <- knock(ctx, h, stop) }()
		c, err := measured(ctx)
		close(stop)
		n := <-done
		tried, refused = tried+n[0], refused+n[1]
		return c, err
	}
	list, err := inTurns(ctx, b.turns,
		inside("the guide by hand", byHand),
		inside("xrdpfix apply --restart=always", "xrdpfix apply --restart=always >/dev/null"),
		quiet,
	)
	if err != nil {
		return result{}, err
	}
	hand, restarted, left := list[0].median(), list[1].median(), list[2].median()
	return result{
		title: "Repairing a stock Debian 12",
		method: "The key is out of the daemon's reach. By hand: `adduser xrdp ssl-cert`, `systemctl restart xrdp`, " +
			"connect until it answers. Ours makes a key of its own, backs up, changes, restarts or not, proves it on the " +
			"wire and in the log. During the applies without a restart a client connected in a loop.",
		tables: []table{compared(list)},
		goals: []goal{
			{"apply --restart=never", "below 1.5 s", short(left), left < 1500*time.Millisecond},
			{"connections refused meanwhile", "0", fmt.Sprintf("%d of %d", refused, tried), refused == 0 && tried > 0},
			{"apply with a restart, beyond the restart by hand", "at most 0.7 s", short(max(0, restarted-hand)), restarted-hand <= 700*time.Millisecond},
		},
	}, nil
}

// knock connects to xrdp in a loop until it is stopped, and returns how many
// connections were tried and how many were refused.
func knock(ctx context.Context, h *lab.Host, stop <-chan struct{}) [2]int {
	const script = `t=0 r=0; while [ ! -e /run/bench-stop ]; do t=$((t+1))
if (exec 3<>/dev/tcp/127.0.0.1/3389) 2>/dev/null; then :; else r=$((r+1)); fi; sleep 0.01; done; echo $t $r`
	_ = must(ctx, h, "rm -f /run/bench-stop")
	go func() {
		<-stop
		_ = must(ctx, h, "touch /run/bench-stop")
	}()
	r, err := h.Run(ctx, lab.Cmd{Args: []string{"bash", "-c", script}})
	var n [2]int
	if f := strings.Fields(r.Stdout); err == nil && len(f) == 2 {
		n[0], _ = strconv.Atoi(f[0])
		n[1], _ = strconv.Atoi(f[1])
	}
	return n
}
