package explain

// policyPath is where a Windows server's own settings of Remote Desktop stand.
const policyPath = "Computer Configuration, Administrative Templates, Windows Components, Remote Desktop Services, Remote Desktop Session Host, Security"

// The pages of Microsoft about these policies: that of ADMX_TerminalServer has
// NLA and the security layer, the other one the encryption level.
const (
	docPolicies        = "https://learn.microsoft.com/en-us/windows/client-management/mdm/policy-csp-admx-terminalserver"
	docEncryptionLevel = "https://learn.microsoft.com/en-us/windows/client-management/mdm/policy-csp-remotedesktopservices"
)

// notOurs says what these pages are for.
const notOurs = "This is about a Windows server as the target; xrdpfix changes nothing there. "

var serverEntries = []Entry{
	{
		ID: "windows-nla", Group: GroupServer, Title: "Network Level Authentication of a Windows server, by policy",
		Text: notOurs + "A server that requires NLA answers clients without it with HYBRID_REQUIRED_BY_SERVER. It is required by default, and rightly: without it every stranger reaches the sign-in screen.\n\n" +
			"The policy is \"Require user authentication for remote connections by using Network Level Authentication\" below " + policyPath + ". Its value is UserAuthentication (1 required, 0 not) in HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services; without a policy the one in HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\WinStations\\RDP-Tcp counts. A policy wins over what the System dialog shows.",
		Find:   []Step{do("xrdpfix probe HOST", "asked RDP and SSL: HYBRID_REQUIRED_BY_SERVER?"), do("gpresult /h report.html", "on that server: which policy sets it")},
		Mend:   []Step{do("gpedit.msc", "on that server, or the domain's policy: the one named above, only if a client really cannot do NLA"), do("gpupdate /force", "then connect anew; no restart")},
		Advice: "Setting UserAuthentication by hand in WinStations does nothing while a policy says otherwise.",
		Known:  Documented, Source: docPolicies,
	},
	{
		ID: "windows-encryption-level", Group: GroupServer, Title: "The encryption level of a Windows server: the right policy",
		Text: notOurs + "The policy is \"Set client connection encryption level\" below " + policyPath + ", its value MinEncryptionLevel: 1 low, 2 client compatible, 3 high, 4 FIPS. It counts for classic RDP security alone: with TLS the versions and ciphers of SCHANNEL decide (windows-tls).\n\n" +
			"Beside it, \"Require use of specific security layer for remote (RDP) connections\" (SecurityLayer: 0 RDP, 1 negotiate, 2 SSL) says whether TLS is used at all.",
		Find:   []Step{do("xrdpfix probe HOST", "asked RDP: the level and the method, or SSL_REQUIRED_BY_SERVER")},
		Mend:   []Step{do("gpedit.msc", "on that server: SecurityLayer = SSL, which does not go with level 1; the level then no longer matters"), do("gpupdate /force", "then connect anew")},
		Advice: "\"Network security: Configure encryption types allowed for Kerberos\" is what some pages name. That is about the tickets of the domain: it changes nothing for Remote Desktop, and can stop sign-ins everywhere.",
		Known:  Documented, Source: docEncryptionLevel + " and " + docPolicies,
	},
	{
		ID: "windows-certificate", Group: GroupServer, Title: "Replacing the RDP certificate of a Windows server",
		Text: notOurs + "Windows makes a self-signed certificate by itself, in the machine's store \"Remote Desktop\", and a new one when that is gone and the service starts. One of your own CA must be in the machine's store \"Personal\", with its private key, for Server Authentication, and NETWORK SERVICE must be able to read the key. The service is then told its thumbprint.",
		Find: []Step{do("xrdpfix probe HOST", "what is served, and until when"), do("certlm.msc", "on that server: Remote Desktop, Certificates")},
		Mend: []Step{
			do("$t = Get-CimInstance -Namespace root/cimv2/TerminalServices -ClassName Win32_TSGeneralSetting -Filter \"TerminalName='RDP-Tcp'\"", "on that server, in an elevated PowerShell"),
			do("Set-CimInstance -InputObject $t -Property @{SSLCertificateSHA1Hash='THUMBPRINT'}", "the thumbprint without blanks"),
			do("xrdpfix probe HOST", "is it served? Only the wire proves it"),
			do("Restart-Service TermService -Force", "only to have a new self-signed one after the old was deleted; cuts everybody off"),
		},
		Advice: "After deleting the certificate, restart the service, and look in certlm.msc whether a new one came.",
		Known:  Documented, Source: "https://learn.microsoft.com/en-us/troubleshoot/windows-server/remote/remote-desktop-listener-certificate-configurations",
	},
	{
		ID: "windows-tls", Group: GroupServer, Title: "TLS 1.2 and 1.3 of a Windows server, in SCHANNEL",
		Text: notOurs + "Remote Desktop uses what SCHANNEL allows the machine as a server. The values are Enabled and DisabledByDefault (both DWORD) in HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Server, and the same for TLS 1.0, 1.1 and 1.3; the key Client beside it is for the machine as a client. A missing key means the default of that Windows.\n\n" +
			"TLS 1.3 exists from Windows 11 and Server 2022 on; Microsoft calls it not safe to turn it on in an older one. Windows 7 and Server 2008 R2 need the update KB3080079 for Remote Desktop over TLS 1.1 and 1.2.",
		Find: []Step{do("xrdpfix probe HOST", "which versions it really accepts")},
		Mend: []Step{
			do("reg add \"HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Server\" /v Enabled /t REG_DWORD /d 1 /f", "on that server, elevated"),
			do("reg add \"HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Server\" /v DisabledByDefault /t REG_DWORD /d 0 /f", "then restart the machine"),
			do("xrdpfix probe HOST", "again"),
		},
		Advice: "Switching TLS 1.0 and 1.1 off before TLS 1.2 is on locks you out of the machine: event 36871, and nobody connects.",
		Known:  Documented, Source: "https://learn.microsoft.com/en-us/windows-server/security/tls/tls-registry-settings",
	},
}
