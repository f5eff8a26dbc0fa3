package diagnose

// The finding codes that this version can raise or document.
const (
	KeyMissing      Code = "key-missing"
	KeyUnreadable   Code = "key-unreadable"
	KeyInvalid      Code = "key-invalid"
	KeyUnsupported  Code = "key-unsupported"
	KeyExposed      Code = "key-exposed"
	KeyShared       Code = "key-shared"
	CertMissing     Code = "cert-missing"
	CertUnreadable  Code = "cert-unreadable"
	CertInvalid     Code = "cert-invalid"
	CertKeyMismatch Code = "cert-key-mismatch"
	CertExpired     Code = "cert-expired"
	CertNotYetValid Code = "cert-not-yet-valid"
	CertExpiring    Code = "cert-expiring"
	CertUnsuitable  Code = "cert-unsuitable"
	CertName        Code = "cert-name-mismatch"
	CertChain       Code = "cert-chain-broken"
	CertCopyStale   Code = "cert-copy-stale"
	CertPathMissing Code = "cert-path-missing"
	CertPathInvalid Code = "cert-path-invalid"
	CertNotServed   Code = "cert-not-served"

	IniMissing         Code = "ini-missing"
	IniUnreadable      Code = "ini-unreadable"
	IniCutShort        Code = "ini-cut-short"
	IniDuplicate       Code = "ini-duplicate"
	IniMisplaced       Code = "ini-misplaced"
	IniKeyIgnored      Code = "ini-key-ignored"
	IniPassword        Code = "ini-password-exposed"
	IniManaged         Code = "ini-managed-elsewhere"
	IniUpgradeLeftover Code = "ini-upgrade-leftover"
	IniDrift           Code = "ini-drift"
	IniNotReplaceable  Code = "ini-not-replaceable"

	SecurityLayerMissing Code = "security-layer-missing"
	SecurityLayerInvalid Code = "security-layer-invalid"
	SecurityLayerRDP     Code = "security-layer-rdp"
	ClassicServed        Code = "classic-rdp-served"
	ClassicAccepted      Code = "classic-rdp-accepted"
	CryptLevelWeak       Code = "crypt-level-weak"
	RSAKeysMissing       Code = "rsakeys-missing"
	RSAKeysUnreadable    Code = "rsakeys-unreadable"

	TLSVersionsEmpty    Code = "tls-versions-empty"
	TLSVersionsMissing  Code = "tls-versions-missing"
	TLSVersionsUnknown  Code = "tls-versions-unknown"
	TLSVersionsObsolete Code = "tls-versions-obsolete"
	TLSRangeIneffective Code = "tls-range-ineffective"
	TLSRangeBlocked     Code = "tls-range-blocked"
	TLSCiphersInvalid   Code = "tls-ciphers-invalid"
	TLSCiphersNarrow    Code = "tls-ciphers-narrow"
	TLSSecretsLogged    Code = "tls-secrets-logged"
	TLSFails            Code = "tls-fails"
	TLSCutOff           Code = "tls-cut-off"

	XrdpMissing        Code = "xrdp-missing"
	ServiceDown        Code = "service-down"
	ServiceDisabled    Code = "service-disabled"
	RestartPending     Code = "restart-pending"
	RuntimeUserInvalid Code = "runtime-user-invalid"
	PortInvalid        Code = "port-invalid"
	PortNotListening   Code = "port-not-listening"
	PortLoopbackOnly   Code = "port-loopback-only"
	PortTaken          Code = "port-taken"
	FirewallBlocks     Code = "firewall-blocks"
	SesmanUnreachable  Code = "sesman-unreachable"
	LogUnwritable      Code = "log-unwritable"
	LogHidesProof      Code = "log-hides-proof"

	ClientTooOld          Code = "client-tls-too-old"
	ClientTooNew          Code = "client-tls-too-new"
	ClientNoSharedCipher  Code = "client-no-shared-cipher"
	ClientRequiresNLA     Code = "client-requires-nla"
	ClientUnsupportedAuth Code = "client-unsupported-auth"
	ClientRefusesCert     Code = "client-refuses-cert"
	ClientClassicOnly     Code = "client-classic-only"
	ClientNeverArrived    Code = "client-never-arrived"

	ApplyUnfinished  Code = "apply-unfinished"
	ApplyUnconfirmed Code = "apply-unconfirmed"
	ApplyTemporary   Code = "apply-temporary"
	JournalDamaged   Code = "journal-damaged"
	FirstBootPending Code = "first-boot-pending"
)

// silencers of a wire symptom: each of them explains it.
var wireCauses = []Code{
	KeyMissing, KeyUnreadable, KeyInvalid, KeyUnsupported,
	CertMissing, CertUnreadable, CertInvalid, CertKeyMismatch, CertPathMissing,
	IniMissing, IniUnreadable, IniCutShort,
	SecurityLayerMissing, SecurityLayerRDP,
	TLSVersionsEmpty, TLSCiphersInvalid, TLSCiphersNarrow, TLSRangeBlocked,
	PortTaken,
}

// pairGoes are the faults for which the pair is replaced or copied anyway, or
// without whose mending nobody knows which pair it is.
var pairGoes = []Code{
	IniMissing, IniUnreadable,
	KeyMissing, KeyUnreadable, KeyInvalid, KeyUnsupported, KeyExposed,
	CertMissing, CertInvalid, CertKeyMismatch, CertExpired,
}

// Who mends, in the catalogue's short form.
var (
	byApply         = []Mend{MendApply}
	byStated        = []Mend{MendStated}
	byHuman         = []Mend{MendHuman}
	byClient        = []Mend{MendClient}
	byApplyOrStated = []Mend{MendApply, MendStated}
	byDates         = []Mend{MendApply, MendStated, MendHuman}
	byApplyOrHuman  = []Mend{MendApply, MendHuman}
	byNobody        = []Mend{MendNone}
)

var catalogue = []Entry{
	{KeyMissing, "key", Error, byApply, "the file named by key_file does not exist", nil},
	{KeyUnreadable, "key", Error, byApply, "the daemon's user cannot read the private key", nil},
	{KeyInvalid, "key", Error, byApply, "the private key is DER, empty, a directory, has a passphrase, or is no key", []Code{KeyMissing}},
	{KeyUnsupported, "key", Error, byApplyOrHuman, "RSA below 2048 bits or what OpenSSL's security level wants, Ed25519, or ECDSA before xrdp 0.9.16", []Code{KeyInvalid}},
	{KeyExposed, "key", Error, byStated, "others can read the private key, or the daemon can write it", nil},
	{KeyShared, "key", Warning, byStated, "the key is shared with other services, or cloned with the machine", pairGoes},

	{CertMissing, "certificate", Error, byApply, "the file named by certificate does not exist", nil},
	{CertUnreadable, "certificate", Error, byApply, "the daemon's user cannot read the certificate", nil},
	{CertInvalid, "certificate", Error, byApplyOrStated, "the certificate is DER, empty, a directory, is no certificate, or breaks RFC 5280", []Code{CertMissing}},
	{CertKeyMismatch, "certificate", Error, byApply, "certificate and key are not a pair", []Code{KeyInvalid, CertInvalid, KeyMissing, CertMissing}},
	{CertExpired, "certificate", Error, byDates, "the certificate's validity has ended", []Code{CertCopyStale}},
	{CertNotYetValid, "certificate", Error, byDates, "the certificate's validity has not begun", nil},
	{CertExpiring, "certificate", Warning, byApplyOrStated, "the certificate ends soon", []Code{CertExpired, CertCopyStale}},
	{CertUnsuitable, "certificate", Warning, byApplyOrStated, "SHA-1 or MD5 signature, CA:TRUE, or no serverAuth", nil},
	{CertName, "certificate", Warning, byApplyOrStated, "the certificate names none of this host's names, or not all that the policy states", nil},
	{CertChain, "certificate", Warning, byStated, "an intermediate certificate is missing, or the order is wrong", pairGoes},
	{CertCopyStale, "certificate", Warning, byApply, "the ACME source was renewed, the copy was not", nil},
	{CertPathMissing, "certificate", Error, byApply, "no certificate= or key_file= line: TLS is off", []Code{IniMissing}},
	{CertPathInvalid, "certificate", Warning, byApply, "a relative or quoted path: xrdp uses its default", nil},
	{CertNotServed, "certificate", Error, byHuman, "the wire shows another certificate than the file", []Code{PortTaken, KeyMissing, CertMissing}},

	{IniMissing, "xrdp.ini, sesman.ini", Error, byHuman, "xrdp.ini is absent, empty, or has no [Globals]", []Code{XrdpMissing}},
	{IniUnreadable, "xrdp.ini, sesman.ini", Error, byApplyOrHuman, "the daemon's user cannot read xrdp.ini", []Code{IniMissing}},
	{IniCutShort, "xrdp.ini, sesman.ini", Error, byApplyOrHuman, "a bracket, 32 KiB, a long line or a NUL ends the file for xrdp: the rest is unread", nil},
	{IniDuplicate, "xrdp.ini, sesman.ini", Warning, byStated, "a key is set twice; xrdp uses the last one", nil},
	{IniMisplaced, "xrdp.ini, sesman.ini", Warning, byApplyOrStated, "a setting stands in a section where nothing reads it", nil},
	{IniKeyIgnored, "xrdp.ini, sesman.ini", Warning, byHuman, "a near miss of a key, or an obsolete one: nothing reads it", nil},
	{IniPassword, "xrdp.ini, sesman.ini", Warning, byHuman, "a password= value that others can read", nil},
	{IniManaged, "xrdp.ini, sesman.ini", Info, byNobody, "Ansible, Puppet, Chef, Salt, Nix or cloud-init write this file", nil},
	{IniUpgradeLeftover, "xrdp.ini, sesman.ini", Warning, byHuman, "a package upgrade left its version of the file beside it", nil},
	{IniDrift, "xrdp.ini, sesman.ini", Warning, byStated, "changed since the last apply", nil},
	{IniNotReplaceable, "xrdp.ini, sesman.ini", Error, byHuman, "a bind-mounted file, immutable, or on a read-only file system", nil},

	{SecurityLayerMissing, "security layer", Error, byApply, "no security_layer line: classic RDP up to xrdp 0.10.3", []Code{IniCutShort, IniMissing}},
	{SecurityLayerInvalid, "security layer", Warning, byApply, "ssl, quoted, hybrid or another unknown value: negotiate is used", nil},
	{SecurityLayerRDP, "security layer", Error, byApply, "security_layer=rdp: TLS is never offered", nil},
	{ClassicServed, "security layer", Error, byNobody, "asked for TLS, got classic RDP; cause not known", wireCauses},
	{ClassicAccepted, "security layer", Info, byStated, "clients without TLS get in", []Code{SecurityLayerMissing, SecurityLayerRDP, ClassicServed}},
	{CryptLevelWeak, "security layer", Warning, byApply, "crypt_level is missing, none or low", nil},
	{RSAKeysMissing, "security layer", Error, byApply, "rsakeys.ini is missing: xrdp does not start, even for TLS", nil},
	{RSAKeysUnreadable, "security layer", Warning, byApply, "the daemon cannot read rsakeys.ini: classic clients are dropped", []Code{RSAKeysMissing}},

	{TLSVersionsEmpty, "TLS", Error, byApply, "ssl_protocols has no valid version: every handshake fails", nil},
	{TLSVersionsMissing, "TLS", Warning, byApply, "no ssl_protocols line: OpenSSL decides", []Code{IniCutShort, IniMissing}},
	{TLSVersionsUnknown, "TLS", Warning, byApply, "ssl_protocols has words that xrdp does not know", []Code{TLSVersionsEmpty}},
	{TLSVersionsObsolete, "TLS", Warning, byStated, "SSL 3, TLS 1.0 or TLS 1.1 is accepted", nil},
	{TLSRangeIneffective, "TLS", Warning, byApplyOrStated, "the range declared in sesman.ini is not what the wire does", nil},
	{TLSRangeBlocked, "TLS", Error, byStated, "OpenSSL's security level, MinProtocol, the system policy or FIPS forbids the wanted range", []Code{TLSCiphersInvalid, TLSCiphersNarrow}},
	{TLSCiphersInvalid, "TLS", Error, byApply, "OpenSSL refuses tls_ciphers: every handshake fails", nil},
	{TLSCiphersNarrow, "TLS", Error, byStated, "tls_ciphers is valid, but common clients share none", []Code{KeyUnsupported, TLSCiphersInvalid, PortTaken}},
	{TLSSecretsLogged, "TLS", Error, byApply, "tls_pms_log_file is set: whoever reads that file reads the sessions", nil},
	{TLSFails, "TLS", Error, byHuman, "the handshake fails; cause not known", wireCauses},
	{TLSCutOff, "TLS", Error, byHuman, "reset after the ClientHello: something on the path", nil},

	{XrdpMissing, "service, port, network, log", Error, byHuman, "xrdp is not installed", nil},
	{ServiceDown, "service, port, network, log", Error, byApplyOrHuman, "xrdp.service is stopped, failed or masked", []Code{XrdpMissing, RSAKeysMissing, LogUnwritable, RuntimeUserInvalid, PortTaken, PortInvalid, IniCutShort, IniMissing}},
	{ServiceDisabled, "service, port, network, log", Warning, byStated, "xrdp runs now, but will not after a reboot", nil},
	{RestartPending, "service, port, network, log", Error, byStated, "the process is older than a setting that it reads at start", []Code{IniCutShort}},
	{RuntimeUserInvalid, "service, port, network, log", Error, byHuman, "runtime_user is unknown, or is set without runtime_group", nil},
	{PortInvalid, "service, port, network, log", Error, byApply, "port= is missing, or means something else to xrdp", nil},
	{PortNotListening, "service, port, network, log", Error, byApplyOrHuman, "the unit is active, but the port is not open", []Code{XrdpMissing, ServiceDown, PortInvalid, PortTaken, RSAKeysMissing, LogUnwritable, RuntimeUserInvalid, IniMissing, IniCutShort, RestartPending}},
	{PortLoopbackOnly, "service, port, network, log", Warning, byHuman, "reachable from this machine only", nil},
	{PortTaken, "service, port, network, log", Error, byHuman, "another program has the port", nil},
	{FirewallBlocks, "service, port, network, log", Error, byHuman, "a firewall on this host drops the port", nil},
	{SesmanUnreachable, "service, port, network, log", Error, byHuman, "TLS is fine, but xrdp-sesman does not answer, or will not start again: login cannot work", []Code{XrdpMissing, ServiceDown, PortNotListening}},
	{LogUnwritable, "service, port, network, log", Error, byApplyOrHuman, "xrdp's log file is missing, a directory, or not writable by the daemon", nil},
	{LogHidesProof, "service, port, network, log", Warning, byStated, "LogLevel or LogFile hides the success lines", nil},

	{ClientTooOld, "clients, per address", Warning, byClient, "its TLS versions end below our lowest", []Code{TLSVersionsEmpty, TLSRangeBlocked}},
	{ClientTooNew, "clients, per address", Warning, byClient, "its TLS versions begin above our highest", []Code{TLSVersionsEmpty, TLSRangeBlocked}},
	{ClientNoSharedCipher, "clients, per address", Warning, byClient, "no cipher or signature algorithm in common", []Code{TLSVersionsEmpty, TLSCiphersInvalid, TLSCiphersNarrow, TLSRangeBlocked}},
	{ClientRequiresNLA, "clients, per address", Warning, byClient, "left before the handshake: it insists on NLA", nil},
	{ClientUnsupportedAuth, "clients, per address", Warning, byClient, "Entra sign-in, Remote Credential Guard or RDSTLS", nil},
	{ClientRefusesCert, "clients, per address", Warning, byClient, "left after the handshake, or sent a certificate alert", []Code{CertExpired, CertNotYetValid, CertKeyMismatch, KeyUnsupported, CertNotServed}},
	{ClientClassicOnly, "clients, per address", Warning, byClient, "offers no TLS", nil},
	{ClientNeverArrived, "clients, per address", Info, byClient, "no line in xrdp.log from that address", nil},

	{ApplyUnfinished, "xrdpfix itself", Error, byApply, "an apply was killed half-way; the next run completes it", nil},
	{ApplyUnconfirmed, "xrdpfix itself", Warning, byStated, "an apply waits for confirm until a stated time", nil},
	{ApplyTemporary, "xrdpfix itself", Info, byStated, "a change made with --for ends at a stated time", nil},
	{JournalDamaged, "xrdpfix itself", Error, byHuman, "the journal of an apply cannot be read, so that what it changed is not known", nil},
	{FirstBootPending, "xrdpfix itself", Info, byNobody, "each machine made from this tree gets a key and a certificate of its own at its first boot", nil},
}

// Catalogue returns every code in the order of the documentation. The caller
// must not change the shared DependsOn slices.
func Catalogue() []Entry { return append([]Entry(nil), catalogue...) }

// Describe returns the catalogue's entry of a code.
func Describe(code Code) (Entry, bool) {
	for _, e := range catalogue {
		if e.Code == code {
			return e, true
		}
	}
	return Entry{}, false
}
