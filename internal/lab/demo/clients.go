package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"xrdpfix/internal/lab"
)

// clients connects with FreeRDP, as it is and insisting on TLS, shows how each
// fared, and reports whether both reached the login. On a server that turns one
// away while the other gets in it is an error: neither broken nor repaired.
func (s *stage) clients(ctx context.Context) (bool, error) {
	var in int
	tries := [][]string{nil, {"/sec:tls"}}
	for _, args := range tries {
		r, err := lab.FreeRDP(ctx, s.host, args...)
		if err != nil {
			return false, err
		}
		command := strings.Join(append([]string{"xfreerdp /v:127.0.0.1 +auth-only"}, args...), " ")
		fmt.Printf("$ %-44s exit %3d  %s\n", command, r.Code, r.Name)
		if r.OK() {
			in++
			fmt.Println("    reached the login")
		} else {
			fmt.Println("    " + decisive(r.Output))
		}
	}
	if in != 0 && in != len(tries) {
		return false, fmt.Errorf("%d of %d clients got in", in, len(tries))
	}
	return in > 0, nil
}

// errorName is how FreeRDP names what ended a connection.
var errorName = regexp.MustCompile(`ERR(CONNECT|INFO)_[A-Z_]+`)

// decisive returns the part of xfreerdp's output that says why it gave up: the
// name of the error, else the first message of severity ERROR.
func decisive(output string) string {
	if name := errorName.FindString(output); name != "" {
		return name
	}
	for _, line := range strings.Split(output, "\n") {
		if _, text, ok := strings.Cut(line, " - "); ok && strings.Contains(line, "[ERROR]") {
			return cut(strings.TrimSpace(text), 72)
		}
	}
	return "no word of why"
}

// cut shortens text for a line of the terminal.
func cut(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-3]) + "..."
	}
	return text
}
