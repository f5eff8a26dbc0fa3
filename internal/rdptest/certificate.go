package rdptest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"
)

// Certificate gives a self-signed RSA certificate for "rdptest". All tests of one program share it.
func Certificate(tb testing.TB) tls.Certificate {
	tb.Helper()
	c, err := sharedCertificate()
	if err != nil {
		tb.Fatalf("make certificate: %v", err)
	}
	return c
}

var sharedCertificate = sync.OnceValues(func() (tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "rdptest"},
		DNSNames:     []string{"rdptest"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
})

// serverTLS completes a configuration. Old versions and all cipher suites are on unless it says otherwise.
func serverTLS(config *tls.Config) (*tls.Config, error) {
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	if config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS10
	}
	if len(config.Certificates) == 0 {
		c, err := sharedCertificate()
		if err != nil {
			return nil, fmt.Errorf("make certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{c}
	}
	if config.CipherSuites == nil {
		for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			config.CipherSuites = append(config.CipherSuites, s.ID)
		}
	}
	return config, nil
}
