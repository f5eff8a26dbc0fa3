package explain

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzFind: whatever is pasted, nothing panics, what is heard is printable and a
// match or a neighbour is an entry that exists.
func FuzzFind(f *testing.F) {
	for _, s := range []string{
		"key-unreadable", "0x904", "Error code: 0x904 Extended error code: 0x7", "TermDD 56 84 01 00 D0", "\x1b[31m0x904\x1b]0;x\x07",
		"error:0A000102:SSL routines::unsupported protocol", "[20261122-14:09:02] [ERROR] libxrdp_force_read: header read error\n",
		"-2146893054", "exit 133", "\xff\xfe0\x00", "error:::::", "\x1bP\x1b", "ERRCONNECT_TLS_CONNECT_FAILED [0x00020008]",
		"\u201cdesk01\u201d via TLS. See the DEBUG traces", "D0000184D0000184", "99999999999", "0x", strings.Repeat("a ", 300),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := Find(text)
		if len(a.Matches) > 0 && len(a.Near) > 0 || len(a.Matches) > maxMatches || len(a.Near) > maxNear {
			t.Fatalf("%d matches, %d near", len(a.Matches), len(a.Near))
		}
		for _, m := range a.Matches {
			if !utf8.ValidString(m.Heard) || strings.ContainsAny(m.Heard, "\x1b\a\b\r") || len(m.Heard) == 0 {
				t.Fatalf("%s was heard as %q", m.ID, m.Heard)
			}
			if _, ok := named(m.ID); !ok {
				t.Fatalf("there is no entry %s", m.ID)
			}
		}
		for _, e := range a.Near {
			if _, ok := named(e.ID); !ok {
				t.Fatalf("there is no entry %s", e.ID)
			}
		}
	})
}
