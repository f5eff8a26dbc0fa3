package service

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"
)

// Both tables are as a little-endian machine prints them.
const (
	tcp4 = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 0100007F:0D16 00000000:0000 0A 00000000:00000000 00:00000000 00000000   104        0 4141 1 0000000000000000 100 0 0 10 0                       
   1: 0100007F:0D3D 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4242 1 0000000000000000 20 4 30 10 -1                      
   2: junk
   3: 0100007F:ZZZZ 00000000:0000 0A 00000000:00000000 00:00000000 00000000   104        0 4143 1
`
	tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0D3D 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   113        0 4343 1 0000000000000000 100 0 0 10 0
   1: B80D0120000000000000000007000000:0D3E 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4444 1 0000000000000000 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:0D3F 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4545 1 0000000000000000 100 0 0 10 0
`
)

func listener(addr string, uid int, inode uint64) Listener {
	return Listener{netip.MustParseAddrPort(addr), uid, inode}
}

func TestListeners(t *testing.T) {
	both := []Listener{
		listener("127.0.0.1:3350", 104, 4141), listener("[::]:3389", 113, 4343),
		listener("[2001:db8::7]:3390", 0, 4444), listener("127.0.0.1:3391", 0, 4545),
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Fatal("the tables of this test are of a little-endian machine")
	}
	for _, tt := range []struct {
		name string
		proc fstest.MapFS
		pid  int
		want []Listener
		err  error
	}{
		{"both", fstest.MapFS{"7/net/tcp": {Data: []byte(tcp4)}, "7/net/tcp6": {Data: []byte(tcp6)}}, 7, both, nil},
		{"IPv6 off", fstest.MapFS{"self/net/tcp": {Data: []byte(tcp4)}}, 0, both[:1], nil},
		{"process gone", fstest.MapFS{}, 7, nil, fs.ErrNotExist},
	} {
		got, err := Listeners(tt.proc, tt.pid)
		if !errors.Is(err, tt.err) || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, %v\nwant %v", tt.name, got, err, tt.want)
		}
	}
}

// TestOwnSockets opens sockets in this process and finds them in the real /proc.
func TestOwnSockets(t *testing.T) {
	proc := os.DirFS("/proc")
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		want := []netip.AddrPort{l.Addr().(*net.TCPAddr).AddrPort()}
		accepting := Accepting(proc, func() ([]int, error) { return []int{os.Getpid(), 1 << 30}, nil })
		if _, err := WaitAccepting(t.Context(), want, accepting); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
		// The parent is in the same namespace and does not hold the socket.
		other := Accepting(proc, func() ([]int, error) { return []int{os.Getppid()}, nil })
		if sockets, err := other(); err != nil || len(Missing(want, sockets)) == 0 {
			t.Errorf("%s: counted as another process's: %v, %v", addr, sockets, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if sockets, err := accepting(); err != nil || len(Missing(want, sockets)) == 0 {
			t.Errorf("%s: still there after Close: %v, %v", addr, sockets, err)
		}
	}
}

func TestServes(t *testing.T) {
	for _, tt := range []struct {
		bound, want string
		ok          bool
	}{
		{"[::]:3389", "0.0.0.0:3389", true},
		{"[::]:3389", "127.0.0.1:3389", true},
		{"[::]:3389", "[::1]:3389", true},
		{"[::]:3389", "[::]:3390", false},
		{"0.0.0.0:3389", "127.0.0.1:3389", true},
		{"0.0.0.0:3389", "[::1]:3389", false},
		{"127.0.0.1:3389", "127.0.0.1:3389", true},
		{"127.0.0.1:3389", "[::ffff:127.0.0.1]:3389", true},
		{"127.0.0.1:3389", "192.0.2.7:3389", false},
		{"127.0.0.1:3389", "0.0.0.0:3389", true},
		{"[fe80::1]:3389", "[fe80::1%eth0]:3389", true},
	} {
		if got := serves(netip.MustParseAddrPort(tt.bound), netip.MustParseAddrPort(tt.want)); got != tt.ok {
			t.Errorf("a socket on %s serves %s: %v", tt.bound, tt.want, got)
		}
	}
}

func TestWaitAccepting(t *testing.T) {
	want := []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:3389"), netip.MustParseAddrPort("127.0.0.1:3390")}
	one, two := listener("[::]:3389", 0, 1), listener("127.0.0.1:3390", 0, 2)
	looks := 0
	steps := [][]Listener{nil, {one}, {two}, {one, two}}
	took, err := WaitAccepting(t.Context(), want, func() ([]Listener, error) {
		looks++
		return steps[looks-1], nil
	})
	if err != nil || looks != 4 || took <= 0 {
		t.Errorf("%v after %d looks, %v", err, looks, took)
	}
	if _, err := WaitAccepting(t.Context(), nil, func() ([]Listener, error) { return nil, nil }); err != nil {
		t.Errorf("nothing wanted: %v", err)
	}
	cause := errors.New("too long")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err = WaitAccepting(ctx, want, func() ([]Listener, error) {
		cancel(cause)
		return steps[1], nil
	})
	if !errors.Is(err, cause) || err.Error() != "nothing listens on [127.0.0.1:3390]: too long" {
		t.Errorf("under an ended context: %v", err)
	}
	broken := errors.New("no /proc")
	if _, err := WaitAccepting(t.Context(), want, func() ([]Listener, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("without a look: %v", err)
	}
}

func TestAcceptingWithoutRights(t *testing.T) {
	proc := fstest.MapFS{"7/net/tcp": {Data: []byte(tcp4)}}
	got, err := Accepting(hideFD{proc}, func() ([]int, error) { return []int{7}, nil })()
	if err != nil || !slices.Equal(got, []Listener{listener("127.0.0.1:3350", 104, 4141)}) {
		t.Errorf("%v, %v", got, err)
	}
	broken := errors.New("systemd is gone")
	if _, err := Accepting(proc, func() ([]int, error) { return nil, broken })(); !errors.Is(err, broken) {
		t.Errorf("without processes: %v", err)
	}
}

// hideFD forbids reading directories, as the kernel does for processes of others.
type hideFD struct{ fs.FS }

func (hideFD) ReadDir(name string) ([]fs.DirEntry, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func FuzzParseSockets(f *testing.F) {
	f.Add([]byte(tcp4))
	f.Add([]byte(tcp6))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, l := range parseSockets(data) {
			if !l.Addr.IsValid() || l.Addr.Addr().Is4In6() {
				t.Errorf("address %v", l.Addr)
			}
		}
	})
}
