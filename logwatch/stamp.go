package logwatch

import "time"

// setTime gives e the time of stamp. The memory of the last stamp makes a
// burst of lines cost one conversion.
func (p *Parser) setTime(e *Entry, stamp string, parse func(string, *time.Location) (time.Time, bool)) bool {
	if string(p.stamp[:p.size]) == stamp {
		e.Time = p.time
		return true
	}
	loc := p.Location
	if loc == nil {
		loc = time.UTC
	}
	t, ok := parse(stamp, loc)
	if !ok {
		return false
	}
	p.size = copy(p.stamp[:], stamp)
	p.time, e.Time = t, t
	return true
}

// parseCompact reads "20060102-15:04:05", local time without a zone
// (xrdp before 0.10, common/log.c).
func parseCompact(s string, loc *time.Location) (time.Time, bool) {
	if s[8] != '-' || s[11] != ':' || s[14] != ':' {
		return time.Time{}, false
	}
	return date(s[0:4], s[4:6], s[6:8], s[9:11], s[12:14], s[15:17], loc)
}

// parseISO reads "2006-01-02T15:04:05.000-0700" (getFormattedDateTime in
// common/log.c, xrdp 0.10 and later) and drops the fraction. The time is given
// in loc where loc agrees with the offset, so that most times of a log share
// one location.
func parseISO(s string, loc *time.Location) (time.Time, bool) {
	if s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || !digits(s[24:28]) {
		return time.Time{}, false
	}
	hours, _ := number(s[24:26])
	minutes, _ := number(s[26:28])
	if hours > 14 || minutes > 59 {
		return time.Time{}, false
	}
	offset := int(hours*3600 + minutes*60)
	switch s[23] {
	case '-':
		offset = -offset
	case '+':
	default:
		return time.Time{}, false
	}
	t, ok := date(s[0:4], s[5:7], s[8:10], s[11:13], s[14:16], s[17:19], time.UTC)
	if !ok {
		return time.Time{}, false
	}
	t = t.Add(-time.Duration(offset) * time.Second).In(loc)
	if _, o := t.Zone(); o != offset {
		t = t.In(time.FixedZone("", offset))
	}
	return t, true
}

// firstYear is before xrdp existed; no clock that it saw was set earlier than the
// epoch, and the zero time must stay what no line has.
const firstYear = 1970

// date makes a time of decimal digits and refuses what no clock shows, such
// as 31 February. A leap second is the first second of the next minute.
func date(year, month, day, hour, minute, second string, loc *time.Location) (time.Time, bool) {
	for _, s := range [...]string{year, month, day, hour, minute, second} {
		if !digits(s) {
			return time.Time{}, false
		}
	}
	y, _ := number(year)
	mo, _ := number(month)
	d, _ := number(day)
	h, _ := number(hour)
	mi, _ := number(minute)
	s, _ := number(second)
	if y < firstYear || mo < 1 || mo > 12 || d < 1 || h > 23 || mi > 59 || s > 60 {
		return time.Time{}, false
	}
	last := time.Date(int(y), time.Month(mo)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if int(d) > last {
		return time.Time{}, false
	}
	return time.Date(int(y), time.Month(mo), int(d), int(h), int(mi), int(s), 0, loc), true
}
