package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// The log that is followed: so many lines a second, moved away each second as
// logrotate does without copytruncate.
const (
	linesPerSecond = 100_000
	followFor      = 10 * time.Second
	rotateEach     = time.Second
	tick           = 10 * time.Millisecond
)

// onePeer is a connection as xrdp 0.9.21.1 logs it, with words in place of the
// time stamp and the client's address.
var onePeer = []string{
	"[STAMP] [INFO ] Socket 12: AF_INET6 connection received from ::ffff:PEER port 40000",
	"[STAMP] [INFO ] Using default X.509 certificate: /etc/xrdp/cert.pem",
	"[STAMP] [INFO ] Using default X.509 key file: /etc/xrdp/key.pem",
	"[STAMP] [INFO ] Security protocol: configured [SSL|RDP], requested [SSL|HYBRID|RDP], selected [SSL]",
	"[STAMP] [INFO ] Connected client computer name: desk",
	"[STAMP] [INFO ] xrdp_load_keyboard_layout: Keyboard information sent by the RDP client, keyboard_type:[0x04], keyboard_subtype:[0x00], keylayout:[0x00000409]",
	"[STAMP] [INFO ] xrdp_load_keyboard_layout: model [] variant [] layout [us] options []",
	"[STAMP] [INFO ] TLS connection established from ::ffff:PEER port 40000: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384",
	"[STAMP] [INFO ] xrdp_caps_process_pointer: client supports new(color) cursor",
	"[STAMP] [INFO ] Loading keymap file /etc/xrdp/km-00000409.ini",
}

// established is the line of onePeer with which the outcome is known.
const established = 7

// A crowd is what was written and what came out.
type crowd struct {
	mu    sync.Mutex
	sent  map[string]time.Time
	seen  map[string]int
	delay []time.Duration
	lines int
}

func peer(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

// followLog follows a log that grows fast and is moved away all the time.
func followLog(ctx context.Context, b *bench) (result, error) {
	tree, err := b.tree("follow", 0)
	if err != nil {
		return result{}, err
	}
	length := followFor
	if b.quick {
		length = 3 * time.Second
	}
	cmd := exec.CommandContext(ctx, b.program, "--root", tree, "log", "--follow", "--all", "--json", "--since", "1m")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return result{}, fmt.Errorf("follow: %w", err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return result{}, fmt.Errorf("follow: %w", err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	time.Sleep(500 * time.Millisecond) // it is at the end of the file by then
	c := &crowd{sent: map[string]time.Time{}, seen: map[string]int{}}
	read := make(chan error, 1)
	go func() { read <- c.read(bufio.NewScanner(out)) }()
	if err := c.write(ctx, filepath.Join(tree, "var/log/xrdp.log"), length); err != nil {
		return result{}, err
	}
	c.settle(ctx)
	_ = cmd.Process.Signal(os.Interrupt)
	if err := <-read; err != nil {
		return result{}, err
	}
	_ = cmd.Wait()
	missing, twice := 0, 0
	for p := range c.sent {
		switch c.seen[p] {
		case 0:
			missing++
		case 1:
		default:
			twice++
		}
	}
	if len(c.delay) == 0 {
		return result{}, fmt.Errorf("follow: nothing came: %s", stderr.String())
	}
	slices.Sort(c.delay)
	middle, late := c.delay[len(c.delay)/2], c.delay[len(c.delay)*99/100]
	rate := float64(c.lines) / length.Seconds()
	return result{
		title: "Following a log",
		method: fmt.Sprintf("`xrdpfix log -f --all --json` on a log of %.0f lines a second, renamed away and begun anew each second, for %s: "+
			"%d connections of %d lines. The time is from the write of the line that tells the outcome to the connection on standard output.",
			rate, length, len(c.sent), len(onePeer)),
		tables: []table{{
			{"connections", "missing", "twice", "median delay", "99 % within"},
			{fmt.Sprint(len(c.sent)), fmt.Sprint(missing), fmt.Sprint(twice), short(middle), short(late)},
		}},
		goals: []goal{
			{"every line exactly once", "0 missing, 0 twice", fmt.Sprintf("%d missing, %d twice", missing, twice), missing+twice == 0},
			{"from write to screen, median", "below 50 ms", short(middle), middle < 50*time.Millisecond},
			{"lines a second", "100,000", fmt.Sprintf("%.0f", rate), rate > 0.95*linesPerSecond},
		},
	}, nil
}

// write writes connections at the rate and moves the log away each second.
func (c *crowd) write(ctx context.Context, path string, length time.Duration) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	defer func() { _ = f.Close() }()
	perTick := linesPerSecond * int(tick) / int(time.Second) / len(onePeer)
	start, rotated, n := time.Now(), time.Now(), 0
	for i := 1; time.Since(start) < length; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Since(rotated) >= rotateEach {
			rotated = time.Now()
			if f, err = rotate(f, path); err != nil {
				return err
			}
		}
		for n < i*perTick {
			if err := c.one(f, peer(n)); err != nil {
				return err
			}
			n++
		}
		time.Sleep(time.Until(start.Add(time.Duration(i) * tick)))
	}
	return nil
}

// one writes a connection, up to the line that tells its outcome and then the rest.
func (c *crowd) one(f *os.File, addr string) error {
	stamp := time.Now().Format("20060102-15:04:05")
	fill := strings.NewReplacer("STAMP", stamp, "PEER", addr)
	var head, rest bytes.Buffer
	for i, line := range onePeer {
		to := &head
		if i > established {
			to = &rest
		}
		to.WriteString(fill.Replace(line) + "\n")
	}
	c.mu.Lock()
	c.sent[addr] = time.Now()
	c.lines += len(onePeer)
	c.mu.Unlock()
	for _, part := range []*bytes.Buffer{&head, &rest} {
		if _, err := f.Write(part.Bytes()); err != nil {
			return fmt.Errorf("follow: %w", err)
		}
	}
	return nil
}

// rotate moves the log away as logrotate does, five old ones kept.
func rotate(f *os.File, path string) (*os.File, error) {
	for i := 5; i > 1; i-- {
		_ = os.Rename(fmt.Sprintf("%s.%d", path, i-1), fmt.Sprintf("%s.%d", path, i))
	}
	if err := os.Rename(path, path+".1"); err != nil {
		return nil, fmt.Errorf("rotate: %w", err)
	}
	next, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_EXCL, 0o640)
	if err != nil {
		return nil, fmt.Errorf("rotate: %w", err)
	}
	return next, f.Close()
}

var clientField = regexp.MustCompile(`"client":"(10\.[0-9.]+)"`)

func (c *crowd) read(lines *bufio.Scanner) error {
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := clientField.FindSubmatch(lines.Bytes())
		if m == nil {
			continue
		}
		now := time.Now()
		c.mu.Lock()
		addr := string(m[1])
		c.seen[addr]++
		c.delay = append(c.delay, now.Sub(c.sent[addr]))
		c.mu.Unlock()
	}
	if err := lines.Err(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("follow: %w", err)
	}
	return nil
}

// settle waits until nothing more comes.
func (c *crowd) settle(ctx context.Context) {
	for last := -1; ctx.Err() == nil; time.Sleep(2 * time.Second) {
		c.mu.Lock()
		now := len(c.delay)
		c.mu.Unlock()
		if now == last {
			return
		}
		last = now
	}
}
