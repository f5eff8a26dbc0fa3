package opensslconf

import (
	"io/fs"
)

// Source is where files and the environment come from.
type Source struct {
	// ReadFile reads a whole file. What it returns for a missing one must be
	// fs.ErrNotExist.
	ReadFile func(name string) ([]byte, error)
	// ReadDir lists the names in a directory, and fails for anything else. Nil
	// means that no directory is ever included.
	ReadDir func(name string) ([]string, error)
	// Getenv is the environment of the program that reads the configuration,
	// for $ENV::name. Nil means an empty one.
	Getenv func(name string) (string, bool)
}

func (s Source) readDir(name string) ([]string, error) {
	if s.ReadDir == nil {
		return nil, fs.ErrInvalid
	}
	return s.ReadDir(name)
}

func (s Source) getenv(name string) (string, bool) {
	if s.Getenv == nil {
		return "", false
	}
	return s.Getenv(name)
}

// debianLink is OPENSSLDIR/openssl.cnf of Debian's build: a link to
// /etc/ssl/openssl.cnf.
const debianLink = "/usr/lib/ssl/openssl.cnf"

// Path names the file that a program reads: conf, its OPENSSL_CONF, or where
// that is empty the file of the distribution's build: /etc/ssl/openssl.cnf on
// Debian, Ubuntu and openSUSE, /etc/pki/tls/openssl.cnf on Fedora and RHEL.
func Path(conf string, src Source) string {
	if conf != "" {
		return conf
	}
	const debian, fedora = "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf"
	if _, err := src.ReadFile(debianLink); err == nil {
		return debian
	}
	if _, err := src.ReadFile(fedora); err == nil {
		return fedora
	}
	return debian
}
