package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
	"xrdpfix/service"
)

const (
	// firewallPatience bounds the whole look: it goes on beside the wire.
	firewallPatience = 5 * time.Second
	// maxRuleset bounds what nft may print. A list of a million addresses is more
	// than this, and then nothing is said.
	maxRuleset = 8 << 20
	maxUFW     = 1 << 20
)

// nftPrograms are where nft is.
var nftPrograms = []string{"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"}

// firewall asks this machine's own packet filter about ports: the rules in the
// kernel where nft can list them, else firewalld, and the files of ufw. Nothing
// is changed, and what is not certain is not said.
func (m *Machine) firewall(ctx context.Context, ports []int) (diagnose.Firewall, error) {
	ctx, cancel := context.WithTimeout(ctx, firewallPatience)
	defer cancel()
	if os.Geteuid() != 0 {
		return diagnose.Firewall{}, fs.ErrPermission
	}
	fw := diagnose.Firewall{}
	rs, err := listRuleset(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist): // no nft
		if zones, err := service.Firewalld(ctx); err == nil {
			fw = byZones(zones, ports)
		}
	case err != nil:
		return fw, err
	default:
		fw.Manager = rs.manager()
		for _, p := range ports {
			if where := rs.blocked(p); where != "" {
				fw.Blocked = append(fw.Blocked, diagnose.BlockedPort{Port: p, Where: where})
			}
		}
		if fw.Manager == "firewalld" && len(fw.Blocked) > 0 && errors.Is(nameZones(ctx, fw.Blocked), service.ErrNoFirewalld) {
			fw.Manager = "nftables" // its tables outlived it: firewall-cmd has nobody to speak to
		}
	}
	// The rules of ufw go through iptables, of which nft does not tell all.
	if len(fw.Blocked) == 0 && fw.Manager != "firewalld" && (rs == nil || fw.Manager == "ufw") {
		return m.ufw(ports)
	}
	return fw, nil
}

// listRuleset runs nft; fs.ErrNotExist where there is none.
func listRuleset(ctx context.Context) (*ruleset, error) {
	program := ""
	for _, name := range nftPrograms {
		if trustedProgram(name) == nil {
			program = name
			break
		}
	}
	if program == "" {
		return nil, &fs.PathError{Op: "run", Path: nftPrograms[0], Err: fs.ErrNotExist}
	}
	cmd := exec.CommandContext(ctx, program, "-j", "list", "ruleset")
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	out := &limited{left: maxRuleset}
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w", program, err)
	}
	return parseRuleset(out.data)
}

// limited takes so many bytes and no more.
type limited struct {
	data []byte
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, maxRuleset)
	}
	l.left -= len(p)
	l.data = append(l.data, p...)
	return len(p), nil
}

// byZones judges by firewalld's own word: a port is shut where no zone admits it
// and every zone is understood.
func byZones(zones []service.Zone, ports []int) diagnose.Firewall {
	fw := diagnose.Firewall{Manager: "firewalld"}
	for _, p := range ports {
		shut, standard := len(zones) > 0, service.Zone{}
		for _, z := range zones {
			admits, known := z.Admits(p)
			shut = shut && known && !admits
			if z.Default {
				standard = z
			}
		}
		if shut {
			fw.Blocked = append(fw.Blocked, diagnose.BlockedPort{
				Port: p, Zone: standard.Name, Where: fmt.Sprintf("zone %s, target %s", standard.Name, standard.Target),
			})
		}
	}
	return fw
}

// nameZones adds the name of firewalld's default zone, where it tells it;
// service.ErrNoFirewalld where it does not run.
func nameZones(ctx context.Context, blocked []diagnose.BlockedPort) error {
	zones, err := service.Firewalld(ctx)
	if err != nil {
		return err
	}
	for _, z := range zones {
		for i := range blocked {
			if z.Default {
				blocked[i].Zone = z.Name
			}
		}
	}
	return nil
}

// ufw judges by ufw's files.
func (m *Machine) ufw(ports []int) (diagnose.Firewall, error) {
	var fw diagnose.Firewall
	conf, err := m.maybeFile("/etc/ufw/ufw.conf")
	if err != nil || ParseEnvironmentFile(conf)["ENABLED"] != "yes" {
		return fw, err
	}
	fw.Manager = "ufw"
	defaults, err := m.maybeFile("/etc/default/ufw")
	if err != nil {
		return fw, err
	}
	policy := ParseEnvironmentFile(defaults)["DEFAULT_INPUT_POLICY"]
	rules, err := m.maybeFile("/etc/ufw/user.rules")
	if err != nil || rules == nil {
		return fw, err
	}
	var byHand []byte
	for _, name := range []string{"/etc/ufw/before.rules", "/etc/ufw/after.rules", "/etc/ufw/before.init", "/etc/ufw/after.init"} {
		data, err := m.maybeFile(name)
		if err != nil {
			return fw, err
		}
		byHand = append(append(byHand, data...), '\n')
	}
	for _, p := range ports {
		answer := ufwRules(rules, p)
		shut := answer == ufwShut || answer == ufwDefault && (policy == "DROP" || policy == "REJECT")
		if !shut || mentions(byHand, p) {
			continue
		}
		where := "/etc/ufw/user.rules, a rule that denies it"
		if answer == ufwDefault {
			where = "/etc/default/ufw, DEFAULT_INPUT_POLICY=" + policy + ", and no rule for the port"
		}
		fw.Blocked = append(fw.Blocked, diagnose.BlockedPort{Port: p, Where: where})
	}
	return fw, nil
}

// maybeFile reads a file; one that is missing gives nil.
func (m *Machine) maybeFile(name string) ([]byte, error) {
	data, err := m.root.ReadFile(name, maxUFW)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, atomicfile.ErrNotRegular) {
		return nil, nil
	}
	return data, err
}
