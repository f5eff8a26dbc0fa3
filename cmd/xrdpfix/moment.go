package main

import (
	"fmt"
	"time"
)

// moment is a time as a flag: how long ago, or a date and a time of day.
type moment struct {
	text string
	ago  span
	at   time.Time
	hour bool // at is a time of today
}

// momentForms are the dates that people write, in local time.
var momentForms = []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", time.RFC3339}

// Set reads a flag's value.
func (m *moment) Set(text string) error {
	*m = moment{text: text}
	if err := m.ago.Set(text); err == nil {
		return nil
	}
	for _, form := range momentForms {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			m.at = t
			return nil
		}
	}
	for _, form := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(form, text); err == nil {
			m.at, m.hour = t, true
			return nil
		}
	}
	if text == "today" || text == "yesterday" {
		return nil
	}
	return fmt.Errorf("not a time such as 90m, 2d, 14:30, yesterday or 2026-11-22")
}

// String is what was given.
func (m *moment) String() string { return m.text }

// Type names the kind of value, as cobra asks.
func (m *moment) Type() string { return "time" }

// from is the time that is meant, zero where none is.
func (m *moment) from(now time.Time) time.Time {
	now = now.Local()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch {
	case m.text == "":
		return time.Time{}
	case m.text == "today":
		return midnight
	case m.text == "yesterday":
		return midnight.AddDate(0, 0, -1)
	case m.hour:
		return time.Date(now.Year(), now.Month(), now.Day(), m.at.Hour(), m.at.Minute(), m.at.Second(), 0, now.Location())
	case !m.at.IsZero():
		return m.at
	}
	return now.Add(-time.Duration(m.ago))
}
