package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// tree makes an offline tree with an xrdp and a log of about so many bytes.
func (b *bench) tree(name string, size int64) (string, error) {
	root := filepath.Join(b.dir, name)
	for path, text := range map[string]string{
		"etc/xrdp/xrdp.ini":   "[Globals]\nport=3389\nsecurity_layer=negotiate\n[Logging]\nLogFile=xrdp.log\nLogLevel=INFO\n",
		"etc/xrdp/sesman.ini": "[Globals]\n",
		"etc/passwd":          "root:x:0:0:root:/root:/bin/sh\n",
		"etc/group":           "root:x:0:\n",
		"var/log/xrdp.log":    "",
	} {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return "", fmt.Errorf("make a tree: %w", err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			return "", fmt.Errorf("make a tree: %w", err)
		}
	}
	if size == 0 {
		return root, nil
	}
	return root, replay(filepath.Join(root, "var/log/xrdp.log"), size)
}

func (b *bench) logArgs(tree string) []string {
	return []string{b.program, "--root", tree, "log", "--since", "31d"}
}

// equivalent are fail2ban patterns that find what a connection came to, as far as
// single lines with an address tell it: less than ours, which puts lines together.
var equivalent = []string{
	`^\s*\[INFO \] Socket \d+: AF_INET6 connection received from (?:::ffff:)?<HOST> port \d+$`,
	`^\s*\[INFO \] TLS connection established from (?:::ffff:)?<HOST> port \d+: TLSv[\d.]+ with cipher \S+$`,
	`^\s*\[INFO \] Non-TLS connection established from (?:::ffff:)?<HOST> port \d+: .*$`,
}

// readLog measures the reading of a long log.
func readLog(ctx context.Context, b *bench) (result, error) {
	whole, part := int64(1)<<30, int64(16)<<20
	if b.quick {
		whole, part = 64<<20, 2<<20
	}
	tree, err := b.tree("log", whole)
	if err != nil {
		return result{}, err
	}
	path := filepath.Join(tree, "var/log/xrdp.log")
	few := filepath.Join(b.dir, "part.log")
	if err := replay(few, part); err != nil {
		return result{}, err
	}
	filter := filepath.Join(b.dir, "xrdp.conf")
	text := "[Definition]\nfailregex = "
	for i, p := range equivalent {
		if i > 0 {
			text += "\n            "
		}
		text += p
	}
	if err := os.WriteFile(filter, []byte(text+"\ndatepattern = ^\\[%%Y%%m%%d-%%H:%%M:%%S\\]\n"), 0o600); err != nil {
		return result{}, fmt.Errorf("write the patterns: %w", err)
	}
	packed, err := b.packed(ctx, path, whole)
	if err != nil {
		return result{}, err
	}
	var lines bytes.Buffer
	wc := of("wc -l", command{args: []string{"wc", "-l", path}, out: &lines})
	var counted bytes.Buffer // grep gives up at the first match when nobody reads
	grep := of("grep -c 'TLS connection established'", command{args: []string{"grep", "-c", "TLS connection established", path}, out: &counted})
	ours := of("xrdpfix log", command{args: b.logArgs(tree)})
	fail2ban := of("fail2ban-regex, "+size(part), command{args: []string{"fail2ban-regex", "--print-no-missed", few, filter}})
	fail2ban.turns = 3
	list, err := inTurns(ctx, 5, wc, grep, ours, fail2ban)
	if err != nil {
		return result{}, err
	}
	zipped, err := inTurns(ctx, 3,
		of("zcat, wc -l", command{args: []string{"sh", "-c", "zcat " + filepath.Join(packed, "var/log/xrdp.log.2.gz") + " | wc -l"}}),
		of("xrdpfix log, the same in a .gz", command{args: b.logArgs(packed)}))
	if err != nil {
		return result{}, err
	}
	var count int64
	if _, err := fmt.Sscan(lines.String(), &count); err != nil {
		return result{}, fmt.Errorf("wc says %q: %w", lines.String(), err)
	}
	limit, mine, peer := list[0].median(), list[2].median(), list[3].median()
	faster := (float64(whole) / mine.Seconds()) / (float64(part) / peer.Seconds())
	return result{
		title: "Reading a long log",
		method: fmt.Sprintf("%s of xrdp.log: connections that real servers logged, replayed over thirty days, up to %d at a time, from 500 "+
			"addresses. Ours puts the lines of each connection together, names causes, and sums up; `wc -l` is the limit. fail2ban-regex "+
			"has patterns of our own that find less, and gets %s.", size(whole), atOnce, size(part)),
		tables: []table{compared(list), compared(zipped)},
		goals: []goal{
			{"beside wc -l", "at most 3 times", times(mine, limit), mine <= 3*limit},
			{"bytes a second, beside fail2ban-regex", "at least 20 times", fmt.Sprintf("%.0f times", faster), faster >= 20},
			{"memory", "below 64 MB", size(list[2].memory()), list[2].memory() < 64e6},
			{"cores at work", "both", fmt.Sprintf("%.1f", list[2].cores()), list[2].cores() > 1.3},
		},
		notes: []string{fmt.Sprintf("The limit of wc -l is memory: it looks at 32 bytes at a time and at nothing but line feeds. A line costs it %s of "+
			"processor time and costs ours %s, in which it is cut, dated, compared with the catalogue of messages, given to its connection, and "+
			"that connection judged and counted. At three times the cost of wc -l there would be %s a line on two cores.",
			perLine(list[0], count), perLine(list[2], count), short(2*3*limit/time.Duration(count)))},
	}, nil
}

// perLine is the processor time that a line costs.
func perLine(s series, lines int64) string {
	return short(time.Duration(s.cores() * float64(s.median()) / float64(lines)))
}

// packed makes a tree with the log compressed, as logrotate leaves it.
func (b *bench) packed(ctx context.Context, path string, whole int64) (string, error) {
	root, err := b.tree("packed", 0)
	if err != nil {
		return "", err
	}
	target := filepath.Join(root, "var/log/xrdp.log.2.gz")
	out, err := os.Create(target)
	if err != nil {
		return "", fmt.Errorf("pack the log: %w", err)
	}
	defer out.Close() //nolint:errcheck // read again below
	in, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("pack the log: %w", err)
	}
	defer in.Close() //nolint:errcheck // read only
	cmd := exec.CommandContext(ctx, "gzip", "-c")
	cmd.Stdin, cmd.Stdout = io.LimitReader(in, whole/4), out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("pack the log: %w", err)
	}
	return root, os.Chtimes(target, time.Time{}, time.Now())
}
