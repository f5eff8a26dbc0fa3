package diagnose

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"xrdpfix/internal/plaintext"
)

// checkDenied finds a key or a certificate that xrdp says it may not read, though
// owner, mode and ACL allow it: a security module, or the unit's sandbox. Xrdp's
// word about our own connection decides, since a denial in the audit log may be
// of the past; the log of SELinux then names what stops it.
func checkDenied(v *view) []Finding {
	if v.Offline || !v.Wire.Ok() {
		return nil
	}
	var out []Finding
	for _, w := range []struct {
		rule, what string
		code       Code
		path       PathFact
	}{
		{"key-not-readable", "private key", KeyUnreadable, v.Key},
		{"cert-not-readable", "certificate", CertUnreadable, v.Cert},
	} {
		if !w.path.Exists || !w.path.Readable || !v.deniedByLog(w.rule) {
			continue
		}
		out = append(out, v.denied(w.code, w.what, w.path))
	}
	return out
}

// deniedByLog reports whether xrdp was refused a file during our own connections.
func (v *view) deniedByLog(rule string) bool {
	for _, c := range v.Log.Own.Value {
		for _, m := range c.Matches {
			if m.Rule != nil && m.Rule.ID == rule && m.Field("error") == "Permission denied" {
				return true
			}
		}
	}
	return false
}

func (v *view) denied(code Code, what string, p PathFact) Finding {
	x := finding(code, MendHuman, "xrdp cannot read its %s, although owner and mode of %s allow it: a security module or the sandbox of its unit refuses it.", what, p.Path).
		because(steps(p)...).because(v.wireAndLog()...).
		remedy("Look for ProtectHome=, InaccessiblePaths= and the like in the unit, and for AppArmor in the kernel's log; or move the pair to %s.", path.Dir(ConfigPath)).
		commands("systemctl cat xrdp", "journalctl -k -g 'denied.*xrdp'")
	if v.Host.SELinux != "enforcing" {
		return x
	}
	where := path.Dir(ConfigPath)
	if real := p.Real; real != "" && !strings.HasPrefix(real, where+"/") {
		where = real
	}
	x = x.remedy("Give the files the labels that the policy has for their place; a key in a home directory or under /root belongs into %s.", path.Dir(ConfigPath)).
		commands("restorecon -Rv "+plaintext.ShellWord(where), "ausearch -m avc -c xrdp")
	x.Detail = fmt.Sprintf("xrdp cannot read its %s, although owner and mode of %s allow it, and SELinux is enforcing.", what, p.Path)
	if d, ok := v.denial(p); ok {
		x.Detail = fmt.Sprintf("SELinux forbids xrdp to read its %s, although owner and mode of %s allow it.", what, p.Path)
		x = x.because(Evidence{Kind: "file", Source: AuditLog, Text: fmt.Sprintf("%s  denied { %s } on %s %s, labelled %s",
			d.Time.UTC().Format("2 Jan 15:04:05 UTC"), strings.Join(d.Permissions, " "), d.Class, d.Name, d.Target)})
	}
	return x
}

// AuditLog is where auditd keeps what SELinux forbade.
const AuditLog = "/var/log/audit/audit.log"

// denial is the last denial of something on the way to a file.
func (v *view) denial(p PathFact) (Denial, bool) {
	for _, d := range slices.Backward(v.Denials.Value) {
		for _, st := range p.Steps {
			if path.Base(st.Path) == d.Name {
				return d, true
			}
		}
	}
	return Denial{}, false
}
