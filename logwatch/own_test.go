package logwatch

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestOwnFilter(t *testing.T) {
	begin := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	conn := func(sec int, addr, name string, established bool) Connection {
		c := Connection{Client: netip.AddrPortFrom(netip.MustParseAddr(addr), 1000), ClientName: name, Established: established}
		c.Start = begin.Add(time.Duration(sec) * time.Second)
		return c
	}
	in := []Connection{
		conn(0, "192.0.2.1", "", false),         // somebody's failure
		conn(60, "127.0.0.1", OwnName, true),    // our full connection
		conn(60, "127.0.0.1", "", false),        // our refused TLS version
		conn(61, "192.0.2.1", "", false),        // somebody else meanwhile
		conn(61, "127.0.0.1", "PC-ANNA", true),  // a tunnelled client meanwhile
		conn(62, "127.0.0.1", OwnName, true),    // our next survey
		conn(120, "127.0.0.1", "", false),       // a health check, later
		conn(121, "192.0.2.9", "PC-ANNA", true), // a client
	}
	want := []bool{false, true, true, false, false, true, false, false}
	var f OwnFilter
	var got []bool
	for _, c := range in {
		for _, j := range f.Add(c) {
			got = append(got, j.Outcome.Own)
		}
	}
	if len(got) == 0 {
		t.Error("nothing came out before Flush")
	}
	for _, j := range f.Flush() {
		got = append(got, j.Outcome.Own)
	}
	if !slices.Equal(got, want) {
		t.Errorf("own = %v, want %v", got, want)
	}
}
