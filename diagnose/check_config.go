package diagnose

import (
	"fmt"
	"strings"

	"xrdpfix/internal/plaintext"
	"xrdpfix/xrdpconf"
)

func checkPackage(v *view) []Finding {
	if v.Package.Ok() || v.Config.Value.Exists || v.unit(UnitXrdp) != nil && v.unit(UnitXrdp).LoadState == "loaded" {
		return nil
	}
	return []Finding{finding(XrdpMissing, MendHuman, "xrdp is not installed: no xrdp program, no %s.", v.IniPath()).
		because(Evidence{Kind: "file", Source: v.IniPath(), Text: "does not exist"}).
		packaged(v, "Install it", v.Host.packager().install)}
}

// packaged is a remedy by the system's package manager, after some other commands.
// Where nobody knows which that is, it is said in words.
func (x Finding) packaged(v *view, what, command string, before ...string) Finding {
	if v.Offline {
		what += " inside this tree"
	}
	if command == "" {
		return x.remedy("%s with the system's package manager.", what).commands(before...)
	}
	return x.remedy("%s.", what).commands(append(before, command)...)
}

// A packager is how a family of systems installs xrdp, and puts back the files of its
// package that are missing.
type packager struct {
	families         []string // words of ID and ID_LIKE of os-release(5)
	install, restore string
}

var packagers = []packager{
	{[]string{"debian"}, "apt install xrdp", "apt install --reinstall -o Dpkg::Options::=--force-confmiss xrdp"},
	{[]string{"suse"}, "zypper install xrdp", "zypper install --force xrdp"},
	{[]string{"fedora", "rhel", "centos"}, "dnf install xrdp", "dnf reinstall xrdp"},
}

// packager is that of the system; without commands where nobody knows which it is.
func (h HostInfo) packager() packager {
	for _, p := range packagers {
		for _, family := range p.families {
			if strings.Contains(h.OSID+" "+h.OSLike, family) {
				return p
			}
		}
	}
	return packager{}
}

// RestoreCommand puts back the files of xrdp's package that are missing, "" where
// nobody knows how.
func (h HostInfo) RestoreCommand() string { return h.packager().restore }

// checkConfigFile judges xrdp.ini as a file.
func checkConfigFile(v *view) []Finding {
	if !v.Config.Ok() {
		return nil
	}
	file := v.Config.Value
	// dpkg and rpm put back a configuration file that is not there, and leave
	// alone one that is.
	aside := "mv " + plaintext.ShellWord(v.IniPath()) + " " + plaintext.ShellWord(v.IniPath()+".broken")
	switch {
	case !file.Exists:
		return []Finding{finding(IniMissing, MendHuman, "%s does not exist.", v.IniPath()).
			because(inFile(v.IniPath(), 0, "does not exist")).packaged(v, "Restore it from the package", v.Host.RestoreCommand())}
	case len(file.Bytes()) == 0:
		return []Finding{finding(IniMissing, MendHuman, "%s is empty.", v.IniPath()).
			because(inFile(v.IniPath(), 0, "0 bytes")).packaged(v, "Restore it from the package", v.Host.RestoreCommand(), aside)}
	case !v.server.HasGlobals:
		return []Finding{finding(IniMissing, MendHuman, "%s has no section [Globals]: xrdp reads nothing from it.", v.IniPath()).
			because(inFile(v.IniPath(), 0, "no line [Globals]")).packaged(v, "Restore it from the package", v.Host.RestoreCommand(), aside)}
	}
	var out []Finding
	if v.known && !v.ConfigAccess.Readable && v.ConfigAccess.Failed == "" && v.ConfigAccess.Exists {
		out = append(out, unreadable(v))
	}
	out = append(out, cutShort(v)...)
	if file.Obstacle != "" {
		x := finding(IniNotReplaceable, MendHuman, "%s cannot be replaced: %s.", file.Target, file.Obstacle).
			because(inFile(file.Target, 0, file.Obstacle))
		if file.InPlaceHelps() {
			x = x.remedy("Change it where it comes from, outside this machine or container, or allow one write in place.").
				commands("xrdpfix apply --in-place")
		} else {
			x = x.remedy("Have it writable, or change it where it comes from.").commands(file.ObstacleCommand())
		}
		out = append(out, x)
	}
	return out
}

// unreadable is of an xrdp.ini that the daemon cannot read. The mode of the file is
// ours to mend; a directory that is closed to the daemon is somebody's intent.
func unreadable(v *view) Finding {
	x := finding(IniUnreadable, MendApply, "xrdp runs as user %s and cannot read %s: each connection then gets classic RDP.", v.daemon.User, v.IniPath()).
		because(steps(v.ConfigAccess)...)
	a := v.ConfigAccess
	if a.Stop < 0 || a.Stop >= len(a.Steps)-1 {
		return x.remedy("Mode 0644, as the package ships it.")
	}
	x.Mend = MendHuman
	if a.Real != "" && a.Real != v.IniPath() {
		return x.remedy("Put the file itself there, instead of a link into a closed directory.").
			commands("install -m 0644 " + plaintext.ShellWord(a.Real) + " " + plaintext.ShellWord(v.IniPath()))
	}
	return x.remedy("Let the daemon into the directory.").commands("chmod a+x " + plaintext.ShellWord(a.Steps[a.Stop].Path))
}

// cutShort names the place where xrdp stops reading [Globals].
func cutShort(v *view) []Finding {
	cut, ok := v.raw.Cut()
	switch {
	case !ok || len(cut.Lost) == 0 && cut.Reason != xrdpconf.CutNUL:
		return nil
	case cut.Reason == xrdpconf.CutNUL:
		return []Finding{finding(IniCutShort, MendHuman, "In %s, %s (line %d).", v.IniPath(), cut.Reason, cut.Line).
			because(inFile(v.IniPath(), cut.Line, "a NUL byte")).remedy("Take it out.").
			commands(`sed -i 's/\x00//g' ` + plaintext.ShellWord(v.IniPath()))}
	}
	_, back, err := v.Meant()
	if err == nil && len(back) == 0 {
		return nil // nothing that matters is lost, or it stands where xrdp reads as well
	}
	x := finding(IniCutShort, MendHuman, "xrdp stops reading [Globals] at line %d: %s.", cut.Line, cut.Reason).because(v.lost(cut)...)
	switch {
	case err != nil:
		return []Finding{x.remedy("Shorten the file, or take line %d out of it.", cut.Line).commands(fmt.Sprintf("sed -n %dp %s", cut.Line, plaintext.ShellWord(v.IniPath())))}
	case cut.Reason == xrdpconf.CutBracket:
		x.Mend = MendApply
		return []Finding{x.remedy("Other brackets in line %d; xrdp then reads on.", cut.Line)}
	}
	x.Mend = MendApply
	return []Finding{x.remedy("The lost lines that decide about security, where xrdp reads them: %s.", strings.Join(back, ", "))}
}

// lintCodes maps what xrdpconf's lint sees to findings; kinds that have a
// check of their own are not in it.
var lintCodes = map[xrdpconf.IssueKind]struct {
	code Code
	mend Mend
}{
	xrdpconf.IssueDuplicateKey:     {IniDuplicate, MendHuman},
	xrdpconf.IssueMisplaced:        {IniMisplaced, MendHuman},
	xrdpconf.IssueSecuritySection:  {IniMisplaced, MendHuman},
	xrdpconf.IssueTLSRange:         {IniMisplaced, MendHuman},
	xrdpconf.IssueDuplicateSection: {IniMisplaced, MendHuman},
	xrdpconf.IssueSectionName:      {IniMisplaced, MendHuman},
	xrdpconf.IssueNearMiss:         {IniKeyIgnored, MendHuman},
	xrdpconf.IssueForeignKey:       {IniKeyIgnored, MendHuman},
	xrdpconf.IssueObsolete:         {IniKeyIgnored, MendHuman},
}

// checkLint turns lint issues that touch security into findings.
func checkLint(v *view) []Finding {
	var out []Finding
	for _, f := range []*xrdpconf.File{v.ini, v.sesIni} {
		for _, is := range f.Issues() {
			m, ok := lintCodes[is.Kind]
			if !ok {
				continue
			}
			out = append(out, finding(m.code, m.mend, "%s, line %d: %s.", f.Name(), is.Line, strings.TrimSuffix(is.Text, ".")).
				because(inFile(f.Name(), is.Line, is.Key)).about(fmt.Sprintf("%s:%d", f.Name(), is.Line)).
				remedy("Correct or delete line %d of %s.", is.Line, f.Name()))
		}
	}
	return out
}

// configured is true where [Globals] was read; without it every setting is
// missing, and ini-missing has said so.
func (v *view) configured() bool {
	return v.Config.Ok() && v.Config.Value.Exists && v.server.HasGlobals
}

// checkSecurityLayer judges security_layer as written.
func checkSecurityLayer(v *view) []Finding {
	if !v.configured() || v.vsockOnly() {
		return nil
	}
	val, set := v.ini.Lookup("Globals", "security_layer")
	at := inFile(v.IniPath(), val.Line, "security_layer="+val.Text)
	switch {
	case !set && v.server.SecurityLayer == xrdpconf.SecurityLayerRDP:
		return []Finding{finding(SecurityLayerMissing, MendApply, "[Globals] has no security_layer line; xrdp %s then offers classic RDP only, though its manual says negotiate.", v.Package.Value.Version).
			because(inFile(v.IniPath(), 0, "no line security_layer=")).because(v.wireAndLog()...).remedy("security_layer=negotiate. Needs no restart.")}
	case !set:
		return nil
	case v.server.SecurityLayer == xrdpconf.SecurityLayerRDP:
		return []Finding{finding(SecurityLayerRDP, MendApply, "security_layer=rdp: xrdp never offers TLS.").
			because(at).because(v.wireAndLog()...).remedy("security_layer=negotiate. Needs no restart.")}
	case !v.server.SecurityLayerValid:
		return []Finding{finding(SecurityLayerInvalid, MendApply, "security_layer=%s is not known to xrdp, which uses negotiate instead.", val.Text).
			because(at).remedy("security_layer=negotiate, which is what xrdp does already.")}
	}
	return nil
}

func checkCryptLevel(v *view) []Finding {
	if !v.configured() || v.vsockOnly() || v.server.SecurityLayer == xrdpconf.SecurityLayerTLS {
		return nil
	}
	val, set := v.ini.Lookup("Globals", "crypt_level")
	detail := ""
	switch strings.ToLower(val.Text) {
	case "none", "low":
		detail = "crypt_level=" + val.Text + " leaves classic RDP without encryption of what the server sends."
	default:
		if set {
			return nil
		}
		detail = "[Globals] has no crypt_level line: classic RDP is then not encrypted at all."
	}
	return []Finding{finding(CryptLevelWeak, MendApply, "%s", detail).
		because(inFile(v.IniPath(), val.Line, "crypt_level="+val.Text)).remedy("crypt_level=high. Clients with TLS do not notice.")}
}

func checkRSAKeys(v *view) []Finding {
	p := v.RSAKeys
	switch {
	case p.Failed != "" || !v.configured():
		return nil
	case !p.Exists:
		return []Finding{finding(RSAKeysMissing, MendApply, "%s is missing: xrdp does not start without it.", RSAKeysPath).
			because(inFile(RSAKeysPath, 0, "does not exist")).remedy("A new one, made by xrdp's own xrdp-keygen.")}
	case v.known && !p.Readable && v.server.SecurityLayer != xrdpconf.SecurityLayerTLS:
		return []Finding{finding(RSAKeysUnreadable, MendApply, "xrdp runs as user %s and cannot read %s: clients without TLS are dropped.", v.daemon.User, RSAKeysPath).
			because(steps(p)...).remedy("Group %s and mode 0640.", v.Daemon.KeyGroup)}
	}
	return nil
}

func checkSecretsLogged(v *view) []Finding {
	val, ok := v.ini.Lookup("Globals", "tls_pms_log_file")
	if !ok || val.Text == "" {
		return nil
	}
	return []Finding{finding(TLSSecretsLogged, MendApply, "tls_pms_log_file=%s writes the secrets of every TLS connection to a file.", val.Text).
		because(inFile(v.IniPath(), val.Line, "tls_pms_log_file="+val.Text)).remedy("The line goes. Delete the file yourself when nobody needs it.")}
}

// lost shows the settings behind a cut.
func (v *view) lost(cut xrdpconf.Cut) []Evidence {
	ev := []Evidence{}
	for _, p := range cut.Lost {
		ev = append(ev, inFile(v.IniPath(), p.Line, p.Key+"="+p.Value+" is not read"))
		if len(ev) == 5 {
			break
		}
	}
	return ev
}
