package logwatch

import (
	"fmt"
	"testing"
	"time"
)

func TestJournalParser(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 9, 2, 0, time.UTC)
	tests := []struct{ name, line, want string }{
		{"through syslog", `{"_PID":"812","__REALTIME_TIMESTAMP":"1795356542123456","MESSAGE":"[INFO ] Connected client computer name: PC-A","SYSLOG_PID":"9"}`,
			"2026-11-22T14:09:02Z 812 INFO Connected client computer name: PC-A"},
		{"on standard output", `{"_PID":"812","__REALTIME_TIMESTAMP":"1795356542123456","MESSAGE":"[2026-11-22T14:09:01.938+0000] [ERROR] SSL_accept: I/O error"}`,
			"2026-11-22T14:09:02Z 812 ERROR SSL_accept: I/O error"},
		{"with ids of its own: the kernel's word counts", `{"_PID":"812","__REALTIME_TIMESTAMP":"1795356542000000","MESSAGE":"[INFO ] [pid:1 tid:2] x"}`,
			"2026-11-22T14:09:02Z 812 INFO x"},
		{"bytes", `{"_PID":"812","__REALTIME_TIMESTAMP":"1795356542000000","MESSAGE":[91,73,78,70,79,32,93,32,255,1]}`,
			"2026-11-22T14:09:02Z 812 INFO \xff\x01"},
		{"too long for journalctl", `{"_PID":"812","__REALTIME_TIMESTAMP":"1795356542000000","MESSAGE":null}`, ""},
		{"systemd's own", `{"_PID":"1","__REALTIME_TIMESTAMP":"1795356542000000","MESSAGE":"Started xrdp.service"}`, ""},
		{"no message", `{"_PID":"1"}`, ""},
		{"not JSON", `-- Boot 1234 --`, ""},
		{"a pid that cannot be", `{"_PID":"99999999999","__REALTIME_TIMESTAMP":"1795356542000000","MESSAGE":"[INFO ] x"}`, "2026-11-22T14:09:02Z 0 INFO x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var j JournalParser
			e, ok := j.Parse([]byte(tt.line))
			got := ""
			if ok {
				got = fmt.Sprintf("%s %d %s %s", e.Time.Format(time.RFC3339), e.PID, e.Level, e.Text)
				if !e.Time.Equal(at) {
					t.Errorf("time %s", e.Time)
				}
			}
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func FuzzJournalParser(f *testing.F) {
	f.Add([]byte(`{"_PID":"812","__REALTIME_TIMESTAMP":"1795356542123456","MESSAGE":"[INFO ] x"}`))
	f.Add([]byte(`{"MESSAGE":[91,73,78,70,79,32,93,32,300,-1]}`))
	f.Add([]byte(`{"MESSAGE":{"a":1},"_PID":3}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var j JournalParser
		e, ok := j.Parse(line)
		if ok && (e.Level == LevelUnknown || e.PID < 0 || e.PID > maxPID || len(e.Text) > maxLine) {
			t.Errorf("%q gives %+v", line, e)
		}
	})
}

// TestJournalUnit: what another unit wrote is not xrdp's; what no unit is known of
// may be.
func TestJournalUnit(t *testing.T) {
	j := JournalParser{Unit: "xrdp.service"}
	for unit, want := range map[string]bool{`,"_SYSTEMD_UNIT":"xrdp.service"`: true, `,"_SYSTEMD_UNIT":"session-1.scope"`: false, "": true} {
		line := fmt.Sprintf(`{"_PID":"812","__REALTIME_TIMESTAMP":"1795356542000000","MESSAGE":"[INFO ] x"%s}`, unit)
		if _, ok := j.Parse([]byte(line)); ok != want {
			t.Errorf("%s: taken %t, want %t", line, ok, want)
		}
	}
}

// TestJournalClaims: a user name with a line feed becomes an entry of its own on
// standard output, and stays inside its message through syslog.
func TestJournalClaims(t *testing.T) {
	entry := func(text string) []byte {
		return fmt.Appendf(nil, `{"_PID":"812","__REALTIME_TIMESTAMP":"1795356542000000","MESSAGE":%q}`, text)
	}
	var j JournalParser
	for i, tt := range []struct {
		text    string
		claimed bool
	}{
		{"[20261122-14:09:02] [INFO ] Connected client computer name: PC-A", false},
		{"[20261122-14:09:02] [INFO ] login failed for user a", false},
		{"[20261122-14:09:02] [INFO ] Connected client computer name: PC-B", true},
		{"[INFO ] Connected client computer name: PC-C", false},
	} {
		e, ok := j.Parse(entry(tt.text))
		if !ok || e.Claimed != tt.claimed {
			t.Errorf("line %d: read %v, claimed %v, want %v", i, ok, e.Claimed, tt.claimed)
		}
	}
}
