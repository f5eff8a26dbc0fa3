package probe

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// Result is what one connection showed. It goes to JSON and back, except for TLSInfo.Certificates.
type Result struct {
	Addr string `json:"addr"` // as given to Run, with the port
	// Local is this side of the connection: xrdp logs it as the client's address and port. IPv4-mapped addresses appear
	// as IPv4. Both are the zero value if no connection was made or if it was not TCP.
	Local   netip.AddrPort `json:"local"`
	Remote  netip.AddrPort `json:"remote"`
	Reached Stage          `json:"reached"` // the last stage completed

	Negotiation *Negotiation `json:"negotiation,omitempty"`
	TLS         *TLSInfo     `json:"tls,omitempty"`
	ServerHello *ServerHello `json:"server_hello,omitempty"` // from Hello only
	MCS         *MCSInfo     `json:"mcs,omitempty"`
	NTLM        *NTLMInfo    `json:"ntlm,omitempty"`    // from Challenge only
	Failure     *Failure     `json:"failure,omitempty"` // nil if the connection got to Options.Until

	Started time.Time     `json:"started"`
	Elapsed time.Duration `json:"elapsed_ns"`
}

// Negotiation is the outcome of the X.224 Connection Request.
type Negotiation struct {
	Requested Protocol `json:"requested"`
	Selected  Protocol `json:"selected"` // meaningful if FailureCode is zero
	// Answered says that the Connection Confirm held negotiation data. A server that sends none speaks Standard RDP
	// Security only, or was not asked (Options.NoNegotiation).
	Answered    bool        `json:"answered"`
	Flags       uint8       `json:"flags"` // of RDP_NEG_RSP
	FailureCode FailureCode `json:"failure_code,omitempty"`
	SourceRef   uint16      `json:"source_ref"` // of the Connection Confirm
	Response    string      `json:"response"`   // the Connection Confirm without its TPKT header, in hexadecimal
}

// run is one connection under way.
type run struct {
	ctx    context.Context
	opts   Options
	end    time.Time // of the time for the connection
	conn   *recorder
	stream io.ReadWriter // conn, or TLS over it
	result Result
	before int64 // bytes received before the stage
}

// Run makes one connection to addr, "host:port" (the port may be left out), and takes it to opts.Until. It returns when
// that is reached, when something failed, when the time is up or when ctx is done, and has closed the connection by then.
func Run(ctx context.Context, addr string, opts Options) Result {
	addr = WithPort(addr)
	host, _, err := net.SplitHostPort(addr)
	opts = opts.withDefaults(host)
	r := &run{opts: opts, result: Result{Addr: addr, Started: opts.Now()}}
	if err == nil && host == "" {
		err = errors.New("no host")
	}
	if err == nil {
		err = opts.check()
	}
	if err != nil {
		r.result.Failure = &Failure{Stage: StageNone, Kind: KindBadRequest, Text: err.Error()}
		return r.result
	}
	r.ctx, r.end = ctx, time.Now().Add(opts.Timeout)
	r.result.Failure = r.sequence()
	r.result.Elapsed = opts.Now().Sub(r.result.Started)
	return r.result
}

// sequence takes the connection through its stages.
func (r *run) sequence() *Failure {
	if f := r.connect(); f != nil {
		return f
	}
	defer r.conn.Close() //nolint:errcheck // what was asked is answered or has failed by then
	// A deadline in the past ends what is being read or written when ctx is done.
	stop := context.AfterFunc(r.ctx, func() { _ = r.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	stages := []struct {
		stage Stage
		do    func() *Failure
	}{
		{StageNegotiation, r.negotiate},
		{StageTLS, r.handshake},
		{StageMCS, r.connectMCS},
		{StageDone, r.joinChannels},
	}
	for _, s := range stages {
		if r.result.Reached >= r.opts.Until || s.stage > r.opts.Until {
			break
		}
		if s.stage == StageTLS && r.result.Negotiation.Selected == ProtocolRDP {
			continue
		}
		if f := r.begin(s.stage); f != nil {
			return f
		}
		if f := s.do(); f != nil {
			if f.final() {
				r.leave()
			}
			return f
		}
		if s.stage == StageTLS && r.opts.hello != nil {
			break // answered, not completed
		}
		r.result.Reached = s.stage
	}
	r.leave()
	return nil
}

// begin sets the deadline of a stage.
func (r *run) begin(stage Stage) *Failure {
	r.before = r.conn.received
	err := r.conn.SetDeadline(r.within(r.opts.StageTimeout))
	if r.ctx.Err() != nil { // after SetDeadline, which may have undone what AfterFunc did
		err = r.ctx.Err()
	}
	if err != nil {
		return classify(r.ctx, stage, err)
	}
	return nil
}

// within is the time until which what begins now may last: d at most, and not longer than the connection.
func (r *run) within(d time.Duration) time.Time {
	if t := time.Now().Add(d); t.Before(r.end) {
		return t
	}
	return r.end
}

func (r *run) fail(stage Stage, err error) *Failure {
	f := classify(r.ctx, stage, err)
	f.Received = r.conn.received - r.before
	return f
}

func (r *run) connect() *Failure {
	ctx, cancel := context.WithDeadline(r.ctx, r.within(r.opts.StageTimeout))
	defer cancel()
	conn, err := r.opts.Dial(ctx, "tcp", r.result.Addr)
	if err != nil {
		return classify(r.ctx, StageConnect, err)
	}
	r.conn = &recorder{Conn: conn}
	r.stream = r.conn
	r.result.Local, r.result.Remote = addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr())
	r.result.Reached = StageConnect
	return nil
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

func (r *run) negotiate() *Failure {
	request := connectionRequest{Cookie: r.opts.Cookie, NoNegotiation: r.opts.NoNegotiation, Requested: r.opts.Requested}
	if _, err := r.conn.Write(request.encode()); err != nil {
		return r.fail(StageNegotiation, err)
	}
	body, err := readTPKT(r.conn, maxConfirm)
	if err != nil {
		return r.fail(StageNegotiation, err)
	}
	confirm, err := parseConnectionConfirm(body)
	if err != nil {
		return r.fail(StageNegotiation, err)
	}
	n := &Negotiation{Requested: r.opts.Requested, Selected: confirm.Selected, Answered: confirm.Type != 0, Flags: confirm.Flags,
		FailureCode: confirm.FailureCode, SourceRef: confirm.SourceRef, Response: hex.EncodeToString(body)}
	r.result.Negotiation = n
	if confirm.Type == typeNegFailure {
		return r.fail(StageNegotiation, &wireError{KindNegotiationFailure, n.FailureCode.String()})
	}
	if n.Selected&^r.opts.Requested != 0 || n.Selected&(n.Selected-1) != 0 {
		return r.fail(StageNegotiation, protocolError("the server selected %s of %s", n.Selected, n.Requested))
	}
	return nil
}

// leave ends the connection in good order: MCS Disconnect Provider Ultimatum, close_notify, FIN, and then waits a moment for the server
// to close. Errors do not matter any more.
func (r *run) leave() {
	if r.result.Reached >= StageMCS {
		_, _ = r.stream.Write(dataTPDU(disconnectProviderUltimatum()))
	}
	if client, ok := r.stream.(*tls.Conn); ok {
		_ = client.CloseWrite()
	}
	// After CloseWrite of crypto/tls, which leaves a write deadline in the past. Nothing was sent yet: see recorder.
	deadline := r.within(lingerTime)
	if r.conn.SetDeadline(deadline) != nil || r.ctx.Err() != nil || !time.Now().Before(deadline) || r.conn.CloseWrite() != nil {
		return
	}
	r.conn.drain(maxPDU)
}
