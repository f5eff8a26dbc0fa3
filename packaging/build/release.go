package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xrdpfix/packaging/sbom"
)

// release makes everything that a version is published with.
func (b *builder) release(ctx context.Context, key, work string) error {
	if err := b.remove("xrdpfix-*", "xrdpfix_*", "SHA256SUMS*", "NOTES.md"); err != nil {
		return err
	}
	products, err := b.packages(ctx, work)
	if err != nil {
		return err
	}
	for _, p := range products {
		if err := b.publish(p); err != nil {
			return err
		}
	}
	notes := filepath.Join(b.dir, "NOTES.md")
	if err := os.WriteFile(notes, []byte(b.notes(key != "")), 0o644); err != nil {
		return err
	}
	if err := b.made(notes); err != nil {
		return err
	}
	sums, err := b.sums()
	if err != nil {
		return err
	}
	if key == "" {
		_, err := fmt.Fprintf(b.out, "not signed: no key was named (make release KEY=...)\n")
		return err
	}
	signature := sums + ".asc"
	if err := do(ctx, nil, "gpg", "--batch", "--yes", "--local-user", key, "--armor", "--output", signature, "--detach-sign", sums); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return b.made(signature)
}

// remove removes what an earlier run left: a sum of an old file would be signed with
// the new ones, and "apt install dist/xrdpfix_*_amd64.deb" would name two versions.
func (b *builder) remove(patterns ...string) error {
	for _, pattern := range patterns {
		old, err := filepath.Glob(filepath.Join(b.dir, pattern))
		if err != nil {
			return err
		}
		for _, name := range old {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// publish copies the program, and writes its bill of materials.
func (b *builder) publish(p product) error {
	text, err := os.ReadFile(p.file)
	if err != nil {
		return err
	}
	name := filepath.Join(b.dir, fmt.Sprintf("xrdpfix_%s_linux_%s", b.version, p.arch))
	if err := os.WriteFile(name, text, 0o755); err != nil {
		return err
	}
	if err := b.made(name); err != nil {
		return err
	}
	licenses := map[string]string{}
	for _, m := range p.mods {
		licenses[m.path] = m.expression()
	}
	bill, err := sbom.CycloneDX(sbom.Program{
		Name: "xrdpfix", Version: b.version, License: "MIT", SHA256: hexSum(text), Built: b.date, Info: p.info, Licenses: licenses,
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".cdx.json", bill, 0o644); err != nil {
		return err
	}
	return b.made(name + ".cdx.json")
}

func hexSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// notes are the newest section of the changelog, and how to check the files.
func (b *builder) notes(signed bool) string {
	verify := ""
	if signed {
		verify = "gpg --verify SHA256SUMS.asc SHA256SUMS\n"
	}
	return "# xrdpfix " + b.version + "\n\n" + strings.TrimSpace(b.changes[0].text) + `

## Check what you have downloaded

` + "```\nsha256sum --check --ignore-missing SHA256SUMS\n" + verify + "```\n\n" +
		"Built from commit " + b.revision + " by " + "`make release`" + ";\n" +
		"`SOURCE_DATE_EPOCH=" + fmt.Sprint(b.date.Unix()) + "` gives the same bytes again.\n"
}

// sums writes SHA256SUMS over everything in the directory.
func (b *builder) sums() (string, error) {
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), "SHA256SUMS") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(b.dir, e.Name()))
		if err != nil {
			return "", err
		}
		lines = append(lines, hexSum(text)+"  "+e.Name()+"\n")
	}
	slices.SortFunc(lines, func(x, y string) int { return strings.Compare(x[66:], y[66:]) })
	name := filepath.Join(b.dir, "SHA256SUMS")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "")), 0o644); err != nil {
		return "", err
	}
	return name, b.made(name)
}
