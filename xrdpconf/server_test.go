package xrdpconf

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

var (
	v0901 = Version{0, 9, 1, 0}
	v0907 = Version{0, 9, 7, 0}
	v0910 = Version{0, 9, 10, 0}
	v0921 = Version{0, 9, 21, 1}
	v1001 = Version{0, 10, 1, 0}
	v1003 = Version{0, 10, 3, 0}
	v1006 = Version{0, 10, 6, 1}
)

// TestReadServerDefaults reads a file without keys: missing means something else in
// each generation.
func TestReadServerDefaults(t *testing.T) {
	logging := Logging{File: "./sesman.log", Level: LogInfo, LevelValid: true, SyslogLevel: LogInfo, ConsoleLevel: LogInfo, ProcessIDKnown: true}
	oldLogging := logging
	oldLogging.ProcessIDKnown = false
	missing := Server{HasGlobals: true, SecurityLayer: SecurityLayerRDP, SecurityLayerValid: true, CryptLevelValid: true, Logging: logging}
	negotiate := missing
	negotiate.SecurityLayer = SecurityLayerNegotiate
	old := missing
	old.Port, old.Listen, old.Logging = "3389", []Listen{{NetworkTCP, "", 3389}}, oldLogging
	for v, want := range map[Version]Server{v0910: old, v0921: missing, v1001: missing, v1003: missing, {}: missing, v1006: negotiate} {
		if got := ReadServer(Parse("xrdp.ini", []byte("[Globals]\n")), v, nil); !reflect.DeepEqual(got, want) {
			t.Errorf("%v: empty [Globals] = %+v, want %+v", v, got, want)
		}
	}
}

func TestReadServer(t *testing.T) {
	long := strings.Repeat("x", 2000)
	type fields = map[string]any
	tests := []struct {
		name, text string // the text of [Globals]
		v          Version
		want       fields
	}{
		{"negotiate", "security_layer=Negotiate", v0921, fields{"SecurityLayer": SecurityLayerNegotiate, "SecurityLayerText": "Negotiate", "SecurityLayerSet": true, "SecurityLayerValid": true}},
		{"tls", "security_layer=TLS", v1006, fields{"SecurityLayer": SecurityLayerTLS, "SecurityLayerValid": true}},
		{"rdp", "SECURITY_LAYER=rdp", v1006, fields{"SecurityLayer": SecurityLayerRDP, "SecurityLayerValid": true}},
		{"ssl", "security_layer=ssl", v0921, fields{"SecurityLayer": SecurityLayerNegotiate, "SecurityLayerValid": false}},
		{"empty", "security_layer=", v0921, fields{"SecurityLayer": SecurityLayerNegotiate, "SecurityLayerValid": false, "SecurityLayerSet": true}},
		{"quoted", `security_layer="tls"`, v0921, fields{"SecurityLayer": SecurityLayerNegotiate, "SecurityLayerValid": false}},
		{"hybrid up to 0.10.3", "security_layer=hybrid", v1003, fields{"SecurityLayer": SecurityLayerNegotiate, "SecurityLayerValid": true}},
		{"hybrid from 0.10.4", "security_layer=hybrid", v1006, fields{"SecurityLayer": SecurityLayerNegotiate, "SecurityLayerValid": false}},
		{"inline comment", "security_layer=tls#x", v0921, fields{"SecurityLayer": SecurityLayerTLS, "SecurityLayerText": "tls"}},
		{"last wins", "security_layer=tls\nsecurity_layer=rdp", v0921, fields{"SecurityLayer": SecurityLayerRDP}},

		{"crypt low", "crypt_level=LOW", v0921, fields{"CryptLevel": CryptLevelLow, "CryptLevelSet": true, "CryptLevelValid": true}},
		{"crypt fips", "crypt_level=fips", v0921, fields{"CryptLevel": CryptLevelFIPS, "CryptLevelValid": true}},
		{"crypt none", "crypt_level=none", v0921, fields{"CryptLevel": CryptLevelNone, "CryptLevelValid": true}},
		{"crypt invalid", "crypt_level=strong", v0921, fields{"CryptLevel": CryptLevelHigh, "CryptLevelValid": false}},

		{"paths", "certificate=/c\nkey_file=/k", v0921, fields{"Certificate": "/c", "KeyFile": "/k", "CertificateSet": true, "KeyFileSet": true}},
		{"paths empty", "certificate=\nkey_file=", v0921, fields{"Certificate": DefaultCertificate, "KeyFile": DefaultKeyFile, "CertificateText": ""}},
		{"paths relative", "certificate=cert.pem\nkey_file=\"/k\"", v0921, fields{"Certificate": DefaultCertificate, "KeyFile": DefaultKeyFile, "CertificateText": "cert.pem", "KeyFileText": `"/k"`}},
		{"path one missing", "certificate=/c", v0921, fields{"Certificate": "/c", "KeyFile": "", "KeyFileSet": false}},
		{"path long", "certificate=/" + long, v0921, fields{"Certificate": "/" + long[:1022]}},
		{"path from the environment", "certificate=$CERT", v0921, fields{"Certificate": "/from/env", "CertificateText": "/from/env"}},

		{"protocols", "ssl_protocols=TLSv1.3, TLSv1.2", v0921, fields{"Protocols": []string{"TLSv1.2", "TLSv1.3"}, "ProtocolsSet": true, "UnknownProtocols": []string(nil)}},
		{"protocols by comma or space", "ssl_protocols=TLSv1,TLSv1.1 SSLv3", v0921, fields{"Protocols": []string{"SSLv3", "TLSv1", "TLSv1.1"}}},
		{"protocols in lower case", "ssl_protocols=tlsv1.2", v0921, fields{"Protocols": []string(nil), "UnknownProtocols": []string{"tlsv1.2"}, "ProtocolsSet": true}},
		{"protocols with tab", "ssl_protocols=TLSv1.2\tTLSv1.3", v0921, fields{"Protocols": []string(nil), "UnknownProtocols": []string{"TLSv1.2\tTLSv1.3"}}},
		{"protocols with colon", "ssl_protocols=TLSv1.2:TLSv1.3", v0921, fields{"Protocols": []string(nil)}},
		{"protocols with semicolon", "ssl_protocols=TLSv1.2;TLSv1.3", v0921, fields{"Protocols": []string{"TLSv1.2"}}},
		{"protocols odd words", "ssl_protocols=TLSv1.0, TLS1.2, TLSv1.3", v0921, fields{"Protocols": []string{"TLSv1.3"}, "UnknownProtocols": []string{"TLSv1.0", "TLS1.2"}}},
		{"protocols quoted", `ssl_protocols="TLSv1.2, TLSv1.3"`, v0921, fields{"Protocols": []string(nil), "UnknownProtocols": []string{`"TLSv1.2`, `TLSv1.3"`}}},
		{"protocols empty", "ssl_protocols=", v0921, fields{"Protocols": []string(nil), "ProtocolsSet": true}},
		{"protocols missing", "", v0921, fields{"Protocols": []string(nil), "ProtocolsSet": false}},
		{"1.3 unknown to 0.9.7", "ssl_protocols=TLSv1.2, TLSv1.3", v0907, fields{"Protocols": []string{"TLSv1.2"}, "UnknownProtocols": []string{"TLSv1.3"}}},
		{"no protocols in 0.9.1", "ssl_protocols=TLSv1.2", v0901, fields{"Protocols": []string(nil), "ProtocolsSet": false}},

		{"ciphers", "tls_ciphers=HIGH:@SECLEVEL=0", v0921, fields{"Ciphers": "HIGH:@SECLEVEL=0", "CiphersSet": true}},
		{"ciphers too short", "tls_ciphers=A", v0921, fields{"Ciphers": "", "CiphersSet": true}},
		{"premaster log", "tls_pms_log_file=/x", v1006, fields{"PreMasterLog": "/x"}},
		{"premaster log relative", "tls_pms_log_file=x", v1006, fields{"PreMasterLog": ""}},
		{"premaster log unknown", "tls_pms_log_file=/x", v1001, fields{"PreMasterLog": ""}},

		{"runtime user", "runtime_user=xrdp\nruntime_group=ssl", v1006, fields{"RuntimeUser": "xrdp", "RuntimeGroup": "ssl"}},
		{"runtime user unknown", "runtime_user=xrdp", v1001, fields{"RuntimeUser": ""}},
		{"runtime user long", "runtime_user=" + long, v1006, fields{"RuntimeUser": long[:63]}},

		{"port", "port=3390", v0921, fields{"Port": "3390", "Listen": []Listen{{NetworkTCP, "", 3390}}}},
		{"port empty", "port=", v0921, fields{"Port": "", "Listen": []Listen(nil)}},
		{"port with brackets", "port=tcp6://[::1]:3389\nsecurity_layer=tls", v0921, fields{"Port": "", "SecurityLayerSet": false}},
		{"vsock by flag", "port=3389\nuse_vsock=true", v0921, fields{"Listen": []Listen{{NetworkVsock, "0.0.0.0", 3389}}}},
		{"vsock flag obsolete", "port=3389\nuse_vsock=true", v1006, fields{"Listen": []Listen{{NetworkTCP, "", 3389}}}},
		{"address in 0.9.10", "port=3389\naddress=127.0.0.1", v0910, fields{"Listen": []Listen{{NetworkTCP4, "127.0.0.1", 3389}}}},
		{"address obsolete", "port=3389\naddress=127.0.0.1", v0921, fields{"Listen": []Listen{{NetworkTCP, "", 3389}}}},
	}
	env := func(name string) string { return map[string]string{"CERT": "/from/env"}[name] }
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := reflect.ValueOf(ReadServer(Parse("xrdp.ini", []byte("[Globals]\n"+tt.text+"\n")), tt.v, env))
			for field, want := range tt.want {
				if got := s.FieldByName(field).Interface(); !reflect.DeepEqual(got, want) {
					t.Errorf("%s of %q = %#v, want %#v", field, tt.text, got, want)
				}
			}
		})
	}
	if s := ReadServer(Parse("xrdp.ini", []byte("[globals ]\nport=1\n")), v0921, nil); s.HasGlobals {
		t.Error("[globals ] is [Globals]")
	}
}

func TestReadLogging(t *testing.T) {
	base := Logging{File: "./sesman.log", Level: LogInfo, LevelValid: true, SyslogLevel: LogInfo, ConsoleLevel: LogInfo, ProcessIDKnown: true}
	with := func(change func(*Logging)) Logging {
		l := base
		change(&l)
		return l
	}
	tests := []struct {
		name, text string
		v          Version
		want       Logging
	}{
		{"no section", "[Globals]\n", v0921, base},
		{"relative", "[Logging]\nLogFile=xrdp.log", v0921, with(func(l *Logging) { l.File, l.FileSet = "/var/log/xrdp.log", true })},
		{"absolute", "[logging]\nlogfile=/x", v0921, with(func(l *Logging) { l.File, l.FileSet = "/x", true })},
		{"empty", "[Logging]\nLogFile=", v0921, with(func(l *Logging) { l.File, l.FileSet = "/var/log/", true })},
		{"stdout in 0.10", "[Logging]\nLogFile=<stdout>", v1001, with(func(l *Logging) { l.File, l.FileSet = "<stdout>", true })},
		{"stdout in 0.9", "[Logging]\nLogFile=<stdout>", v0921, with(func(l *Logging) { l.File, l.FileSet = "/var/log/<stdout>", true })},
		{"level", "[Logging]\nLogLevel=WARN", v0921, with(func(l *Logging) { l.Level, l.LevelText, l.LevelSet = LogWarning, "WARN", true })},
		{"level by number", "[Logging]\nLogLevel=1", v0921, with(func(l *Logging) { l.Level, l.LevelText, l.LevelSet = LogError, "1", true })},
		{"level invalid", "[Logging]\nLogLevel=all", v0921, with(func(l *Logging) { l.Level, l.LevelText, l.LevelSet, l.LevelValid = LogDebug, "all", true, false })},
		{"others", "[Logging]\nEnableSyslog=1\nSyslogLevel=core\nEnableConsole=yes\nConsoleLevel=trace\nEnableProcessId=on", v0921, with(func(l *Logging) {
			l.EnableSyslog, l.SyslogLevel, l.EnableConsole, l.ConsoleLevel, l.ProcessID = true, LogCore, true, LogTrace, true
		})},
		{"others in 0.9.10", "[Logging]\nEnableConsole=yes\nConsoleLevel=trace\nEnableProcessId=on", v0910, with(func(l *Logging) { l.ProcessIDKnown = false })},
	}
	for _, tt := range tests {
		if got := ReadLogging(Parse("xrdp.ini", []byte(tt.text)), tt.v, nil); got != tt.want {
			t.Errorf("%s: ReadLogging(%q) = %+v, want %+v", tt.name, tt.text, got, tt.want)
		}
	}
}

func TestParseBool(t *testing.T) {
	for _, s := range []string{"1", "true", "TRUE", "on", "Yes", "2", "-1", " 7x", "1 "} {
		if !ParseBool(s) {
			t.Errorf("ParseBool(%q) = false", s)
		}
	}
	for _, s := range []string{"", "0", "false", "enabled", "y", "t", "0x10", "true ", "off", "00"} {
		if ParseBool(s) {
			t.Errorf("ParseBool(%q) = true", s)
		}
	}
}

func TestReadSessionManager(t *testing.T) {
	text := "[Globals]\nListenAddress=127.0.0.1\nListenPort=3350\n[Security]\ntls_min_version=1.0\nTLS_MIN_VERSION = 1.2\ntls_max_version=$MAX\n" +
		"[Sessions]\nMaxSessions=50\nKillDisconnected=yes\nDisconnectedTimeLimit=60x\nIdleTimeLimit=abc\n" +
		"[Xorg]\nparam=Xorg\nparam=-config\n  # indented\ntls_min_version=1.2\nparam=-fp \"a b\"\nparam=-x#y\n[Xvnc]\nparam=Xvnc\n"
	env := func(name string) string { return map[string]string{"MAX": "1.3"}[name] }
	want := SessionManager{
		TLSMin: Value{Text: "1.2", Raw: "1.2", Line: 6}, TLSMinSet: true,
		TLSMax: Value{Text: "1.3", Raw: "$MAX", Line: 7, Env: "MAX"}, TLSMaxSet: true,
		ListenAddress: "127.0.0.1", ListenPort: "3350",
		MaxSessions: 50, KillDisconnected: true, DisconnectedTimeLimit: 60,
		XorgArgs: []string{"Xorg", "-config", "", "1.2", `-fp "a b"`, "-x"}, XvncArgs: []string{"Xvnc"},
		Logging: Logging{File: "./sesman.log", Level: LogInfo, LevelValid: true, SyslogLevel: LogInfo, ConsoleLevel: LogInfo, ProcessIDKnown: true},
	}
	if got := ReadSessionManager(Parse("sesman.ini", []byte(text)), env); !reflect.DeepEqual(got, want) {
		t.Errorf("ReadSessionManager = %+v, want %+v", got, want)
	}
}

func TestDeclaredRange(t *testing.T) {
	tests := []struct {
		text     string
		want     Range
		declared bool
		key      string // of the RangeError
	}{
		{"", Range{TLS10, TLS13}, false, ""},
		{"tls_min_version=1.2\ntls_max_version=TLSv1.3", Range{TLS12, TLS13}, true, ""},
		{"tls_min_version=1.2", Range{TLS12, TLS13}, true, ""},
		{"tls_max_version=1.2", Range{TLS10, TLS12}, true, ""},
		{"tls_min_version=1.4", Range{}, true, KeyTLSMin},
		{"tls_max_version=", Range{}, true, KeyTLSMax},
		{"tls_min_version=1.3\ntls_max_version=1.2", Range{}, true, KeyTLSMin},
	}
	for _, tt := range tests {
		m := ReadSessionManager(Parse("sesman.ini", []byte("[Security]\n"+tt.text)), nil)
		got, declared, err := m.DeclaredRange()
		var re *RangeError
		if key := tt.key; got != tt.want || declared != tt.declared || (err != nil) != (key != "") || key != "" && (!errors.As(err, &re) || re.Key != key) {
			t.Errorf("DeclaredRange of %q = %v, %v, %v, want %v, %v, error at %q", tt.text, got, declared, err, tt.want, tt.declared, tt.key)
		}
	}
}
