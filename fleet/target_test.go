package fleet

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
)

// all lists what a text names, ranges allowed.
func all(text string) ([]string, error) {
	l := List{Rules: Rules{Port: 3389, Ranges: true}}
	if err := l.Add(text); err != nil {
		return nil, err
	}
	var out []string
	for t := range l.All() {
		out = append(out, t.String())
		if len(out) == 5 {
			break
		}
	}
	return out, nil
}

func TestTargets(t *testing.T) {
	for _, tt := range []struct {
		text string
		want string // the first five
		err  error
		n    int // how many; 0 for as many as want has
	}{
		{text: "desk01", want: "desk01:3389"},
		{text: "desk01:3390", want: "desk01:3390"},
		{text: "Desk01.Example.org.", want: "Desk01.Example.org.:3389"},
		{text: "desk_01", want: "desk_01:3389"},
		{text: "10-0-0-5.example.org", want: "10-0-0-5.example.org:3389"},
		{text: "192.0.2.5-host.example.org", want: "192.0.2.5-host.example.org:3389"},
		{text: "bücher.example", want: "bücher.example:3389"},
		{text: "192.0.2.10", want: "192.0.2.10:3389"},
		{text: "192.0.2.10:1", want: "192.0.2.10:1"},
		{text: "::1", want: "[::1]:3389"},
		{text: "[::1]", want: "[::1]:3389"},
		{text: "[::1]:3390", want: "[::1]:3390"},
		{text: "2001:DB8:0::5", want: "[2001:db8::5]:3389"},
		{text: "fe80::1%eth0", want: "[fe80::1%eth0]:3389"},
		{text: "fe80::1%br-lan", want: "[fe80::1%br-lan]:3389"},
		{text: "[192.0.2.10]:3390", want: "192.0.2.10:3390"},

		{text: "192.0.2.4/30", want: "192.0.2.4:3389 192.0.2.5:3389 192.0.2.6:3389 192.0.2.7:3389"},
		{text: "192.0.2.6/31:3390", want: "192.0.2.6:3390 192.0.2.7:3390"},
		{text: "192.0.2.9/32", want: "192.0.2.9:3389"},
		{text: "10.1.255.254-10.2.0.1", want: "10.1.255.254:3389 10.1.255.255:3389 10.2.0.0:3389 10.2.0.1:3389"},
		{text: "192.0.2.8-9", want: "192.0.2.8:3389 192.0.2.9:3389"},
		{text: "192.0.2.8-8:3390", want: "192.0.2.8:3390"},
		{text: "255.255.255.254-255", want: "255.255.255.254:3389 255.255.255.255:3389"},
		{text: "2001:db8::fffe/127", want: "[2001:db8::fffe]:3389 [2001:db8::ffff]:3389"},
		{text: "[2001:db8::/127]:3390", want: "[2001:db8::]:3390 [2001:db8::1]:3390"},
		{text: "2001:db8::9-b", want: "[2001:db8::9]:3389 [2001:db8::a]:3389 [2001:db8::b]:3389"},
		{text: "2001:db8::ffff:ffff-2001:db8::1:0:0", want: "[2001:db8::ffff:ffff]:3389 [2001:db8::1:0:0]:3389"},
		{text: "10.0.0.0/16", want: "10.0.0.0:3389 10.0.0.1:3389 10.0.0.2:3389 10.0.0.3:3389 10.0.0.4:3389", n: 65536},
		{text: "10.0.0.0-10.0.255.255", want: "10.0.0.0:3389 10.0.0.1:3389 10.0.0.2:3389 10.0.0.3:3389 10.0.0.4:3389", n: 65536},

		{text: "10.0.0.0/15", err: ErrRangeSize},
		{text: "0.0.0.0/0", err: ErrRangeSize},
		{text: "::/0", err: ErrRangeSize},
		{text: "2001:db8::/111", err: ErrRangeSize},
		{text: "10.0.0.0-10.1.0.0", err: ErrRangeSize},
		{text: "::-ffff::", err: ErrRangeSize},
		{text: "192.0.2.9-8", err: ErrRangeSize},
		{text: "192.0.2.9-300", err: ErrRangeSize},
		{text: "192.0.2.9-::1", err: ErrRangeSize},

		{text: "", err: ErrTarget},
		{text: ":3389", err: ErrTarget},
		{text: "desk01:", err: ErrTarget},
		{text: "desk01:0", err: ErrTarget},
		{text: "desk01:65536", err: ErrTarget},
		{text: "desk01:rdp", err: ErrTarget},
		{text: "a:b:c", err: ErrTarget},
		{text: "[::1", err: ErrTarget},
		{text: "[::1]3389", err: ErrTarget},
		{text: "[::1]:", err: ErrTarget},
		{text: "192.0.2.300", err: ErrTarget},
		{text: "192.0.2.0/33", err: ErrTarget},
		{text: "192.0.2.0/24/24", err: ErrTarget},
		{text: "desk01/24", err: ErrTarget},
		{text: "rdp://desk01", err: ErrTarget},
		{text: "anna@desk01", err: ErrTarget},
		{text: "desk 01", err: ErrTarget},
		{text: "desk\x1b[31m", err: ErrTarget},
		{text: "-h", err: ErrTarget},
		{text: "fe80::1%a[b", err: ErrTarget},
		{text: ".", err: ErrTarget},
		{text: strings.Repeat("a", 254), err: ErrTarget},
	} {
		got, err := all(tt.text)
		if !errors.Is(err, tt.err) || strings.Join(got, " ") != tt.want {
			t.Errorf("%q: %q, %v; want %q, %v", tt.text, got, err, tt.want, tt.err)
		}
		if tt.n > 0 {
			l := List{Rules: Rules{Port: 3389, Ranges: true}}
			if err := l.Add(tt.text); err != nil || l.Len() != tt.n {
				t.Errorf("%q: %d targets, %v; want %d", tt.text, l.Len(), err, tt.n)
			}
		}
	}
}

func TestList(t *testing.T) {
	l := List{Rules: Rules{Port: 3389, Ranges: true}}
	file := "\ufeffdesk01\n\n# all of floor 2\n  desk02:3390\t# Anna's\r\n192.0.2.2/31\nDESK01\n192.0.2.0-192.0.2.4\n"
	if err := l.Read(strings.NewReader(file), "hosts"); err != nil {
		t.Fatal(err)
	}
	if err := l.Add("192.0.2.3:3389"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for t := range l.All() {
		s := t.String()
		if t.Ranged {
			s += " ranged"
		}
		got = append(got, s)
	}
	want := []string{"desk01:3389", "desk02:3390", "192.0.2.2:3389 ranged", "192.0.2.0:3389 ranged", "192.0.2.1:3389 ranged", "192.0.2.4:3389 ranged", "192.0.2.3:3389"}
	if !slices.Equal(got, want) || l.Len() != len(want) || l.Repeated() != 1 {
		t.Errorf("%q, %d repeated; want %q, 1", got, l.Repeated(), want)
	}
	if _, alone := l.Alone(); alone {
		t.Error("many are one")
	}
	one := List{Rules: Rules{Port: 3389}}
	if err := errors.Join(one.Add("desk01"), one.Add("desk01:3389")); err != nil {
		t.Fatal(err)
	}
	if got, alone := one.Alone(); !alone || got.String() != "desk01:3389" {
		t.Errorf("Alone: %v, %t", got, alone)
	}
}

func TestListRefuses(t *testing.T) {
	for _, tt := range []struct {
		file, want string
		is         error
	}{
		{"desk01\n\nno host\n", `hosts:3: "no host" is not HOST or HOST:PORT`, ErrTarget},
		{"192.0.2.0/24\n", `hosts:1: "192.0.2.0/24" is a range of addresses`, ErrRange},
		{"192.0.2.1-9\n", `hosts:1: "192.0.2.1-9" is a range of addresses`, ErrRange},
		{"10.0.0.0/8\n", `hosts:1: "10.0.0.0/8" is not a range of 1 to 65536 addresses`, ErrRangeSize},
		{strings.Repeat("a", 5000), "hosts: not HOST or HOST:PORT: a line is longer than 4096 bytes", ErrTarget},
	} {
		l := List{Rules: Rules{Port: 3389}}
		err := l.Read(strings.NewReader(tt.file), "hosts")
		if err == nil || err.Error() != tt.want || !errors.Is(err, tt.is) {
			t.Errorf("%.20q: %v, want %s", tt.file, err, tt.want)
		}
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"desk01", "desk01:3390", "[::1]:1", "192.0.2.0/30", "192.0.2.1-9", "::1-5", "fe80::1%eth0", "[2001:db8::/126]:5", "", "a/b", "[", "1-2-3", "::ffff:192.0.2.1-5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := List{Rules: Rules{Port: 3389, Ranges: true}}
		if err := l.Add(text); err != nil {
			if !errors.Is(err, ErrTarget) && !errors.Is(err, ErrRangeSize) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if n := l.Len(); n < 1 || n > MaxRange {
			t.Fatalf("%q: %d targets", text, n)
		}
		for target := range l.All() {
			if host, _, err := net.SplitHostPort(target.String()); err != nil || host != target.Host {
				t.Fatalf("%q: %q is split into %q, %v", text, target, host, err)
			}
			again := List{Rules: Rules{Port: 1}}
			if err := again.Add(target.String()); err != nil {
				t.Fatalf("%q gives %q, and that is refused: %v", text, target, err)
			}
			if back, alone := again.Alone(); !alone || back.String() != target.String() {
				t.Fatalf("%q gives %q, and that gives %q", text, target, back)
			}
		}
	})
}
