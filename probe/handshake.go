package probe

import (
	"crypto/tls"
	"errors"
	"strings"
)

func (r *run) handshake() *Failure {
	r.conn.head, r.conn.tap = nil, recordTap{}
	if r.opts.hello != nil {
		return r.helloExchange()
	}
	client := tls.Client(r.conn, r.opts.tlsConfig())
	if err := client.Handshake(); err != nil {
		return r.tlsFailure(err)
	}
	r.result.TLS = newTLSInfo(client.ConnectionState())
	r.stream = client
	return nil
}

// tlsFailure finds out what the server did instead of completing the handshake.
func (r *run) tlsFailure(err error) *Failure {
	// A server that has already answered in plain text and closed can make the write of the ClientHello fail; what it
	// said is still there to read.
	for len(r.conn.head) < len(plainDisconnect) && (len(r.conn.head) == 0 || r.conn.head[0] == plainDisconnect[0]) {
		if n, readErr := r.conn.Read(make([]byte, len(plainDisconnect))); n == 0 || readErr != nil {
			break
		}
	}
	f := r.fail(StageTLS, err)
	var header tls.RecordHeaderError
	switch alert, isAlert := remoteAlert(err); {
	case strings.HasPrefix(string(r.conn.head), plainDisconnect):
		f.Kind, f.Text = KindTLSSetupFailed, "MCS Disconnect Provider Ultimatum in plain text instead of a ServerHello"
	case r.conn.tap.seen:
		f.setAlert(r.conn.tap.fatal)
	case isAlert:
		f.setAlert(alert)
	case f.Kind == KindReset && f.Received == 0:
		f.Kind, f.Text = KindTLSCutOff, "reset after the ClientHello"
	case errors.As(err, &header):
		f.Kind, f.Text = KindProtocolError, "not TLS: "+quoteBytes(r.conn.head)
	case f.Kind == KindIO:
		f.Kind = KindTLSOther
		if v, ok := r.conn.serverHelloVersion(); ok && (v < r.opts.MinVersion || v > r.opts.MaxVersion) {
			f.Kind, f.Text = KindTLSVersion, "the server answered with "+v.String()
		}
	}
	return f
}

// plainDisconnect is what xrdp sends without TLS when ssl_tls_accept failed before the handshake (common/trans.c,
// trans_set_tls_mode; libxrdp/xrdp_mcs.c): TPKT, X.224 Data, MCS Disconnect Provider Ultimatum rn-user-requested.
const plainDisconnect = "\x03\x00\x00\x09\x02\xf0\x80\x21\x80"

func (f *Failure) setAlert(alert uint8) {
	f.Kind, f.Alert, f.AlertName = KindTLSAlert, alert, AlertName(alert)
	f.Text = "the server sent the alert " + f.AlertName
}

// streamFailure is fail for the stages after the handshake, in which the server may still send an alert.
func (r *run) streamFailure(stage Stage, err error) *Failure {
	f := r.fail(stage, err)
	if alert, ok := remoteAlert(err); ok {
		f.setAlert(alert)
	}
	return f
}
