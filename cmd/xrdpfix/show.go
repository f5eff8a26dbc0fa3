package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

func newShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "The configuration as xrdp reads it, each value with its line",
		Long:  `Print what xrdp and xrdp-sesman end up using: each setting that touches security, with the file and line it comes from, or where it comes from when no line sets it. What sshd -T is to sshd.`,
		Example: `  xrdpfix show             the settings and where they come from
  xrdpfix show --json      the same for a program`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.show() },
	}
}

func (a *app) show() error {
	m, err := a.open(a.global.root)
	if err != nil {
		return err
	}
	defer m.Close()
	env := m.Env()
	f := diagnose.Facts{}
	ini, err := env.File(env.ConfigPath)
	if err != nil {
		return fail(6, reasonNotPermitted, err, a.unseenHint("show"))
	}
	if !ini.Exists {
		return fail(3, reasonFindings, fmt.Errorf("%s does not exist", env.ConfigPath), a.next("check"))
	}
	f.Config = diagnose.Seen(ini)
	if ses, err := env.File(diagnose.SesmanPath); err == nil {
		f.Sesman = diagnose.Seen(ses)
	}
	if pkg, err := env.Package(m.Context()); err == nil {
		f.Package = diagnose.Seen(pkg)
	}
	rows := settings(&f)
	if a.jsonOutput() {
		doc := a.document("show", nil)
		doc.Xrdp, doc.Settings = f.Package.Value.Version, list(rows)
		return a.printJSON(doc)
	}
	var p page
	showSettings(&p, rows)
	odd := 0
	for _, file := range []*xrdpconf.File{f.ConfigFile(), f.SesmanFile()} {
		odd += showIssues(&p, file)
	}
	if odd > 0 {
		p.blank()
		p.para(fmt.Sprintf("%s to look at (exit %d).  %s", plural(odd, "line"), a.quit.Code, whole("Next: "+a.next("check"))))
	}
	return a.print(&p)
}

// showSettings prints key, value and where it comes from, a file at a time.
func showSettings(p *page, rows []setting) {
	const valueAt, fromAt = 19, 50
	part := ""
	for _, r := range rows {
		if here := fmt.Sprintf("%s [%s]", r.File, r.Section); here != part {
			if part != "" {
				p.blank()
			}
			part = here
			p.linef("%s", here)
		}
		from := r.From
		if r.Line > 0 {
			from = fmt.Sprintf("line %d", r.Line)
		}
		switch w := r.Written; {
		case w == nil:
		case *w == "":
			from += ", written empty"
		default:
			from += ", written " + *w
		}
		label := fmt.Sprintf("%-*s%-*s", valueAt, "  "+r.Key, fromAt-valueAt, clean(orDash(r.Value)))
		if len(label) > fromAt {
			p.linef("%s", label)
			label = ""
		}
		p.block(fromAt, label, clean(from))
	}
}

// showIssues returns how many there are.
func showIssues(p *page, file *xrdpconf.File) int {
	issues := file.Issues()
	if len(issues) == 0 {
		return 0
	}
	p.blank()
	p.linef("%s: xrdp reads these lines otherwise than a person might", file.Name())
	for _, is := range issues {
		p.block(12, fmt.Sprintf("  line %-5d", is.Line), clean(is.Text))
	}
	return len(issues)
}

// settings lists what touches security, as xrdp ends up using it.
func settings(f *diagnose.Facts) []setting {
	s := f.Server()
	ini, ses := f.ConfigFile(), f.SesmanFile()
	var out []setting
	add := func(file *xrdpconf.File, section, key, used, missing string) {
		row := setting{File: file.Name(), Section: section, Key: key, Value: used, From: missing}
		if v, ok := file.Lookup(section, key); ok {
			row.Line, row.From = v.Line, ""
			if !strings.EqualFold(strings.ReplaceAll(v.Text, " ", ""), strings.ReplaceAll(used, " ", "")) {
				row.Written = &v.Text
			}
		}
		out = append(out, row)
	}
	const globals = xrdpconf.SectionGlobals
	add(ini, globals, "port", s.Port, "no line: listens on nothing")
	add(ini, globals, "security_layer", s.SecurityLayer.String(), "no line")
	add(ini, globals, "certificate", s.Certificate, "no line: TLS is off")
	add(ini, globals, "key_file", s.KeyFile, "no line: TLS is off")
	add(ini, globals, "ssl_protocols", strings.Join(s.Protocols, ", "), "no line: OpenSSL decides")
	add(ini, globals, "tls_ciphers", s.Ciphers, "no line: OpenSSL's default")
	add(ini, globals, "crypt_level", s.CryptLevel.String(), "no line")
	if s.RuntimeUser != "" || s.RuntimeGroup != "" {
		add(ini, globals, "runtime_user", s.RuntimeUser, "no line")
		add(ini, globals, "runtime_group", s.RuntimeGroup, "no line")
	}
	if s.PreMasterLog != "" {
		add(ini, globals, "tls_pms_log_file", s.PreMasterLog, "")
	}
	add(ini, xrdpconf.SectionLogging, "LogFile", s.Logging.File, "no line")
	add(ini, xrdpconf.SectionLogging, "LogLevel", s.Logging.Level.String(), "no line")
	for _, key := range []string{xrdpconf.KeyTLSMin, xrdpconf.KeyTLSMax} {
		v, _ := ses.Lookup(xrdpconf.SectionSecurity, key)
		add(ses, xrdpconf.SectionSecurity, key, v.Text, "no line (no xrdp reads it)")
	}
	return out
}
