package diagnose

import "testing"

func TestFirstBootPending(t *testing.T) {
	const program = "/usr/bin/xrdpfix"
	tree := func(f *Facts) {
		f.Offline = true
		f.Daemon.Running, f.Listen.Value = Skipped[Process]("offline"), nil
		f.FirstBoot = Seen(FirstBoot{
			Program: program, Systemd: true,
			Unit:   fileFact(FirstBootPath, string(FirstBootService(program, ConfigPath))),
			DropIn: fileFact(FirstBootDropIn, string(FirstBootWants())),
		})
	}
	raise(t, []fault{
		{"the unit is there", simple(tree), []Code{FirstBootPending}},
		{"nothing wants it", simple(func(f *Facts) {
			tree(f)
			f.FirstBoot.Value.DropIn.Exists = false
		}), nil},
		{"the program is not there", simple(func(f *Facts) {
			tree(f)
			f.FirstBoot.Value.Program = ""
		}), nil},
	})
}
