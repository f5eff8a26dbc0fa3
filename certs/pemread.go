package certs

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
)

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemTail  = "-----"
)

// block is one PEM block of a file, decoded or not.
type block struct {
	label string
	// header is the text before the first blank line, as RFC 1421 has it.
	header string
	// der is nil when the block is damaged: no base64, or no closing line.
	der []byte
}

// procType is what PEM_get_EVP_CIPHER_INFO takes for a passphrase (RFC 1421
// section 4.6.1.1).
var procType = regexp.MustCompile(`^Proc-Type:[ \t]*4,[ \t]*ENCRYPTED\s`)

// encrypted reports whether a passphrase protects the contents.
func (b block) encrypted() bool { return procType.MatchString(b.header) }

// usable reports whether OpenSSL takes the block for what its label says. A
// header that is not about encryption makes it refuse the block
// (crypto/pem/pem_lib.c:PEM_get_EVP_CIPHER_INFO), as long as it wants that label.
func (b block) usable() bool { return b.der != nil && b.header == "" }

// pemReader reads a file in the pieces in which OpenSSL's file BIO hands it to
// the PEM reader: lines, and of long lines 254 bytes at a time.
type pemReader struct {
	data []byte
	// inside is true when the piece before was not the end of its line.
	inside bool
}

// lineSize is LINESIZE of crypto/pem/pem_lib.c less the closing NUL.
const lineSize = 254

// next returns the next piece without trailing blanks. continued reports that it
// goes on a line. A NUL ends a piece, and at the beginning of one the file,
// because the BIO measures with strlen.
func (r *pemReader) next() (piece []byte, continued, ok bool) {
	n := bytes.IndexByte(r.data, '\n') + 1
	if n == 0 {
		n = len(r.data)
	}
	n = min(n, lineSize)
	piece, r.data = r.data[:n], r.data[n:]
	continued, r.inside = r.inside, n == lineSize && piece[n-1] != '\n'
	if nul := bytes.IndexByte(piece, 0); nul >= 0 {
		piece = piece[:nul]
	}
	if len(piece) == 0 {
		return nil, false, false
	}
	return bytes.TrimRightFunc(piece, func(c rune) bool { return c <= ' ' }), continued, true
}

// blocks splits data into its PEM blocks as crypto/pem/pem_lib.c of OpenSSL 3
// does (PEM_read_bio_ex), which differs from encoding/pem in what it forgives, and
// returns a damaged block too, without contents, where encoding/pem passes over it
// in silence.
func blocks(data []byte) []block {
	// get_name passes over a byte order mark.
	r := &pemReader{data: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))}
	var out []block
	for {
		line, _, ok := r.next()
		if !ok {
			return out
		}
		if label, ok := pemLabel(line, pemBegin); ok {
			out = append(out, r.block(label))
		}
	}
}

// block reads from behind the opening line to the next closing line, whether it
// belongs to the opening one or not (get_header_and_data).
func (r *pemReader) block(label string) block {
	const (
		undecided = iota // header or contents
		inHeader
		inContents
	)
	b := block{label: label}
	var text, contents bytes.Buffer
	state, short, bad := undecided, false, false
	for {
		line, continued, ok := r.next()
		if !ok {
			return b
		}
		if state == undecided && bytes.IndexByte(line, ':') >= 0 {
			state = inHeader
		}
		if len(line) == 0 {
			if continued {
				continue
			}
			bad = bad || state == inContents
			state = inContents
			continue
		}
		if end, ok := bytes.CutPrefix(line, []byte(pemEnd)); ok {
			if string(end) != label+pemTail {
				return b
			}
			break
		}
		// Behind a header the lines have 64 characters, the last may be shorter.
		bad = bad || short
		into := &text
		if state == inContents {
			bad = bad || len(line) > 64
			short = len(line) < 64
			into = &contents
		}
		into.Write(line)
		into.WriteByte('\n')
	}
	switch state {
	case undecided:
		contents = text
	case inContents:
		b.header = text.String()
	default:
		b.header, bad = text.String(), true
	}
	if !bad {
		b.der = decodeBase64(contents.Bytes())
	}
	return b
}

// decodeBase64 follows EVP_DecodeUpdate: blanks do not count, a hyphen ends the
// text. It returns nil for anything else and for nothing.
func decodeBase64(text []byte) []byte {
	text, _, _ = bytes.Cut(text, []byte("-"))
	packed := make([]byte, 0, len(text))
	for _, c := range text {
		switch c {
		case ' ', '\t', '\n', '\r':
		default:
			packed = append(packed, c)
		}
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(len(packed)))
	n, err := base64.StdEncoding.Decode(der, packed)
	if err != nil || n == 0 {
		return nil
	}
	return der[:n]
}

func pemLabel(line []byte, prefix string) (string, bool) {
	s, ok := strings.CutPrefix(string(line), prefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(s, pemTail)
}
