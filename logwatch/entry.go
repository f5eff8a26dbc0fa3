package logwatch

import (
	"strings"
	"time"
)

// Level is the severity that xrdp prints in front of a message.
type Level uint8

// The levels of xrdp's common/log.h, most severe first. LevelUnknown is the
// zero value: the line has no level.
const (
	LevelUnknown Level = iota
	LevelCore
	LevelError
	LevelWarning
	LevelInfo
	LevelDebug
	LevelTrace
)

// String returns the tag as xrdp prints it, without its padding.
func (l Level) String() string {
	switch l {
	case LevelCore:
		return "CORE"
	case LevelError:
		return "ERROR"
	case LevelWarning:
		return "WARN"
	case LevelInfo:
		return "INFO"
	case LevelDebug:
		return "DEBUG"
	case LevelTrace:
		return "TRACE"
	}
	return "unknown"
}

// Entry is one line of xrdp.log.
type Entry struct {
	// Time is when the line was written, to the second. The fraction that
	// xrdp 0.10 prints is dropped, because it is wrong: getFormattedDateTime
	// in common/log.c prints the first three digits of the unpadded
	// microseconds. It is the zero time where the line carries none.
	Time time.Time `json:"time,omitzero"`
	// Level is the severity that xrdp printed.
	Level Level `json:"level,omitempty"`
	// PID is the process that wrote the line, 0 where the line does not say.
	PID int `json:"pid,omitempty"`
	// TID is the thread that wrote the line, 0 where the line does not say.
	TID uint64 `json:"tid,omitempty"`
	// Text is the message without any prefix. It may share memory with a
	// larger piece of the file; clone it to keep it long.
	Text string `json:"text"`
	// Offset is where the line begins in its file, in bytes.
	Offset int64 `json:"offset"`
	// Claimed says that a remote client may have written the line: it stands
	// right behind a message that quotes a user name, which can contain line
	// feeds. It is set by everything here that reads files.
	Claimed bool `json:"claimed,omitempty"`
}

// ParseLine reads one line of xrdp.log, without its line feed. It reports
// false for a line that xrdp did not write, and for one of sesman's. A nil
// location means UTC; it matters only for formats without a time zone.
func ParseLine(line string, loc *time.Location) (Entry, bool) {
	p := Parser{Location: loc}
	return p.Parse(line)
}

// Parser reads the lines of one log. Its zero value reads times as UTC. It
// remembers the last time stamp, because most lines share it with the line
// before, so it must not be used by two goroutines at once.
type Parser struct {
	// Location is the time zone of the host that wrote the log; nil is UTC.
	Location *time.Location
	// Reference stands near the end of the log. Lines that came through
	// syslog in its traditional format carry no year: theirs is the latest
	// that does not put them more than a day after Reference.
	Reference time.Time

	stamp [28]byte // the last one, size bytes
	size  int
	time  time.Time
}

// maxLine bounds what is kept of one line. xrdp itself cuts a message at 1,024
// bytes (LOG_BUFFER_SIZE, common/log.h); the rest of a longer line is dropped.
const maxLine = 64 << 10

// Parse reads one line, as [ParseLine] does.
func (p *Parser) Parse(line string) (Entry, bool) {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) > maxLine {
		line = line[:maxLine]
	}
	// A daemon that is not in append mode leaves a hole after copytruncate.
	if len(line) > 0 && line[0] == 0 {
		line = strings.TrimLeft(line, "\x00")
	}
	if len(line) < len("[INFO ] ") {
		return Entry{}, false
	}
	if line[0] != '[' {
		return p.parseSyslog(line)
	}
	var e Entry
	var rest string
	switch {
	case len(line) >= 28 && line[9] == '-' && line[18] == ']': // [20060102-15:04:05]
		if line[19] != ' ' || !p.setTime(&e, line[1:18], parseCompact) {
			return Entry{}, false
		}
		rest = line[20:]
	case len(line) >= 39 && line[11] == 'T' && line[29] == ']': // [2006-01-02T15:04:05.000-0700]
		if line[30] != ' ' || line[20] != '.' || !digits(line[21:24]) {
			return Entry{}, false
		}
		// The wrong fraction would defeat the memory of the last stamp.
		if p.size == 28 && string(p.stamp[:19]) == line[1:20] && string(p.stamp[23:]) == line[24:29] {
			e.Time = p.time
		} else if !p.setTime(&e, line[1:29], parseISO) {
			return Entry{}, false
		}
		rest = line[31:]
	default:
		return Entry{}, false
	}
	return p.parseBody(e, rest)
}

// Pasted reads a line as a person pastes it somewhere: with its whole prefix,
// with a part of it, or the bare message. It is for explaining, never for
// deciding: anything is accepted.
func Pasted(line string) Entry {
	line = strings.TrimSpace(line)
	var p Parser
	if e, ok := p.Parse(line); ok {
		return e
	}
	if e, ok := p.parseBody(Entry{}, line); ok {
		return e
	}
	return Entry{Text: line}
}

// parseBody reads "[LEVEL] [pid:N tid:N] [function(file:line)] message".
func (p *Parser) parseBody(e Entry, s string) (Entry, bool) {
	if len(s) < 8 || s[0] != '[' || s[6] != ']' || s[7] != ' ' {
		return Entry{}, false
	}
	if e.Level = parseLevel(s[1:6]); e.Level == LevelUnknown {
		return Entry{}, false
	}
	s = s[8:]
	if len(s) > 5 && s[0] == '[' && s[1] == 'p' && s[2] == 'i' && s[3] == 'd' && s[4] == ':' {
		if pid, tid, rest, ok := cutIDs(s); ok {
			e.PID, e.TID, s = pid, tid, rest
		}
	}
	if len(s) > 0 && s[0] == '[' {
		s = cutLocation(s)
	}
	e.Text = s
	return e, true
}

func parseLevel(tag string) Level {
	switch tag {
	case "INFO ":
		return LevelInfo
	case "ERROR":
		return LevelError
	case "WARN ":
		return LevelWarning
	case "DEBUG":
		return LevelDebug
	case "TRACE":
		return LevelTrace
	case "CORE ":
		return LevelCore
	}
	return LevelUnknown
}

// cutIDs cuts "[pid:N tid:N] " off, which log.c writes with EnableProcessId.
func cutIDs(s string) (pid int, tid uint64, rest string, ok bool) {
	n, i := number(s[5:])
	if i == 0 || n > maxPID {
		return 0, 0, s, false
	}
	t, found := strings.CutPrefix(s[5+i:], " tid:")
	if !found {
		return 0, 0, s, false
	}
	id, j := number(t)
	if j == 0 || !strings.HasPrefix(t[j:], "] ") {
		return 0, 0, s, false
	}
	return int(n), id, t[j+2:], true
}

// cutLocation cuts "[function(file:line)] " off, which builds with
// --enable-devel-logging write (log_message_with_location, common/log.c).
// Messages that begin with a bracket themselves, such as "[ITU-T X.224] ...",
// are left alone.
func cutLocation(s string) string {
	end := strings.IndexByte(s, ']')
	if end < 0 || end+1 >= len(s) || s[end+1] != ' ' {
		return s
	}
	function, place, ok := strings.Cut(s[1:end], "(")
	if !ok || !identifier(function) {
		return s
	}
	file, line, ok := strings.Cut(place, ":")
	if !ok || file == "" || len(line) < 2 || line[len(line)-1] != ')' || !digits(line[:len(line)-1]) {
		return s
	}
	if !strings.HasSuffix(file, ".c") && !strings.HasSuffix(file, ".h") {
		return s
	}
	return s[end+2:]
}

// maxPID is the largest value of kernel.pid_max on Linux (PID_MAX_LIMIT).
const maxPID = 1 << 22

// number reads the decimal digits at the beginning of s and says how many they
// are, 0 where there are none or too many for 64 bits.
func number(s string) (uint64, int) {
	var n uint64
	i := 0
	for i < len(s) && s[i]-'0' < 10 {
		if i == 19 {
			return 0, 0
		}
		n = n*10 + uint64(s[i]-'0')
		i++
	}
	return n, i
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' >= 10 {
			return false
		}
	}
	return len(s) > 0
}

func identifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c-'0' >= 10) {
			return false
		}
	}
	return s != ""
}
