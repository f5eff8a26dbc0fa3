package main

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"
)

// span is a length of time as a flag: 90m, 24h, 2d, 1w, 1d12h.
type span time.Duration

// day is what people mean by 24 hours.
const day = 24 * time.Hour

var spanForm = regexp.MustCompile(`^(?:(\d+)w)?(?:(\d+)d)?([0-9.a-zµ]+)?$`)

// Set reads a flag's value.
func (s *span) Set(text string) error {
	m := spanForm.FindStringSubmatch(text)
	if m == nil || text == "" {
		return fmt.Errorf("not a length of time such as 90m, 24h or 2d")
	}
	total := 0.0
	for i, unit := range []time.Duration{7 * day, day} {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.ParseFloat(m[i+1], 64)
		if err != nil {
			return err
		}
		total += n * float64(unit)
	}
	if m[3] != "" {
		d, err := time.ParseDuration(m[3])
		if err != nil {
			return fmt.Errorf("not a length of time such as 90m, 24h or 2d")
		}
		total += float64(d)
	}
	if total > math.MaxInt64/2 {
		return fmt.Errorf("longer than two lifetimes")
	}
	*s = span(total)
	return nil
}

// String prints whole days as days.
func (s *span) String() string {
	d := time.Duration(*s)
	switch {
	case d == 0:
		return ""
	case d%day == 0 && d > day:
		return strconv.Itoa(int(d/day)) + "d"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return d.String()
}

// Type names the kind of value, as cobra asks.
func (s *span) Type() string { return "time" }
