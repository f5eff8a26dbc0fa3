//go:build lab

package xrdpconf

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// sessionManager compares what xrdp-sesman --dump-config prints.
func (o oracle) sessionManager(t *testing.T) {
	all := corpus(KindSessionManager, generatedManager)
	maps.Copy(all, stockTexts(t, "sesman.ini"))
	answers := o.ask(t, "sesman.py", files(all))
	lines := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name] == "" {
			continue // prints nothing else than the defaults, and is no file to 0.10
		}
		f := Parse("sesman.ini", []byte(all[name]), WithEnv(testEnv), ForVersion(o.version))
		got, want := answers[name], o.dump(f)
		for _, w := range want {
			if !strings.Contains("\n"+got, "\n"+w+"\n") {
				t.Errorf("%s: sesman %v does not print\n%q\nbut\n%q\nof %.3000q", name, o.version, w, got, all[name])
				break
			}
		}
		m := ReadSessionManager(f, nil)
		for section, want := range map[string][]string{
			SectionXorg: m.XorgArgs, SectionXvnc: m.XvncArgs, SectionSessionVariables: entries(f, SectionSessionVariables),
		} {
			if list := dumpedList(got, section); !slices.Equal(list, want) {
				t.Errorf("%s: sesman %v has %s %q, want %q of %.3000q", name, o.version, section, list, want, all[name])
			}
			lines += len(want)
		}
		lines += len(want)
	}
	t.Logf("%d files, %d settings read alike by sesman %v", len(all), lines, o.version)
}

// dump renders the lines that sesman prints of the scalars that the package knows.
func (o oracle) dump(f *File) []string {
	m := ReadSessionManager(f, nil)
	number := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	boolean := func(section, key string) int {
		v, _ := f.Lookup(section, key)
		return number(ParseBool(v.Text))
	}
	integer := func(section, key string, missing int) int {
		return reader{f, nil, section}.integer(key, missing)
	}
	destination := func(on bool, l LogLevel) string {
		if !on {
			return "<disabled>"
		}
		return dumpLevels[l]
	}
	offset := integer(SectionSessions, "X11DisplayOffset", 10)
	if offset < 0 && o.version.AtLeast(0, 10) {
		offset = 10
	}
	out := []string{
		fmt.Sprintf("\tLogFile:       %s\r", m.Logging.File),
		fmt.Sprintf("\tLogLevel:      %s\r", dumpLevels[m.Logging.Level]),
		fmt.Sprintf("\tConsoleLevel:  %s\r", destination(m.Logging.EnableConsole, m.Logging.ConsoleLevel)),
		fmt.Sprintf("\tSyslogLevel:   %s\r", destination(m.Logging.EnableSyslog, m.Logging.SyslogLevel)),
		fmt.Sprintf("    MaxSessions:              %d", m.MaxSessions),
		fmt.Sprintf("    X11DisplayOffset:         %d", offset),
		fmt.Sprintf("    KillDisconnected:         %d", number(m.KillDisconnected)),
		fmt.Sprintf("    IdleTimeLimit:            %d", m.IdleTimeLimit),
		fmt.Sprintf("    DisconnectedTimeLimit:    %d", m.DisconnectedTimeLimit),
		fmt.Sprintf("    AllowRootLogin:            %d", boolean(SectionSecurity, "AllowRootLogin")),
		fmt.Sprintf("    MaxLoginRetry:             %d", integer(SectionSecurity, "MaxLoginRetry", 3)),
		fmt.Sprintf("    AlwaysGroupCheck:          %d", boolean(SectionSecurity, "AlwaysGroupCheck")),
	}
	if auth, ok := f.Lookup(SectionGlobals, "AuthFilePath"); ok {
		out = append(out, "    AuthFilePath:             "+auth.Text)
	}
	wm, _ := f.Lookup(SectionGlobals, "UserWindowManager")
	if !o.version.AtLeast(0, 10) {
		wm.Text = truncate(wm.Text, 31)
		address, port := m.ListenAddress, m.ListenPort
		if address == "" {
			address = "0.0.0.0"
		}
		if port == "" {
			port = "3350"
		}
		out = append(out, "    ListenAddress:            "+truncate(address, 31), "    ListenPort:               "+truncate(port, 15))
	}
	return append(out,
		fmt.Sprintf("    EnableUserWindowManager:  %d", number(boolean(SectionGlobals, "EnableUserWindowManager") == 1 && wm.Text != "")),
		"    UserWindowManager:        "+wm.Text,
	)
}

var dumpLevels = [...]string{"[CORE ] ", "[ERROR] ", "[WARN ] ", "[INFO ] ", "[DEBUG] ", "[TRACE] "}

// dumpedList returns the values of a list that sesman printed.
func dumpedList(dump, section string) (out []string) {
	_, rest, ok := strings.Cut(dump, "\n"+section+" parameters:\n")
	for ok {
		var l string
		l, rest, _ = strings.Cut(rest, "\n")
		// "    Parameter 00              value"
		if l, ok = strings.CutPrefix(l, fmt.Sprintf("    Parameter %02d              ", len(out))); ok {
			out = append(out, l)
		}
	}
	return out
}
