package diagnose

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the expected findings of testdata/facts anew")

// TestSamples judges the facts of real servers, saved by check --save-facts
// --redact. Each file is a test: beside it stands what is found.
func TestSamples(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "facts", "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := DecodeFacts(data)
			if err != nil {
				t.Fatal(err)
			}
			found := Run(f, Settings{})
			again, err := EncodeFacts(f)
			if err != nil {
				t.Fatal(err)
			}
			back, err := DecodeFacts(again)
			if err != nil {
				t.Fatal(err)
			}
			if second := Run(back, Settings{}); !reflect.DeepEqual(found, second) {
				t.Errorf("after a round trip\n%+v, was\n%+v", second, found)
			}
			if twice := codes(Run(Redact(f), Settings{})); !reflect.DeepEqual(twice, codes(found)) {
				t.Errorf("redacted once more it has the findings %v, was %v", twice, codes(found))
			}
			var text strings.Builder
			for _, x := range found {
				fmt.Fprintf(&text, "%-8s %-24s %s\n", x.Severity, x.Code, x.Detail)
			}
			golden := strings.TrimSuffix(name, ".json") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || string(want) != text.String() {
				t.Errorf("found (go test -update writes it):\n%s\nwant (%v):\n%s", text.String(), err, want)
			}
		})
	}
}
