package xrdpconf

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/ini.v1"
)

// Setting is one line of an ini file that is not xrdp's: a policy of ours.
type Setting struct {
	// Section and Key are in lower case; Section is "" above the first header.
	Section, Key string
	// Value is without the quotes around it and the comment behind it.
	Value string
	Line  int
}

// SettingError is a line that cannot be read as a setting.
type SettingError struct {
	Line   int // 0 where it is the file as a whole
	Reason string
}

// Error is the reason; the caller knows the file.
func (e *SettingError) Error() string { return e.Reason }

var (
	settingHeader = regexp.MustCompile(`^\[([A-Za-z][A-Za-z0-9_-]*)\]\s*(?:[#;].*)?$`)
	settingKey    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
)

// ReadSettings reads an ini file as gopkg.in/ini.v1 does, and is stricter: one
// line is one setting, none stands twice, and nothing is passed over that somebody
// may have meant. The error is a [*SettingError].
func ReadSettings(data []byte) ([]Setting, error) {
	found, err := settingLines(data)
	if err != nil {
		return nil, err
	}
	cfg, err := ini.LoadSources(ini.LoadOptions{
		Insensitive:              true,
		IgnoreContinuation:       true,
		KeyValueDelimiters:       "=",
		SpaceBeforeInlineComment: true,
	}, data)
	if err != nil {
		return nil, &SettingError{Reason: err.Error()}
	}
	for i, s := range found {
		section, err := cfg.GetSection(s.Section)
		if err != nil || !section.HasKey(s.Key) {
			return nil, &SettingError{s.Line, fmt.Sprintf("%s cannot be read", s.Key)}
		}
		found[i].Value = section.Key(s.Key).Value() // String would expand %(name)s
	}
	return found, nil
}

// settingLines finds the settings without their values: ini.v1 knows no lines.
func settingLines(data []byte) ([]Setting, error) {
	if !utf8.Valid(data) || strings.ContainsRune(string(data), 0) {
		return nil, &SettingError{Reason: "it is not text in UTF-8"}
	}
	var out []Setting
	lines := map[[2]string]int{}
	section, number := "", 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			m := settingHeader.FindStringSubmatch(line)
			if m == nil {
				return nil, &SettingError{number, "it begins like a section, and is none"}
			}
			section = strings.ToLower(m[1])
			continue
		}
		key, value, found := strings.Cut(line, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		switch {
		case !found:
			return nil, &SettingError{number, "it is not KEY = VALUE"}
		case !settingKey.MatchString(key):
			return nil, &SettingError{number, "what stands before the = is no name of a setting"}
		case strings.ContainsAny(value, "`\"'\r\v\f"):
			return nil, &SettingError{number, "a value needs no quotes here, and may have none"}
		}
		at := [2]string{section, key}
		if first, twice := lines[at]; twice {
			return nil, &SettingError{number, fmt.Sprintf("%s stands in line %d already", key, first)}
		}
		lines[at] = number
		out = append(out, Setting{Section: section, Key: key, Line: number})
	}
	return out, nil
}
