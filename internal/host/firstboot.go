package host

import (
	"os"

	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
)

// programs are where packages and people install xrdpfix.
var programs = []string{"/usr/bin/xrdpfix", "/usr/local/bin/xrdpfix", "/usr/sbin/xrdpfix", "/usr/local/sbin/xrdpfix"}

// systemds are where distributions have systemd.
var systemds = []string{"/usr/lib/systemd/systemd", "/lib/systemd/systemd"}

// firstBoot looks what there is for the first boot of this tree, or what is left
// of it on a machine that has booted.
func (m *Machine) firstBoot() (diagnose.FirstBoot, error) {
	var b diagnose.FirstBoot
	var err error
	if b.Unit, err = m.file(diagnose.FirstBootPath); err != nil {
		return b, err
	}
	if b.DropIn, err = m.file(diagnose.FirstBootDropIn); err != nil {
		return b, err
	}
	if m.Live() {
		b.Program, _ = os.Executable()
		_, err := os.Stat("/run/systemd/system")
		b.Systemd = err == nil
		return b, nil
	}
	b.Program, b.Systemd = m.firstProgram(programs), m.firstProgram(systemds) != ""
	return b, nil
}

// firstProgram is the first of these paths that leads to a program in the tree.
func (m *Machine) firstProgram(paths []string) string {
	for _, p := range paths {
		st, err := m.root.Stat(p)
		if err == nil && st.Exists && st.Kind == atomicfile.KindFile && st.Mode&0o111 != 0 {
			return p
		}
	}
	return ""
}
