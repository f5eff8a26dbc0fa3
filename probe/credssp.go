package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// maxTSRequest bounds what is read of a server's TSRequest; a challenge has a few hundred bytes.
const maxTSRequest = 16 << 10

// Challenge makes one connection that asks for CredSSP and takes it to the server's NTLM challenge, in which a Windows
// server tells its names and its version ([MS-CSSP] 3.1.5, [MS-NLMP] 2.2.1.2). No name and no password is sent, and the
// connection ends there. Servers log it as an attempt to log in, so nothing does this unasked.
//
// The answer is in Result.NTLM; without CredSSP the failure is KindNoCredSSP.
func Challenge(ctx context.Context, addr string, opts Options) Result {
	opts.Requested, opts.Until, opts.NoNegotiation = ProtocolSSL|ProtocolHybrid, StageMCS, false
	opts.challenge = true
	return Run(ctx, addr, opts)
}

// readChallenge sends an NTLM NEGOTIATE_MESSAGE in a TSRequest and reads the CHALLENGE_MESSAGE that answers it.
func (r *run) readChallenge() *Failure {
	if s := r.result.Negotiation.Selected; s != ProtocolHybrid && s != ProtocolHybridEx {
		return &Failure{Stage: StageMCS, Kind: KindNoCredSSP, Text: "the server selected " + s.String() + ", which has no CredSSP"}
	}
	if _, err := r.stream.Write(tsRequest(ntlmNegotiate())); err != nil {
		return r.streamFailure(StageMCS, err)
	}
	answer, err := readTSRequest(r.stream)
	if err != nil {
		return r.streamFailure(StageMCS, err)
	}
	info, err := parseChallenge(answer)
	if err != nil {
		return r.streamFailure(StageMCS, err)
	}
	r.result.NTLM = info
	return nil
}

// tsRequest is a TSRequest of version 6 with one token ([MS-CSSP] 2.2.1).
func tsRequest(token []byte) []byte {
	const sequence, version, tokens = 0x30, 0xa0, 0xa1
	b := berWrap([]byte{version}, []byte{2, 1, 6})
	nego := berWrap([]byte{sequence}, berWrap([]byte{0xa0}, berWrap([]byte{4}, token)))
	b = append(b, berWrap([]byte{tokens}, berWrap([]byte{sequence}, nego))...)
	return berWrap([]byte{sequence}, b)
}

// readTSRequest reads one TSRequest and takes no more memory than maxTSRequest.
func readTSRequest(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return nil, err
	}
	if head[0] != 0x30 {
		return nil, protocolError("not a TSRequest: %s", quoteBytes(head[:2]))
	}
	length := int(head[1])
	if more := length - 0x80; more >= 0 {
		if more < 1 || more > 2 {
			return nil, protocolError("TSRequest with a length in %d octets", more)
		}
		if _, err := io.ReadFull(r, head[2:2+more]); err != nil {
			return nil, err
		}
		length = int(head[2])
		if more == 2 {
			length = int(binary.BigEndian.Uint16(head[2:]))
		}
	}
	if length == 0 || length > maxTSRequest {
		return nil, protocolError("TSRequest of %d bytes", length)
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return body, err
}

// parseTSRequest gives the first token in the contents of a TSRequest.
func parseTSRequest(b []byte) ([]byte, error) {
	r := newReader(b)
	for r.ok && len(r.b) > 0 {
		tag := r.u8()
		field := newReader(r.bytes(r.berLength()))
		if !r.ok {
			break
		}
		switch tag {
		case 0xa1: // negoTokens
			item := newReader(newReader(field.berValue(0x30)).berValue(0x30))
			token := newReader(item.berValue(0xa0)).berValue(4)
			if len(token) == 0 {
				return nil, protocolError("a TSRequest with an empty token")
			}
			return token, nil
		case 0xa4: // errorCode, an NTSTATUS
			if code := field.berValue(2); len(code) == 4 {
				return nil, &wireError{KindMCSRejected, fmt.Sprintf("CredSSP ends with NTSTATUS 0x%08x", binary.BigEndian.Uint32(code))}
			}
		}
	}
	return nil, protocolError("a TSRequest without a token")
}

// parseChallenge finds the CHALLENGE_MESSAGE in a TSRequest, alone or in SPNEGO.
func parseChallenge(b []byte) (*NTLMInfo, error) {
	token, err := parseTSRequest(b)
	if err != nil {
		return nil, err
	}
	at := bytes.Index(token, []byte(ntlmSignature))
	if at < 0 {
		return nil, protocolError("no NTLM in the CredSSP token: %s", quoteBytes(token))
	}
	return parseNTLMChallenge(token[at:])
}
