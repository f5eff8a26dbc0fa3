package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaFile is the published schema. Programs run from other directories.
var schemaFile = func() string {
	if name := os.Getenv("XRDPFIX_TEST_SCHEMA"); name != "" {
		return name
	}
	name, _ := filepath.Abs("../../docs/schema.json")
	return name
}()

// strictSchema is the published schema with no other fields allowed than those
// that it lists: what is printed must be documented.
var strictSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	closeObjects(doc)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(schemaFile, doc); err != nil {
		return nil, err
	}
	return c.Compile(schemaFile)
})

func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, has := v["properties"]; has && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, below := range v {
			closeObjects(below)
		}
	case []any:
		for _, below := range v {
			closeObjects(below)
		}
	}
}

// schemaError says how one JSON object differs from the schema.
func schemaError(data []byte) error {
	s, err := strictSchema()
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// TestSchemaCanFail has objects that the schema must refuse.
func TestSchemaCanFail(t *testing.T) {
	const head = `{"schema":1,"command":"help","tool":"x","time":"2026-11-22T15:24:40Z","changed":false,"exit":{"code":0,"reason":"ok"}`
	if err := schemaError([]byte(head + "}")); err != nil {
		t.Fatalf("the least object: %v", err)
	}
	for name, object := range map[string]string{
		"another field":         head + `,"colour":1}`,
		"no exit":               `{"schema":1,"command":"help","tool":"x","time":"2026-11-22T15:24:40Z","changed":false}`,
		"an unlisted reason":    strings.Replace(head, `"ok"`, `"fine"`, 1) + "}",
		"an unlisted command":   strings.Replace(head, `"help"`, `"mend"`, 1) + "}",
		"a time that is none":   strings.Replace(head, "15:24:40Z", "noon", 1) + "}",
		"null for a list":       head + `,"findings":null}`,
		"a check without lists": strings.Replace(head, `"help"`, `"check"`, 1) + "}",
		"a nested field":        head + `,"verdict":{"status":"unknown","reasons":[],"mood":1}}`,
	} {
		if err := schemaError([]byte(object)); err == nil {
			t.Errorf("%s passes: %s", name, object)
		}
	}
}

// published reads a value out of the schema as it is published.
func published[T any](t *testing.T, at ...string) T {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	for _, key := range at {
		v = v.(map[string]any)[key]
	}
	text, _ := json.Marshal(v)
	var out T
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("%v: %v", at, err)
	}
	return out
}

// TestReasonsAreTheSchemas: the closed list of the schema is the constants' list.
func TestReasonsAreTheSchemas(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "exit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && fmt.Sprint(v.Type) == "reason" {
			text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			reasons = append(reasons, text)
		}
		return true
	})
	if got := published[[]string](t, "$defs", "exit", "properties", "reason", "enum"); !slices.Equal(got, reasons) {
		t.Errorf("the schema has the reasons\n%q, the code\n%q", got, reasons)
	}
}

func TestExitCodesAreTheSchemas(t *testing.T) {
	var codes []int
	for _, c := range exitCodes {
		codes = append(codes, c.Code)
	}
	if got := published[[]int](t, "$defs", "exit", "properties", "code", "enum"); !slices.Equal(got, codes) {
		t.Errorf("the schema has the exit codes %v, the code %v", got, codes)
	}
}

// TestCommandsAreTheSchemas: every command that can be named can name itself.
func TestCommandsAreTheSchemas(t *testing.T) {
	listed := published[[]string](t, "properties", "command", "enum")
	for _, cmd := range everyCommand() {
		if name := commandName(cmd); !slices.Contains(listed, name) {
			t.Errorf("the schema does not list the command %q", name)
		}
	}
}

// TestFieldsByHand lists the fields of the contract once more, by hand: who
// changes one changes it here, on purpose.
func TestFieldsByHand(t *testing.T) {
	for _, tt := range []struct{ of, fields string }{
		{"", "schema command tool time changed exit xrdp host error facts findings ignored policy unseen plan diff verdict clients clientele asked waited journal request certificate served history removed settings probe profiles connection summary groups build kinds handout explanation report"},
		{"finding", "code severity title detail evidence remedy commands mend subject"},
		{"evidence", "kind source text line"},
		{"plan", "id files restart disturbs manual expect because notes identity keygen refusal offline first_boot"},
		{"file", "kind path target before after diff keys because in_place"},
		{"restart", "action needed why reload because"},
		{"disturbed", "connected user display since client"},
		{"manual", "because severity text commands"},
		{"diff", "before after before_header after_header"},
		{"verdict", "status reasons"},
		{"client", "key name connects protocol tls cipher certificate why_not whose code next known asked"},
		{"connection", "time client name asked got cipher outcome cause likely own"},
		{"probe", "addr reachable elapsed_ms security tls remote failure software because cut_off ntlm"},
		{"clientele", "since connections keep lose gain unknown refused left clients strictest next"},
		{"seen", "address name fate why tls connections last mixed cause"},
		{"advice", "flags first"},
		{"asked", "address arrived hung_up since ways failures"},
		{"waited", "from seconds connection hung_up interrupted"},
		{"exit", "code reason"},
		{"report", "hosts unread"},
		{"reported", "host file taken os xrdp state errors warnings certificate_ends tls13_only"},
		{"build", "version revision modified date go platform modules"},
		{"error", "message hints"},
		{"handout", "kind title server warnings steps notes files"},
		{"explanation", "asked entries near guide"},
		{"entry", "id group title text causes find mend advice known source heard line"},
		{"todo", "line note"},
		{"facts", "file taken tool redacted"},
		{"policySetting", "setting value from file line"},
	} {
		at := []string{"properties"}
		if tt.of != "" {
			at = []string{"$defs", tt.of, "properties"}
		}
		var got []string
		for name := range published[map[string]any](t, at...) {
			got = append(got, name)
		}
		want := strings.Fields(tt.fields)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s has the fields\n%q, want\n%q", tt.of, got, want)
		}
	}
}
