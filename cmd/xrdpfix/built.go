package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// revision and buildDate are set by the linker, where the build knows them; what
// go build itself records stands in for them elsewhere.
var revision, buildDate string

// buildDoc says what the program was built from.
type buildDoc struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // the commit in full
	Modified bool   `json:"modified"`           // more than that commit
	// Date is that of SOURCE_DATE_EPOCH or of the commit, RFC 3339 in UTC: two
	// builds of one commit are the same bytes.
	Date     string      `json:"date,omitempty"`
	Go       string      `json:"go"`
	Platform string      `json:"platform"` // as in linux/amd64
	Modules  []moduleDoc `json:"modules"`
}

// moduleDoc is a module that is linked in.
type moduleDoc struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum,omitempty"` // as in go.sum
}

// built collects what linker and go build recorded.
func built() buildDoc {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildOf(info, version, revision, buildDate)
}

func buildOf(info *debug.BuildInfo, version, revision, date string) buildDoc {
	b := buildDoc{
		Version: version, Revision: revision, Date: date, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Modified: strings.HasSuffix(version, "-dirty"), Modules: []moduleDoc{},
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && b.Revision == "":
			b.Revision = s.Value
		case s.Key == "vcs.time" && b.Date == "":
			b.Date = s.Value
		case s.Key == "vcs.modified":
			b.Modified = b.Modified || s.Value == "true"
		}
	}
	for _, m := range info.Deps {
		b.Modules = append(b.Modules, moduleDoc{m.Path, m.Version, m.Sum})
	}
	return b
}

// builtAt is the date of the build, or now where it has none.
func (a *app) builtAt() time.Time {
	if t := buildTime(); !t.IsZero() {
		return t
	}
	return a.now()
}

// buildTime is the date of the build; zero where it has none.
func buildTime() time.Time {
	t, err := time.Parse(time.RFC3339, built().Date)
	if err != nil {
		return time.Time{}
	}
	return t
}
