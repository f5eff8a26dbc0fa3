package handout

import (
	"strings"

	"xrdpfix/internal/plaintext"
)

const (
	clientPolicy = "Computer Configuration, Administrative Templates, Windows Components, Remote Desktop Services, Remote Desktop Connection Client"
	unsigned     = "mstsc calls the file's publisher unknown, because the file is not signed; since the updates of April 2026 (KB5083769 for Windows 11) it also begins with redirections off. That says nothing about the server. Sign the file once for all clients (rdpsign /sha256 THUMBPRINT FILE.rdp, with a certificate for code signing that they trust), or compare the fingerprint and go on."
)

func windows(h *Handout, s Server) {
	h.rdp(s)
	h.certificate(s, ".cer")
	h.trust(s)
	h.check(s, false)
	h.forget(s)
	h.step("Copy the files to the client and look, without changing anything, whether it can connect:", "powershell -ExecutionPolicy Bypass -File .\\check.ps1")
	windowsSteps(h, s)
}

func win7(h *Handout, s Server) {
	h.rdp(s)
	h.certificate(s, ".cer")
	h.file("tls12.reg", "turns TLS 1.1 and 1.2 on for programs of this client", tls12Reg, "utf-16le")
	h.file("tls12-undo.reg", "undoes it", tls12Undo, "utf-16le")
	h.trust(s)
	h.check(s, true)
	h.forget(s)
	h.step("Copy the files to the client and look, without changing anything, whether it can connect:", "powershell -ExecutionPolicy Bypass -File .\\check.ps1")
	h.step("Install the update KB3080079 if check.ps1 misses it: Remote Desktop over TLS 1.1 and 1.2 needs it. (KB3140245, which is often named, is about WinHTTP and not needed.)", "")
	h.step("As administrator, turn TLS 1.2 on, then restart the client:", "reg import tls12.reg")
	windowsSteps(h, s)
	h.note("Windows 7 has not been maintained since 2020 (2023 with extended updates). The better end of this is another client.")
}

// windowsSteps are those that all versions share.
func windowsSteps(h *Handout, s Server) {
	switch {
	case s.Trustable():
		h.step("As administrator, have the client trust this one certificate (untrust.ps1 takes it back):", "powershell -ExecutionPolicy Bypass -File .\\trust.ps1")
	case s.SelfSigned && len(s.Certificate) > 0:
		h.step("Do not import this certificate: it may sign others, or is not for servers. A new one is made on the server:", "xrdpfix cert renew")
	case len(s.Certificate) > 0:
		h.step("The certificate is from a CA. A client that trusts that CA asks nothing; otherwise import the CA's own certificate as your CA says, never the server's.", "")
	}
	h.step("Connect. Where mstsc asks about the certificate, compare the fingerprint (SHA1 is what it calls the thumbprint):", "mstsc "+s.file()+".rdp")
	h.note(unsigned)
	h.note("The file says authentication level:i:2, so that mstsc warns where it does not trust the certificate. Once it does, i:1 is better: it then refuses everybody else. i:0 ends the warning and with it the proof.")
	h.note("Group policy: \"Configure server authentication for client\" below " + clientPolicy + " overrides the file. If it says \"Do not connect if authentication fails\", the client must trust the certificate, and name and certificate must fit. A certificate for many clients: Windows Settings, Security Settings, Public Key Policies, Trusted Root Certification Authorities.")
	h.note("AllowEncryptionOracle and UserAuthentication, which many pages have you set on the client, have nothing to do with xrdp.")
	if len(s.Certificate) > 0 {
		h.note("After the server's certificate was renewed, forget.reg has mstsc ask anew about this server.")
	}
}

const tls12Base = `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\`

var tls12Reg = "Windows Registry Editor Version 5.00\n\n" +
	"; TLS 1.1 and 1.2 for programs of this machine as clients. Restart afterwards.\n" +
	"; https://learn.microsoft.com/en-us/windows-server/security/tls/tls-registry-settings\n\n" +
	"[" + tls12Base + "TLS 1.1\\Client]\n\"DisabledByDefault\"=dword:00000000\n\"Enabled\"=dword:00000001\n\n" +
	"[" + tls12Base + "TLS 1.2\\Client]\n\"DisabledByDefault\"=dword:00000000\n\"Enabled\"=dword:00000001\n\n"

var tls12Undo = "Windows Registry Editor Version 5.00\n\n" +
	"; The two values taken away: Windows 7 then has TLS 1.0 only, as delivered.\n\n" +
	"[" + tls12Base + "TLS 1.1\\Client]\n\"DisabledByDefault\"=-\n\"Enabled\"=-\n\n" +
	"[" + tls12Base + "TLS 1.2\\Client]\n\"DisabledByDefault\"=-\n\"Enabled\"=-\n\n"

// forget takes away what mstsc remembers of the server's certificate. The file is
// for the user who was asked, not for the administrator.
func (h *Handout) forget(s Server) {
	if len(s.Certificate) == 0 {
		return
	}
	h.file("forget.reg", "has mstsc ask anew about this server's certificate", "Windows Registry Editor Version 5.00\n\n"+
		"; What this user told mstsc about the certificate of "+plaintext.Line(s.Name)+".\n\n"+
		`[HKEY_CURRENT_USER\Software\Microsoft\Terminal Server Client\Servers\`+regKey(s.Name)+"]\n"+`"CertHash"=-`+"\n\n", "utf-16le")
}

// trust are two scripts that work from PowerShell 2.0 on, which has no
// Import-Certificate.
func (h *Handout) trust(s Server) {
	if !s.Trustable() {
		return
	}
	thumb := strings.ReplaceAll(s.SHA1, ":", "")
	head := "# Run as administrator, on the client.\n" +
		"$ErrorActionPreference = 'Stop'\n" +
		"$thumbprint = " + powerShell(thumb) + "\n" +
		"$store = New-Object System.Security.Cryptography.X509Certificates.X509Store 'Root', 'LocalMachine'\n"
	h.file("trust.ps1", "has the client trust this one certificate (administrator)",
		"# Puts the certificate of "+plaintext.Line(s.Name)+" into the client's trusted roots. It can sign no other\n"+
			"# certificate (CA:FALSE, serverAuth), so it vouches for this server and nobody else.\n"+
			"# untrust.ps1 takes it out again.\n"+head+
			"$file = Join-Path (Split-Path -Parent $MyInvocation.MyCommand.Path) "+powerShell(s.file()+".cer")+"\n"+
			"$certificate = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 $file\n"+
			"if ($certificate.Thumbprint -ne $thumbprint) { throw \"$file is not the certificate that this script was made for\" }\n"+
			"$store.Open('ReadWrite')\n"+
			"try { $store.Add($certificate) } finally { $store.Close() }\n"+
			"Write-Output ('trusted: ' + $certificate.Subject)\n", "utf-8-bom")
	h.file("untrust.ps1", "takes it back", "# Takes the certificate of "+plaintext.Line(s.Name)+" out of the client's trusted roots.\n"+head+
		"$store.Open('ReadWrite')\n"+
		"try {\n"+
		"    foreach ($certificate in @($store.Certificates | Where-Object { $_.Thumbprint -eq $thumbprint })) {\n"+
		"        $store.Remove($certificate)\n"+
		"        Write-Output ('no longer trusted: ' + $certificate.Subject)\n"+
		"    }\n"+
		"} finally { $store.Close() }\n", "utf-8-bom")
}
