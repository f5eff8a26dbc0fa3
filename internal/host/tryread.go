package host

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"xrdpfix/diagnose"
)

// ErrCannotTry is returned by [TryRead] where we are not allowed to take on
// another identity.
var ErrCannotTry = errors.New("cannot take on another identity")

// TryRead opens name for reading as id would and closes it again. It returns nil
// where that worked, an error that is fs.ErrPermission where the kernel refused
// it, and [ErrCannotTry] where we cannot take on the identity. It needs root.
//
// The identity is that of one thread, which ends with the attempt: setgroups,
// setfsgid and setfsuid act on the calling thread alone when called raw. A
// file-system user other than 0 also takes away CAP_DAC_OVERRIDE and its like
// (capabilities(7), "Effect of user ID changes"). Only files and directories
// are opened, and never in a way that blocks.
func TryRead(root, name string, id diagnose.Identity) error {
	done := make(chan error, 1)
	go func() {
		// Never unlocked: the runtime ends the thread with the goroutine.
		runtime.LockOSThread()
		done <- tryRead(root, name, id)
	}()
	return <-done
}

func tryRead(root, name string, id diagnose.Identity) error {
	if root == "" {
		root = "/"
	}
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: root, Err: err}
	}
	defer func() { _ = unix.Close(dir) }()
	if err := become(id); err != nil {
		return fmt.Errorf("%w: %w", ErrCannotTry, err)
	}
	fd, err := openBelow(dir, root, name)
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return unix.Close(fd)
}

// become changes the identity of the calling thread for file access.
func become(id diagnose.Identity) error {
	groups := make([]uint32, len(id.Groups), len(id.Groups)+1)
	for i, g := range id.Groups {
		groups[i] = uint32(g)
	}
	_, _, errno := unix.RawSyscall(sysSetgroups, uintptr(len(groups)),
		uintptr(unsafe.Pointer(unsafe.SliceData(groups))), 0)
	if errno != 0 {
		return fmt.Errorf("setgroups: %w", errno)
	}
	if err := setFSID(sysSetfsgid, id.GID); err != nil {
		return fmt.Errorf("setfsgid: %w", err)
	}
	if err := setFSID(sysSetfsuid, id.UID); err != nil {
		return fmt.Errorf("setfsuid: %w", err)
	}
	return nil
}

// setFSID calls setfsuid or setfsgid, which return the previous id and no error:
// a second call with an invalid id tells whether the first worked.
func setFSID(trap uintptr, id int) error {
	_, _, _ = unix.RawSyscall(trap, uintptr(id), 0, 0)
	now, _, _ := unix.RawSyscall(trap, ^uintptr(0), 0, 0)
	if uint32(now) != uint32(id) {
		return unix.EPERM
	}
	return nil
}

// openBelow opens name for reading below dir.
func openBelow(dir int, root, name string) (int, error) {
	const flags = unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	if IsLive(root) {
		return unix.Open("/"+strings.TrimLeft(name, "/"), flags, 0)
	}
	return openat2(dir, name, &unix.OpenHow{
		Flags:   flags,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
}
