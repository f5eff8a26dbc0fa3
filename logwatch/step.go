package logwatch

// phases is a set of stages of a connection's set-up. The log does not always
// tell which of them a connection is in, so it is a set.
type phases uint16

const (
	accepted   phases = 1 << iota // the socket was accepted
	requested                     // the request was logged (0.10.4 and later)
	x224Broken                    // the negotiation was refused or broken off
	selected                      // a protocol was selected
	tlsBroken                     // the TLS set-up or handshake failed
	tlsRefused                    // trans_set_tls_mode gave up
	named                         // the client gave its computer name
	mcsBroken                     // the MCS sequence was broken off
	failing                       // xrdp_sec_incoming gave up
	failed                        // xrdp_rdp_incoming gave up

	everywhere = failed<<1 - 1
)

// step says where in a connection's life a message can come and what it does
// to the connection. The zero value is a message of no connection.
type step struct {
	kind stepKind
	from phases // the stages in which it comes
	also phases // others in which it can, when nothing in from is open
	next phases // the stage that it leads to; 0 keeps the stage
}

type stepKind uint8

const (
	stepNone        stepKind = iota
	stepAccept               // begins a connection, with the peer's address
	stepInside               // belongs to a connection that is being set up
	stepReason               // continues the line before it
	stepEstablished          // ends the set-up, with the peer's address
	stepLate                 // may come right after the connection was established
	stepEnd                  // ends a connection that was not established
	stepTail                 // may come after the end, or from a session
	stepRestart              // the daemon starts or stops: nothing lives on
)

// The steps of the catalogue. The order of the messages is that of
// xrdp_process_main_loop (xrdp/xrdp_process.c): the configuration is read
// first, then come xrdp_iso_incoming, trans_set_tls_mode and xrdp_mcs_incoming;
// what fails is reported by each function on the way back.
var (
	atAccept      = step{kind: stepAccept}
	atConfig      = step{kind: stepInside, from: accepted | requested}
	atRequest     = step{kind: stepInside, from: accepted, next: requested}
	atSelect      = step{kind: stepInside, from: accepted | requested, next: selected}
	atX224        = step{kind: stepInside, from: accepted | requested | x224Broken, also: selected, next: x224Broken}
	atConfirm     = step{kind: stepInside, from: accepted | requested | selected | x224Broken, next: x224Broken}
	atX224Failed  = step{kind: stepInside, from: x224Broken, also: accepted | requested | selected, next: failing}
	atSelected    = step{kind: stepInside, from: selected}
	atSecurity    = step{kind: stepInside, from: selected | tlsBroken, next: tlsBroken}
	atReason      = step{kind: stepReason, from: tlsBroken}
	atTLSRefused  = step{kind: stepInside, from: tlsBroken, also: selected, next: tlsRefused}
	atTLSFailed   = step{kind: stepInside, from: tlsRefused, also: selected | tlsBroken, next: failing}
	atKeysFailed  = step{kind: stepInside, from: selected, next: failing}
	atName        = step{kind: stepInside, from: selected, also: named, next: named}
	atMCSSettings = step{kind: stepInside, from: selected | named}
	atMCS         = step{kind: stepInside, from: selected | named | mcsBroken, next: mcsBroken}
	atMCSFailed   = step{kind: stepInside, from: mcsBroken, also: selected | named, next: failing}
	atFailed      = step{kind: stepInside, from: failing, also: everywhere, next: failed}
	atEstablished = step{kind: stepEstablished}
	atLate        = step{kind: stepLate}
	atEnd         = step{kind: stepEnd, from: failed, also: everywhere}
	atTail        = step{kind: stepTail}
	atRestart     = step{kind: stepRestart}
)
