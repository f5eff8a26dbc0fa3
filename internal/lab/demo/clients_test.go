package main

import "testing"

// TestDecisive has lines that xfreerdp 2.10 printed against xrdp 0.9.21.1.
func TestDecisive(t *testing.T) {
	const stamp = "[04:01:02:345] [77:78] "
	for _, tt := range []struct{ name, output, want string }{
		{
			"an error with a name",
			stamp + "[ERROR][com.freerdp.core.nego] - Protocol Security Negotiation Failure\n" +
				stamp + "[ERROR][com.freerdp.core] - rdp_client_connect:freerdp_set_last_error_ex ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED [0x0002000C]\n",
			"ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED",
		},
		{
			"a name that the server gave",
			stamp + "[INFO][com.freerdp.core] - ERRINFO_LOGOFF_BY_USER (0x0000000C):The disconnection was initiated by the user\n",
			"ERRINFO_LOGOFF_BY_USER",
		},
		{
			"no name, so the first error",
			stamp + "[INFO][com.freerdp.core] - connecting\n" +
				stamp + "[ERROR][com.freerdp.core.rdp] - rdp_recv_pdu failed\n" +
				stamp + "[ERROR][com.freerdp.core.transport] - second\n",
			"rdp_recv_pdu failed",
		},
		{"nothing", "", "no word of why"},
	} {
		if got := decisive(tt.output); got != tt.want {
			t.Errorf("%s: decisive = %q, want %q", tt.name, got, tt.want)
		}
	}
}
