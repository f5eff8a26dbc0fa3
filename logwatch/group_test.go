package logwatch

import (
	"strings"
	"testing"
	"time"
)

// entries reads a log excerpt.
func entries(t *testing.T, log string) []Entry {
	t.Helper()
	var list []Entry
	offset := int64(0)
	for line := range strings.Lines(log) {
		if e, ok := ParseLine(strings.TrimSuffix(line, "\n"), time.UTC); ok {
			e.Offset = offset
			list = append(list, e)
		} else if strings.TrimSpace(line) != "" {
			t.Fatalf("not a line of xrdp: %q", line)
		}
		offset += int64(len(line))
	}
	return list
}

func TestQuick(t *testing.T) {
	cs := Group(entries(t, `[20261122-14:09:02] [INFO ] Socket 12: AF_INET6 connection received from ::ffff:127.0.0.1 port 50308
[20261122-14:09:02] [INFO ] Security protocol: configured [SSL|RDP], requested [SSL|RDP], selected [SSL]
[20261122-14:09:02] [INFO ] Connected client computer name: xrdpfix
[20261122-14:09:02] [INFO ] TLS connection established from ::ffff:127.0.0.1 port 50308: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384
`))
	if len(cs) != 1 || cs[0].Outcome().Kind != ConnectedTLS {
		t.Fatalf("%+v", cs)
	}
	t.Logf("%+v %+v", cs[0], cs[0].Outcome())
}
