package xrdpconf

import (
	"reflect"
	"strings"
	"testing"
)

func TestIssues(t *testing.T) {
	const g = "[Globals]\nport=3389\n"
	long := strings.Repeat("x", 2048)
	fill := "#" + strings.Repeat("x", ReadLimit) + "\n"
	type issues = []Issue
	tests := []struct {
		kind       IssueKind
		file, text string
		want       issues // without text
		says       string // in the first text
	}{
		{IssueMisplaced, "xrdp.ini", g + "[Xorg]\nsecurity_layer=tls\n", issues{{4, IssueMisplaced, "security_layer", ""}}, "[Globals] of xrdp.ini, not in [Xorg]"},
		{IssueMisplaced, "sesman.ini", "[Globals]\nsecurity_layer=tls\n", issues{{2, IssueMisplaced, "security_layer", ""}}, "of sesman.ini"},
		{IssueSecuritySection, "xrdp.ini", g + "[security]\ntls_min_version=1.2\n", issues{{3, IssueSecuritySection, "", ""}, {4, IssueTLSRange, "tls_min_version", ""}}, "login screen"},
		{IssueTLSRange, "xrdp.ini", g + "tls_max_version=1.2\n", issues{{3, IssueTLSRange, "tls_max_version", ""}}, "ssl_protocols"},
		{IssueTLSRange, "sesman.ini", "[Globals]\n[Security]\ntls_min_version=1\n[Sessions]\ntls_min_version=1\n", issues{{5, IssueTLSRange, "tls_min_version", ""}}, ""},
		{IssueNearMiss, "xrdp.ini", g + "tls_cipher=HIGH\ncrypt-level=high\nsecurity_leyer=tls\nsecurityy_layer=x\nkeyfile=/k\n", issues{{3, IssueNearMiss, "tls_cipher", ""}, {4, IssueNearMiss, "crypt-level", ""}, {5, IssueNearMiss, "security_leyer", ""}, {6, IssueNearMiss, "securityy_layer", ""}, {7, IssueNearMiss, "keyfile", ""}}, "tls_ciphers"},
		{IssueNearMiss, "sesman.ini", "[Globals]\n[Security]\nAllowRoutLogin=1\ntls_min_versoin=1\n", issues{{3, IssueNearMiss, "AllowRoutLogin", ""}, {4, IssueNearMiss, "tls_min_versoin", ""}}, "AllowRootLogin"},
		{IssueForeignKey, "xrdp.ini", g + "ssl_ciphers=HIGH\nnla=true\nssl_protocol=TLSv1.2\n", issues{{3, IssueForeignKey, "ssl_ciphers", ""}, {4, IssueForeignKey, "nla", ""}, {5, IssueForeignKey, "ssl_protocol", ""}}, "tls_ciphers"},
		{IssueObsolete, "xrdp.ini", g + "address=127.0.0.1\nuse_vsock=true\ndisableSSLv3=true\n", issues{{3, IssueObsolete, "address", ""}, {4, IssueObsolete, "use_vsock", ""}, {5, IssueObsolete, "disableSSLv3", ""}}, "0.9.11"},
		{IssueObsolete, "xrdp.ini", g + "use_vsock=false\n", nil, ""},
		{IssueDuplicateKey, "xrdp.ini", g + "a=1\nb=1\nA=2\n", issues{{3, IssueDuplicateKey, "a", ""}}, "line 5"},
		{IssueDuplicateKey, "sesman.ini", "[Globals]\n[Xorg]\nparam=a\nparam=b\n", nil, ""},
		{IssueDuplicateSection, "xrdp.ini", g + "[globals]\nport=1\n", issues{{3, IssueDuplicateSection, "", ""}}, "line 1"},
		{IssueSectionName, "xrdp.ini", g + "[ Logging ]\n", issues{{3, IssueSectionName, "", ""}}, "[Logging]"},
		{IssueUnknownProtocol, "xrdp.ini", g + "ssl_protocols=TLSv1.0, TLSv1.2\n", issues{{3, IssueUnknownProtocol, "ssl_protocols", ""}}, `"TLSv1.0"`},
		{IssueSeparator, "xrdp.ini", g + "ssl_protocols=TLSv1.2:TLSv1.3\n", issues{{3, IssueSeparator, "ssl_protocols", ""}, {3, IssueUnknownProtocol, "ssl_protocols", ""}}, "':'"},
		{IssueSeparator, "xrdp.ini", g + "ssl_protocols=TLSv1.2\tTLSv1.3\n", issues{{3, IssueSeparator, "ssl_protocols", ""}, {3, IssueUnknownProtocol, "ssl_protocols", ""}}, `'\t'`},
		{IssueSeparator, "xrdp.ini", g + "ssl_protocols=TLSv1.2 ; TLSv1.3\n", issues{{3, IssueSeparator, "ssl_protocols", ""}}, "';'"},
		{IssueSeparator, "xrdp.ini", g + "ssl_protocols=TLSv1.2 ; see above\n", nil, ""},
		{IssueQuoted, "xrdp.ini", g + "security_layer=\"tls\"\n", issues{{3, IssueQuoted, "security_layer", ""}}, "with them"},
		{IssueRelativePath, "xrdp.ini", g + "certificate=cert.pem\nkey_file=\n", issues{{3, IssueRelativePath, "certificate", ""}}, "default"},
		{IssueInvalidValue, "xrdp.ini", g + "security_layer=ssl\ncrypt_level=strong\n[Logging]\nLogLevel=all\n", issues{{3, IssueInvalidValue, "security_layer", ""}, {4, IssueInvalidValue, "crypt_level", ""}, {6, IssueInvalidValue, "LogLevel", ""}}, "negotiate"},
		{IssuePort, "xrdp.ini", "[Globals]\nport=127.0.0.1:3389\n", issues{{2, IssuePort, "port", ""}}, "port 0"},
		{IssuePort, "xrdp.ini", "[Globals]\nport=rdp\n", issues{{2, IssuePort, "port", ""}}, "without a port"},
		{IssuePort, "xrdp.ini", "[Globals]\nport=1:3389\n", issues{{2, IssuePort, "port", ""}}, `"1 3389"`},
		{IssueCommentInValue, "xrdp.ini", g + "tls_ciphers=HIGH;!aNULL\nb=1 ; c\n#c\n", issues{{3, IssueCommentInValue, "tls_ciphers", ""}}, "';'"},
		{IssueUntrimmed, "xrdp.ini", g + "key_file = /\u00fc\ncertificate=/\u00fc\ntls_ciphers =\xff\n", issues{{3, IssueUntrimmed, "key_file", ""}}, "0.9.26"},
		{IssueBracket, "xrdp.ini", g + "ls_title=[x]\n", issues{{3, IssueBracket, "ls_title", ""}}, "[x]"},
		{IssueBeyondLimit, "xrdp.ini", g + fill, issues{{3, IssueBeyondLimit, "", ""}}, "32 KiB"},
		{IssueLongLine, "xrdp.ini", g + "a=" + long + "\n", issues{{3, IssueLongLine, "", ""}}, "2048"},
		{IssueNUL, "xrdp.ini", g + "a=1\x002\nb=1\x00\n", issues{{3, IssueCrossRead, "a", ""}, {3, IssueNUL, "a", ""}, {4, IssueCrossRead, "b", ""}}, ""},
		{IssueBOM, "xrdp.ini", g + "\xef\xbb\xbfa=1\n", issues{{3, IssueBOM, "\xef\xbb\xbfa", ""}}, "byte order mark"},
		{IssueNoSection, "xrdp.ini", "a=1\n" + g, issues{{1, IssueNoSection, "a", ""}}, "before the first"},
		{IssueEmptyArgument, "sesman.ini", "[Globals]\n[Xorg]\nparam=X\n  # c\n \t\n[SessionVariables]\n ;\n", issues{{4, IssueEmptyArgument, "", ""}, {5, IssueEmptyArgument, "", ""}, {7, IssueEmptyArgument, "", ""}}, "empty argument"},
		{IssueStrayArgument, "sesman.ini", "[Globals]\n[Xvnc]\nparam=X\ntls_min_version=1.2\n", issues{{4, IssueStrayArgument, "tls_min_version", ""}, {4, IssueTLSRange, "tls_min_version", ""}}, "argument"},
		{IssueCrossRead, "xrdp.ini", g + "a=`b\n", issues{{1, IssueCrossRead, "", ""}}, "cannot read"},
		{IssueCrossRead, "xrdp.ini", strings.ReplaceAll(g+"a=1\nb=1\nc=1\nd=1\ne=1\n", "\n", "\r"), issues{{2, IssueCrossRead, "", ""}}, "6 keys"},
		{IssueCrossRead, "xrdp.ini", g + "t=[x]\nb=2\n", issues{{3, IssueBracket, "t", ""}, {4, IssueCrossRead, "b", ""}}, ""},
	}
	tested := make(map[IssueKind]bool)
	for _, tt := range tests {
		t.Run(string(tt.kind), func(t *testing.T) {
			got := Parse(tt.file, []byte(tt.text)).Issues()
			if len(got) > 0 && !strings.Contains(got[0].Text, tt.says) {
				t.Errorf("first issue says %q, want %q in it", got[0].Text, tt.says)
			}
			for i := range got {
				if got[i].Text == "" {
					t.Errorf("issue %+v has no text", got[i])
				}
				got[i].Text = ""
				tested[got[i].Kind] = true
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Issues of %.200q = %+v, want %+v", tt.text, got, tt.want)
			}
		})
	}
	for _, kind := range []IssueKind{
		IssueMisplaced, IssueSecuritySection, IssueTLSRange, IssueNearMiss, IssueForeignKey, IssueObsolete,
		IssueDuplicateKey, IssueDuplicateSection, IssueSectionName, IssueUnknownProtocol, IssueSeparator, IssueQuoted,
		IssueRelativePath, IssueInvalidValue, IssuePort, IssueCommentInValue, IssueUntrimmed, IssueBracket, IssueBeyondLimit,
		IssueLongLine, IssueNUL, IssueBOM, IssueNoSection, IssueEmptyArgument, IssueStrayArgument, IssueCrossRead,
	} {
		if !tested[kind] {
			t.Errorf("no file raises %s", kind)
		}
	}
}

func TestIssuesOfStockFiles(t *testing.T) {
	for name, data := range stock(t) {
		f := Parse(name, data)
		if got := f.Issues(); len(got) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
		if got, ok := f.Cut(); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
