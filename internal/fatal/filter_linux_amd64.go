package fatal

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Offsets into struct seccomp_data (linux/seccomp.h). The lower half of an argument
// comes first on amd64.
const (
	dataNumber = 0
	dataArgs   = 16
	dataArg    = 8 // bytes each
)

// opens are the flags with which opening a file changes something.
const opens = unix.O_CREAT | unix.O_TRUNC

// openFlags says which argument of a call that opens files has its flags. Such a call
// counts only where it makes the file or empties it.
var openFlags = map[uint64]uint32{unix.SYS_OPENAT: 2, unix.SYS_OPEN: 1}

// filter is a program for seccomp(2) that stops a thread at each of [changes] and at no
// other call: a program makes thousands of others, and each stop costs four switches
// between it and who holds it.
func filter() []unix.SockFilter {
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	ret := func(action uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
	}
	// skip goes over n instructions unless the number is k.
	skip := func(k uint64, n uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(k), Jf: n}
	}
	program := []unix.SockFilter{load(dataNumber)}
	for _, number := range slices.Sorted(maps.Keys(changes)) {
		arg, opening := openFlags[number]
		if !opening {
			program = append(program, skip(number, 1), ret(unix.SECCOMP_RET_TRACE))
			continue
		}
		program = append(program, skip(number, 4), load(dataArgs+dataArg*arg),
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: opens, Jf: 1},
			ret(unix.SECCOMP_RET_TRACE), ret(unix.SECCOMP_RET_ALLOW))
	}
	return append(program, ret(unix.SECCOMP_RET_ALLOW))
}

// install gives a program that has just begun, and everything that it will start, the
// filter. It has to ask for that itself: at its first system call it is made to make
// two others before.
func (t *tracer) install() error {
	program := filter()
	if err := unix.PtraceSyscall(t.pid, 0); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	if err := t.wait(); err != nil {
		return err
	}
	var first unix.PtraceRegs
	if err := unix.PtraceGetRegs(t.pid, &first); err != nil {
		return fmt.Errorf("read the registers: %w", err)
	}
	// The program and its header lie on the stack, well below what is in use.
	at := (first.Rsp - 4096) &^ 15
	data, err := binary.Append(nil, binary.LittleEndian, struct {
		Len    uint64 // a short, and padding
		Filter uint64
	}{uint64(len(program)), at + 16})
	if err == nil {
		data, err = binary.Append(data, binary.LittleEndian, program)
	}
	if err != nil {
		return fmt.Errorf("write the filter: %w", err)
	}
	if _, err := unix.PtracePokeData(t.pid, uintptr(at), data); err != nil {
		return fmt.Errorf("write the filter: %w", err)
	}
	for _, call := range []struct {
		name       string
		number     uint64
		a, b, c, d uint64
	}{
		{"prctl", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0}, // without it the next is root's alone
		{"seccomp", unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, at, 0},
	} {
		regs := first
		regs.Orig_rax, regs.Rdi, regs.Rsi, regs.Rdx, regs.R10, regs.R8 = call.number, call.a, call.b, call.c, call.d, 0
		if err := t.instead(regs, first); err != nil {
			return fmt.Errorf("%s: %w", call.name, err)
		}
	}
	return nil
}

// instead makes a program that stands at the beginning of its first call make another
// one, and brings it back to there.
func (t *tracer) instead(other, first unix.PtraceRegs) error {
	if err := unix.PtraceSetRegs(t.pid, &other); err != nil {
		return err
	}
	if err := unix.PtraceSyscall(t.pid, 0); err != nil {
		return err
	}
	if err := t.wait(); err != nil {
		return err
	}
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(t.pid, &regs); err != nil {
		return err
	}
	if regs.Rax != 0 {
		return syscall.Errno(-regs.Rax)
	}
	again := first
	again.Rax = first.Orig_rax
	again.Rip -= 2 // the length of the instruction
	if err := unix.PtraceSetRegs(t.pid, &again); err != nil {
		return err
	}
	if err := unix.PtraceSyscall(t.pid, 0); err != nil {
		return err
	}
	return t.wait()
}

// wait waits for the program, of which there is one thread yet, to stop at the
// beginning or at the end of a call.
func (t *tracer) wait() error {
	var ws unix.WaitStatus
	if _, err := unix.Wait4(t.pid, &ws, unix.WALL, nil); err != nil {
		return fmt.Errorf("wait for a call: %w", err)
	}
	if !ws.Stopped() || ws.StopSignal() != syscallStop {
		return fmt.Errorf("no call, but status %#x", uint32(ws))
	}
	return nil
}
