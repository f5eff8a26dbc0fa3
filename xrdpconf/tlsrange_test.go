package xrdpconf

import (
	"reflect"
	"testing"
)

func TestParseTLSVersion(t *testing.T) {
	for in, want := range map[string]TLSVersion{
		"1.0": TLS10, "1": TLS10, "TLSv1": TLS10, "TLSv1.0": TLS10, "tls1": TLS10,
		"1.1": TLS11, "TLSv1.1": TLS11, "TLS1.1": TLS11,
		"1.2": TLS12, "TLSv1.2": TLS12, "TLS1.2": TLS12, "tls 1.2": TLS12, "TLS v1.2": TLS12, "TLSv1_2": TLS12, `"1.2"`: TLS12, "TLS-1.2": TLS12,
		"1.3": TLS13, "v1.3": TLS13, " TLSv1.3 ": TLS13, "'TLSv1.3'": TLS13,
	} {
		if got, err := ParseTLSVersion(in); err != nil || got != want {
			t.Errorf("ParseTLSVersion(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "1.4", "SSLv3", "2", "TLS", "1.2.3", "0.9", "TLSv1.2, TLSv1.3"} {
		if got, err := ParseTLSVersion(in); err == nil {
			t.Errorf("ParseTLSVersion(%q) = %v, want an error", in, got)
		}
	}
}

func TestRange(t *testing.T) {
	tests := []struct {
		r      Range
		valid  bool
		tokens string
		text   string
	}{
		{Range{TLS12, TLS13}, true, "TLSv1.2, TLSv1.3", "TLS 1.2 to 1.3"},
		{Range{TLS10, TLS13}, true, "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3", "TLS 1.0 to 1.3"},
		{Range{TLS12, TLS12}, true, "TLSv1.2", "TLS 1.2"},
		{Range{TLS13, TLS12}, false, "", "TLS 1.3 to 1.2"},
		{Range{SSL30, TLS12}, false, "", "SSL 3.0 to 1.2"},
		{Range{}, false, "", "TLS 0x0000"},
	}
	for _, tt := range tests {
		if got := tt.r.Valid(); got != tt.valid {
			t.Errorf("%v.Valid() = %v", tt.r, got)
		}
		if got := tt.r.Tokens(); got != tt.tokens {
			t.Errorf("%v.Tokens() = %q, want %q", tt.r, got, tt.tokens)
		}
		if got := tt.r.String(); got != tt.text {
			t.Errorf("String() = %q, want %q", got, tt.text)
		}
	}
	if r := (Range{TLS11, TLS12}); r.Contains(TLS10) || !r.Contains(TLS11) || !r.Contains(TLS12) || r.Contains(TLS13) {
		t.Errorf("Contains of %v", r)
	}
}

func TestRangeOf(t *testing.T) {
	tests := []struct {
		in         []string
		want       Range
		contiguous bool
	}{
		{[]string{"TLSv1.3", "TLSv1.2"}, Range{TLS12, TLS13}, true},
		{[]string{"TLSv1", "TLSv1.3"}, Range{TLS10, TLS13}, false},
		{[]string{"SSLv3", "TLSv1.2", "TLSv1.2"}, Range{TLS12, TLS12}, true},
		{[]string{"tlsv1.2"}, Range{}, false},
		{nil, Range{}, false},
	}
	for _, tt := range tests {
		if got, ok := RangeOf(tt.in); got != tt.want || ok != tt.contiguous {
			t.Errorf("RangeOf(%q) = %v, %v, want %v, %v", tt.in, got, ok, tt.want, tt.contiguous)
		}
	}
	r := Range{TLS10, TLS13}
	valid, unknown := SplitProtocols(r.Tokens(), Version{0, 9, 21, 1})
	if back, ok := RangeOf(valid); back != r || !ok || !reflect.DeepEqual(unknown, []string(nil)) {
		t.Errorf("the tokens of %v come back as %v, %q unknown", r, back, unknown)
	}
}
