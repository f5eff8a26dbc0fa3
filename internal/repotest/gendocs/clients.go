package main

import (
	"fmt"
	"strings"
	"time"

	"xrdpfix/handout"
)

const clientsIntro = `# The client's side

Generated from the code by ` + "`make docs`" + `; not edited by hand.

` + "`xrdpfix client KIND`" + ` prints these steps for the server at hand, with its real name,
port, fingerprint and certificate; ` + "`--out DIR`" + ` writes the files, ` + "`--server NAME[:PORT]`" + `
looks at another server, ` + "`--user NAME`" + ` fills in a user. No key and no password is ever
in them, and no file is replaced without ` + "`--force`" + `. Here they are for a made-up server.

The ` + "`.rdp`" + ` and ` + "`.reg`" + ` files are UTF-16LE with a byte order mark and CR LF, as Windows' own
programs write them: the only form in which mstsc takes no character for another, and
one that FreeRDP 2 and 3 read as well (tested; Remmina by its source). The registry files
are merged into a hive by hivexregedit in the tests. PowerShell scripts are UTF-8 with a
byte order mark, which Windows PowerShell 5.1 needs; they are not run by the tests,
since no PowerShell is to be had where those run.
`

// exampleServer is nobody's: names and addresses are those of documentation, and
// the certificate is none.
func exampleServer() handout.Server {
	return handout.Server{
		Name: "desk01.example.org", Port: 3389, Names: []string{"desk01.example.org", "desk01", "192.0.2.10"},
		Certificate: []byte("an example"), SelfSigned: true, ServerAuth: true, TLS: []string{"1.2", "1.3"},
		NotAfter: time.Date(2029, 2, 24, 0, 0, 0, 0, time.UTC),
		SHA256:   "3F:A1:09:5C:77:D2:4E:90:B8:16:AF:0B:6D:E4:22:31:9C:58:7A:F3:01:BE:47:D5:66:8E:1C:90:AB:72:0D:E9",
		SHA1:     "9B:04:EE:17:2C:A8:53:61:D0:7F:3A:95:C2:48:16:BD:70:5E:F1:24",
	}
}

// clients renders the handouts of an example server.
func clients() string {
	var b strings.Builder
	b.WriteString(clientsIntro)
	for _, k := range handout.Kinds() {
		h, err := handout.Make(k.Kind, exampleServer())
		if err != nil {
			panic(err) // a constant
		}
		fmt.Fprintf(&b, "\n## %s\n\n`xrdpfix client %s`\n\n", h.Title, h.Kind)
		for i, s := range h.Steps {
			fmt.Fprintf(&b, "%d. %s\n", i+1, s.Text)
			if s.Command != "" {
				fmt.Fprintf(&b, "   ```\n   %s\n   ```\n", s.Command)
			}
		}
		for _, n := range h.Notes {
			fmt.Fprintf(&b, "\n%s\n", n)
		}
		for _, f := range h.Files {
			fmt.Fprintf(&b, "\n`%s`: %s (%s)\n", f.Name, f.For, f.Encoding)
			if f.Name != "README.txt" && !strings.Contains(f.Text, "BEGIN CERTIFICATE") && !(k.Kind != handout.Windows && strings.HasSuffix(f.Name, ".rdp")) &&
				!(k.Kind == handout.Win7 && !strings.HasPrefix(f.Name, "tls12")) {
				fmt.Fprintf(&b, "```\n%s\n```\n", strings.TrimRight(f.Text, "\n"))
			}
		}
	}
	return b.String()
}
