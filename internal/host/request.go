package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
	"xrdpfix/repair"
)

// RequestDir holds keys whose certificates are still with a CA, root only.
const RequestDir = diagnose.OwnDir + "/requests"

// ErrNoRequest tells that no key that "cert request" made belongs to a certificate.
var ErrNoRequest = errors.New("no key on this machine belongs to this certificate")

// MakeRequest makes a key that stays here and returns the request for it, and
// the name of its directory below RequestDir.
func (m *Machine) MakeRequest(req certs.Request) (csr []byte, id string, err error) {
	csr, key, err := certs.SigningRequest(rand.Reader, req)
	if err != nil {
		return nil, "", err
	}
	defer clear(key)
	if _, err := m.root.MkdirAll(diagnose.OwnDir, atomicfile.Attr{Mode: 0o755}); err != nil {
		return nil, "", err
	}
	// Two may be made in one second: the one who makes the directory has it.
	var dir string
	for t := m.cfg.Now(); ; t = t.Add(time.Second) {
		id = repair.ID(t)
		dir = path.Join(RequestDir, id)
		made, err := m.root.MkdirAll(dir, rootOnly)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, "", err
		}
		if n := len(made); n > 0 && path.Base(made[n-1]) == id {
			break
		}
	}
	for name, data := range map[string][]byte{"key.pem": key, "request.pem": csr} {
		_, err := m.root.Write(path.Join(dir, name), data, atomicfile.Attr{Mode: 0o600}, atomicfile.Options{Expect: &atomicfile.State{}})
		if durable(err) != nil {
			for _, made := range []string{"key.pem", "request.pem"} {
				_ = m.root.Remove(path.Join(dir, made))
			}
			_ = m.root.RemoveDir(dir)
			return nil, "", err
		}
	}
	return csr, id, nil
}

// RequestedKey finds the key of a certificate among those that MakeRequest made.
// ErrNoRequest if there is none.
func (m *Machine) RequestedKey(cert []byte) ([]byte, error) {
	list, err := m.root.ReadDir(RequestDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range list {
		key, err := m.root.ReadFile(path.Join(RequestDir, e.Name, "key.pem"), maxPair)
		if err != nil {
			continue
		}
		if _, _, err := certs.Bundle(cert, key); err == nil {
			return key, nil
		}
		clear(key)
	}
	return nil, fmt.Errorf("%w (looked in %s)", ErrNoRequest, RequestDir)
}
