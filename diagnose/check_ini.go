package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"xrdpfix/internal/plaintext"
	"xrdpfix/xrdpconf"
)

// checkPasswords finds passwords that every user of the machine can read.
func checkPasswords(v *view) []Finding {
	var out []Finding
	for _, file := range []struct {
		fact FileFact
		conf *xrdpconf.File
	}{{v.Config.Value, v.ini}, {v.Sesman.Value, v.sesIni}} {
		const othersRead = 0o004
		secrets := file.conf.Secrets()
		if !file.fact.Exists || file.fact.Mode&othersRead == 0 || len(secrets) == 0 {
			continue
		}
		var ev []Evidence
		for _, p := range secrets {
			ev = append(ev, inFile(file.fact.Path, p.Line, fmt.Sprintf("[%s] %s=********", p.Section, p.Key)))
		}
		group := v.Daemon.KeyGroup
		x := finding(IniPassword, MendHuman, "%s holds a password, and its mode %04o lets every user of this machine read it.", file.fact.Path, file.fact.Mode).
			about(file.fact.Path).because(ev...).
			remedy("Ask the user for it (password=ask), or close the file; xrdp must still be able to read it. The password must be taken for known.")
		if group != "" {
			x = x.commands(fmt.Sprintf("chgrp %s %s && chmod 0640 %s", plaintext.ShellWord(group), plaintext.ShellWord(file.fact.Path), plaintext.ShellWord(file.fact.Path)))
		}
		out = append(out, x)
	}
	return out
}

// checkManaged says when something else writes a file: what apply changes there
// lasts until that something runs again.
func checkManaged(v *view) []Finding {
	var out []Finding
	for _, f := range []*xrdpconf.File{v.ini, v.sesIni} {
		tool, line, ok := f.ManagedBy()
		if !ok {
			continue
		}
		out = append(out, finding(IniManaged, MendNone, "%s says that %s writes it: change it there too, or the next run undoes what is changed here.", f.Name(), tool).
			about(f.Name()).because(inFile(f.Name(), line, strings.TrimSpace(f.Line(line)))))
	}
	return out
}

// keysThatMatter are those of [Globals] that decide about TLS, and who reads the key.
var keysThatMatter = []string{"security_layer", "crypt_level", "certificate", "key_file", "ssl_protocols", "tls_ciphers", "runtime_user", "runtime_group"}

// checkLeftovers finds the package's versions of a file that nobody merged,
// where they differ in what matters to TLS.
func checkLeftovers(v *view) []Finding {
	if !v.Leftovers.Ok() {
		return nil
	}
	var out []Finding
	for _, left := range v.Leftovers.Value {
		of, section, keys, mine := v.IniPath(), xrdpconf.SectionGlobals, keysThatMatter, v.ini
		if strings.HasPrefix(left.Path, SesmanPath) {
			of, section, keys, mine = SesmanPath, xrdpconf.SectionSecurity, []string{"SessionSockdirGroup"}, v.sesIni
		}
		theirs := xrdpconf.Parse(left.Path, left.Bytes(), xrdpconf.ForVersion(v.version))
		var ev []Evidence
		for _, key := range keys {
			a, hasA := mine.Lookup(section, key)
			b, hasB := theirs.Lookup(section, key)
			if sameSetting(key, a.Text, b.Text, hasA, hasB) {
				continue
			}
			ev = append(ev, inFile(of, a.Line, setting(key, a.Text, hasA)), inFile(left.Path, b.Line, setting(key, b.Text, hasB)))
		}
		if len(ev) == 0 {
			continue
		}
		out = append(out, finding(IniUpgradeLeftover, MendHuman, "A package upgrade left %s beside %s, and they differ in what matters to TLS.", left.Path, of).
			about(left.Path).because(ev...).
			remedy("Take over what is wanted; then remove it.").commands("diff -u "+plaintext.ShellWord(of)+" "+plaintext.ShellWord(left.Path), "rm "+plaintext.ShellWord(left.Path)))
	}
	return out
}

func setting(key, text string, there bool) string {
	if !there {
		return "no line " + key + "="
	}
	return key + "=" + text
}

// sameSetting compares two values by what they mean to xrdp. That the package
// names no pair of its own (an empty certificate= is the default path) is no
// difference: naming one is the administrator's business.
func sameSetting(key, mine, theirs string, hasMine, hasTheirs bool) bool {
	switch {
	case key == "certificate" || key == "key_file":
		return hasMine && theirs == "" || mine == theirs && hasMine == hasTheirs
	case hasMine != hasTheirs:
		return false
	case key == "ssl_protocols":
		words := func(s string) []string {
			list := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
			slices.Sort(list)
			return slices.Compact(list)
		}
		return slices.Equal(words(mine), words(theirs))
	case key == "tls_ciphers":
		return mine == theirs
	}
	return strings.EqualFold(mine, theirs)
}
