package host

import (
	"context"
	"net"
	"os"
	"strings"
	"time"

	"xrdpfix/diagnose"
)

const (
	maxSmallFile = 1 << 20
	maxHosts     = 8 << 20
	// resolverPatience is how long a host name may take to become an FQDN; a
	// resolver that cannot be reached must not hold up a look at the host.
	resolverPatience = 500 * time.Millisecond
)

// ReadHostInfo names the machine or the tree at root. Of a tree, only what its
// files say is known: no address, no FIPS mode, and the host name and SELinux
// mode that it will start with. What is not known is empty, the host name too;
// it fails where root is no directory.
func ReadHostInfo(ctx context.Context, root string) (diagnose.HostInfo, error) {
	h := diagnose.HostInfo{Root: os.Geteuid() == 0}
	if !IsLive(root) {
		if _, err := os.ReadDir(root); err != nil {
			return h, err
		}
	}
	release := readOSRelease(root)
	h.OS, h.OSID, h.OSLike, h.OSPretty = osName(release), release["ID"], release["ID_LIKE"], release["PRETTY_NAME"]
	hosts, _ := ReadFile(root, "/etc/hosts", maxHosts)

	if IsLive(root) {
		h.Name, _ = os.Hostname()
		h.Addrs = defaultRouteAddrs()
		h.FIPS = strings.TrimSpace(smallFile("", "/proc/sys/crypto/fips_enabled")) == "1"
		switch strings.TrimSpace(smallFile("", "/sys/fs/selinux/enforce")) {
		case "1":
			h.SELinux = "enforcing"
		case "0":
			h.SELinux = "permissive"
		}
	} else {
		h.Name = firstLine(smallFile(root, "/etc/hostname"))
		h.SELinux = selinuxConfig(smallFile(root, "/etc/selinux/config"))
	}
	if !validHostName(h.Name) {
		h.Name = ""
	}
	h.FQDN = fqdn(ctx, h.Name, string(hosts), IsLive(root))
	return h, nil
}

func smallFile(root, name string) string {
	b, _ := ReadFile(root, name, maxSmallFile)
	return string(b)
}

// firstLine is the first line of hostname(5) that is no comment.
func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}

// readOSRelease reads os-release(5), which is an environment file.
func readOSRelease(root string) map[string]string {
	b, err := ReadFile(root, "/etc/os-release", maxSmallFile)
	if err != nil {
		b, _ = ReadFile(root, "/usr/lib/os-release", maxSmallFile)
	}
	return ParseEnvironmentFile(b)
}

// osName is short enough for one line: "Debian 12", "Fedora 42", "RHEL 9.4",
// "Debian forky" where a release has no number yet.
func osName(r map[string]string) string {
	words := strings.Fields(r["NAME"])
	name := ""
	switch {
	case r["ID"] == "rhel":
		name = "RHEL"
	case len(words) > 1 && words[0] == "Linux": // Linux Mint
		name = words[1]
	case len(words) > 0:
		name = words[0]
	default:
		name = r["ID"]
	}
	version := r["VERSION_ID"]
	if version == "" {
		version = r["VERSION_CODENAME"]
	}
	return strings.TrimSpace(name + " " + version)
}

// selinuxConfig is the mode that SELINUX= of /etc/selinux/config asks for.
func selinuxConfig(s string) string {
	switch mode := ParseEnvironmentFile([]byte(s))["SELINUX"]; mode {
	case "enforcing", "permissive":
		return mode
	}
	return ""
}

// fqdn is what "hostname -f" answers: the canonical name of the host name in
// /etc/hosts, else in the DNS.
func fqdn(ctx context.Context, name, hosts string, live bool) string {
	if name == "" {
		return ""
	}
	if strings.Contains(name, ".") {
		return name
	}
	if full := hostsFQDN(name, hosts); full != "" || !live {
		return full
	}
	ctx, cancel := context.WithTimeout(ctx, resolverPatience)
	defer cancel()
	full, err := new(net.Resolver).LookupCNAME(ctx, name)
	full = strings.TrimSuffix(full, ".")
	if err != nil || !fullNameOf(full, name) {
		return ""
	}
	return full
}

// hostsFQDN finds the first full form of name in hosts(5).
func hostsFQDN(name, hosts string) string {
	for line := range strings.Lines(hosts) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		for _, n := range f[1:] {
			if fullNameOf(n, name) {
				return n
			}
		}
	}
	return ""
}

// fullNameOf: full is name with a domain, and nothing that does not belong into
// a certificate.
func fullNameOf(full, name string) bool {
	first, domain, ok := strings.Cut(full, ".")
	return ok && domain != "" && strings.EqualFold(first, name) && validHostName(full) &&
		domain != "localdomain" && domain != "localhost"
}

// validHostName accepts letters, digits, "-", "_" and dots between them: what
// the kernel takes as a host name can be anything.
func validHostName(s string) bool {
	if s == "" || len(s) > 253 || s == "(none)" {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
	}
	return true
}
