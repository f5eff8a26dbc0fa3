package probe

import "encoding/binary"

// reader takes bytes from the front of a PDU. After the first attempt to take more than there is, ok is false and
// everything read is zero, so that a parser checks once.
type reader struct {
	b  []byte
	ok bool
}

func newReader(b []byte) *reader { return &reader{b: b, ok: true} }

func (r *reader) bytes(n int) []byte {
	if !r.ok || n < 0 || n > len(r.b) {
		r.ok = false
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() uint8 {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) be16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) be24() int { return int(r.be16())<<8 | int(r.u8()) }

func (r *reader) le16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) le32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// expect takes the given bytes and reports whether they were there.
func (r *reader) expect(want ...byte) bool {
	got := r.bytes(len(want))
	if got == nil || string(got) != string(want) {
		r.ok = false
	}
	return r.ok
}

// berLength takes a definite length (X.690 8.1.3) of at most two octets, which is all that a TPKT can hold.
func (r *reader) berLength() int {
	first := r.u8()
	switch {
	case first < 0x80:
		return int(first)
	case first == 0x81:
		return int(r.u8())
	case first == 0x82:
		return int(r.be16())
	}
	r.ok = false
	return 0
}

// berValue takes one element whose identifier octets are tag and returns its contents.
func (r *reader) berValue(tag ...byte) []byte {
	if !r.expect(tag...) {
		return nil
	}
	return r.bytes(r.berLength())
}

// perLength takes an unconstrained length of aligned PER (X.691 10.9), not fragmented.
func (r *reader) perLength() int {
	first := r.u8()
	if first&0x80 == 0 {
		return int(first)
	}
	if first&0x40 != 0 {
		r.ok = false // fragments of 16 KiB and more: no GCC response needs them
		return 0
	}
	return int(first&0x3f)<<8 | int(r.u8())
}

func berWrap(tag []byte, content []byte) []byte {
	b := append([]byte{}, tag...)
	switch n := len(content); {
	case n < 0x80:
		b = append(b, byte(n))
	case n < 0x100:
		b = append(b, 0x81, byte(n))
	default:
		b = append(b, 0x82, byte(n>>8), byte(n))
	}
	return append(b, content...)
}

// perWrap puts a two-octet PER length before content of at most 16383 bytes.
func perWrap(content []byte) []byte {
	return append([]byte{0x80 | byte(len(content)>>8), byte(len(content))}, content...)
}
