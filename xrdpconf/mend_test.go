package xrdpconf

import (
	"errors"
	"reflect"
	"testing"
)

func TestUnbracket(t *testing.T) {
	tests := []struct {
		name, text, want string
		err              error
	}{
		{"nothing to do", "[Globals]\na=1\n[x]\nb=2\n", "[Globals]\na=1\n[x]\nb=2\n", nil},
		{"port", "[Globals]\nport=tcp6://[::1]:3389 # [x]\na=1\n", "[Globals]\nport=tcp6://{::1}:3389 # [x]\na=1\n", nil},
		{"title, twice", "[Globals]\nls_title=a [b]\nx=1\ny=[c]\n[Xorg]\n", "[Globals]\nls_title=a (b)\nx=1\ny=(c)\n[Xorg]\n", nil},
		{"the value is the name of a section", "[Globals]\na=[Xorg]\nx=1\n[Xorg]\nb=1\n", "[Globals]\na=(Xorg)\nx=1\n[Xorg]\nb=1\n", nil},
	}
	for _, tt := range tests {
		f := Parse("xrdp.ini", []byte(tt.text))
		got, err := f.Unbracket()
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
		if err == nil && string(got.Bytes()) != tt.want {
			t.Errorf("%s: Unbracket of %q = %q, want %q", tt.name, tt.text, got.Bytes(), tt.want)
		}
		if string(f.Bytes()) != tt.text {
			t.Errorf("%s: the original became %q", tt.name, f.Bytes())
		}
	}
}

func TestLine(t *testing.T) {
	f := Parse("xrdp.ini", []byte("a\rb\nc\r\n\nd"))
	for n, want := range map[int]string{0: "", 1: "a\rb", 2: "c", 3: "", 4: "d", 5: ""} {
		if got := f.Line(n); got != want {
			t.Errorf("Line(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	f := Parse("xrdp.ini", []byte("[Globals]\n[a]\npassword=ask\nPassword=geheim\npampassword=asksame\n[a]\npampassword=x\nusername=y\npassword=\n"))
	want := []Place{
		{Key: "Password", Line: 4, Section: "a", Meant: "a", Fate: FateUsed},
		{Key: "pampassword", Line: 7, Section: "a", Meant: "a", Fate: FateDuplicateSection},
	}
	if got := f.Secrets(); !reflect.DeepEqual(got, want) {
		t.Errorf("Secrets = %+v, want %+v", got, want)
	}
}

func TestManagedBy(t *testing.T) {
	for text, want := range map[string]string{
		"# Ansible managed\n[Globals]\n":                           "Ansible",
		"[Globals]\n; This file is managed by Puppet, hands off\n": "Puppet",
		"[Globals]\nx=managed by puppet\n":                         "",
		"[Globals]\n; unmanaged\n":                                 "",
	} {
		if got, line, ok := Parse("x", []byte(text)).ManagedBy(); got != want || ok != (want != "") || ok && line == 0 {
			t.Errorf("ManagedBy of %q = %q, %d, %v", text, got, line, ok)
		}
	}
	for name, data := range stock(t) {
		if tool, line, ok := Parse(name, data).ManagedBy(); ok {
			t.Errorf("%s: managed by %s, line %d", name, tool, line)
		}
	}
}
