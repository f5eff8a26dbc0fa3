// Package lab runs real xrdp servers for tests.
//
// A host of the lab is a throw-away overlay over a cached Debian image, booted
// by systemd-nspawn with its own systemd, D-Bus, network namespace and a stock
// xrdp. It boots in about a second and needs root on a Debian machine, but no
// systemd there. Tests begin with [Start]; everything else begins with [Boot].
//
//	h := lab.Start(t, lab.Bookworm)
//	h.Must(t, "systemctl restart xrdp")
//	r := lab.FreeRDP(ctx, h, "/sec:tls", "+auth-only")
//
// Nothing of a host is visible in the mount table of the machine: overlay and
// cgroup2 are mounted in a namespace that dies with the host. What a killed
// process leaves behind (a directory, an empty cgroup) is removed when the next
// host is booted.
//
// Hosts see no network but their own loopback interface and, with
// [Options.Veth], one interface shared with the machine. Clients of the machine
// connect from inside the host's network namespace (see [Host.Net]).
package lab
