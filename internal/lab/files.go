package lab

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
)

// WriteFile writes a file inside the host, with root as its owner and that
// mode, and makes the directories above it. Links are followed inside.
func (h *Host) WriteFile(ctx context.Context, path string, data []byte, mode fs.FileMode) error {
	const script = `mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"`
	args := []string{"sh", "-ec", script, "sh", path, fmt.Sprintf("%04o", mode.Perm())}
	return h.do(ctx, "write "+path, Cmd{Args: args, Stdin: bytes.NewReader(data)})
}

// ReadFile returns the contents of a file inside the host, links followed
// inside.
func (h *Host) ReadFile(ctx context.Context, path string) ([]byte, error) {
	r, err := h.Run(ctx, Cmd{Args: []string{"cat", "--", path}})
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("%s", lastLine(r.Stderr))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s in %s: %w", path, h.Name, err)
	}
	return []byte(r.Stdout), nil
}

// Remove removes files and directories inside the host; one that is not there
// is no error.
func (h *Host) Remove(ctx context.Context, paths ...string) error {
	return h.do(ctx, fmt.Sprintf("remove %q", paths), Cmd{Args: append([]string{"rm", "-rf", "--"}, paths...)})
}

// do runs a command inside the host that must succeed.
func (h *Host) do(ctx context.Context, what string, c Cmd) error {
	r, err := h.Run(ctx, c)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("exit status %d: %s", r.Code, lastLine(r.Stderr))
	}
	if err != nil {
		return fmt.Errorf("%s in %s: %w", what, h.Name, err)
	}
	return nil
}
