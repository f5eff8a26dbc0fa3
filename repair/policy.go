package repair

import (
	"errors"
	"time"

	"xrdpfix/certs"
	"xrdpfix/xrdpconf"
)

// Policy is what the administrator states; its zero value repairs and sets no policy.
type Policy struct {
	// SecurityLayer is "negotiate", "tls" or "rdp"; "" leaves a working one alone.
	SecurityLayer string
	// Range is the stated TLS range; zero leaves a working one alone.
	Range xrdpconf.Range
	// Declared takes the range from sesman.ini, as if it were stated.
	Declared bool
	// Cert says when a new certificate is made.
	Cert CertPolicy
	// Request shapes a new certificate; empty fields get the host's names,
	// 825 days and RSA 2048.
	Request certs.Request
	// CertOnly mends nothing but key and certificate.
	CertOnly bool
	// Install takes a pair that the Runner is given instead of making one.
	Install *Delivery
	// Restart says when xrdp is restarted.
	Restart RestartPolicy
	// Deadline undoes the change by itself; nil for never. Its At is set by the plan.
	Deadline *Deadline
	// DeadlineOfRange undoes only a change of the TLS range: what is mended besides
	// at that time stays.
	DeadlineOfRange bool
	// InPlace permits one write into a file that cannot be renamed over.
	InPlace bool
	// NoRollback keeps a change that could not be proven.
	NoRollback bool
}

// Delivery describes a pair that came from elsewhere. The key itself is not in
// it: Runner.Pair has it.
type Delivery struct {
	// Source is the certificate file that it came from, "" where it is not to
	// be watched for renewal.
	Source string `json:"source,omitempty"`
	// Cert describes the certificate.
	Cert certs.CertInfo `json:"certificate"`
}

// CertPolicy says when a new certificate is made.
type CertPolicy string

// The certificate policies.
const (
	CertAuto  CertPolicy = "auto"  // for a stated reason only
	CertKeep  CertPolicy = "keep"  // never
	CertRenew CertPolicy = "renew" // always
)

// RestartPolicy says when xrdp is restarted.
type RestartPolicy string

// The restart policies.
const (
	RestartAuto   RestartPolicy = "auto"
	RestartAlways RestartPolicy = "always"
	RestartNever  RestartPolicy = "never"
)

// Lifetime is how long a new certificate is valid: 825 days, the longest that
// Apple's clients accept of any server certificate (support.apple.com/en-us/103769).
const Lifetime = 825 * 24 * time.Hour

// Errors that callers tell apart.
var (
	// ErrStale: a file changed since the facts were taken.
	ErrStale = errors.New("changed since the plan was made")
	// ErrReplayed: the plan was made from saved facts.
	ErrReplayed = errors.New("facts from a file cannot be applied")
	// ErrConflict: a file was changed by somebody else after us.
	ErrConflict = errors.New("changed by somebody else since")
	// ErrNothingDeclared: the policy obeys sesman.ini, and that states no range.
	ErrNothingDeclared = errors.New("sesman.ini declares no TLS range")
	// ErrNoJournal: no such apply.
	ErrNoJournal = errors.New("no such apply")
)
