package main

import (
	"os"
	"strings"
	"testing"
)

// FuzzPolicyFile reads any bytes as a policy: it is taken whole, and then the flags
// that it stands for are no contradiction, or a line of it is named.
func FuzzPolicyFile(f *testing.F) {
	packaged, err := os.ReadFile("../../packaging/etc/xrdpfix/policy.ini")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packaged)
	var all strings.Builder
	for _, k := range policyKeys {
		all.WriteString("[" + k.section + "]\n" + k.name + " = " + k.example + "\n")
		f.Add([]byte("[" + k.section + "]\n" + k.name + " = " + k.example + "\n"))
	}
	f.Add([]byte(all.String()))
	f.Add([]byte("[security]\nprofile = legacy\nfor = 14d\n[xrdpfix]\nignore = cert-expiring\n"))
	f.Add([]byte("[security]\ntls-min = 1.3\ntls-max = 1.0\n[certificate]\nname = a b,::1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPolicyFile("policy.ini")
		if err := p.parse(data); err != nil {
			if e := exitOf(err); e != (exit{2, reasonPolicy}) || !strings.HasPrefix(err.Error(), "policy.ini") {
				t.Errorf("%q: %v (exit %d, %s)", data, err, e.Code, e.Reason)
			}
			return
		}
		if _, err := p.flags.policy(); err != nil {
			t.Errorf("%q is taken, and the flags it stands for are refused: %v", data, err)
		}
	})
}
