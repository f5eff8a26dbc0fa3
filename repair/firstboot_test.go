package repair

import (
	"net/netip"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
)

// firstBoot puts the unit of an image's first boot on the machine.
func (m *machine) firstBoot() {
	for name, data := range map[string][]byte{
		diagnose.FirstBootPath:   diagnose.FirstBootService("/usr/bin/xrdpfix", diagnose.ConfigPath),
		diagnose.FirstBootDropIn: diagnose.FirstBootWants(),
	} {
		for d := path.Dir(name); d != "/"; d = path.Dir(d) {
			if _, there := m.files[d]; !there {
				m.files[d] = node{dir: true, mode: 0o755}
			}
		}
		m.files[name] = node{data: data, mode: 0o644}
	}
}

// inTree makes the machine's facts those of a tree.
func (m *machine) inTree(change func(f *diagnose.Facts)) {
	m.adjust = func(f *diagnose.Facts) {
		f.Offline = true
		f.Wire = diagnose.Skipped[probe.ServerSurvey]("offline")
		f.Log.Own = diagnose.Skipped[[]logwatch.Connection]("offline")
		if change != nil {
			change(f)
		}
	}
}

func TestFirstBootPlan(t *testing.T) {
	lost := func(m *machine) { delete(m.files, "/etc/xrdp/key.pem") }
	for name, tt := range map[string]struct {
		plant   func(m *machine)
		change  func(f *diagnose.Facts)
		pol     Policy
		first   bool
		files   []string
		manual  []diagnose.Code
		command string
	}{
		"nothing wrong": {plant: func(*machine) {}},
		"key missing": {plant: lost, first: true, files: []string{diagnose.FirstBootPath, diagnose.FirstBootDropIn},
			command: "/usr/bin/xrdpfix cert renew --restart never"},
		"there already": {plant: func(m *machine) { lost(m); m.firstBoot() }},
		"stated": {plant: func(*machine) {}, first: true, files: []string{diagnose.FirstBootPath, diagnose.FirstBootDropIn},
			pol:     Policy{Cert: CertRenew, CertOnly: true, Request: certs.Request{DNSNames: []string{"*.example.org"}, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.9")}, Key: certs.ECDSAP256, Lifetime: 90 * 24 * time.Hour}},
			command: "/usr/bin/xrdpfix cert renew --restart never --name *.example.org --name 192.0.2.9 --key ecdsa-p256 --days 90"},
		"stated again":       {plant: (*machine).firstBoot, pol: Policy{Cert: CertRenew}, first: true},
		"keep":               {plant: lost, pol: Policy{Cert: CertKeep}, manual: []diagnose.Code{diagnose.KeyMissing}},
		"no program":         {plant: lost, change: func(f *diagnose.Facts) { f.FirstBoot.Value.Program = "" }, manual: []diagnose.Code{diagnose.KeyMissing}},
		"no systemd":         {plant: lost, change: func(f *diagnose.Facts) { f.FirstBoot.Value.Systemd = false }, manual: []diagnose.Code{diagnose.KeyMissing}},
		"could not look":     {plant: lost, change: func(f *diagnose.Facts) { f.FirstBoot = diagnose.Failed[diagnose.FirstBoot]("loop") }, manual: []diagnose.Code{diagnose.KeyMissing}},
		"stated no program":  {plant: func(*machine) {}, pol: Policy{Cert: CertRenew}, change: func(f *diagnose.Facts) { f.FirstBoot.Value.Program = "" }, manual: []diagnose.Code{diagnose.FirstBootPending}},
		"stated and missing": {plant: lost, pol: Policy{Cert: CertRenew}, change: func(f *diagnose.Facts) { f.FirstBoot.Value.Program = "" }, manual: []diagnose.Code{diagnose.KeyMissing}},
	} {
		m := stock(t)
		tt.plant(m)
		m.inTree(tt.change)
		p := m.plan(t, tt.pol)
		var files []string
		for _, c := range p.Files {
			files = append(files, c.Path)
		}
		var manual []diagnose.Code
		for _, x := range p.Manual {
			manual = append(manual, x.Because)
			if x.Severity != diagnose.Error {
				t.Errorf("%s: %+v is no error", name, x)
			}
		}
		if p.Identity != nil || p.FirstBoot != tt.first || !reflect.DeepEqual(files, tt.files) || !slices.Equal(manual, tt.manual) {
			t.Errorf("%s: identity %v, first boot %v, files %q, manual %q", name, p.Identity, p.FirstBoot, files, manual)
		}
		if tt.command != "" && !strings.Contains(string(p.Files[0].Data), "\nExecStart="+tt.command+"\n") {
			t.Errorf("%s: the unit is\n%s", name, p.Files[0].Data)
		}
	}
}

// TestFirstBootTree writes the unit into a tree and takes it back.
func TestFirstBootTree(t *testing.T) {
	m := stock(t)
	delete(m.files, "/etc/xrdp/key.pem")
	m.inTree(nil)
	before := m.clone()
	r := m.runner()
	out, err := r.Execute(t.Context(), m.plan(t, Policy{}))
	if err != nil || !out.Changed || m.journal(t).State != StateKept {
		t.Fatalf("%v, %+v", err, out)
	}
	if p := m.plan(t, Policy{}); !p.Empty() || len(p.Manual) > 0 {
		t.Errorf("a second plan: %+v", p)
	}
	for name := range m.files {
		if strings.HasPrefix(name, diagnose.OwnDir) {
			t.Errorf("%s was made in a tree", name)
		}
	}
	if _, err := r.Rollback(t.Context(), m.journal(t), false); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m.files, before.files) {
		t.Error("the tree is not as it was")
	}
}
