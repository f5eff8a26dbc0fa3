package diagnose

import (
	"fmt"
	"slices"
	"time"

	"xrdpfix/xrdpconf"
)

// Settings steer judgement where the administrator stated something.
type Settings struct {
	// WarnDays is how many days before its end a certificate is reported; 0 means 30.
	WarnDays int
	// RenewBefore is how many days before its end a pair of ours is renewed; 0 means
	// WarnDays.
	RenewBefore int
	// Names are what the certificate is stated to name, none where nothing is stated.
	Names []string
	// Wanted is the stated TLS range, zero where none is stated.
	Wanted xrdpconf.Range
	// Declared obeys the range in sesman.ini as if it were stated.
	Declared bool
	// Client is the address of one client that somebody asks about, "" for none.
	Client string
}

// DefaultWarnDays is the lead time of cert-expiring, as certbot's default renewal window.
const DefaultWarnDays = 30

// view is what the checks look at: the facts and what follows from them.
type view struct {
	*Facts
	set     Settings
	server  xrdpconf.Server
	sesman  xrdpconf.SessionManager
	raw     *xrdpconf.File // xrdp.ini as it is
	ini     *xrdpconf.File // and as it was meant: its findings are not consequences of a cut
	sesIni  *xrdpconf.File
	version xrdpconf.Version
	now     time.Time
	daemon  Identity
	known   bool // the daemon's identity is known
}

// Run judges the facts. It is pure: no clock, no machine, and the order of the
// findings is the catalogue's. Consequences of another finding are left out.
func Run(f Facts, set Settings) []Finding {
	if set.WarnDays == 0 {
		set.WarnDays = DefaultWarnDays
	}
	if set.RenewBefore == 0 {
		set.RenewBefore = set.WarnDays
	}
	v := &view{
		Facts: &f, set: set, server: f.MeantServer(), raw: f.ConfigFile(), sesIni: f.SesmanFile(), now: f.Taken,
	}
	v.ini, _, _ = f.Meant()
	v.sesman = xrdpconf.ReadSessionManager(v.sesIni, nil)
	v.version = f.version()
	v.daemon, v.known = f.Daemon.Serving()

	var found []Finding
	for _, check := range checks {
		found = append(found, check(v)...)
	}
	if v.pairPending() {
		found = withoutPair(found)
	}
	return order(silence(found))
}

// checks in no particular order: order and silence come afterwards.
var checks = []func(*view) []Finding{
	checkPackage, checkConfigFile, checkLint,
	checkPaths, checkPair, checkValidity, checkSuitable, checkServed,
	checkSecurityLayer, checkCryptLevel, checkRSAKeys,
	checkVersions, checkCiphers, checkCiphersNarrow, checkSecretsLogged, checkDeclaredRange, checkRangeBlocked,
	checkService, checkPort, checkLog,
	checkDenied, checkKeyShared, checkChain, checkCopyStale, checkPasswords, checkManaged, checkLeftovers,
	checkRuntimeUser, checkRestartPending, checkSesman, checkFirewall,
	checkWire, checkClients, checkNeverArrived,
	checkApplied, checkFirstBoot,
}

// silence drops each finding that a found cause explains.
func silence(found []Finding) []Finding {
	var codes []Code
	for _, x := range found {
		codes = append(codes, x.Code)
	}
	var kept []Finding
	for _, x := range found {
		e, _ := Describe(x.Code)
		if !slices.ContainsFunc(e.DependsOn, func(c Code) bool { return slices.Contains(codes, c) }) {
			kept = append(kept, x)
		}
	}
	return kept
}

// order sorts by severity, then by the catalogue, then by subject.
func order(found []Finding) []Finding {
	rank := map[Code]int{}
	for i, e := range catalogue {
		rank[e.Code] = i
	}
	weight := map[Severity]int{Error: 0, Warning: 1, Info: 2}
	slices.SortStableFunc(found, func(x, y Finding) int {
		if d := weight[x.Severity] - weight[y.Severity]; d != 0 {
			return d
		}
		return rank[x.Code] - rank[y.Code]
	})
	return found
}

// Worst is the highest severity among the findings, "" for none.
func Worst(found []Finding) Severity {
	worst := Severity("")
	for _, x := range found {
		switch {
		case x.Severity == Error:
			return Error
		case x.Severity == Warning || worst == "":
			worst = x.Severity
		}
	}
	return worst
}

// finding starts a finding from the catalogue's entry.
func finding(code Code, mend Mend, format string, args ...any) Finding {
	e, _ := Describe(code)
	return Finding{
		Code: code, Severity: e.Severity, Title: e.Meaning, Mend: mend,
		Detail: fmt.Sprintf(format, args...), Evidence: []Evidence{},
	}
}

func (x Finding) because(ev ...Evidence) Finding {
	x.Evidence = append(x.Evidence, ev...)
	return x
}

func (x Finding) remedy(format string, args ...any) Finding {
	x.Remedy = fmt.Sprintf(format, args...)
	return x
}

func (x Finding) commands(c ...string) Finding {
	x.Commands = c
	return x
}

func (x Finding) about(subject string) Finding {
	x.Subject = subject
	return x
}

func inFile(path string, line int, text string) Evidence {
	return Evidence{Kind: "file", Source: path, Line: line, Text: text}
}
