package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// manSection is where the pages stand: system administration, see man(1).
const manSection = "8"

// manName is the name of a command's page: xrdpfix-cert-show.
func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPages are the pages of every command that help shows, by file name.
func manPages(root *cobra.Command, date time.Time) map[string]string {
	out := map[string]string{}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		out[manName(cmd)+"."+manSection] = manPage(cmd, date)
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				walk(c)
			}
		}
	}
	walk(root)
	return out
}

// manPage writes the page of one command, in the words of its --help, with the
// macros of man(7).
func manPage(cmd *cobra.Command, date time.Time) string {
	var r roff
	r.title(strings.ToUpper(manName(cmd)), date)
	r.macro(".SH", "NAME")
	r.line(manName(cmd) + " - " + cmd.Short)
	r.macro(".SH", "SYNOPSIS")
	r.macro(".B", cmd.CommandPath())
	r.synopsis(strings.TrimPrefix(usageLine(cmd), cmd.CommandPath()))
	r.macro(".SH", "DESCRIPTION")
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	r.paragraphs(unwrap(long))
	r.commands(cmd)
	r.options(cmd)
	if cmd.Example != "" {
		r.macro(".SH", "EXAMPLES")
		r.verbatim(cmd.Example)
	}
	r.macro(".SH", "EXIT STATUS")
	for _, c := range exitCodes {
		r.item(fmt.Sprint(c.Code), c.Meaning)
	}
	if !cmd.HasParent() {
		r.macro(".SH", "FILES")
		for _, f := range manFiles {
			r.item(f.path, f.about)
		}
	}
	r.macro(".SH", "SEE ALSO")
	r.line(seeAlso(cmd))
	return r.b.String()
}

// title is the first line. Its date is ISO 8601 with plain dashes.
func (r *roff) title(name string, date time.Time) {
	fmt.Fprintf(&r.b, ".TH %s %s %s \"xrdpfix %s\" \"System Administration\"\n",
		roffText.Replace(name), manSection, date.UTC().Format(time.DateOnly), roffText.Replace(version))
}

// manFiles are the places that xrdpfix reads and writes.
var manFiles = []struct{ path, about string }{
	{"/etc/xrdp/xrdp.ini", "what xrdp serves: security_layer, ssl_protocols, tls_ciphers, certificate, key_file"},
	{"/etc/xrdp/sesman.ini", "where a stated TLS range is declared"},
	{"/etc/xrdp/tls/", "the keys and certificates that xrdpfix made, one directory each, and openssl.cnf where a system-wide lowest TLS version had to be lifted for xrdp"},
	{"/etc/xrdpfix/policy.ini", "what is to be made true, where it is not given as flags"},
	{"/etc/systemd/system/xrdp.service.d/xrdpfix-openssl.conf", "lets xrdp read that openssl.cnf"},
	{"/var/lib/xrdpfix/journal/", "what each apply changed, with the files as they were before"},
	{"/var/log/xrdp.log", "where xrdp tells what became of each connection"},
}

// seeAlso names the commands beside and below this one, and xrdp's pages.
func seeAlso(cmd *cobra.Command) string {
	var names []string
	add := func(c *cobra.Command) {
		if c != cmd && c.IsAvailableCommand() {
			names = append(names, manName(c)+"("+manSection+")")
		}
	}
	if cmd.HasParent() {
		names = append(names, manName(cmd.Parent())+"("+manSection+")")
		for _, c := range cmd.Parent().Commands() {
			add(c)
		}
	}
	for _, c := range cmd.Commands() {
		add(c)
	}
	return strings.Join(append(names, "xrdp(8)", "xrdp.ini(5)", "sesman.ini(5)"), ", ")
}

func (r *roff) commands(cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	r.macro(".SH", "COMMANDS")
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			r.item(c.Name(), c.Short+"; see "+manName(c)+"("+manSection+").")
		}
	}
}

// options are the flags by group, as help shows them.
func (r *roff) options(cmd *cobra.Command) {
	r.macro(".SH", "OPTIONS")
	for _, g := range flagGroups {
		first := true
		for _, name := range g.of(cmd) {
			f := cmd.Flag(name)
			if first {
				r.macro(".SS", g.title)
				first = false
			}
			text, value := flagText(name, f.Usage, f.DefValue)
			r.option(f.Shorthand, name, value, unwrap(text))
		}
	}
}
