package xrdpconf

import "testing"

func TestParseVersion(t *testing.T) {
	tests := []struct {
		in   string
		want Version
		text string
	}{
		{"0.9.21.1", Version{0, 9, 21, 1}, "0.9.21.1"},
		{"0.10.6.1-3", Version{0, 10, 6, 1}, "0.10.6.1"},
		{"xrdp 0.10.1", Version{0, 10, 1, 0}, "0.10.1"},
		{"Version 0.9.5", Version{0, 9, 5, 0}, "0.9.5"},
		{"0.9.21.1-1+deb12u3", Version{0, 9, 21, 1}, "0.9.21.1"},
		{"0.10.1-3.1+deb13u2", Version{0, 10, 1, 0}, "0.10.1"},
		{"1:0.9.24-4", Version{0, 9, 24, 0}, "0.9.24"},
		{"0.10.80", Version{0, 10, 80, 0}, "0.10.80"},
		{"0.10", Version{0, 10, 0, 0}, "0.10.0"},
		{"xrdp 0.10.6.1\n  A Remote Desktop Protocol Server", Version{0, 10, 6, 1}, "0.10.6.1"},
		{"1.2.3.4.5", Version{1, 2, 3, 4}, "1.2.3.4"},
	}
	for _, tt := range tests {
		got, err := ParseVersion(tt.in)
		if err != nil || got != tt.want || got.String() != tt.text {
			t.Errorf("ParseVersion(%q) = %v (%s), %v, want %v", tt.in, got, got, err, tt.want)
		}
	}
	for _, in := range []string{"", "xrdp", "12", "x.y", "...", "99999999999999999999.1"} {
		if got, err := ParseVersion(in); err == nil {
			t.Errorf("ParseVersion(%q) = %v, want an error", in, got)
		}
	}
	if got := (Version{}).String(); got != "unknown" {
		t.Errorf("zero version is %q", got)
	}
}

func TestVersionCompare(t *testing.T) {
	ascending := []Version{{}, {0, 9, 1, 0}, {0, 9, 21, 0}, {0, 9, 21, 1}, {0, 10, 0, 0}, {0, 10, 1, 0}, {0, 10, 6, 1}, {1, 0, 0, 0}}
	for i, v := range ascending {
		for j, w := range ascending {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := v.Compare(w); got != want {
				t.Errorf("%v.Compare(%v) = %d, want %d", v, w, got, want)
			}
		}
	}
	v := Version{0, 10, 6, 1}
	for _, tt := range []struct {
		got, want bool
	}{
		{v.AtLeast(0, 10), true},
		{v.AtLeast(0, 10, 6), true},
		{v.AtLeast(0, 10, 6, 1), true},
		{v.AtLeast(0, 10, 6, 2), false},
		{v.AtLeast(0, 10, 7), false},
		{v.AtLeast(0, 9, 99), true},
		{v.AtLeast(1, 0), false},
	} {
		if tt.got != tt.want {
			t.Errorf("AtLeast of %v = %v, want %v", v, tt.got, tt.want)
		}
	}
}
