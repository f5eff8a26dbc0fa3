package rdptest

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// Protocol bits and failure codes as numbers; see [MS-RDPBCGR] 2.2.1.1.1 and 2.2.1.2.2.
const (
	RDP      = 0
	SSL      = 1
	Hybrid   = 2
	HybridEx = 8
)

// Reply is how the server answers a Connection Request.
type Reply struct {
	Protocol uint32 // selectedProtocol
	Failure  uint32 // failureCode; not zero sends RDP_NEG_FAILURE and closes
	Bare     bool   // a Connection Confirm without negotiation data
	Flags    uint8  // of RDP_NEG_RSP
	NoSource bool   // source reference 0, as FreeRDP's servers, in place of 0x1234
}

// Fault is a way to misbehave.
type Fault int

// The faults. Each takes the place of the server's next answer at Config.FaultAt.
const (
	None            Fault = iota
	Close                 // close in good order
	Reset                 // close with a reset
	Stall                 // say nothing until the client leaves
	Garbage               // Config.Garbage, or some bytes that are no protocol, then close
	HugeLength            // a header that announces 65535 bytes, then nothing
	Endless               // zeros without end
	Drip                  // one correct octet at a time, each a little before a patient reader would give up
	PlainDisconnect       // MCS Disconnect Provider Ultimatum in plain text, then close, as xrdp when its TLS set-up fails
	Refuse                // the PDU with a result other than rt-successful (MCS only)
	Ultimatum             // MCS Disconnect Provider Ultimatum through the stream (MCS only)
)

// Point is where a fault takes place: instead of which answer.
type Point int

// The points of the connection sequence.
const (
	AtConfirm  Point = iota // the X.224 Connection Confirm
	AtTLS                   // the ServerHello; for Reset after the ClientHello was read
	AtConnect               // the MCS Connect Response
	AtAttach                // the Attach User Confirm
	AtJoin                  // the first Channel Join Confirm
	AtLastJoin              // the last Channel Join Confirm
)

// Config is how a server behaves. The zero value is a healthy server with PROTOCOL_SSL and without Standard RDP Security.
type Config struct {
	// Reply decides about a Connection Request; nil selects SSL if it was asked for and answers SSL_REQUIRED_BY_SERVER
	// if it was not. hasNegotiation is false if there was no RDP_NEG_REQ.
	Reply func(requested uint32, hasNegotiation bool) Reply
	// TLS is the server's side of TLS; nil means TLS 1.0 to 1.3 with a new certificate. Without certificates one is made.
	TLS *tls.Config
	// Method and Level go into the Server Security Data of Standard RDP Security; zero means 128BIT and HIGH.
	Method, Level uint32
	// CredSSP answers the client's first TSRequest where CredSSP was selected; nil says nothing.
	CredSSP []byte
	// Fault takes the place of the answer at FaultAt.
	Fault   Fault
	FaultAt Point
	Garbage []byte
}

// Seen is what one client did.
type Seen struct {
	Peer              netip.AddrPort
	Requested         uint32
	HasNegotiation    bool
	Cookie            string
	ClientHello       []byte // the TLS records that carried it
	TLSVersion        uint16 // 0 if there was no complete handshake
	ServerName        string
	TSRequest         []byte // the client's first, where Config.CredSSP answers it
	ClientName        string
	SelectedEcho      uint32 // serverSelectedProtocol of the Client Core Data
	EncryptionMethods uint32
	ErectedDomain     bool
	Attached          bool
	Joined            []uint16
	Disconnected      bool  // a Disconnect Provider Ultimatum came
	CloseNotify       bool  // a close_notify came (TLS only)
	Err               error // what ended the connection, nil for a FIN or, with TLS, a close_notify
}

// Server is a running server. One that Start made stops when the test ends.
type Server struct {
	Addr string // "127.0.0.1:port"

	config   Config
	tls      *tls.Config
	listener net.Listener
	stop     chan struct{}
	done     sync.WaitGroup

	mu      sync.Mutex
	open    map[net.Conn]bool
	now     int
	most    int
	greeted int
	seen    []Seen
	change  chan struct{}
}

// Start starts a server for the length of a test.
func Start(tb testing.TB, config Config) *Server {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	s, err := Serve(l, config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// Serve starts a server on a listener, which is the server's from then on: Close ends both.
func Serve(l net.Listener, config Config) (*Server, error) {
	tlsConfig, err := serverTLS(config.TLS)
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: l.Addr().String(), config: config, tls: tlsConfig, listener: l, stop: make(chan struct{}),
		open: map[net.Conn]bool{}, change: make(chan struct{})}
	s.done.Go(s.accept)
	return s, nil
}

// Wait waits until n clients have come and gone and returns what they did, in the order in which they ended.
func (s *Server) Wait(tb testing.TB, n int) []Seen {
	tb.Helper()
	timeout := time.After(2 * time.Minute)
	for {
		s.mu.Lock()
		seen, change := append([]Seen{}, s.seen...), s.change
		s.mu.Unlock()
		if len(seen) >= n {
			return seen
		}
		select {
		case <-change:
		case <-timeout:
			tb.Fatalf("%d clients ended, want %d", len(seen), n)
		}
	}
}

// Greeted gives the number of clients that were through with TLS, well or not.
func (s *Server) Greeted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.greeted
}

// Most gives the largest number of connections that were open at one time.
func (s *Server) Most() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[c] = true
		s.now++
		s.most = max(s.most, s.now)
		s.mu.Unlock()
		s.done.Go(func() {
			session := &session{server: s, raw: c, stream: c}
			session.leave = sync.OnceFunc(func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.now--
			})
			session.seen.Peer = c.RemoteAddr().(*net.TCPAddr).AddrPort()
			session.seen.Err = session.ended(session.serve())
			session.leave()
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.open, c)
			_ = c.Close()
			s.seen = append(s.seen, session.seen)
			close(s.change)
			s.change = make(chan struct{})
		})
	}
}

// Close ends the server and the connections that it has.
func (s *Server) Close() {
	close(s.stop)
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.done.Wait()
}
