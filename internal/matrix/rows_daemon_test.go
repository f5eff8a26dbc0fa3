//go:build lab

package matrix

import "xrdpfix/internal/lab"

// shadow is FreeRDP's own server, which has NLA.
func shadow(s lab.Suite) []string {
	if s == lab.Bookworm {
		return []string{"freerdp2-shadow-x11", "xvfb"}
	}
	return []string{"freerdp3-shadow-x11", "xvfb"}
}

var daemonFaults = []fault{
	{
		name: "stopped", why: "stop xrdp", kind: fixed, every: true, plant: "systemctl stop xrdp", down: true,
		before: "transport-failed", codes: "service-down", plan: "+start", stays: true,
	},
	{
		name: "crashed", why: "lose xrdp to a crash", kind: fixed, plant: "systemctl kill -s SEGV --kill-who=main xrdp; over xrdp", down: true,
		before: "transport-failed", codes: "service-down", plan: "+start", stays: true,
	},
	{
		name: "disabled", why: "disable xrdp: it runs until the next boot", kind: alone, plant: "systemctl disable --quiet xrdp",
		before: "ok", codes: "service-disabled",
	},
	{
		name: "masked", why: "mask xrdp", kind: manual, plant: "systemctl mask --quiet --now xrdp", down: true,
		before: "transport-failed", codes: "service-down",
	},
	{
		name: "port-missing", why: "delete the port line", kind: fixed, every: true, plant: "drop port; restart", down: true,
		before: "transport-failed", codes: "port-invalid", plan: "xrdp.ini:port +restart",
	},
	{
		name: "port-address", why: "write port=127.0.0.1:3389, which opens five ports to everybody", kind: fixed,
		plant: "ini port 127.0.0.1:3389; if restart; then up; fi", down: true, codes: "port-invalid",
		before: "ok", beforeOn: map[lab.Suite]string{lab.Bookworm: "transport-failed"}, plan: "xrdp.ini:port +restart", left: "port-loopback-only",
		planOn: map[lab.Suite]string{lab.Bookworm: "xrdp.ini:port +start"}, stays: true, // xrdp as user xrdp may not open port 127 and fails
	},
	{
		name: "port-brackets", why: "write an IPv6 address in brackets", kind: fixed,
		plant: "ini port 'tcp6://[::1]:3389'; restart", down: true, client: []string{"/sec:tls", "/v:[::1]"}, before: "transport-failed",
		codes: "ini-cut-short", plan: "%any", left: "port-loopback-only",
	},
	{
		name: "port-loopback", why: "listen on loopback only, for a tunnel", kind: alone, plant: "ini port tcp://.:3389; restart",
		before: "ok", codes: "port-loopback-only",
	},
	{
		name: "port-several", why: "listen on two ports", kind: alone, plant: "ini port '3389, 3390'; restart", before: "ok",
	},
	{
		name: "option-port", why: "set another port in XRDP_OPTIONS", kind: fixed,
		plant: "echo 'XRDP_OPTIONS=\"-p 3390\"' >/etc/default/xrdp; ini security_layer rdp; restart; up 3390", down: true,
		client: []string{"/sec:tls", "/v:127.0.0.1:3390"}, codes: "security-layer-rdp", plan: "xrdp.ini:security_layer",
	},
	{
		name: "port-taken", why: "run another program on the port", kind: manual, down: true,
		plant: `systemctl stop xrdp
systemd-run --quiet --unit=squatter openssl s_server -www -accept 3389 -cert /etc/xrdp/cert.pem -key /etc/xrdp/key.pem; up
systemctl start xrdp || true; over xrdp`,
		before: "transport-failed", codes: "port-taken",
	},
	{
		name: "port-taken-nla", why: "run another RDP server on the port, one that requires NLA", kind: manual, long: true, down: true,
		packages: shadow,
		plant: `systemctl stop xrdp
systemd-run --quiet --unit=screen Xvfb :5 -screen 0 800x600x24 -noreset
systemd-run --quiet --unit=other-rdp -p Restart=always -p RestartSec=1 -E DISPLAY=:5 -E HOME=/root $(command -v freerdp-shadow-cli3 || command -v freerdp-shadow-cli) /port:3389 /sec:nla
up; systemctl start xrdp || true; over xrdp`,
		codes: "port-taken",
	},
	{
		name: "rsakeys-missing", why: "delete rsakeys.ini", kind: fixed, every: true, plant: "rm rsakeys.ini; systemctl restart xrdp || true; over xrdp", down: true,
		before: "transport-failed", codes: "rsakeys-missing", plan: "+start", stays: true,
	},
	{
		name: "rsakeys-unreadable", why: "make rsakeys.ini anew as root", kind: fixed, not: runsAsRoot,
		plant: "chown root:root rsakeys.ini; chmod 600 rsakeys.ini", before: "ok", codes: "rsakeys-unreadable", plan: "%any",
	},
	{
		name: "log-level", why: "set LogLevel=ERROR: no success is logged", kind: fixed, every: true,
		plant: `sed -i '/^\[Logging\]/,/^\[/s/^LogLevel=.*/LogLevel=ERROR/' xrdp.ini; rm key.pem; restart`,
		codes: "key-missing log-hides-proof", plan: newPair, left: "log-hides-proof",
	},
	{
		name: "log-missing", why: "delete the log while nobody may make it anew", kind: manual, not: map[lab.Suite]string{
			lab.Trixie: "its xrdp opens the log as root", lab.Sid: "its xrdp opens the log as root",
		},
		plant: "rm /var/log/xrdp.log; systemctl restart xrdp || true; over xrdp", down: true, before: "transport-failed", codes: "log-unwritable",
	},
	{
		name: "log-directory", why: "make the log a directory", kind: manual,
		plant: "rm /var/log/xrdp.log; mkdir /var/log/xrdp.log; systemctl restart xrdp || true; over xrdp", down: true,
		before: "transport-failed", codes: "log-unwritable",
	},
	{
		name: "runtime-user-unknown", why: "name a runtime_user that does not exist", kind: manual, not: map[lab.Suite]string{
			lab.Bookworm: "xrdp knows runtime_user from 0.10.2 on", lab.Trixie: "xrdp knows runtime_user from 0.10.2 on",
		},
		plant: "ini runtime_user nobodyhere; systemctl restart xrdp || true; over xrdp", down: true, before: "transport-failed", codes: "runtime-user-invalid",
	},
}
