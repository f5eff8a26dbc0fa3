package repair

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"xrdpfix/diagnose"
)

// planText tells a plan in lines: each file with the lines that go and come, the
// pair, the daemon, what is left to a human, and a refusal.
func planText(p Plan) string {
	var out []string
	if k := p.Keygen; k != nil {
		out = append(out, fmt.Sprintf("keygen %s %s", path.Base(k.Path), k.Group))
	}
	for _, c := range p.Files {
		if c.Path == configPath && p.Identity != nil {
			out = append(out, pairText(p.Identity))
		}
		what := fmt.Sprintf("%s %s", c.Kind, path.Base(c.Path))
		if c.InPlace {
			what += " in place"
		}
		if c.Before.Exists && c.After.Exists && (c.Before.Mode != c.After.Mode || c.Before.GID != c.After.GID) {
			what += fmt.Sprintf(" %s:%d", c.After.Mode, c.After.GID)
		}
		out = append(out, what)
		if c.Kind != FileEdit {
			continue
		}
		for _, l := range strings.Split(c.Diff, "\n") {
			if strings.HasPrefix(l, "+") && !strings.HasPrefix(l, "+++") || strings.HasPrefix(l, "-") && !strings.HasPrefix(l, "---") {
				out = append(out, "  "+strings.ReplaceAll(l, p.ID, "*"))
			}
		}
	}
	u := p.Unit
	if u.Reload {
		out = append(out, "reload")
	}
	switch {
	case u.Action != ActionNone && u.Needed:
		out = append(out, string(u.Action)+", needed: "+u.Why)
	case u.Action != ActionNone:
		out = append(out, string(u.Action)+": "+u.Why)
	}
	for _, m := range p.Manual {
		out = append(out, fmt.Sprintf("manual %s: %s", m.Because, strings.Join(m.Commands, " | ")))
	}
	if p.Refusal != nil {
		out = append(out, "refused "+p.Refusal.Reason+": "+p.Refusal.Text)
	}
	return strings.Join(out, "\n")
}

func pairText(id *IdentityChange) string {
	text := "pair root:" + id.KeyGroup
	switch {
	case id.Copy:
		text = "copy of " + id.CopyKey + " root:" + id.KeyGroup
	case id.Install != nil:
		text = "pair that was delivered root:" + id.KeyGroup
	}
	return text
}

// planCase is a machine, a wish, and the plan that must come of them.
type planCase struct {
	name   string
	plant  func(t *testing.T, m *machine)
	adjust func(f *diagnose.Facts)
	pol    Policy
	want   string
	// then checks what the text does not tell.
	then func(t *testing.T, p Plan)
}

// busy keeps a machine from being restarted, so that a table tells the change alone.
var busy = []diagnose.Peer{{Client: "192.0.2.7:4711"}}

func testPlans(t *testing.T, cases []planCase, peers []diagnose.Peer) {
	t.Helper()
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			m := stock(t)
			m.peers = peers
			if x.plant != nil {
				x.plant(t, m)
			}
			m.adjust = x.adjust
			p := m.plan(t, x.pol)
			if got, want := planText(p), strings.Trim(x.want, "\n"); got != want {
				t.Errorf("the plan is\n%s\nwant\n%s", got, want)
			}
			if x.then != nil {
				x.then(t, p)
			}
		})
	}
}
