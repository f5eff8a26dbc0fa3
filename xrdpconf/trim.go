package xrdpconf

func blank(c byte) bool { return c <= ' ' }

// trimBlanks trims all bytes up to 0x20 (common/string_calls.c, g_strtrim, from 0.10.0 on).
func trimBlanks(b string) string {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// trimWide trims as xrdp up to 0.9.26 does, by way of wide characters in a UTF-8
// locale. Text that is not UTF-8 keeps its blanks. Other text is written back over
// the old with room for as many bytes as it has characters, and one: where there are
// characters of several bytes, the end of the old text shows behind the new.
func trimWide(b string) string {
	if ascii(b) {
		return trimBlanks(b)
	}
	if _, ok := wideLen(b); !ok {
		return b
	}
	t := trimBlanks(b)
	characters, _ := wideLen(t)
	if len(t) == characters || len(t) == len(b) {
		return t
	}
	written := 0
	for {
		size := wideSize(t[written:])
		if size == 0 || written+size > characters+1 {
			break
		}
		written += size
	}
	return t[:written] + b[written:]
}

// wideLen counts characters as the C library's mbstowcs does.
func wideLen(b string) (n int, ok bool) {
	for ; len(b) > 0; n++ {
		size := wideSize(b)
		if size == 0 {
			return 0, false
		}
		b = b[size:]
	}
	return n, true
}

// wideSize returns the number of bytes of the character at the beginning of b, 0 if
// there is none. The C library goes beyond Unicode, up to 31 bits in six bytes (RFC
// 2279, section 2), but takes neither surrogates nor more bytes than needed.
func wideSize(b string) int {
	if len(b) == 0 {
		return 0
	}
	if b[0] < 0x80 {
		return 1
	}
	size := 2
	for size <= 6 && b[0]<<size&0x80 != 0 {
		size++
	}
	if b[0] < 0xc2 || size > 6 || len(b) < size {
		return 0
	}
	value := uint32(b[0] & (0x7f >> size))
	for i := 1; i < size; i++ {
		c := b[i]
		if c&0xc0 != 0x80 {
			return 0
		}
		value = value<<6 | uint32(c&0x3f)
	}
	if size > 2 && value < 1<<(5*size-4) || value>>11 == 0xd800>>11 {
		return 0
	}
	return size
}
