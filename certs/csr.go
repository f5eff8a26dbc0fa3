package certs

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"time"
)

// SigningRequest makes a key and a request for a certificate (PKCS#10, RFC 2986)
// that a CA turns into one for a TLS server. Both come as PEM, the key as
// unencrypted PKCS#8. Of req, Lifetime does not matter: the CA decides. The errors
// are those of [SelfSigned].
func SigningRequest(rand io.Reader, req Request) (csrPEM, keyPEM []byte, err error) {
	req, err = req.normalize(time.Time{})
	if err != nil {
		return nil, nil, fmt.Errorf("certificate request: %w", err)
	}
	key, err := generateKey(rand, req.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("generate %s key: %w", req.Key, err)
	}
	template := &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: req.CommonName},
		DNSNames: req.DNSNames,
	}
	for _, a := range req.Addrs {
		template.IPAddresses = append(template.IPAddresses, net.IP(a.AsSlice()))
	}
	der, err := x509.CreateCertificateRequest(rand, template, key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign request: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("marshal private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: blockPKCS8, Bytes: pkcs8}), nil
}
