package service

import "time"

// The properties come as the D-Bus library decodes them; one that an older
// systemd does not have, or has in another type, counts as empty.

func stringOf(p map[string]any, name string) string {
	s, _ := p[name].(string)
	return s
}

func stringsOf(p map[string]any, name string) []string {
	s, _ := p[name].([]string)
	if len(s) == 0 {
		return nil
	}
	return append([]string(nil), s...)
}

func structsOf(p map[string]any, name string) [][]any {
	s, _ := p[name].([][]any)
	return s
}

func numberOf(p map[string]any, name string) int64 {
	switch n := p[name].(type) {
	case uint32:
		return int64(n)
	case int32:
		return int64(n)
	default:
		return 0
	}
}

// timeOf reads a time stamp, microseconds since 1970, 0 for never.
func timeOf(p map[string]any, name string) time.Time {
	usec, _ := p[name].(uint64)
	if usec == 0 || usec > 1<<62 {
		return time.Time{}
	}
	return time.UnixMicro(int64(usec)).UTC()
}
