package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// ErrUnable is wrapped by every error that says that this machine cannot run
// the lab at all: not root, or programs missing that cannot be installed.
var ErrUnable = errors.New("the lab cannot run here")

// packageOf maps each program of the machine that the lab, or bench, may run to the Debian
// 12 package that has it.
var packageOf = map[string]string{
	"debootstrap":    "debootstrap",
	"systemd-nspawn": "systemd-container",
	"nsenter":        "util-linux",
	"ip":             "iproute2",
	"xfreerdp":       "freerdp2-x11",
	"Xvfb":           "xvfb",
	"sslscan":        "sslscan",
	"nmap":           "nmap",
	"rdesktop":       "rdesktop",
	"hivexregedit":   "libwin-hivex-perl",
	"chromium":       "chromium",
	"time":           "time",     // what is measured with, and
	"fail2ban-regex": "fail2ban", // what stands beside ours, in bench
	"hugo":           "hugo",     // a program with cobra, like ours
}

// always are the programs without which there is no lab.
var always = []string{"debootstrap", "systemd-nspawn", "nsenter", "ip", "xfreerdp", "Xvfb", "sslscan"}

// Require makes sure that this process is root and that the machine has the
// programs of the lab, and those given besides ("nmap", "rdesktop"). On Debian
// it installs what is missing with apt-get.
func Require(ctx context.Context, log io.Writer, programs ...string) error {
	for _, p := range programs {
		if packageOf[p] == "" {
			return fmt.Errorf("%w: no package is known for the program %s", ErrUnable, p)
		}
	}
	programs = append(programs[:len(programs):len(programs)], always...)
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: it needs root (mounts, namespaces, systemd-nspawn)", ErrUnable)
	}
	if err := allowInotify(); err != nil {
		return err
	}
	if err := Install(ctx, log, func() []string { return missingPackages(programs) }); err != nil {
		return fmt.Errorf("%w: %w", ErrUnable, err)
	}
	return nil
}

// missingPackages returns the packages of the programs that are not there.
func missingPackages(programs []string) []string {
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, packageOf[p])
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// lastLine returns the last line of text that says something.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// say writes one line of progress; log may be nil.
func say(log io.Writer, format string, args ...any) {
	if log != nil {
		fmt.Fprintf(log, "lab: "+format+"\n", args...) //nolint:errcheck // progress is not worth an error
	}
}
