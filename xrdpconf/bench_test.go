package xrdpconf

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"gopkg.in/ini.v1"
)

// A growing is a family of files of one shape, of four sizes.
type growing struct {
	name  string
	sizes []int
	text  func(size int) string
}

// growings are the shapes of which reading and editing must not cost more a key or a
// byte the more of them there are. xrdp reads no further than 32 KiB; the larger of
// each shape are longer.
func growings() []growing {
	return []growing{
		{"keys", []int{100, 200, 400, 800}, manyKeys},
		{"comments", []int{16 << 10, 64 << 10, 256 << 10, 1 << 20}, manyComments},
		{"sections", []int{100, 200, 400, 800}, manySections},
		{"duplicates", []int{100, 200, 400, 800}, manyDuplicates},
		{"beyond", []int{1000, 4000, 16000, 64000}, manyBeyond},
	}
}

// beginning is what each shape begins with.
const beginning = "[Globals]\nport=3389\nsecurity_layer=negotiate\n"

// numbered has the lines n times, with a number of their own in each place.
func numbered(n int, lines string) string {
	var out strings.Builder
	out.WriteString(beginning)
	for i := range n {
		fmt.Fprintf(&out, lines, i)
	}
	return out.String()
}

func manyKeys(n int) string { return numbered(n, "key%[1]d=value %[1]d\n") }

func manySections(n int) string { return numbered(n, "[s%[1]d]\nname=%[1]d\n") }

func manyComments(n int) string {
	const line = "# this line says nothing that anybody reads\n"
	return beginning + strings.Repeat(line, n/len(line))
}

// manyBeyond has most of its keys where xrdp does not read any more.
func manyBeyond(n int) string {
	return manyComments(ReadLimit) + manyKeys(n)
}

// manyDuplicates sets the same key and opens the same section again and again.
func manyDuplicates(n int) string {
	return beginning + strings.Repeat("name=x\n", n/2) + strings.Repeat("[Xorg]\nlib=y\n", n/2)
}

// eachSize runs a benchmark for every shape and size, and reports the time for one of
// what grows.
func eachSize(b *testing.B, run func(b *testing.B, data []byte)) {
	for _, g := range growings() {
		for _, size := range g.sizes {
			b.Run(fmt.Sprintf("%s=%d", g.name, size), func(b *testing.B) {
				data := []byte(g.text(size))
				b.ReportAllocs()
				run(b, data)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/one")
			})
		}
	}
}

func BenchmarkParse(b *testing.B) {
	eachSize(b, func(b *testing.B, data []byte) {
		for b.Loop() {
			Parse("xrdp.ini", data)
		}
	})
}

// kept makes the compiler carry out what is measured.
var kept []byte

func BenchmarkBytes(b *testing.B) {
	eachSize(b, func(b *testing.B, data []byte) {
		f := Parse("xrdp.ini", data)
		for b.Loop() {
			kept = f.Bytes()
		}
	})
}

func BenchmarkIssues(b *testing.B) {
	eachSize(b, func(b *testing.B, data []byte) {
		f := Parse("xrdp.ini", data)
		for b.Loop() {
			f.Issues()
		}
	})
}

func BenchmarkFind(b *testing.B) {
	eachSize(b, func(b *testing.B, data []byte) {
		f := Parse("xrdp.ini", data)
		for b.Loop() {
			if len(f.Find("security_layer")) != 1 {
				b.Fatal("the key is missing")
			}
		}
	})
}

// BenchmarkReading is all that a check does with the file, and BenchmarkLibrary what
// gopkg.in/ini.v1 takes for no more than its parsing.
func BenchmarkReading(b *testing.B) {
	eachSize(b, func(b *testing.B, data []byte) {
		for b.Loop() {
			f := Parse("xrdp.ini", data)
			if !bytes.Equal(f.Bytes(), data) {
				b.Fatal("parsing changed the file")
			}
			f.Issues()
		}
	})
}

func BenchmarkLibrary(b *testing.B) {
	eachSize(b, func(b *testing.B, data []byte) {
		for b.Loop() {
			if _, err := ini.LoadSources(ini.LoadOptions{Insensitive: true, IgnoreContinuation: true, KeyValueDelimiters: "="}, data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEdit(b *testing.B) {
	edits := []struct {
		name    string
		changes []Change
	}{
		{"set", []Change{{Section: SectionGlobals, Key: "security_layer", Value: "tls"}}},
		{"insert", []Change{{Section: SectionGlobals, Key: "certificate", Value: "/etc/xrdp/x.pem", Comment: "why"}}},
		{"delete", []Change{{Section: SectionGlobals, Key: "security_layer", Delete: true}}},
		{"four", []Change{
			{Section: SectionGlobals, Key: "security_layer", Value: "tls"},
			{Section: SectionGlobals, Key: "certificate", Value: "/etc/xrdp/x.pem"},
			{Section: SectionGlobals, Key: "key_file", Value: "/etc/xrdp/x.key"},
			{Section: SectionGlobals, Key: "ssl_protocols", Value: "TLSv1.2, TLSv1.3"},
		}},
	}
	for _, e := range edits {
		b.Run(e.name, func(b *testing.B) {
			eachSize(b, func(b *testing.B, data []byte) {
				f := Parse("xrdp.ini", data)
				for b.Loop() {
					if _, err := f.Edit(e.changes...); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkUnbracket mends a file in which every other value has brackets.
func BenchmarkUnbracket(b *testing.B) {
	for _, size := range []int{100, 200, 400, 800} {
		b.Run(fmt.Sprintf("keys=%d", size), func(b *testing.B) {
			f := Parse("xrdp.ini", []byte("[Globals]\n"+strings.Repeat("a=[x]\nb=1\n", size/2)))
			for b.Loop() {
				if out, err := f.Unbracket(); err != nil || out == f {
					b.Fatal("the brackets stay", err)
				}
			}
		})
	}
}
