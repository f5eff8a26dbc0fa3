package xrdpconf

import (
	"strings"
	"unicode/utf8"
)

// check refuses what xrdp could not read back.
func (c Change) check() error {
	fail := func(reason string) error {
		return &ValueError{Section: c.Section, Key: c.Key, Reason: reason}
	}
	if c.Key == "" && c.Delete && c.Section != "" {
		return nil
	}
	if reason := unreadable(c.Key); reason != "" {
		return fail("the key " + reason)
	}
	if c.Key == "" || strings.ContainsAny(c.Key, "=[]") {
		return fail("the key is empty or has one of = [ ] in it")
	}
	if c.Section == "" || strings.ContainsAny(c.Section, "[]#;\r\n\x00") {
		return fail("the section's name is empty or has one of [ ] # ; or a line end in it")
	}
	if c.Delete {
		return nil
	}
	if reason := unreadable(c.Value); reason != "" {
		return fail("the value " + reason)
	}
	if strings.HasPrefix(c.Value, "$") {
		return fail("the value begins with $, which names an environment variable")
	}
	if limit, ok := valueLimits[fold(c.Key)]; ok && len(c.Value) > limit {
		return fail("the value is longer than xrdp's buffer for it")
	}
	if len(c.Key)+len(c.Value)+len(" = ") >= lineLimit {
		return fail("the line would be longer than xrdp reads")
	}
	return nil
}

// valueLimits are the buffers of single keys in bytes, without the final NUL.
var valueLimits = map[string]int{
	"certificate": pathLimit, "key_file": pathLimit, "port": portLimit,
	"runtime_user": userLimit, "runtime_group": userLimit,
}

// unreadable says what in a key or value would not survive xrdp's reading.
func unreadable(s string) string {
	switch {
	case strings.ContainsAny(s, "#;"):
		return "has # or ; in it, which begin a comment anywhere"
	case strings.ContainsAny(s, "\r\n\x00"):
		return "has a line end or a NUL in it"
	case s != "" && (blank(s[0]) || blank(s[len(s)-1])):
		return "begins or ends with a blank, which xrdp removes"
	case !utf8.ValidString(s):
		return "is not valid UTF-8, which older versions do not trim"
	}
	if _, ok := headerName(s); ok {
		return "has [ and ] in it, which make the line a section header"
	}
	return ""
}
