package xrdpconf_test

import (
	"fmt"

	"xrdpfix/xrdpconf"
)

func ExampleFile_Edit() {
	f := xrdpconf.Parse("xrdp.ini", []byte("[Globals]\nsecurity_layer = ssl   ; as the guide says\ncertificate = /etc/xrdp/cert.pem\n"))
	out, err := f.Edit(
		xrdpconf.Change{Section: xrdpconf.SectionGlobals, Key: "security_layer", Value: "negotiate"},
		xrdpconf.Change{Section: xrdpconf.SectionGlobals, Key: "key_file", Value: "/etc/xrdp/key.pem"},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", out.Bytes())
	// Output:
	// [Globals]
	// security_layer = negotiate   ; as the guide says
	// certificate = /etc/xrdp/cert.pem
	// key_file = /etc/xrdp/key.pem
}

func ExampleFile_Cut() {
	f := xrdpconf.Parse("xrdp.ini", []byte("[Globals]\nport=tcp6://[::1]:3389\nsecurity_layer=tls\n"))
	cut, _ := f.Cut()
	fmt.Printf("line %d: %s\n", cut.Line, cut.Reason)
	for _, p := range cut.Lost {
		fmt.Printf("lost: line %d: %s\n", p.Line, p.Key)
	}
	_, ok := f.Lookup("Globals", "security_layer")
	fmt.Println("security_layer is read:", ok)
	// Output:
	// line 2: brackets in a value make the line a section header
	// lost: line 2: port
	// lost: line 3: security_layer
	// security_layer is read: false
}
