package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// aptOptions keep out what no test reads, and accept a mirror that lags, which
// matters for sid, whose index expires after a week. They are given on the
// command line, not written into the image: packages installed in a host later
// are whole.
var aptOptions = []string{
	"-o", "Acquire::Check-Valid-Until=false",
	"-o", "Dpkg::Options::=--force-unsafe-io",
	"-o", "Dpkg::Options::=--path-exclude=/usr/share/doc/*",
	"-o", "Dpkg::Options::=--path-exclude=/usr/share/info/*",
	"-o", "Dpkg::Options::=--path-exclude=/usr/share/locale/*",
	"-o", "Dpkg::Options::=--path-exclude=/usr/share/man/*",
	"-o", "Dpkg::Use-Pty=0",
}

// buildScript runs in a mount namespace of its own, so that its mounts are gone
// however it ends. The volatile overlay makes every fsync of dpkg a no-op; its
// upper directory, over an empty or a finished lower one, is the image. Log
// files are emptied, not removed: xrdp cannot make its own as user xrdp.
//
//	$1 work area   $2 lower directory   $3 suite or empty   $4 sources
//	$5 finish script   the rest: arguments of apt-get
const buildScript = `
set -e
area=$1 lower=$2 suite=$3 sources=$4 finish=$5; shift 5
m=$area/mnt
mkdir -p "$m" "$area/work" "$area/root"
mount -t overlay -o "lowerdir=$lower,upperdir=$area/root,workdir=$area/work,volatile" overlay "$m"
if [ -n "$suite" ]; then
	scripts=/usr/share/debootstrap/scripts
	if [ -e "$scripts/$suite" ]; then
		debootstrap --variant=minbase "$suite" "$m"
	else # a release younger than this debootstrap
		debootstrap --variant=minbase "$suite" "$m" "" "$scripts/sid"
	fi
	mirror=$(awk '$1 == "deb" { print $2; exit }' "$m/etc/apt/sources.list") # debootstrap's own
	printf '%s' "$sources" | sed "s|@MIRROR@|$mirror|" >"$m/etc/apt/sources.list"
	printf 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n' >"$m/etc/apt/apt.conf.d/90lab"
fi
cp /etc/resolv.conf "$m/etc/resolv.conf"
if [ -f /etc/apt/apt.conf ]; then cp /etc/apt/apt.conf "$m/etc/apt/apt.conf"; fi
printf '#!/bin/sh\nexit 101\n' >"$m/usr/sbin/policy-rc.d"
chmod 755 "$m/usr/sbin/policy-rc.d"
mount -t proc proc "$m/proc"
mount -t sysfs sysfs "$m/sys"
mount --bind /dev "$m/dev"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
chroot "$m" apt-get -q -o Acquire::Check-Valid-Until=false update
chroot "$m" apt-get -q -y "$@"
chroot "$m" sh -ec "$finish"
chroot "$m" apt-get clean
rm -rf "$m/usr/sbin/policy-rc.d" "$m/etc/apt/apt.conf" "$m"/var/lib/apt/lists/*
find "$m/var/log" -type f -exec truncate --size=0 {} +
rm -rf "$m"/usr/share/doc/* "$m"/usr/share/man/* "$m"/usr/share/info/* "$m"/usr/share/locale/*
: >"$m/etc/resolv.conf"
chroot "$m" dpkg-query -W -f '@@ ${Package} ${Version}\n' xrdp xorgxrdp openssl systemd freerdp3-x11 2>/dev/null || true
umount "$m/dev" "$m/sys" "$m/proc" "$m"
`

// heartbeat is how often a build passes on the line that it is at; the rest,
// hundreds of lines, goes to the build log only.
const heartbeat = 3 * time.Second

// build makes the recipe's image in area, over lower, and returns the versions
// of the packages of interest. area holds the tree in "root" and the full
// output in "build.log".
func build(ctx context.Context, r recipe, area, lower string, log io.Writer) (map[string]string, error) {
	suite := string(r.Suite)
	if r.Base != "" {
		suite = ""
	}
	// In a pid namespace of its own, so that no part of a build outlives it.
	args := []string{"--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-c", buildScript, "lab-build",
		area, lower, suite, r.Suite.sources(), r.Finish}
	args = append(args, aptOptions...)
	args = append(append(args, "dist-upgrade"), r.Packages...)
	cmd := exec.CommandContext(ctx, "unshare", args...)
	killGroup(cmd)
	runtime.LockOSThread() // Pdeathsig means the death of the thread that forks
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL

	out, err := os.Create(filepath.Join(area, "build.log"))
	if err != nil {
		return nil, fmt.Errorf("create the build log: %w", err)
	}
	defer out.Close() //nolint:errcheck // written for humans only
	versions := map[string]string{}
	start, last := time.Now(), ""
	told := start
	lines := &lineWriter{line: func(s string) {
		_, _ = fmt.Fprintln(out, s)
		if f := strings.Fields(s); len(f) == 3 && f[0] == "@@" {
			versions[f[1]] = f[2]
			return
		}
		if strings.TrimSpace(s) != "" && !strings.HasPrefix(last, "E: ") {
			last = s // the first error is the cause, what follows it is advice
		}
		if now := time.Now(); now.Sub(told) >= heartbeat {
			told = now
			say(log, "%s %3.0fs  %s", r.Suite, now.Sub(start).Seconds(), strings.TrimPrefix(s, "I: "))
		}
	}}
	cmd.Stdout, cmd.Stderr = lines, lines
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("build image of %s: %w (%s)", r.Suite, err, last)
	}
	return versions, nil
}

// A lineWriter calls line for each whole line written to it.
type lineWriter struct {
	line func(string)
	rest string
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest += string(p)
	for {
		s, after, found := strings.Cut(w.rest, "\n")
		if !found {
			return len(p), nil
		}
		w.rest = after
		w.line(strings.TrimRight(s, "\r"))
	}
}
