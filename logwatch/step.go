package logwatch

// phase is how far a connection has come, as far as the log can tell.
type phase uint8

const (
	accepted  phase = iota // the socket was accepted
	requested              // 0.10.4 and later: the request was logged
	selected               // a protocol was selected
	named                  // the client gave its computer name
	failing                // xrdp_sec_incoming gave up
	failed                 // xrdp_rdp_incoming gave up
)

// step says where in a connection's life a message can come and what it does
// to the connection. The zero value is a message of no connection.
type step struct {
	kind     stepKind
	from, to phase // the phases in which it can come
	next     phase // the phase that it leads to; 0 keeps the phase
}

type stepKind uint8

const (
	stepNone        stepKind = iota
	stepAccept               // begins a connection, with the peer's address
	stepInside               // belongs to a connection that is being set up
	stepReason               // continues the line before it
	stepEstablished          // ends the set-up, with the peer's address
	stepLate                 // comes after a classic connection was established
	stepEnd                  // ends a connection that was not established
	stepTail                 // may come after the end, or from a session
	stepRestart              // the daemon starts: nothing before it lives on
)

// The steps of the catalogue. The order of the messages is that of
// xrdp_process_main_loop (xrdp/xrdp_process.c): the configuration is read
// first, then xrdp_iso_incoming, trans_set_tls_mode and xrdp_mcs_incoming.
var (
	atAccept      = step{kind: stepAccept}
	atConfig      = step{kind: stepInside, from: accepted, to: requested}
	atRequest     = step{kind: stepInside, from: accepted, to: accepted, next: requested}
	atSelect      = step{kind: stepInside, from: accepted, to: requested, next: selected}
	atX224        = step{kind: stepInside, from: accepted, to: selected}
	atSecurity    = step{kind: stepInside, from: selected, to: selected}
	atReason      = step{kind: stepReason, from: selected, to: selected}
	atMCS         = step{kind: stepInside, from: selected, to: named}
	atName        = step{kind: stepInside, from: selected, to: named, next: named}
	atEstablished = step{kind: stepEstablished}
	atLate        = step{kind: stepLate}
	atX224Failed  = step{kind: stepInside, from: accepted, to: selected, next: failing}
	atTLSFailed   = step{kind: stepInside, from: selected, to: selected, next: failing}
	atMCSFailed   = step{kind: stepInside, from: selected, to: named, next: failing}
	atFailed      = step{kind: stepInside, from: failing, to: failing, next: failed}
	atEnd         = step{kind: stepEnd, from: failed, to: failed}
	atTail        = step{kind: stepTail}
	atRestart     = step{kind: stepRestart}
)
