package logwatch

import (
	"testing"
	"time"
)

func TestParseLine(t *testing.T) {
	vienna := time.FixedZone("CET", 3600)
	at := time.Date(2026, 11, 22, 14, 9, 2, 0, time.UTC)
	tests := []struct {
		name string
		line string
		want Entry
		ok   bool
	}{
		{"0.9", "[20261122-15:09:02] [INFO ] xrdp_listen_pp done", Entry{Time: at, Level: LevelInfo, Text: "xrdp_listen_pp done"}, true},
		{"0.10", "[2026-11-22T15:09:02.938+0100] [WARN ] text", Entry{Time: at, Level: LevelWarning, Text: "text"}, true},
		{"0.10, another zone", "[2026-11-22T07:39:02.000-0630] [WARN ] text", Entry{Time: at, Level: LevelWarning, Text: "text"}, true},
		{"core", "[20261122-15:09:02] [CORE ] text", Entry{Time: at, Level: LevelCore, Text: "text"}, true},
		{"error", "[20261122-15:09:02] [ERROR] text", Entry{Time: at, Level: LevelError, Text: "text"}, true},
		{"debug", "[20261122-15:09:02] [DEBUG] text", Entry{Time: at, Level: LevelDebug, Text: "text"}, true},
		{"trace", "[20261122-15:09:02] [TRACE] text", Entry{Time: at, Level: LevelTrace, Text: "text"}, true},
		{"process id", "[20261122-15:09:02] [INFO ] [pid:803 tid:139961706383168] text",
			Entry{Time: at, Level: LevelInfo, PID: 803, TID: 139961706383168, Text: "text"}, true},
		{"devel", "[20261122-15:09:02] [INFO ] [xrdp_listen_pp(xrdp_listen.c:412)] text", Entry{Time: at, Level: LevelInfo, Text: "text"}, true},
		{"devel with process id", "[20261122-15:09:02] [INFO ] [pid:803 tid:803] [main(xrdp.c:12)] text",
			Entry{Time: at, Level: LevelInfo, PID: 803, TID: 803, Text: "text"}, true},
		{"message in brackets", "[20261122-15:09:02] [ERROR] [ITU-T X.224] Connection Sequence: failed",
			Entry{Time: at, Level: LevelError, Text: "[ITU-T X.224] Connection Sequence: failed"}, true},
		{"message like a place", "[20261122-15:09:02] [ERROR] [no function(here)] text",
			Entry{Time: at, Level: LevelError, Text: "[no function(here)] text"}, true},
		{"message like a process id", "[20261122-15:09:02] [ERROR] [pid:x tid:1] text",
			Entry{Time: at, Level: LevelError, Text: "[pid:x tid:1] text"}, true},
		{"empty text", "[20261122-15:09:02] [INFO ] ", Entry{Time: at, Level: LevelInfo}, true},
		{"carriage return", "[20261122-15:09:02] [INFO ] text\r", Entry{Time: at, Level: LevelInfo, Text: "text"}, true},
		{"hole of copytruncate", "\x00\x00\x00[20261122-15:09:02] [INFO ] text", Entry{Time: at, Level: LevelInfo, Text: "text"}, true},
		{"syslog", "Nov 22 15:09:02 desk01 xrdp[803]: [INFO ] text", Entry{Time: at, Level: LevelInfo, PID: 803, Text: "text"}, true},
		{"syslog to 0.9.14", "Nov 22 15:09:02 desk01 xrdp[803]: (803)(1399617)[INFO ] text",
			Entry{Time: at, Level: LevelInfo, PID: 803, TID: 1399617, Text: "text"}, true},
		{"rsyslog", "2026-11-22T15:09:02.123456+01:00 desk01 xrdp[803]: [INFO ] text", Entry{Time: at, Level: LevelInfo, PID: 803, Text: "text"}, true},
		{"journalctl short-iso", "2026-11-22T15:09:02+0100 desk01 xrdp[803]: [INFO ] text", Entry{Time: at, Level: LevelInfo, PID: 803, Text: "text"}, true},
		{"last year's syslog", "Dec 31 23:59:59 desk01 xrdp[803]: [INFO ] text",
			Entry{Time: time.Date(2025, 12, 31, 22, 59, 59, 0, time.UTC), Level: LevelInfo, PID: 803, Text: "text"}, true},

		{"sesman", "Nov 22 15:09:02 desk01 xrdp-sesman[803]: [INFO ] text", Entry{}, false},
		{"another program", "Nov 22 15:09:02 desk01 sshd[803]: [INFO ] text", Entry{}, false},
		{"no level", "[20261122-15:09:02] text that is long enough", Entry{}, false},
		{"unknown level", "[20261122-15:09:02] [NOTE ] text", Entry{}, false},
		{"no time", "[INFO ] text", Entry{}, false},
		{"31 February", "[20260231-15:09:02] [INFO ] text", Entry{}, false},
		{"the zero time", "[0001-01-01T00:00:00.000+0000] [WARN ] text", Entry{}, false},
		{"24 o'clock", "[20261122-24:09:02] [INFO ] text", Entry{}, false},
		{"letters in the time", "[2026112x-15:09:02] [INFO ] text", Entry{}, false},
		{"letters in the fraction", "[2026-11-22T15:09:02.9x8+0100] [WARN ] text", Entry{}, false},
		{"wrong zone", "[2026-11-22T15:09:02.938+1500] [WARN ] text", Entry{}, false},
		{"process id too large", "Nov 22 15:09:02 desk01 xrdp[99999999999]: [INFO ] text", Entry{}, false},
		{"half a line", "[20261122-15:09:0", Entry{}, false},
		{"second line of a computer name", "Selected TLS", Entry{}, false},
		{"nothing", "", Entry{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Parser{Location: vienna, Reference: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}
			// Twice, since the parser remembers the last time.
			for range 2 {
				got, ok := p.Parse(tt.line)
				got.Time = got.Time.UTC()
				if !ok {
					got = Entry{}
				}
				if ok != tt.ok || got != tt.want {
					t.Errorf("Parse(%q) = %+v, %v, want %+v, %v", tt.line, got, ok, tt.want, tt.ok)
				}
			}
		})
	}
}

// TestParserRemembersTimes feeds times whose stamps resemble each other.
func TestParserRemembersTimes(t *testing.T) {
	var p Parser
	for _, tt := range []struct{ line, want string }{
		{"[20261122-15:09:02] [INFO ] a", "2026-11-22T15:09:02Z"},
		{"[20261122-15:09:03] [INFO ] a", "2026-11-22T15:09:03Z"},
		{"[2026-11-22T15:09:02.938+0000] [INFO ] a", "2026-11-22T15:09:02Z"},
		{"[2026-11-22T15:09:02.001+0000] [INFO ] a", "2026-11-22T15:09:02Z"},
		{"[2026-11-22T15:09:02.001+0100] [INFO ] a", "2026-11-22T14:09:02Z"},
		{"[20261122-15:09:02] [INFO ] a", "2026-11-22T15:09:02Z"},
	} {
		e, ok := p.Parse(tt.line)
		if got := e.Time.UTC().Format(time.RFC3339); !ok || got != tt.want {
			t.Errorf("Parse(%q) gives %s, %v, want %s", tt.line, got, ok, tt.want)
		}
	}
}

func TestPasted(t *testing.T) {
	want := "Cannot read private key file /etc/xrdp/key.pem: Permission denied"
	for _, line := range []string{want, " " + want + "\n", "[ERROR] " + want, "[20261122-15:09:02] [ERROR] " + want,
		"Nov 22 15:09:02 desk01 xrdp[803]: [ERROR] " + want} {
		e := Pasted(line)
		m, ok := Classify(e)
		if e.Text != want || !ok || m.Rule.ID != "key-not-readable" {
			t.Errorf("Pasted(%q) = %+v", line, e)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	for _, s := range []string{
		"[20261122-15:09:02] [INFO ] text", "[2026-11-22T15:09:02.938+0100] [WARN ] [pid:1 tid:2] [f(a.c:1)] text",
		"Nov 22 15:09:02 desk01 xrdp[803]: (803)(1399617)[INFO ] text", "2026-11-22T15:09:02+0100 desk01 xrdp[803]: [INFO ] text",
		"\x00\x00[", "[ERROR] SSL: error:0A000126:SSL routines::unexpected eof while reading",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, ok := ParseLine(line, time.UTC)
		if !ok {
			return
		}
		if e.Level == LevelUnknown || e.PID < 0 || e.Time.IsZero() && line[0] == '[' {
			t.Errorf("ParseLine(%q) = %+v", line, e)
		}
		again, _ := ParseLine(line, time.UTC)
		if !again.Time.Equal(e.Time) {
			t.Errorf("ParseLine(%q) gives %v, then %v", line, e.Time, again.Time)
		}
		if again.Time = e.Time; again != e {
			t.Errorf("ParseLine(%q) gives %+v, then %+v", line, e, again)
		}
	})
}

func FuzzClassify(f *testing.F) {
	for _, r := range Rules() {
		f.Add(r.Pattern)
	}
	f.Add("SSL: error:0A000126:SSL routines::unexpected eof while reading")
	f.Add("TLS connection established from ::ffff:127.0.0.1 port 50308: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384")
	f.Add("Security protocol: configured [SSL|RDP], requested [SSL|HYBRID|RDP], selected [SSL]")
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := Classify(Entry{Text: text})
		hits := 0
		for _, r := range index().rules {
			if r.pattern.parts[0].literal != "SSL: error:" {
				if _, ok := r.pattern.match(text); ok && len(text) <= maxText {
					hits++
				}
			}
		}
		if hits > 1 || hits == 1 && !ok {
			t.Errorf("Classify(%q) = %v, %v, but %d rules match", text, m, ok, hits)
		}
		if ok && m.clone().Fields() == nil {
			t.Errorf("Classify(%q): no fields", text)
		}
	})
}

func FuzzGrouper(f *testing.F) {
	f.Add("[20261122-14:09:02] [INFO ] Socket 12: AF_INET6 connection received from ::ffff:127.0.0.1 port 50308\n" +
		"[20261122-14:09:02] [INFO ] Security protocol: configured [SSL|RDP], requested [SSL|RDP], selected [SSL]\n" +
		"[20261122-14:09:02] [INFO ] TLS connection established from ::ffff:127.0.0.1 port 50308: TLSv1.3 with cipher X\n")
	f.Add("[20261122-14:09:02] [INFO ] [pid:1 tid:1] Socket 12: AF_UNIX connection received\n" +
		"[20261122-14:09:02] [INFO ] [pid:2 tid:1] Selected TLS security\n[20261122-14:09:02] [ERROR] [pid:3 tid:1] SSL_accept: I/O error\n")
	f.Fuzz(func(t *testing.T, log string) {
		list := readAll(log)
		lines := 0
		for _, c := range Group(list) {
			c.Outcome()
			lines += c.Lines
		}
		if lines > len(list) {
			t.Errorf("%d lines counted of %d", lines, len(list))
		}
	})
}
