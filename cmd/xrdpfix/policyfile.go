package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/internal/host"
	"xrdpfix/repair"
	"xrdpfix/xrdpconf"
)

// policyKey is a setting of the policy: it is called the same in policy.ini and as
// a flag.
type policyKey struct {
	section, name string
	example       string // a value that is allowed
	get           func(p *policyFlags) string
	// set checks and takes a value; the error is the rest of "NAME VALUE ...".
	set func(p *policyFlags, value string) error
}

// The sections of policy.ini.
const (
	inSecurity    = "security"
	inCertificate = "certificate"
	inXrdpfix     = "xrdpfix"
)

// policyKeys are all settings, in the order in which they are shown.
var policyKeys = []policyKey{
	{inSecurity, "security-layer", "tls", text((*policyFlags).layerAt), word((*policyFlags).layerAt, "negotiate", "tls", "rdp")},
	{inSecurity, "profile", "intermediate", text((*policyFlags).profileAt), word((*policyFlags).profileAt, "modern", "intermediate", "legacy", "declared")},
	{inSecurity, "tls-min", "1.2", text((*policyFlags).minAt), word((*policyFlags).minAt, "1.0", "1.1", "1.2", "1.3")},
	{inSecurity, "tls-max", "1.3", text((*policyFlags).maxAt), word((*policyFlags).maxAt, "1.0", "1.1", "1.2", "1.3")},
	{inSecurity, "for", "14d", text((*policyFlags).forAt), setFor},
	{inCertificate, "cert", "auto", text((*policyFlags).certAt), word((*policyFlags).certAt, "auto", "keep")},
	{inCertificate, "name", "desk01.example.org, 192.0.2.10", func(p *policyFlags) string { return strings.Join(p.request.names, ", ") }, setNames},
	{inCertificate, "key", "rsa2048", func(p *policyFlags) string { return p.request.key }, setKey},
	{inCertificate, "days", "825", number((*policyFlags).daysAt), days((*policyFlags).daysAt, 1, 36500)},
	{inCertificate, "renew-before", "30", number((*policyFlags).renewAt), days((*policyFlags).renewAt, 1, 36500)},
	{inCertificate, "warn-days", "30", number((*policyFlags).warnAt), days((*policyFlags).warnAt, 1, 36500)},
	{inXrdpfix, "restart", "auto", text((*policyFlags).restartAt), word((*policyFlags).restartAt, "auto", "always", "never", whenIdle)},
	{inXrdpfix, "ignore", "cert-expiring, ini-drift", func(p *policyFlags) string { return strings.Join(p.ignore, ", ") }, setIgnore},
}

// Where the values stand.
func (p *policyFlags) layerAt() *string   { return &p.securityLayer }
func (p *policyFlags) profileAt() *string { return &p.profile }
func (p *policyFlags) minAt() *string     { return &p.tlsMin }
func (p *policyFlags) maxAt() *string     { return &p.tlsMax }
func (p *policyFlags) forAt() *string     { return &p.forTime }
func (p *policyFlags) certAt() *string    { return &p.cert }
func (p *policyFlags) restartAt() *string { return &p.restart }
func (p *policyFlags) daysAt() *int       { return &p.request.days }
func (p *policyFlags) renewAt() *int      { return &p.renewBefore }
func (p *policyFlags) warnAt() *int       { return &p.warnDays }

func text(at func(*policyFlags) *string) func(*policyFlags) string {
	return func(p *policyFlags) string { return *at(p) }
}

func number(at func(*policyFlags) *int) func(*policyFlags) string {
	return func(p *policyFlags) string { return strconv.Itoa(*at(p)) }
}

func word(at func(*policyFlags) *string, allowed ...string) func(*policyFlags, string) error {
	return func(p *policyFlags, value string) error {
		if !slices.Contains(allowed, value) {
			return errors.New("is not " + orList(allowed))
		}
		*at(p) = value
		return nil
	}
}

func days(at func(*policyFlags) *int, low, high int) func(*policyFlags, string) error {
	return func(p *policyFlags, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < low || n > high {
			return fmt.Errorf("is not a number of days between %d and %d", low, high)
		}
		*at(p) = n
		return nil
	}
}

func setFor(p *policyFlags, value string) error {
	p.forTime = value
	_, err := p.deadline()
	if value == "" || err != nil {
		return errors.New("is not ever, or a time between 1m and 3660d such as 14d")
	}
	return nil
}

func setNames(p *policyFlags, value string) error {
	r := requestFlags{names: words(value), key: string(certs.RSA2048), days: int(certs.DefaultLifetime / day)}
	if _, err := r.request(); err != nil || len(r.names) == 0 {
		return errors.New("is not a list of host names and addresses, with commas between them")
	}
	p.request.names = r.names
	return nil
}

func setKey(p *policyFlags, value string) error {
	var known []string
	for _, k := range certs.KeyTypes() {
		known = append(known, string(k))
	}
	if !slices.Contains(known, value) {
		return errors.New("is not " + orList(known))
	}
	p.request.key = value
	return nil
}

func setIgnore(p *policyFlags, value string) error {
	codes := words(value)
	for _, c := range codes {
		if _, known := diagnose.Describe(diagnose.Code(c)); !known {
			return fmt.Errorf("names %q, which is no finding code (xrdpfix explain lists them)", c)
		}
	}
	p.ignore = codes
	return nil
}

// words splits a list with commas or blanks between its parts.
func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}

// policyFile is what policy.ini states.
type policyFile struct {
	name  string // as it is shown
	flags policyFlags
	lines map[string]int // by setting
}

// readPolicy reads and checks the policy of the machine at work.
func (a *app) readPolicy() (*policyFile, error) {
	f := newPolicyFile(filepath.Join(a.global.root, host.PolicyPath))
	data, err := host.ReadPolicy(a.global.root)
	switch {
	case errors.Is(err, host.ErrUntrustedPolicy):
		return f, fail(7, reasonPolicy, fmt.Errorf("policy refused: %w", err), "ls -ld "+filepath.Dir(f.name)+" "+f.name,
			"root's, mode 0644, in a directory of root's")
	case errors.Is(err, fs.ErrPermission):
		return f, fail(6, reasonNotPermitted, fmt.Errorf("the policy cannot be read: %w", err), "sudo "+a.next(a.command))
	case err != nil:
		return f, fail(2, reasonPolicy, fmt.Errorf("the policy cannot be read: %w", err))
	}
	return f, f.parse(data)
}

func newPolicyFile(name string) *policyFile {
	return &policyFile{name: name, flags: defaultPolicy(), lines: map[string]int{}}
}

// parse takes what the file states, and says which line of it cannot be.
func (f *policyFile) parse(data []byte) error {
	list, err := xrdpconf.ReadSettings(data)
	if bad := (*xrdpconf.SettingError)(nil); errors.As(err, &bad) {
		return f.wrong(bad.Line, bad.Reason, "a line of it is KEY = VALUE, [SECTION], or a comment after #")
	}
	for _, s := range list {
		if err := f.take(s); err != nil {
			return err
		}
	}
	return f.check()
}

// wrong is an error in a line of the file, 0 for all of it.
func (f *policyFile) wrong(line int, why string, hints ...string) error {
	at := f.name
	if line > 0 {
		at += ":" + strconv.Itoa(line)
	}
	return fail(2, reasonPolicy, errors.New(at+": "+why), hints...)
}

func (f *policyFile) take(s xrdpconf.Setting) error {
	i := slices.IndexFunc(policyKeys, func(k policyKey) bool { return k.name == s.Key })
	if i < 0 {
		return f.wrong(s.Line, fmt.Sprintf("there is no setting %q", s.Key), nearKey(s.Key))
	}
	k := policyKeys[i]
	if s.Section != k.section {
		where := "in [" + s.Section + "]"
		if s.Section == "" {
			where = "above every section"
		}
		return f.wrong(s.Line, fmt.Sprintf("%s does not belong %s", k.name, where), fmt.Sprintf("put it below a line [%s]", k.section))
	}
	if err := k.set(&f.flags, s.Value); err != nil {
		return f.wrong(s.Line, fmt.Sprintf("%s %q %s", k.name, s.Value, err), k.name+" = "+k.example)
	}
	f.lines[k.name] = s.Line
	return nil
}

// nearKey is the setting that was probably meant, or all of them.
func nearKey(key string) string {
	best, near, shared := "", "", 2
	plain := strings.NewReplacer("-", "", "_", "").Replace(key)
	var names []string
	for _, k := range policyKeys {
		names = append(names, k.name)
		if name := strings.ReplaceAll(k.name, "-", ""); len(plain) > 2 && (strings.Contains(name, plain) || strings.Contains(plain, name)) && len(k.name) > len(best) {
			best = k.name
		}
	}
	for _, k := range policyKeys {
		// A slip of the finger leaves the beginning: the longest one wins.
		name := strings.ReplaceAll(k.name, "-", "")
		n := 0
		for n < min(len(name), len(plain)) && name[n] == plain[n] {
			n++
		}
		if best == "" && n > shared {
			shared, near = n, k.name
		}
	}
	if best = cmp.Or(best, near); best != "" {
		return best + " is one"
	}
	return "the settings are " + strings.Join(names, ", ")
}

// check holds the settings of the file against each other.
func (f *policyFile) check() error {
	p, line := &f.flags, f.lines
	low, high := p.tlsMin, p.tlsMax
	switch {
	case p.profile != "" && low+high != "":
		return f.wrong(max(line["tls-min"], line["tls-max"]), "profile and tls-min or tls-max contradict each other", "keep one of them")
	case p.profile == "legacy" && p.forTime == "":
		return f.wrong(line["profile"], "profile legacy lets TLS 1.0 and 1.1 in; say for how long", "for = 14d", "for = ever")
	case p.forTime != "" && p.profile == "" && low+high == "":
		return f.wrong(line["for"], "for says how long a range is let in, and no range is stated", "profile = legacy")
	case low != "" && high != "" && low > high: // one digit each
		return f.wrong(max(line["tls-min"], line["tls-max"]), fmt.Sprintf("tls-min %s is above tls-max %s", low, high), "tls-min = "+high)
	case line["renew-before"] > 0 && p.renewBefore >= p.request.days:
		return f.wrong(line["renew-before"], fmt.Sprintf("renew-before %d: a certificate of %d days would always be renewed", p.renewBefore, p.request.days),
			fmt.Sprintf("renew-before = %d", max(1, p.request.days/3)))
	}
	return nil
}

// defaultPolicy is that of somebody who states nothing.
func defaultPolicy() policyFlags {
	return policyFlags{
		cert: string(repair.CertAuto), restart: string(repair.RestartAuto), warnDays: diagnose.DefaultWarnDays, renewBefore: diagnose.DefaultWarnDays,
		request: requestFlags{key: string(certs.RSA2048), days: int(certs.DefaultLifetime / day)},
	}
}
