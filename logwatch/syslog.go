package logwatch

import (
	"strings"
	"time"
)

// parseSyslog reads a line that reached a file through syslog or journalctl:
// "Nov 22 14:09:02 host xrdp[123]: [INFO ] text", or with an RFC 3339 time in
// front as rsyslog of Debian 12 writes it. Up to xrdp 0.9.14 the body begins
// with "(pid)(tid)" (common/log.c).
func (p *Parser) parseSyslog(line string) (Entry, bool) {
	var e Entry
	rest, ok := "", false
	if e.Time, rest, ok = p.cutSyslogTime(line); !ok {
		return Entry{}, false
	}
	host, rest, ok := strings.Cut(rest, " ")
	if !ok || host == "" {
		return Entry{}, false
	}
	// Only the daemon itself: sesman's lines are another log.
	rest, ok = strings.CutPrefix(rest, "xrdp")
	if !ok || rest == "" {
		return Entry{}, false
	}
	if rest[0] == '[' {
		n, i := number(rest[1:])
		if i == 0 || n > maxPID || !strings.HasPrefix(rest[1+i:], "]") {
			return Entry{}, false
		}
		e.PID, rest = int(n), rest[i+2:]
	}
	if rest, ok = strings.CutPrefix(rest, ": "); !ok {
		return Entry{}, false
	}
	if strings.HasPrefix(rest, "(") {
		pid, i := number(rest[1:])
		if i == 0 || pid > maxPID || !strings.HasPrefix(rest[1+i:], ")(") {
			return Entry{}, false
		}
		rest = rest[i+3:]
		tid, j := number(rest)
		if j == 0 || !strings.HasPrefix(rest[j:], ")") {
			return Entry{}, false
		}
		e.PID, e.TID, rest = int(pid), tid, rest[j+1:]
	}
	return p.parseBody(e, rest)
}

// cutSyslogTime cuts the time and the blank behind it off.
func (p *Parser) cutSyslogTime(line string) (time.Time, string, bool) {
	loc := p.Location
	if loc == nil {
		loc = time.UTC
	}
	if line[0] >= '0' && line[0] <= '9' {
		stamp, rest, ok := strings.Cut(line, " ")
		if !ok || len(stamp) > len(time.RFC3339Nano) {
			return time.Time{}, "", false
		}
		t, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			// journalctl -o short-iso of systemd before 255 writes +0100.
			if t, err = time.Parse("2006-01-02T15:04:05-0700", stamp); err != nil {
				return time.Time{}, "", false
			}
		}
		return t.Truncate(time.Second).In(loc), rest, true
	}
	const stamp = len(time.Stamp) // "Jan _2 15:04:05"
	if len(line) <= stamp || line[stamp] != ' ' {
		return time.Time{}, "", false
	}
	t, err := time.ParseInLocation(time.Stamp, line[:stamp], loc)
	if err != nil {
		return time.Time{}, "", false
	}
	year := p.Reference.In(loc).Year()
	t = time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, loc)
	if !p.Reference.IsZero() && t.After(p.Reference.AddDate(0, 0, 1)) {
		t = t.AddDate(-1, 0, 0)
	}
	return t, line[stamp+1:], true
}
