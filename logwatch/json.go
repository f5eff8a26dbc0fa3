package logwatch

import (
	"encoding/json"
	"fmt"
	"slices"
)

// MarshalText writes the level as xrdp does, LevelUnknown as "".
func (l Level) MarshalText() ([]byte, error) {
	if l == LevelUnknown {
		return nil, nil
	}
	return []byte(l.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (l *Level) UnmarshalText(text []byte) error {
	for known := LevelUnknown; known <= LevelTrace; known++ {
		if own, _ := known.MarshalText(); string(own) == string(text) {
			*l = known
			return nil
		}
	}
	return fmt.Errorf("unknown log level %q", text)
}

// matchJSON is a match outside the program: the line, and the ID of its rule for
// those who read along.
type matchJSON struct {
	Rule string `json:"rule"`
	Entry
}

// MarshalJSON writes the line and the ID of the rule.
func (m Match) MarshalJSON() ([]byte, error) {
	out := matchJSON{Entry: m.Entry}
	if m.Rule != nil {
		out.Rule = m.Rule.ID
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote. The line decides which rule it is,
// since it may come from a version with other rules: Rule is nil where none
// matches any more.
func (m *Match) UnmarshalJSON(data []byte) error {
	var in matchJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	match, ok := Classify(in.Entry)
	if !ok {
		match = Match{Entry: in.Entry}
	}
	*m = match
	return nil
}

// UnmarshalJSON reads a connection, and leaves out the lines that no rule knows.
func (c *Connection) UnmarshalJSON(data []byte) error {
	type plain Connection
	var in plain
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	unknown := func(m Match) bool { return m.Rule == nil }
	in.Matches = slices.DeleteFunc(in.Matches, unknown)
	in.Maybe = slices.DeleteFunc(in.Maybe, unknown)
	*c = Connection(in)
	return nil
}

// Rewrite puts other values into the fields of a message. It reports false where
// the result would be another message, or none that xrdp writes.
func (m Match) Rewrite(value func(field, old string) string) (Match, bool) {
	if m.Rule == nil || len(m.Rule.pattern.parts) == 0 {
		return Match{}, false
	}
	parts := m.Rule.pattern.parts
	text := parts[0].literal
	for i, p := range parts[1:] {
		text += value(p.name, m.value(i)) + p.literal
	}
	e := m.Entry
	e.Text = text
	out, ok := Classify(e)
	return out, ok && out.Rule == m.Rule
}
