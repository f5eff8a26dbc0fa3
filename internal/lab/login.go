package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Session is a desktop with a client connected to it.
type Session struct {
	User string
	Xorg int // process id, inside the host, of the desktop's X server

	client *child
	home   string
}

// Login logs a user in to a desktop with xfreerdp 2 and returns when an X server
// of the user serves this client and the session (an xterm) runs. The client stays connected until Close. args are further
// arguments for xfreerdp, /sec:tls for one.
func Login(ctx context.Context, h *Host, user, password string, args ...string) (*Session, error) {
	old, err := h.streams(ctx)
	if err != nil {
		return nil, err
	}
	screen, err := h.screen(ctx)
	if err != nil {
		return nil, fmt.Errorf("log in as %s: %w", user, err)
	}
	home, err := os.MkdirTemp("", "lab-client-")
	if err != nil {
		return nil, fmt.Errorf("log in as %s: %w", user, err)
	}
	s := &Session{User: user, home: home}
	out, err := os.Create(filepath.Join(home, "output"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("log in as %s: %w", user, err), s.Close())
	}
	defer out.Close() //nolint:errcheck // the client has its own copy
	// Without a window manager nothing else sets the input focus, so no grabbing.
	argv := h.netArgs(append([]string{"xfreerdp", "/v:127.0.0.1", "/cert:ignore", "/u:" + user, "/p:" + password,
		"/size:800x600", "-grab-keyboard"}, args...)...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = clientEnv(screen, home), out, out
	if s.client, err = spawn(cmd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("log in as %s: %w", user, err), s.Close())
	}
	if err := s.wait(ctx, h, old); err != nil {
		text, _ := os.ReadFile(out.Name())
		return nil, errors.Join(fmt.Errorf("log in as %s: %w (client: %s)", user, err, lastLine(string(text))), s.Close())
	}
	return s, nil
}

// loginTimeout is how long a desktop may take to appear; about two seconds is
// usual.
const loginTimeout = 3 * time.Minute

// wait waits until an X server of the user has a connection from xrdp that is
// not among the old ones, and the user's session runs there.
func (s *Session) wait(ctx context.Context, h *Host, old map[string]int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, loginTimeout, errors.New("no desktop after "+loginTimeout.String()))
	defer cancel()
	for {
		pids, err := h.Xorgs(ctx, s.User)
		if err != nil {
			return err
		}
		streams, err := h.streams(ctx)
		if err != nil {
			return err
		}
		for inode, pid := range streams {
			if _, known := old[inode]; known || !slices.Contains(pids, pid) {
				continue
			}
			r, err := h.Run(ctx, Cmd{Args: []string{"pgrep", "-u", s.User, "-x", "xterm"}})
			if err != nil {
				return err
			}
			if r.Code == 0 {
				s.Xorg = pid
				return nil
			}
		}
		if !s.Alive() {
			return fmt.Errorf("the client ended: %s", ExitName(s.client.cmd.ProcessState.ExitCode()))
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// streams returns the connections of xrdp to desktops: the socket's inode, and
// the X server that holds it.
func (h *Host) streams(ctx context.Context) (map[string]int, error) {
	r, err := h.Run(ctx, Cmd{Args: []string{"ss", "-xpH", "state", "connected"}})
	if err == nil && r.Code != 0 {
		err = errors.New(lastLine(r.Stderr))
	}
	if err != nil {
		return nil, fmt.Errorf("list the sockets of %s: %w", h.Name, err)
	}
	return parseStreams(r.Stdout), nil
}

// displaySocket matches the end of a stream that the xorgxrdp module accepted,
// in ss's list of Unix sockets: the address, its inode, the peer, the process.
var displaySocket = regexp.MustCompile(`/xrdp_display_\d+ +(\d+) .*"Xorg",pid=(\d+),`)

func parseStreams(list string) map[string]int {
	streams := map[string]int{}
	for _, m := range displaySocket.FindAllStringSubmatch(list, -1) {
		if pid, err := strconv.Atoi(m[2]); err == nil {
			streams[m[1]] = pid
		}
	}
	return streams
}

// Alive reports whether the client is still connected.
func (s *Session) Alive() bool {
	select {
	case <-s.client.done:
		return false
	default:
		return true
	}
}

// Close ends the client as a broken line would: the desktop stays. It may be
// called twice.
func (s *Session) Close() error {
	if s.client != nil {
		s.client.kill()
	}
	return os.RemoveAll(s.home)
}

// Xorgs returns the process ids, inside the host, of the X servers of a user's
// desktops. A desktop that survived is the same id before and after.
func (h *Host) Xorgs(ctx context.Context, user string) ([]int, error) {
	r, err := h.Run(ctx, Cmd{Args: []string{"pgrep", "-u", user, "-x", "Xorg"}})
	if err == nil && r.Code > 1 { // 1: no such process
		err = errors.New(lastLine(r.Stderr))
	}
	if err != nil {
		return nil, fmt.Errorf("look for the desktops of %s: %w", user, err)
	}
	var pids []int
	for _, f := range strings.Fields(r.Stdout) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("look for the desktops of %s: %w", user, err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}
