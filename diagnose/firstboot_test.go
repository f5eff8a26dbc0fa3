package diagnose

import (
	"testing"

	"xrdpfix/probe"
)

// image makes the facts those of a tree with a unit for its first boot, and with
// a pair that nobody could use.
func image(f *Facts) {
	f.Offline = true
	f.Wire = Skipped[probe.ServerSurvey]("offline")
	f.Key.Readable, f.Key.Stop, f.Key.Why = false, 0, "user xrdp is not in group ssl-cert"
	f.FirstBoot = Seen(FirstBoot{
		Program: "/usr/bin/xrdpfix", Systemd: true,
		Unit:   fileFact(FirstBootPath, string(FirstBootService("/usr/bin/xrdpfix", ConfigPath))),
		DropIn: fileFact(FirstBootDropIn, string(FirstBootWants())),
	})
}

func TestFirstBoot(t *testing.T) {
	raise(t, []fault{
		{"pending", func(_ *testing.T, f *Facts, _ *Settings) { image(f) }, []Code{FirstBootPending}},
		{"with names", func(_ *testing.T, f *Facts, _ *Settings) {
			image(f)
			f.FirstBoot.Value.Unit = fileFact(FirstBootPath, string(FirstBootService("/usr/bin/xrdpfix", ConfigPath, "--name *.example.org")))
		}, []Code{FirstBootPending}},
		{"not wanted", func(_ *testing.T, f *Facts, _ *Settings) {
			image(f)
			f.FirstBoot.Value.DropIn = FileFact{Path: FirstBootDropIn}
		}, []Code{KeyUnreadable}},
		{"without the program", func(_ *testing.T, f *Facts, _ *Settings) {
			image(f)
			f.FirstBoot.Value.Program = ""
		}, []Code{KeyUnreadable}},
		{"another command", func(_ *testing.T, f *Facts, _ *Settings) {
			image(f)
			f.FirstBoot.Value.Unit = fileFact(FirstBootPath, "[Service]\nExecStart=/usr/bin/xrdpfix check\n")
		}, []Code{KeyUnreadable}},
		{"other faults stay", func(t *testing.T, f *Facts, _ *Settings) {
			image(f)
			edit(t, &f.Config, "security_layer=tls", "security_layer=rdp")
		}, []Code{SecurityLayerRDP, FirstBootPending}},
		{"left on a live machine", func(_ *testing.T, f *Facts, _ *Settings) {
			image(f)
			f.Offline = false
		}, []Code{KeyUnreadable}},
	})
}
