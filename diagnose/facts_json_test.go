package diagnose

import (
	"encoding"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"xrdpfix/logwatch"
)

// filler makes facts in which every field that goes to JSON has a value.
type filler struct {
	*rand.Rand
	say string // every text, where one is given
}

func (r filler) text() string {
	if r.say != "" {
		return r.say
	}
	pieces := []string{"a", "Zz", " ", "/", "\x00", "\xff", "\xc3\x28", "ä", "\n", "\u2028", "<&>", "\U0010FE41", "\U0010FEFF", "\ufeff", "\ufffd", `"\`}
	var b strings.Builder
	for range 1 + r.IntN(6) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

var logLines = []string{
	"[20261122-14:09:02] [INFO ] Socket 12: AF_INET6 connection received from ::ffff:127.0.0.1 port 33418",
	"[20261122-14:09:02] [ERROR] Cannot read private key file /etc/xrdp/key.pem: Permission denied",
	"[2026-11-22T14:15:11.938+0200] [INFO ] Connected client computer name: ANNA\xff",
}

func (r filler) match() logwatch.Match {
	e, _ := logwatch.ParseLine(logLines[r.IntN(len(logLines))], nil)
	e.Time, e.Offset, e.PID = e.Time.UTC(), r.Int64N(1<<40), r.IntN(1000)
	m, _ := logwatch.Classify(e)
	return m
}

func (r filler) fill(v reflect.Value) {
	switch v.Interface().(type) {
	case logwatch.Match:
		v.Set(reflect.ValueOf(r.match()))
		return
	case logwatch.Level:
		v.Set(reflect.ValueOf(logwatch.LevelError))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC()))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(256))})))
		return
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.AddrPortFrom(netip.IPv6LinkLocalAllNodes(), uint16(1+r.IntN(65535)))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(r.text())
		} else {
			v.SetString("word")
		}
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1 + r.Int64N(5))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1 + r.Uint64N(200))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		r.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		r.fill(v.Index(0))
		r.fill(v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		r.fill(key)
		r.fill(value)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				r.fill(v.Field(i))
			}
		}
	}
}

func TestFactsRoundTrip(t *testing.T) {
	for seed := range uint64(200) {
		var f Facts
		filler{Rand: rand.New(rand.NewPCG(seed, 1))}.fill(reflect.ValueOf(&f).Elem())
		f.Schema = FactsSchema
		for _, p := range []*PathFact{&f.Cert, &f.Key, &f.RSAKeys, &f.ConfigAccess} {
			p.Stop = int(seed)%3 - 1
		}
		data, err := EncodeFacts(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeFacts(data)
		if err != nil {
			t.Fatal(err)
		}
		want := f
		want.Replayed = true
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: something was lost:\n%s", seed, firstDifference(reflect.ValueOf(got), reflect.ValueOf(want), "facts"))
		}
		if a, b := Run(f, Settings{}), Run(got, Settings{}); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d: other findings after the round trip:\n%v\n%v", seed, a, b)
		}
	}
}

// firstDifference names the field in which two values differ.
func firstDifference(a, b reflect.Value, at string) string {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return ""
	}
	if a.Kind() == reflect.Struct {
		for i := range a.NumField() {
			if !a.Type().Field(i).IsExported() {
				continue
			}
			if d := firstDifference(a.Field(i), b.Field(i), at+"."+a.Type().Field(i).Name); d != "" {
				return d
			}
		}
	}
	if a.Kind() == reflect.Slice && a.Len() == b.Len() {
		for i := range a.Len() {
			if d := firstDifference(a.Index(i), b.Index(i), at+"[]"); d != "" {
				return d
			}
		}
	}
	text := func(v reflect.Value) string {
		if m, ok := v.Interface().(encoding.TextMarshaler); ok {
			s, _ := m.MarshalText()
			return string(s)
		}
		s, _ := json.Marshal(v.Interface())
		return string(s)
	}
	return at + ": " + text(a) + " is not " + text(b)
}

// throughJSON saves facts and reads them back.
func throughJSON(t *testing.T, f Facts) Facts {
	t.Helper()
	data, err := EncodeFacts(f)
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeFacts(data)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestEncodedBytes(t *testing.T) {
	for _, s := range []string{"", "plain", "\xff\xfe\x00", "\U0010FE00\U0010FEFFx", "ä\xc3", "\U0010FFFF"} {
		if got := unescape(escape(s)); got != s {
			t.Errorf("%q came back as %q", s, got)
		}
	}
}

// TestNoSecretInFacts plants passwords in every way that the files allow, and
// looks for them in what is saved.
func TestNoSecretInFacts(t *testing.T) {
	ini := healthyIni + "password=hunter2-a\n#password=hunter2-b\n ; pamPassword = hunter2-c\n" +
		"[vnc-any]\nPASSWORD=\thunter2-d # was hunter2-e\nname=x ; admin password: hunter2-f\nparam=-passwd=hunter2-g\n" +
		"#the pwd = hunter2-h\npassword=ask ; or hunter2-i\npassword=[hunter2-j]\npassword=hunter2\x00-k\rpassword=hunter2-l\r\n"
	f := healthy()
	f.Config, f.Sesman = Seen(fileFact(ConfigPath, ini)), Seen(fileFact(SesmanPath, "[Xvnc]\nparam=a\nSecret=hunter2-m"))
	f.Config.Value.SHA256, f.Sesman.Value.SHA256 = strings.Repeat("c0ffee", 10), strings.Repeat("7ea", 20)
	f.Applied = Seen([]AppliedSummary{{ID: "x", State: "confirmed", Files: map[string]string{ConfigPath: f.Config.Value.SHA256, SesmanPath: "1234"}}})
	for name, facts := range map[string]Facts{"plain": f, "redacted": Redact(f)} {
		data, err := EncodeFacts(facts)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"hunter2", "-a\\n", f.Config.Value.SHA256, f.Sesman.Value.SHA256, "1234\""} {
			if i := strings.Index(string(data), secret); i >= 0 {
				t.Errorf("%s: %q is in the saved facts: %.80q", name, secret, data[max(0, i-30):])
			}
		}
		got, err := DecodeFacts(data)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := codes(Run(f, Settings{})), codes(Run(got, Settings{})); !reflect.DeepEqual(a, b) {
			t.Errorf("%s: findings %v, of the host itself %v", name, b, a)
		}
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"password=ask":              "password=ask",
		"password= ASK \r\n":        "password= ASK \r\n",
		"password=asksame ; why":    "password=asksame ; ********",
		"password=asklepios":        "password=ask********",
		"password=":                 "password=",
		"password=# x":              "password=# ********",
		"password=a#b":              "password=********# ********",
		"password=********":         "password=********",
		"; the password: x y":       "; the password: ********",
		"port=3389\npassword=x\n":   "port=3389\npassword=********\n",
		"certificate=/a/cert.pem":   "certificate=/a/cert.pem",
		"passwd\t=\tx":              "passwd\t=\t********",
		"param=-x,passwd=abc,more":  "param=-x,passwd=********",
		"name=no secret to mask":    "name=no secret to mask",
		"password=a [b] c":          "password=********[*]",
		"x=y # Password = 1 # 2":    "x=y # Password = ********# ********",
		"password=a\rpassword=b\r":  "password=********\rpassword=********\r",
		"#password=x":               "#password=********",
		"password=a\x00b":           "password=********\x00",
		"TerminalServerUsers=staff": "TerminalServerUsers=staff",
	} {
		if got := string(Mask([]byte(in))); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
		if once := Mask([]byte(in)); string(Mask(once)) != string(once) {
			t.Errorf("%q masked twice is %q", in, Mask(once))
		}
	}
}

// TestMaskKeepsFaults: what makes xrdp read a file otherwise is the same when a
// password that does it is hidden.
func TestMaskKeepsFaults(t *testing.T) {
	for name, ini := range map[string]string{
		"brackets":  "[Globals]\npassword=a[b]c\nport=3389\n",
		"nul":       "[Globals]\npassword=a\x00b\nport=3389\n",
		"long line": "[Globals]\npassword=" + strings.Repeat("x", 3000) + "\nport=3389\n",
		"long file": "[Globals]\n" + strings.Repeat("password=abcdefghijklmnopqrstuvwxyz\n", 900) + "port=3389\n" + strings.Repeat("# \n", 2000),
		"short":     "[Globals]\npassword=x\nport=3389\n",
	} {
		f := healthy()
		f.Config = Seen(fileFact(ConfigPath, ini))
		replayed := f
		replayed.Config.Value.Data = nil
		if a, b := Run(f, Settings{}), Run(replayed, Settings{}); !reflect.DeepEqual(codes(a), codes(b)) {
			t.Errorf("%s: findings %v, with the password masked %v", name, codes(a), codes(b))
		}
	}
}

func TestDecodeFactsRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"":                                      ErrNotFacts,
		"[]":                                    ErrNotFacts,
		`{"schema":1,"command":"check"}`:        ErrNotFacts,
		`{"kind":"xrdpfix-facts"}`:              ErrFactsSchema,
		`{"kind":"xrdpfix-facts","schema":2}`:   ErrFactsSchema,
		`{"kind":"xrdpfix-facts","schema":1}`:   ErrNotFacts,
		`{"kind":"xrdpfix-facts","schema":1} x`: ErrNotFacts,
		`{"kind":"xrdpfix-facts","schema":1,"taken":"2026-11-22T12:00:00Z","host":[]}`: ErrNotFacts,
		strings.Repeat(" ", MaxFacts+1): ErrNotFacts,
	} {
		if _, err := DecodeFacts([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%.60q: %v, want %v", in, err, want)
		}
	}
	f, err := DecodeFacts([]byte(`{"kind":"xrdpfix-facts","schema":1,"taken":"2026-11-22T12:00:00Z","news":{"a":1},"key":{"stop":7}}`))
	if err != nil || !f.Replayed || f.Key.Stop != -1 {
		t.Errorf("unknown field or wild index: %v, replayed %v, stop %d", err, f.Replayed, f.Key.Stop)
	}
}

func FuzzDecodeFacts(f *testing.F) {
	data, err := EncodeFacts(healthy())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"kind":"xrdpfix-facts","schema":1,"taken":"2026-11-22T12:00:00Z","xrdp_ini":{"value":{"exists":true,"text":"[Globals]\nport=x"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		facts, err := DecodeFacts(data)
		if err != nil {
			return
		}
		first := Run(facts, Settings{})
		_ = Run(Redact(facts), Settings{})
		again, err := EncodeFacts(facts)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeFacts(again)
		if err != nil {
			t.Fatal(err)
		}
		if second := Run(back, Settings{}); !reflect.DeepEqual(first, second) {
			t.Fatalf("other findings after a round trip:\n%v\n%v", first, second)
		}
	})
}
