//go:build lab

package clients_test

import (
	"strings"
	"testing"

	"xrdpfix/internal/rdptest"
)

// hello is the ClientHello with which a real client answers a server that selects PROTOCOL_SSL.
func hello(t *testing.T, p program) []byte {
	t.Helper()
	srv := rdptest.Start(t, rdptest.Config{})
	var err error
	greeted := func() bool { return srv.Greeted() > 0 }
	switch p.key {
	case "rdesktop":
		_, err = p.client.Script(t.Context(), nil, `yes no | timeout 60 rdesktop "$@" >/dev/null 2>&1; :`, append(strings.Fields(p.args), srv.Addr)...)
	case "remmina":
		_, err = p.client.Attend(t.Context(), nil, greeted, remminaScript, srv.Addr, "120")
	case "krdc":
		_, err = p.client.Attend(t.Context(), nil, greeted, krdcScript, srv.Addr)
	default:
		_, err = p.client.Run(t.Context(), nil, strings.Fields(strings.Replace(p.args, "127.0.0.1", srv.Addr, 1))...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return srv.Wait(t, 1)[0].ClientHello
}
