package diagnose

import (
	"time"

	"xrdpfix/certs"
)

// KeyOrigin tells where the private key comes from, as far as files tell it.
type KeyOrigin struct {
	// Changed is when the key file last changed in any way (its ctime). A copy of
	// the file, also one that keeps the time of modification, begins anew; a copy
	// of the whole disk does not.
	Changed time.Time `json:"changed,omitzero"`
	// MachineID is when /etc/machine-id was written: the first boot of an image,
	// or the installation. Zero where it is not known.
	MachineID time.Time `json:"machine_id,omitzero"`
	// HostKeys is when the oldest of SSH's host keys was made, zero for none.
	HostKeys time.Time `json:"host_keys,omitzero"`
	// Snakeoil is PublicSHA256 of ssl-cert's machine-wide key, "" for none.
	Snakeoil string `json:"snakeoil,omitempty"`
}

// CertSource is the original of a copied pair.
type CertSource struct {
	// Elsewhere: the pair lies in our directory, and was made by somebody else.
	Elsewhere bool `json:"elsewhere,omitempty"`
	// Path is the certificate file that was copied; "" where there is none to watch.
	Path string         `json:"path,omitempty"`
	Cert certs.CertInfo `json:"certificate"`
	// Key is the key file beside it that belongs to it, "" where none was found.
	Key string `json:"key,omitempty"`
}

// SourceName is the file beside a copied pair of ours that names the original:
// one line with the path of its certificate.
const SourceName = "source"

// Leftovers are the endings that package managers give to the version of a
// configuration file that they did not put into force: dpkg, ucf and rpm, and
// rpm's for one that it took out of force.
var Leftovers = []string{".dpkg-dist", ".dpkg-new", ".ucf-dist", ".ucf-new", ".rpmnew", ".rpmsave"}
