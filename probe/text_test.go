package probe

import (
	"crypto/tls"
	"testing"
)

func TestTexts(t *testing.T) {
	tests := []struct{ got, want string }{
		{ProtocolRDP.String(), "PROTOCOL_RDP"},
		{ProtocolSSL.String(), "PROTOCOL_SSL"},
		{ProtocolHybridEx.String(), "PROTOCOL_HYBRID_EX"},
		{(ProtocolSSL | ProtocolHybrid).String(), "SSL|HYBRID"},
		{Protocol(0x11).String(), "SSL|0x10"},
		{Protocol(0x10).String(), "0x10"},
		{SSLCertNotOnServer.String(), "SSL_CERT_NOT_ON_SERVER"},
		{FailureCode(0).String(), "0x00000000"},
		{FailureCode(7).String(), "0x00000007"},
		{FailureCode(0xffffffff).String(), "0xffffffff"},
		{StageTLS.String(), "tls"},
		{Stage(9).String(), "Stage(9)"},
		{EncryptionMethod(2).String(), "128BIT"},
		{EncryptionMethod(3).String(), "0x00000003"},
		{EncryptionLevel(2).String(), "CLIENT_COMPATIBLE"},
		{EncryptionLevel(0xffffffff).String(), "0xffffffff"},
		{TLSVersion(tls.VersionTLS10).String(), "TLS 1.0"},
		{TLSVersion(0x305).String(), "0x0305"},
		{AlertName(70), "protocol_version"},
		{AlertName(99), "alert 99"},
		{CipherName(0xc02f), "ECDHE-RSA-AES128-GCM-SHA256"},
		{CipherNameIANA(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
		{CipherName(0x1302), "TLS_AES_256_GCM_SHA384"},
		{CipherName(0xfafa), "0xfafa"},
		{mcsResult(14), "rt-unspecified-failure"},
		{mcsResult(99), "result 99"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

// TestCipherNames holds our table against crypto/tls, which knows the names with IANA.
func TestCipherNames(t *testing.T) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if got := CipherNameIANA(s.ID); got != s.Name {
			t.Errorf("CipherNameIANA(%#x) = %q, want %q", s.ID, got, s.Name)
		}
		if CipherName(s.ID)[:2] == "0x" {
			t.Errorf("no OpenSSL name for %s", s.Name)
		}
	}
	for i := 1; i < len(cipherSuites); i++ {
		if cipherSuites[i-1].id >= cipherSuites[i].id {
			t.Errorf("%s is out of order", cipherSuites[i].iana)
		}
	}
}

func TestAlertNames(t *testing.T) {
	for _, a := range []uint8{0, 10, 20, 40, 42, 47, 48, 70, 71, 80, 86, 90, 109, 112, 116, 120} {
		if _, ok := alertName(a); !ok {
			t.Errorf("alert %d has no name", a)
		}
	}
	if _, ok := remoteAlert(nil); ok {
		t.Error("remoteAlert found one in nil")
	}
}

// TestTextRoundTrip reads back what each type writes, odd values included.
func TestTextRoundTrip(t *testing.T) {
	for v := range uint32(40) {
		check(t, Protocol(v), new(Protocol))
		check(t, FailureCode(v), new(FailureCode))
		check(t, EncryptionMethod(v), new(EncryptionMethod))
		check(t, EncryptionLevel(v), new(EncryptionLevel))
		check(t, TLSVersion(0x2f0+v), new(TLSVersion))
		if v <= uint32(StageDone) {
			check(t, Stage(v), new(Stage))
		}
	}
	for _, bad := range []string{"", "nonsense", "0x", "0xzz", "PROTOCOL_"} {
		for _, v := range []interface{ UnmarshalText([]byte) error }{new(Protocol), new(FailureCode), new(EncryptionMethod),
			new(EncryptionLevel), new(TLSVersion), new(Stage)} {
			if err := v.UnmarshalText([]byte(bad)); err == nil {
				t.Errorf("%T read %q", v, bad)
			}
		}
	}
}

func check[T comparable, P interface {
	*T
	UnmarshalText([]byte) error
}](t *testing.T, v T, back P) {
	t.Helper()
	text, err := any(v).(interface{ MarshalText() ([]byte, error) }).MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := back.UnmarshalText(text); err != nil || *back != v {
		t.Errorf("%T %v reads back as %v, %v", v, v, *back, err)
	}
}

func TestParseTLSVersion(t *testing.T) {
	for s, want := range map[string]TLSVersion{"1.0": 0x301, "1.3": 0x304, "TLSv1": 0x301, "TLSv1.2": 0x303, "TLS 1.1": 0x302} {
		if got, err := ParseTLSVersion(s); got != want || err != nil {
			t.Errorf("ParseTLSVersion(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"1", "2.0", "tls1.2", "TLS1.2", ""} {
		if got, err := ParseTLSVersion(s); err == nil {
			t.Errorf("ParseTLSVersion(%q) = %v, want an error", s, got)
		}
	}
}
