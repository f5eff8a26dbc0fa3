package main

import (
	"reflect"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestBuildOf(t *testing.T) {
	vcs := &debug.BuildInfo{
		Deps: []*debug.Module{{Path: "example.org/a", Version: "v1.2.3", Sum: "h1:x="}},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-22T15:24:40Z"}, {Key: "vcs.modified", Value: "true"},
		},
	}
	modules := []moduleDoc{{"example.org/a", "v1.2.3", "h1:x="}}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	for name, tt := range map[string]struct {
		info                    *debug.BuildInfo
		version, revision, date string
		want                    buildDoc
	}{
		"by go build": {vcs, "devel", "", "", buildDoc{"devel", "abc", true, "2026-11-22T15:24:40Z", runtime.Version(), platform, modules}},
		"the linker knows better": {vcs, "v1", "def", "2026-11-23T00:00:00Z",
			buildDoc{"v1", "def", true, "2026-11-23T00:00:00Z", runtime.Version(), platform, modules}},
		"dirty by name": {&debug.BuildInfo{}, "v1-2-gdef-dirty", "def", "", buildDoc{"v1-2-gdef-dirty", "def", true, "", runtime.Version(), platform, []moduleDoc{}}},
		"nothing":       {&debug.BuildInfo{}, "devel", "", "", buildDoc{"devel", "", false, "", runtime.Version(), platform, []moduleDoc{}}},
	} {
		if got := buildOf(tt.info, tt.version, tt.revision, tt.date); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}
