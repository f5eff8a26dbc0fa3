package diagnose

import (
	"path"
	"slices"
	"strings"
)

// Sandbox is the part of a [Service] section that takes from a run of ours what
// it never needs: one that undoes or makes a change, without anybody who looks on.
// It may write below /etc, where units and configuration are, to the journals, and
// to the directories of the given files; program is what is run.
//
// It keeps CAP_DAC_OVERRIDE for a configuration directory that is not root's,
// CAP_CHOWN, CAP_FOWNER and CAP_FSETID for owners and modes, and CAP_SYS_PTRACE for
// whose the connections are (/proc/PID/fd). ProtectProc= hides nothing from who has
// that one. Homes can be read, since a key may be there.
func Sandbox(program string, files ...string) string {
	writable := []string{"/etc", "/run", "-/var/lib"}
	private := "yes"
	for _, f := range append([]string{program}, files...) {
		if within(f, "/tmp") || within(f, "/var/tmp") {
			private = "no" // it could not be found
		}
	}
	for _, f := range files {
		dir := path.Dir(f)
		if within(dir, "/etc") || within(dir, "/run") || within(dir, "/var/lib") || slices.Contains(writable, "-"+dir) {
			continue
		}
		writable = append(writable, "-"+dir)
	}
	for i, dir := range writable {
		writable[i] = quoteUnitPath(dir)
	}
	return `UMask=0077
LimitCORE=0
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_SYS_PTRACE
ProtectSystem=strict
ReadWritePaths=` + strings.Join(writable, " ") + `
ProtectHome=read-only
PrivateTmp=` + private + `
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=@chown
`
}

// within reports whether a path is dir or below it.
func within(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

// quoteUnitPath writes a path for a list of a unit file: blanks and quotes would
// end it, and a percent sign begins a specifier (systemd.unit(5)). The sign for
// "if it is there" comes before the quotes.
func quoteUnitPath(p string) string {
	p = strings.ReplaceAll(p, "%", "%%")
	if !strings.ContainsAny(p, " \t\"'\\") {
		return p
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p) + `"`
}
