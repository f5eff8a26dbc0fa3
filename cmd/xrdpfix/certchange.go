package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/internal/host"
	"xrdpfix/repair"
)

// requestFlags shape a new certificate.
type requestFlags struct {
	names []string
	days  int
	key   string
}

func (r *requestFlags) add(cmd *cobra.Command, lifetime bool) {
	f := cmd.Flags()
	f.StringSliceVar(&r.names, "name", nil, "`NAME` or address to certify, several times or with commas\n(default this host's names and addresses)")
	f.StringVar(&r.key, "key", string(certs.RSA2048), "`KIND` of key: rsa2048, rsa3072, rsa4096 or ecdsa-p256")
	r.days = int(certs.DefaultLifetime / day)
	if lifetime {
		f.IntVar(&r.days, "days", r.days, "valid for `DAYS`")
	}
}

// request checks the flags. Names that look like addresses become addresses.
func (r *requestFlags) request() (certs.Request, error) {
	req := certs.Request{Key: certs.KeyType(r.key)}
	known := []string{}
	for _, k := range certs.KeyTypes() {
		known = append(known, string(k))
	}
	if err := oneOf("--key", r.key, known...); err != nil {
		return req, err
	}
	if r.days < 1 || r.days > 36500 {
		return req, usagef("--days %d is not between 1 and 36500", r.days)
	}
	req.Lifetime = time.Duration(r.days) * 24 * time.Hour
	for _, n := range r.names {
		if a, err := netip.ParseAddr(n); err == nil {
			req.Addrs = append(req.Addrs, a)
			continue
		}
		if !certs.ValidName(n) {
			return req, usagef("--name %s is neither a host name nor an address", n)
		}
		req.DNSNames = append(req.DNSNames, n)
	}
	return req, nil
}

func newCertRenew(a *app) *cobra.Command {
	var flags policyFlags
	var ifDue bool
	cmd := &cobra.Command{
		Use:   "renew",
		Short: "Make a new key and a self-signed certificate, and prove that it is served",
		Long: `Make a new key and a self-signed certificate, let xrdp.ini name them, and prove
on the wire and in xrdp.log that they are served; otherwise everything is put
back. Nothing else is changed. Users are asked once to trust the new one. A pair
that a CA issued is replaced too: that is what stating it means.

With --if-due, as xrdpfix-renew.timer has it, nothing happens unless xrdpfix made
the pair itself and it ends soon; one that came from elsewhere is left alone.`,
		Example: `  xrdpfix cert renew                                this host's names, 825 days
  xrdpfix cert renew --name desk01.example.org      another name
  xrdpfix cert renew --key ecdsa-p256 --days 90
  xrdpfix cert renew --if-due --restart=never       what a timer runs`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := a.certWish(&flags)
			if err != nil {
				return err
			}
			w.policy.Cert = repair.CertRenew
			if ifDue {
				w.policy.Cert, w.onlyDue, w.names = repair.CertAuto, true, nil
			}
			return a.change(cmd.Context(), "cert renew", w)
		},
	}
	flags.addRestart(cmd)
	flags.request.add(cmd, true)
	cmd.Flags().BoolVar(&ifDue, "if-due", false, "only a pair that xrdpfix made, and only --renew-before its end")
	cmd.Flags().IntVar(&flags.renewBefore, "renew-before", diagnose.DefaultWarnDays, "with --if-due: `DAYS` before its end")
	return cmd
}

// due are the findings that a timer mends: a pair of our own that ends soon, or
// that has ended while the machine was off.
func due(f *diagnose.Facts, found []diagnose.Finding) []diagnose.Finding {
	var out []diagnose.Finding
	ours := f.Source.Ok() && !f.Source.Value.Elsewhere && diagnose.OwnPath(f.Server().Certificate) && f.Pair.Value.Cert.SelfSigned
	for _, x := range found {
		if ours && x.Mend == diagnose.MendApply && (x.Code == diagnose.CertExpiring || x.Code == diagnose.CertExpired) {
			out = append(out, x)
		}
	}
	return out
}

func newCertRequest(a *app) *cobra.Command {
	flags := defaultPolicy()
	cmd := &cobra.Command{
		Use:   "request [FILE]",
		Short: "Make a key that stays here, and a request for a CA to sign",
		Long: `Make a key, keep it on this machine where only root can read it, and write a
certificate signing request (PKCS#10, PEM) to FILE, which must not exist, or
without one to standard output, for AD CS, IPA, Vault or any other CA. xrdp goes
on with its present pair until "xrdpfix cert install" brings the certificate,
which finds the key by itself.`,
		Example: `  xrdpfix cert request desk01.csr
  xrdpfix cert install desk01.pem      when the CA has signed it`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			w, err := a.certWish(&flags)
			if err != nil {
				return err
			}
			return a.certRequest(w.policy.Request, args)
		},
	}
	flags.cmd = cmd
	flags.request.add(cmd, false)
	return cmd
}

func (a *app) certRequest(r certs.Request, args []string) error {
	m, err := a.openToChange()
	if err != nil {
		return err
	}
	defer m.Close()
	if len(r.DNSNames)+len(r.Addrs) == 0 {
		info, _ := m.Env().Host(m.Context())
		r = repair.DefaultRequest(r, info)
	}
	if !m.Live() {
		return errImageKey()
	}
	doc := a.document(a.command, nil)
	var f *os.File
	if len(args) > 0 && args[0] != "-" {
		if f, err = a.createNew(args[0], 0o644); err != nil {
			return err
		}
	}
	csr, id, err := m.MakeRequest(r)
	if err == nil && f != nil {
		if _, err = f.Write(csr); err != nil {
			err = a.outFailure(args[0], err)
		}
	}
	if f != nil {
		if closed := f.Close(); err == nil && closed != nil {
			err = a.outFailure(args[0], closed)
		}
	}
	if err != nil {
		if f != nil { // nobody takes an empty or half a file for the request
			_ = os.Remove(args[0])
		}
		return err
	}
	doc.Changed = true
	doc.Request = &requestDoc{PEM: string(csr), Key: host.RequestDir + "/" + id}
	if f != nil {
		doc.Request.File = args[0]
	}
	switch {
	case a.jsonOutput():
		return a.printJSON(doc)
	case f == nil:
		_, err := a.out.Write(csr)
		return err
	}
	var p page
	p.linef("%-10s%s", "Request", clean(args[0]))
	p.linef("%-10s%s/", "Key", doc.Request.Key)
	p.linef("%-10sfor root only; it never leaves this machine", "")
	p.linef("%-10sgive the request to your CA, then: xrdpfix cert install CERT", "Next")
	p.linef("xrdp still serves what it served (exit %d)", a.quit.Code)
	return a.print(&p)
}

// errImageKey refuses a key that all machines made from an image would share.
func errImageKey() error {
	return &failure{exit{2, reasonUsage}, errors.New("a key is never made into an image: all machines made from it would share it"),
		[]string{"on the machine itself, after its first boot: xrdpfix cert request"}, true}
}

// installFlags say where a delivered pair comes from.
type installFlags struct {
	pkcs12     bool
	passphrase string
	hook       bool
}

func newCertInstall(a *app) *cobra.Command {
	var in installFlags
	var flags policyFlags
	cmd := &cobra.Command{
		Use:   "install CERT [KEY]",
		Short: "Serve a certificate that a CA issued, and prove it",
		Long: `Copy a CA's certificate and its key to where xrdp can read them, in the order
that TLS wants, let xrdp.ini name them, and prove on the wire that they are
served; otherwise everything is put back. Needs no restart, so it is also the
deploy hook of an ACME client. Without KEY the key stands in CERT, or is one that
"xrdpfix cert request" made.`,
		Example: `  xrdpfix cert install fullchain.pem privkey.pem
  xrdpfix cert install --pkcs12 desk01.p12 --passphrase-file -
  certbot renew --deploy-hook 'xrdpfix cert install --from-acme-hook'`,
		Args: atMost(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.certWish(&flags)
			if err != nil {
				return err
			}
			return a.certInstall(cmd.Context(), in, w, args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&in.pkcs12, "pkcs12", false, "CERT is a .p12 or .pfx file")
	f.StringVar(&in.passphrase, "passphrase-file", "", "`FILE` with the passphrase of --pkcs12, - for standard input")
	f.BoolVar(&in.hook, "from-acme-hook", false, "take the files that certbot, acme.sh or lego name in the environment")
	flags.addRestart(cmd)
	return cmd
}

func (a *app) certInstall(ctx context.Context, in installFlags, w wish, args []string) error {
	m, err := a.openToChange()
	if err != nil {
		return err
	}
	defer m.Close()
	source, err := a.delivered(m, in, &w, args)
	if err != nil {
		return err
	}
	pair := certs.Inspect(w.cert, w.key)
	if err := acceptable(pair, a.now()); err != nil {
		return err
	}
	w.policy.Cert, w.policy.Request = repair.CertAuto, certs.Request{}
	w.policy.Install = &repair.Delivery{Source: source, Cert: pair.Cert}
	return a.change(ctx, "cert install", w)
}

// delivered reads the pair that the arguments name into the wish and returns
// the certificate file whose renewal is to be noticed.
func (a *app) delivered(m *host.Machine, in installFlags, w *wish, args []string) (source string, err error) {
	if in.hook {
		cert, key := acmeFiles(os.Getenv)
		if cert == "" {
			return "", fail(2, reasonUsage, errors.New("no ACME client named its files (RENEWED_LINEAGE, CERT_FULLCHAIN_PATH, LEGO_CERT_PATH)"),
				"certbot renew --deploy-hook 'xrdpfix cert install --from-acme-hook'")
		}
		args = []string{cert, key}
	}
	if len(args) == 0 {
		return "", fail(2, reasonUsage, errors.New("cert install needs a certificate file"), "xrdpfix cert install fullchain.pem privkey.pem")
	}
	data, err := host.ReadFile("/", absolute(args[0]), maxDelivered)
	if err != nil {
		return "", fail(2, reasonUsage, err)
	}
	if in.pkcs12 {
		pass, err := passphrase(in.passphrase)
		if err != nil {
			return "", err
		}
		w.cert, w.key, err = certs.FromPKCS12(data, pass)
		return "", refusal(err)
	}
	key := data
	switch {
	case len(args) == 2:
		if key, err = host.ReadFile("/", absolute(args[1]), maxDelivered); err != nil {
			return "", fail(2, reasonUsage, err)
		}
	case certs.Inspect(nil, data).Key.Problem == certs.ProblemNoKey:
		if key, err = m.RequestedKey(data); err != nil {
			return "", fail(2, reasonUsage, err, "xrdpfix cert install CERT KEY")
		}
	}
	w.cert, w.key, err = certs.Bundle(data, key)
	if err != nil {
		return "", refusal(err)
	}
	return absolute(args[0]), nil
}

// maxDelivered is the longest certificate or key file that is read.
const maxDelivered = 1 << 20

func refusal(err error) error {
	if err == nil {
		return nil
	}
	return fail(2, reasonUsage, fmt.Errorf("this pair cannot be served: %w", err))
}

// acceptable refuses a pair that would lock clients out.
func acceptable(p certs.Pair, now time.Time) error {
	c := p.Cert
	switch {
	case len(p.Problems) > 0:
		return refusal(fmt.Errorf("%s: %s", p.Problems[0].Part, p.Problems[0].Problem))
	case !p.Match:
		return refusal(certs.ErrNotPair)
	case now.After(c.NotAfter):
		return refusal(fmt.Errorf("it ended on %s", c.NotAfter.Format("2 Jan 2006")))
	case now.Before(c.NotBefore):
		return refusal(fmt.Errorf("it begins on %s", c.NotBefore.Format("2 Jan 2006")))
	case c.IsCA:
		return refusal(errors.New("it is a CA's own certificate (CA:TRUE), not a server's"))
	case !c.ServerAuth:
		return refusal(errors.New("its extended key usage does not allow a server (serverAuth)"))
	case c.WeakSignature:
		return refusal(fmt.Errorf("it is signed with %s", c.SignatureAlgorithm))
	}
	return nil
}

// acmeFiles finds what an ACME client renewed: certbot names a directory, acme.sh
// and lego name files.
func acmeFiles(getenv func(string) string) (cert, key string) {
	if dir := getenv("RENEWED_LINEAGE"); dir != "" {
		return dir + "/fullchain.pem", dir + "/privkey.pem"
	}
	if cert := getenv("CERT_FULLCHAIN_PATH"); cert != "" {
		return cert, getenv("CERT_KEY_PATH")
	}
	return getenv("LEGO_CERT_PATH"), getenv("LEGO_CERT_KEY_PATH")
}

func passphrase(file string) (string, error) {
	var data []byte
	var err error
	switch file {
	case "":
		return "", nil
	case "-":
		data, err = io.ReadAll(io.LimitReader(os.Stdin, 4096))
	default:
		data, err = host.ReadFile("/", absolute(file), 4096)
	}
	if err != nil {
		return "", fail(2, reasonUsage, err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

func absolute(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	return filepath.Join(dir, path)
}
