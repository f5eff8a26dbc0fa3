package diagnose

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"xrdpfix/xrdpconf"
)

// TestFindingsAreOfTheInstalledVersion: up to 0.9.26 the blanks stay around a value that
// is not UTF-8, so that a path behind one is relative, and xrdp takes the default
// instead; from 0.10 on it is the path that was meant.
func TestFindingsAreOfTheInstalledVersion(t *testing.T) {
	for version, want := range map[string][]Code{
		"0.9.21.1": {CertPathInvalid},
		"0.10.1":   nil,
		"":         nil, // not known: read as 0.10
	} {
		f := healthy()
		f.Package.Value.Version = version
		f.Config = Seen(fileFact(ConfigPath, strings.Replace(healthyIni, "certificate=/", "certificate= /\xfc/", 1)))
		var got []Code
		for _, x := range Run(f, Settings{}) {
			if x.Code == CertPathInvalid {
				got = append(got, x.Code)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("xrdp %q: %v, want %v; the certificate is %q", version, got, want, f.Server().Certificate)
		}
	}
}

// TestParsedOnce: the same bytes are parsed once for a version, other ones never taken
// for them, however many ask at once.
func TestParsedOnce(t *testing.T) {
	f := healthy()
	first := f.ConfigFile()
	if f.ConfigFile() != first || f.SesmanFile() == first {
		t.Error("the same file was parsed twice, or another taken for it")
	}
	again := f
	again.Package.Value.Version = "0.10.1"
	if again.ConfigFile() == first {
		t.Error("another version has the same reading")
	}
	again = f
	again.Config = Seen(fileFact(ConfigPath, healthyIni+"\n"))
	if again.ConfigFile() == first || string(again.ConfigFile().Bytes()) != healthyIni+"\n" {
		t.Error("another text has the same reading")
	}
	var wg sync.WaitGroup
	for i := range 2 * maxParsed {
		wg.Go(func() {
			text := healthyIni + strings.Repeat("\n", i%(maxParsed+1))
			for range 50 {
				if got := string(parse(ConfigPath, []byte(text), xrdpconf.Version{}).Bytes()); got != text {
					t.Errorf("%q was parsed, not %q", got, text)
				}
			}
		})
	}
	wg.Wait()
	if n := len(parsed.files); n > maxParsed {
		t.Errorf("%d files are kept", n)
	}
}
