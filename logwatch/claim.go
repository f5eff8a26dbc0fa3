package logwatch

import "strings"

// claimReach is how far behind the beginning of a message that quotes a user
// name the client's words can stand: LOG_BUFFER_SIZE of common/log.h, at which
// xrdp cuts a message. xrdp 0.9 logs such a message a second time, cut into
// pieces that are lines of their own (xrdp_wm_log_msg of xrdp/xrdp_wm.c); the
// first of them begins the reach anew.
const claimReach = 1024

// claims are the beginnings of messages that quote what a client calls its user
// or domain. Line feeds in it come out as such: seen on 0.9.21.1, 0.10.1 and
// 0.10.6.1. A computer name is too short (15 characters) for the time stamp that
// a line must have.
var claims = [...]string{
	"login failed for user ",
	"login successful for user ",
	"Performing login request for ",
	"session is available on display ",
	"Can't create session for user ",
	"Module \"",
}

// quotesUser reports whether a message quotes a user name.
func quotesUser(text string) bool {
	text = strings.TrimPrefix(text, "xrdp_wm_log_msg: ")
	if text == "" {
		return false
	}
	switch text[0] {
	case 'l', 'P', 's', 'C', 'M':
		for _, c := range claims {
			if strings.HasPrefix(text, c) {
				return true
			}
		}
	}
	return false
}

// entry parses a line that the scanner gave.
func (s *scanner) entry(p *Parser, line string, at int64) (Entry, bool) {
	e, ok := p.Parse(line)
	if !ok {
		return e, false
	}
	e.Offset = at
	e.Claimed = at < s.claimed
	if quotesUser(e.Text) {
		s.claimed = at + claimReach
	}
	return e, true
}
