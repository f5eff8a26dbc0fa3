package host

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
)

// leftovers reads what package upgrades left beside xrdp.ini and sesman.ini.
func (m *Machine) leftovers() ([]diagnose.FileFact, error) {
	out := []diagnose.FileFact{}
	for _, of := range []string{m.configPath(), diagnose.SesmanPath} {
		for _, ending := range diagnose.Leftovers {
			f, err := m.file(of + ending)
			if err != nil {
				return nil, err
			}
			if f.Exists {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// certSource inspects the original of a pair that we copied.
func (m *Machine) certSource(cert string) (diagnose.CertSource, error) {
	var s diagnose.CertSource
	if !diagnose.OwnPath(cert) {
		return s, nil
	}
	const maxPath = 4096
	line, err := m.root.ReadFile(path.Join(path.Dir(cert), diagnose.SourceName), maxPath)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Elsewhere = true
	name, _, _ := strings.Cut(string(line), "\n")
	if !path.IsAbs(name) {
		return s, nil
	}
	data, err := m.root.ReadFile(name, maxPair)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil // gone: nothing to compare with
	}
	if err != nil {
		return s, err
	}
	s.Path, s.Cert = name, certs.Inspect(data, nil).Cert
	s.Key = m.keyBeside(name, data)
	return s, nil
}

// keyBeside finds the key of a certificate file under the names that ACME
// clients and administrators give it.
func (m *Machine) keyBeside(cert string, data []byte) string {
	dir, base := path.Split(cert)
	stem := strings.TrimSuffix(base, path.Ext(base))
	for _, name := range []string{
		"privkey.pem", // certbot, dehydrated
		stem + ".key", // acme.sh, lego
		strings.ReplaceAll(base, "cert", "key"), "key.pem", "server.key",
		path.Base(dir) + ".key", // acme.sh: DOMAIN/fullchain.cer
		base,                    // one file for both
	} {
		key, err := m.root.ReadFile(dir+name, maxPair)
		if err != nil {
			continue
		}
		pair := certs.Inspect(data, key)
		if name != base {
			clear(key)
		}
		if pair.Match {
			return dir + name
		}
	}
	return ""
}

// keyOrigin looks at what tells where the key comes from. Times of change are
// the kernel's; an offline tree has those of its copying, so it is not asked.
func (m *Machine) keyOrigin(key string) (diagnose.KeyOrigin, error) {
	var o diagnose.KeyOrigin
	var st unix.Stat_t
	if key == "" {
		return o, nil
	}
	if err := unix.Stat(key, &st); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return o, nil
		}
		return o, &fs.PathError{Op: "stat", Path: key, Err: err}
	}
	o.Changed = time.Unix(st.Ctim.Unix()).UTC()
	if unix.Stat("/etc/machine-id", &st) == nil {
		o.MachineID = time.Unix(st.Mtim.Unix()).UTC()
	}
	for _, kind := range []string{"rsa", "ecdsa", "ed25519"} {
		if unix.Stat("/etc/ssh/ssh_host_"+kind+"_key", &st) != nil {
			continue
		}
		if t := time.Unix(st.Mtim.Unix()).UTC(); o.HostKeys.IsZero() || t.Before(o.HostKeys) {
			o.HostKeys = t
		}
	}
	// The certificate tells the same about the key, and anybody may read it.
	if data, err := m.root.ReadFile("/etc/ssl/certs/ssl-cert-snakeoil.pem", maxPair); err == nil {
		o.Snakeoil = certs.Inspect(data, nil).Cert.PublicSHA256
	}
	return o, nil
}
