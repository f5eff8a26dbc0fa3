package handout

import (
	"strconv"
	"strings"

	"xrdpfix/internal/plaintext"
)

// check is a script that only reads, for PowerShell 2.0 and later. What it prints
// is for a person.
func (h *Handout) check(s Server, seven bool) {
	text := "# Looks whether this client can connect to " + plaintext.Line(s.Address()) + ". It changes nothing\n" +
		"# and needs no administrator.\n" +
		"$server = " + powerShell(s.Name) + "\n" +
		"$port = " + strconv.Itoa(int(s.Port)) + "\n" +
		"$thumbprint = " + powerShell(strings.ReplaceAll(s.SHA1, ":", "")) + "\n" +
		checkBody
	if seven {
		text += checkSeven
	}
	h.file("check.ps1", "looks whether this client can connect; changes nothing", text+checkEnd, "utf-8-bom")
}

// checkBody uses nothing newer than PowerShell 2.0 and .NET 3.5.
const checkBody = `
function Get-Value([string]$Path, [string]$Name) {
    $item = Get-ItemProperty -LiteralPath $Path -ErrorAction SilentlyContinue
    if ($item -eq $null) { return $null }
    return $item.$Name
}

function Show([string]$What, $Value, [string]$Note) {
    if ($Value -eq $null) { $Value = 'not set' }
    Write-Output ('{0,-44} {1,-12} {2}' -f $What, $Value, $Note)
}

$os = Get-WmiObject Win32_OperatingSystem
Show 'Windows' $os.Version $os.Caption
Show 'mstsc' ((Get-Item "$env:windir\System32\mstsc.exe").VersionInfo.FileVersion) ''

Write-Output ''
Write-Output 'TLS of this machine as a client (not set: what this Windows does by itself)'
$protocols = 'HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols'
foreach ($version in 'TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3') {
    $key = "$protocols\$version\Client"
    Show "$version Enabled" (Get-Value $key 'Enabled') '0 turns it off'
    Show "$version DisabledByDefault" (Get-Value $key 'DisabledByDefault') '1 turns it off for mstsc'
}

Write-Output ''
Write-Output 'Policies'
$policy = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services'
Show 'Server authentication (AuthenticationLevel)' (Get-Value $policy 'AuthenticationLevel') '1: refuses a certificate that is not trusted'
Show 'FIPS' (Get-Value 'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy' 'Enabled') '1: no classic RDP security'
Show 'Old dialog for unsigned files' (Get-Value "$policy\Client" 'RedirectionWarningDialogVersion') '1: as before April 2026'

Write-Output ''
Write-Output 'This server'
$saved = "HKCU:\Software\Microsoft\Terminal Server Client\Servers\$server"
$hash = Get-Value $saved 'CertHash'
if ($hash -ne $null) {
    $hash = ($hash | ForEach-Object { '{0:X2}' -f $_ }) -join ''
    if ($hash -eq $thumbprint) { Show 'Certificate remembered' 'yes' 'this one' }
    else { Show 'Certificate remembered' 'yes' 'another one: forget.reg' }
} else { Show 'Certificate remembered' 'no' '' }
foreach ($place in 'LocalMachine', 'CurrentUser') {
    $found = @(Get-ChildItem "Cert:\$place\Root" | Where-Object { $thumbprint -ne '' -and $_.Thumbprint -eq $thumbprint })
    Show "Certificate trusted ($place)" $(if ($found.Count -gt 0) { 'yes' } else { 'no' }) ''
}
$tcp = New-Object System.Net.Sockets.TcpClient
try {
    $wait = $tcp.BeginConnect($server, $port, $null, $null)
    if ($wait.AsyncWaitHandle.WaitOne(5000, $false)) {
        $tcp.EndConnect($wait)
        Show "Port $port" 'open' ''
    } else { Show "Port $port" 'no answer' 'network or firewall, not TLS' }
} catch { Show "Port $port" 'refused' $_.Exception.Message }
finally { $tcp.Close() }
`

const checkSeven = `
Write-Output ''
Write-Output 'Windows 7'
$update = @(Get-HotFix -Id KB3080079 -ErrorAction SilentlyContinue)
Show 'KB3080079 (Remote Desktop over TLS 1.2)' $(if ($update.Count -gt 0) { 'yes' } else { 'not found' }) 'later roll-ups contain it'
if ((Get-Value "$protocols\TLS 1.2\Client" 'Enabled') -ne 1) { Write-Output 'TLS 1.2 is off: tls12.reg turns it on.' }
`

const checkEnd = `
Write-Output ''
Write-Output 'Nothing was changed.'
`
