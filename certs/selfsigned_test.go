package certs

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

var testNow = time.Date(2026, 11, 23, 12, 0, 0, 987654321, time.UTC)

func TestSelfSigned(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")
	for _, tt := range []struct {
		name string
		req  Request
		want CertInfo
		use  x509.KeyUsage
	}{
		{
			name: "defaults",
			req:  Request{CommonName: "Desk.Example.org.", DNSNames: []string{"desk", "desk.example.org", "DESK", "192.0.2.7"}, Addrs: []netip.Addr{v4, v6}},
			want: CertInfo{
				CommonName: "desk.example.org", DNSNames: []string{"desk", "desk.example.org"}, Addrs: []netip.Addr{v4, v6},
				KeyType: "RSA", KeyBits: 2048, SignatureAlgorithm: "SHA256-RSA",
				NotBefore: time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC),
				NotAfter:  time.Date(2029, 2, 25, 10, 59, 59, 0, time.UTC),
			},
			use: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		},
		{
			name: "ECDSA, name taken from the addresses, one day",
			req:  Request{Addrs: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.7")}, Key: ECDSAP256, Lifetime: 24 * time.Hour},
			want: CertInfo{
				CommonName: "192.0.2.7", Addrs: []netip.Addr{v4},
				KeyType: "ECDSA P-256", KeyBits: 256, SignatureAlgorithm: "ECDSA-SHA256",
				NotBefore: time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC),
				NotAfter:  time.Date(2026, 11, 24, 10, 59, 59, 0, time.UTC),
			},
			use: x509.KeyUsageDigitalSignature,
		},
		{
			name: "name longer than a common name can be",
			req:  Request{DNSNames: []string{"desk." + strings.Repeat("d", 60) + ".example.org"}, Key: ECDSAP256, Lifetime: time.Hour},
			want: CertInfo{
				CommonName: "desk", DNSNames: []string{"desk." + strings.Repeat("d", 60) + ".example.org"},
				KeyType: "ECDSA P-256", KeyBits: 256, SignatureAlgorithm: "ECDSA-SHA256",
				NotBefore: time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC),
				NotAfter:  time.Date(2026, 11, 23, 11, 59, 59, 0, time.UTC),
			},
			use: x509.KeyUsageDigitalSignature,
		},
		{
			name: "RSA 3072",
			req:  Request{CommonName: "desk", Key: RSA3072, Lifetime: time.Hour},
			want: CertInfo{
				CommonName: "desk", KeyType: "RSA", KeyBits: 3072, SignatureAlgorithm: "SHA256-RSA",
				NotBefore: time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC),
				NotAfter:  time.Date(2026, 11, 23, 11, 59, 59, 0, time.UTC),
			},
			use: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			certPEM, keyPEM, err := SelfSigned(rand.Reader, testNow, tt.req)
			if err != nil {
				t.Fatal(err)
			}
			got := Inspect(certPEM, keyPEM)
			if !got.Match || got.Problems != nil {
				t.Fatalf("Inspect(SelfSigned) = match %v, problems %v", got.Match, got.Problems)
			}
			tt.want.Subject = "CN=" + tt.want.CommonName
			tt.want.Issuer = tt.want.Subject
			tt.want.SelfSigned, tt.want.ServerAuth, tt.want.ChainOrder = true, true, ChainOK
			c := got.Cert
			if len(c.Serial) < len("00:00:00:00:00:00:00:00") {
				t.Errorf("serial %s is shorter than 64 bits", c.Serial)
			}
			if c.PublicSHA256 != got.Key.PublicSHA256 {
				t.Errorf("public key of certificate %s, of key %s", c.PublicSHA256, got.Key.PublicSHA256)
			}
			c.Serial, c.SHA256, c.SHA1, c.PublicSHA256, c.DER = "", "", "", "", nil
			if !reflect.DeepEqual(c, tt.want) {
				t.Errorf("got  %+v\nwant %+v", c, tt.want)
			}

			block, rest := pem.Decode(certPEM)
			if len(rest) != 0 {
				t.Errorf("%d bytes behind the certificate", len(rest))
			}
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			if cert.KeyUsage != tt.use {
				t.Errorf("key usage %b, want %b", cert.KeyUsage, tt.use)
			}
			if !reflect.DeepEqual(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
				t.Errorf("extended key usage %v", cert.ExtKeyUsage)
			}
			if cert.IsCA || !cert.BasicConstraintsValid || cert.SerialNumber.Sign() <= 0 {
				t.Errorf("CA %v, basic constraints %v, serial %v", cert.IsCA, cert.BasicConstraintsValid, cert.SerialNumber)
			}
			if key, _ := pem.Decode(keyPEM); key == nil || key.Type != "PRIVATE KEY" {
				t.Errorf("the key is not PKCS#8 PEM")
			}
		})
	}
}

func TestSelfSignedRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		req  Request
		want error
	}{
		{"no name", Request{}, ErrName},
		{"empty DNS name", Request{CommonName: "a", DNSNames: []string{""}}, ErrName},
		{"name with a space", Request{DNSNames: []string{"a b"}}, ErrName},
		{"unset host name of the kernel", Request{CommonName: "(none)"}, ErrName},
		{"not ASCII", Request{CommonName: "schreibtisch-ü"}, ErrName},
		{"zero address", Request{CommonName: "a", Addrs: []netip.Addr{{}}}, ErrName},
		{"unknown key", Request{CommonName: "a", Key: "rsa1024"}, ErrKeyType},
		{"negative lifetime", Request{CommonName: "a", Lifetime: -1}, ErrLifetime},
		{"shorter than the resolution", Request{CommonName: "a", Lifetime: time.Millisecond}, ErrLifetime},
	} {
		// A nil source would panic if it were touched.
		if _, _, err := SelfSigned(nil, testNow, tt.req); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
	}
	far := time.Date(9999, 6, 1, 0, 0, 0, 0, time.UTC)
	if _, _, err := SelfSigned(nil, far, Request{CommonName: "a"}); !errors.Is(err, ErrLifetime) {
		t.Errorf("beyond the year 9999: error %v", err)
	}
}

func TestSelfSignedWithoutRandomness(t *testing.T) {
	for _, n := range []int{0, 40} {
		if c, k, err := SelfSigned(bytes.NewReader(make([]byte, n)), testNow, Request{CommonName: "a", Key: ECDSAP256}); err == nil || c != nil || k != nil {
			t.Errorf("%d bytes of randomness were enough: %v", n, err)
		}
	}
}

func TestSerialIsRandomAndPositive(t *testing.T) {
	for _, tt := range []struct {
		source byte
		want   string
	}{{0x00, "1"}, {0xff, "7fffffffffffffffffffffffffffffff"}, {0x80, "808080808080808080808080808081"}} {
		got, err := newSerial(bytes.NewReader(bytes.Repeat([]byte{tt.source}, 16)))
		if err != nil || got.Text(16) != tt.want {
			t.Errorf("serial from %#x: %s, %v, want %s", tt.source, got.Text(16), err, tt.want)
		}
	}
}

func TestClockOfTheEpoch(t *testing.T) {
	certPEM, _, err := SelfSigned(rand.Reader, time.Unix(0, 0), Request{CommonName: "a", Key: ECDSAP256})
	if err != nil {
		t.Fatal(err)
	}
	if c := Inspect(certPEM, nil).Cert; !c.ValidAt(time.Unix(0, 0)) {
		t.Errorf("not valid when made: %v to %v", c.NotBefore, c.NotAfter)
	}
}
