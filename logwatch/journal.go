package logwatch

import (
	"encoding/json"
	"strconv"
	"time"
)

// journalEntry is what is read of one line of journalctl --output=json
// (systemd.journal-fields(7)). Numbers are strings there; MESSAGE is a list of
// bytes where it is not UTF-8 or has control characters, and null where it is
// too long for journalctl.
type journalEntry struct {
	Message  json.RawMessage `json:"MESSAGE"`
	PID      string          `json:"_PID"`
	Realtime string          `json:"__REALTIME_TIMESTAMP"` // microseconds since 1970
	Unit     string          `json:"_SYSTEMD_UNIT"`        // empty where the process had ended before journald looked
}

// JournalParser reads the lines of journalctl --output=json. Its zero value reads
// times as UTC. It is not for two goroutines at once.
type JournalParser struct {
	// Location is the time zone in which times are given; nil is UTC.
	Location *time.Location
	// Unit is xrdp's unit: what another unit wrote is not xrdp's. Empty takes all.
	Unit string

	parser  Parser
	claimed int // bytes of standard output that a client may yet have written
}

// Parse reads one line as a line of the log. The process id is the kernel's word,
// not the writer's. The message may have a time stamp of xrdp's own, as on standard
// output, where journald makes an entry of each line, or none, as through syslog,
// where a message is one entry whatever is in it. It reports false for what xrdp
// did not write.
func (j *JournalParser) Parse(line []byte) (Entry, bool) {
	var in journalEntry
	if json.Unmarshal(line, &in) != nil || j.Unit != "" && in.Unit != "" && in.Unit != j.Unit {
		return Entry{}, false
	}
	var text string
	if json.Unmarshal(in.Message, &text) != nil {
		var raw []byte
		var numbers []int // encoding/json takes a list of numbers for []byte as base64
		if json.Unmarshal(in.Message, &numbers) != nil {
			return Entry{}, false
		}
		for _, n := range numbers {
			raw = append(raw, byte(n))
		}
		text = string(raw)
	}
	if len(text) > maxLine {
		text = text[:maxLine]
	}
	e, ok := j.parser.Parse(text)
	if ok {
		e.Claimed = j.claimed > 0
		j.claimed = max(0, j.claimed-len(text)-1)
		if quotesUser(e.Text) {
			j.claimed = claimReach
		}
	} else if e, ok = j.parser.parseBody(Entry{}, text); !ok {
		return Entry{}, false
	}
	if pid, err := strconv.Atoi(in.PID); err == nil && pid > 0 && pid <= maxPID {
		e.PID = pid
	}
	if us, err := strconv.ParseInt(in.Realtime, 10, 64); err == nil && us > 0 {
		loc := j.Location
		if loc == nil {
			loc = time.UTC
		}
		e.Time = time.UnixMicro(us).Truncate(time.Second).In(loc)
	}
	return e, true
}
