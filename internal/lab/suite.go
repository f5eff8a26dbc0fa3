package lab

import "fmt"

// A Suite is the code name of a Debian release.
type Suite string

// The suites of which the lab can make hosts.
const (
	Bullseye Suite = "bullseye" // xrdp 0.9.21, OpenSSL 1.1.1
	Bookworm Suite = "bookworm" // xrdp 0.9.21, OpenSSL 3.0
	Trixie   Suite = "trixie"   // xrdp 0.10.1, OpenSSL 3.5
	Forky    Suite = "forky"    // Debian testing; stands in for sid
	Sid      Suite = "sid"      // what the archive has today
)

// Suites returns the suites that every test of the whole product runs on.
func Suites() []Suite { return []Suite{Bookworm, Trixie, Sid} }

// ParseSuite returns the suite of that name.
func ParseSuite(name string) (Suite, error) {
	switch s := Suite(name); s {
	case Bullseye, Bookworm, Trixie, Forky, Sid:
		return s, nil
	}
	return "", fmt.Errorf("unknown suite %q (known: bullseye, bookworm, trixie, forky, sid)", name)
}

// mirror stands for the mirror that debootstrap chose.
const mirror = "@MIRROR@"

// sources returns the lines of the suite's apt sources.list. Without the
// updates a plain debootstrap has an xrdp that no patched server runs.
func (s Suite) sources() string {
	out := fmt.Sprintf("deb %s %s main\n", mirror, s)
	switch s {
	case Sid: // has neither updates nor security
		return out
	case Bullseye: // out of support: its security index names packages that the pool has no more
		return out + fmt.Sprintf("deb %s %s-updates main\n", mirror, s)
	}
	out += fmt.Sprintf("deb %s %s-updates main\n", mirror, s)
	return out + fmt.Sprintf("deb %s-security %s-security main\n", mirror, s)
}
