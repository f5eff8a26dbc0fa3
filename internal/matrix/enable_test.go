//go:build lab

package matrix

import (
	"testing"

	"xrdpfix/internal/lab"
)

// TestNeverEnables: xrdp that is stopped and disabled is started and stays
// disabled, and what a firewall lets in is the same afterwards.
func TestNeverEnables(t *testing.T) {
	t.Parallel()
	m := start(t, lab.Bookworm, lab.WithPackages("nftables"))
	const state = `systemctl list-unit-files --no-legend --no-pager; find /etc/systemd/system -type l | sort; nft list ruleset`
	m.Must(t, `systemctl disable --quiet --now xrdp xrdp-sesman
nft 'add table inet filter'
nft 'add chain inet filter input { type filter hook input priority 0; policy drop; }'
nft 'add rule inet filter input iif lo accept'`)
	before := m.Must(t, state)
	a := m.xrdpfix(t, "apply")
	if !a.Changed || a.Verdict == nil || a.Verdict.Status != "confirmed" {
		t.Errorf("apply: %s", a)
	}
	m.listening(t)
	if after := m.Must(t, state); after != before {
		t.Errorf("units or firewall changed:\n%s", difference(before, after))
	}
}
