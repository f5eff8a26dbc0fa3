package host

import (
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"xrdpfix/diagnose"
)

const (
	// auditTail is how much of the end of the audit log is read.
	auditTail = 1 << 20
	// maxDenials is how many denials are kept, the last ones.
	maxDenials = 100
)

// denials reads from the end of the audit log what SELinux forbade xrdp. Where it
// forbids nothing, or no log is kept, there are none.
func (m *Machine) denials(enforcing bool) ([]diagnose.Denial, error) {
	out := []diagnose.Denial{}
	if !enforcing {
		return out, nil
	}
	f, err := openRegular(m.cfg.Root, diagnose.AuditLog)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: diagnose.AuditLog, Err: err}
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > auditTail {
		if _, err := f.Seek(-auditTail, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, auditTail))
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: diagnose.AuditLog, Err: err}
	}
	for line := range strings.Lines(string(data)) {
		if d, ok := parseDenial(strings.TrimRight(line, "\n")); ok {
			out = append(out, d)
		}
	}
	return out[max(0, len(out)-maxDenials):], nil
}

// parseDenial reads a line such as
//
//	type=AVC msg=audit(1732345678.123:456): avc:  denied  { read } for  pid=12 comm="xrdp" name="key.pem" … tclass=file permissive=0
//
// as the kernel writes it (security/selinux/avc.c, avc_audit_pre_callback and
// avc_audit_post_callback). Only what was really forbidden to a process called
// xrdp counts.
func parseDenial(line string) (diagnose.Denial, bool) {
	var d diagnose.Denial
	rest, ok := strings.CutPrefix(line, "type=AVC msg=audit(")
	if !ok {
		return d, false
	}
	stamp, rest, ok := strings.Cut(rest, "): avc:  denied  { ")
	if !ok {
		return d, false
	}
	perms, rest, ok := strings.Cut(rest, " } for ")
	if !ok {
		return d, false
	}
	at, _, _ := strings.Cut(stamp, ":")
	seconds, fraction, _ := strings.Cut(at, ".")
	sec, err1 := strconv.ParseInt(seconds, 10, 64)
	ms, err2 := strconv.ParseInt(fraction, 10, 64)
	if err1 != nil || err2 != nil || sec < 0 || sec > 1<<40 || ms < 0 || ms > 999 {
		return d, false
	}
	d.Time, d.Permissions = time.Unix(sec, ms*int64(time.Millisecond)).UTC(), strings.Fields(perms)
	comm, permissive := "", ""
	for _, f := range strings.Fields(rest) {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "comm":
			comm = strings.Trim(value, `"`)
		case "name":
			d.Name = auditString(value)
		case "path":
			if d.Name == "" {
				full := auditString(value)
				d.Name = full[strings.LastIndexByte(full, '/')+1:]
			}
		case "scontext":
			d.Source = value
		case "tcontext":
			d.Target = value
		case "tclass":
			d.Class = value
		case "permissive":
			permissive = value
		}
	}
	return d, comm == xrdpComm && permissive != "1" && d.Name != ""
}

// auditString reads a name: in quotes, or in hexadecimal where it holds a blank,
// a quote or the like (kernel/audit.c, audit_log_untrustedstring).
func auditString(s string) string {
	if strings.HasPrefix(s, `"`) {
		return strings.Trim(s, `"`)
	}
	var b []byte
	for i := 0; i+1 < len(s); i += 2 {
		n, err := strconv.ParseUint(s[i:i+2], 16, 8)
		if err != nil {
			return s
		}
		b = append(b, byte(n))
	}
	return string(b)
}
