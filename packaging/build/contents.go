package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// content is a file of a package, as nfpm's configuration has it
// (https://nfpm.goreleaser.com/configuration/).
type content struct {
	Source      string    `json:"src,omitempty"`
	Destination string    `json:"dst"`
	Type        string    `json:"type,omitempty"`
	Info        *fileInfo `json:"file_info,omitempty"`
}

type fileInfo struct {
	Mode int `json:"mode"`
}

// A format is what differs between the kinds of packages.
type format struct {
	name     string // as nfpm calls it
	zsh      string // where the completions of packages stand
	doc      string
	licenses string // "" where the copyright file has them
}

var formats = []format{
	{name: "deb", zsh: "/usr/share/zsh/vendor-completions", doc: "/usr/share/doc/xrdpfix"},
	{name: "rpm", zsh: "/usr/share/zsh/site-functions", doc: "/usr/share/doc/xrdpfix", licenses: "/usr/share/licenses/xrdpfix"},
}

// stage collects files in a directory of their own: every one has the same mode
// and no other name.
type stage struct {
	dir  string
	list []content
}

// add puts text where a package has it.
func (s *stage) add(destination string, text []byte, kind string) error {
	return s.file(destination, text, 0o644, kind)
}

func (s *stage) file(destination string, text []byte, mode int, kind string) error {
	name := filepath.Join(s.dir, filepath.FromSlash(destination))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, text, 0o644); err != nil {
		return err
	}
	s.list = append(s.list, content{name, destination, kind, &fileInfo{mode}})
	return nil
}

// copy adds a file of the repository, compressed where its name says so.
func (s *stage) copy(destination, from, kind string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if strings.HasSuffix(destination, ".gz") {
		if text, err = zip(text); err != nil {
			return err
		}
	}
	return s.add(destination, text, kind)
}

// contents lays out a package. generated is the directory with the man pages and
// the completions, program the binary.
func (b *builder) contents(f format, dir, program, generated string, mods []module) ([]content, error) {
	s := &stage{dir: dir}
	if f.licenses != "" { // rpm removes only directories that are the package's
		for _, own := range []string{f.doc, f.doc + "/docs", f.doc + "/examples", f.doc + "/packaging", f.doc + "/packaging/ansible", f.licenses} {
			s.list = append(s.list, content{Destination: own, Type: "dir", Info: &fileInfo{0o755}})
		}
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	if err := s.file("/usr/bin/xrdpfix", binary, 0o755, ""); err != nil {
		return nil, err
	}
	pages, err := filepath.Glob(filepath.Join(generated, "*.8"))
	if err != nil || len(pages) == 0 {
		return nil, fmt.Errorf("find the man pages in %s: %d, %w", generated, len(pages), err)
	}
	copies := []struct{ to, from, kind string }{
		{"/usr/share/bash-completion/completions/xrdpfix", filepath.Join(generated, "xrdpfix"), ""},
		{f.zsh + "/_xrdpfix", filepath.Join(generated, "_xrdpfix"), ""},
		{"/usr/share/fish/vendor_completions.d/xrdpfix.fish", filepath.Join(generated, "xrdpfix.fish"), ""},
		{f.doc + "/README.md", "README.md", f.docs()},
		{f.doc + "/packaging/README.md", "packaging/README.md", f.docs()}, // README.md links to both
		{f.doc + "/packaging/ansible/README.md", "packaging/ansible/README.md", f.docs()},
		{f.doc + "/examples/ansible.yml", "packaging/ansible/examples/without-collection.yml", f.docs()},
	}
	for _, p := range pages {
		copies = append(copies, struct{ to, from, kind string }{"/usr/share/man/man8/" + filepath.Base(p) + ".gz", p, f.docs()})
	}
	for _, tree := range []struct{ from, to, kind string }{
		{"docs", f.doc + "/docs", f.docs()},
		{"packaging/systemd", "/usr/lib/systemd/system", ""},
		{"packaging/etc", "/etc", "config|noreplace"},
	} {
		files, err := filesBelow(tree.from)
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			copies = append(copies, struct{ to, from, kind string }{path.Join(tree.to, name), filepath.Join(tree.from, name), tree.kind})
		}
	}
	for _, c := range copies {
		if err := s.copy(c.to, c.from, c.kind); err != nil {
			return nil, err
		}
	}
	return s.list, b.legal(f, s, mods)
}

// docs is the type of documentation: rpm can leave it out.
func (f format) docs() string {
	if f.name == "rpm" {
		return "doc"
	}
	return ""
}

// legal adds changelogs and licences in the form of the distribution.
func (b *builder) legal(f format, s *stage, mods []module) error {
	own, err := os.ReadFile("LICENSE")
	if err != nil {
		return err
	}
	if f.licenses != "" {
		if err := s.copy(f.doc+"/CHANGELOG.md", "CHANGELOG.md", "doc"); err != nil {
			return err
		}
		if err := s.add(f.licenses+"/LICENSE", own, "license"); err != nil {
			return err
		}
		return s.add(f.licenses+"/THIRD-PARTY", []byte(thirdParty(mods)), "license")
	}
	changes, err := zip([]byte(debianChangelog("xrdpfix", b.version+"-"+debianRevision, b.maintainer, b.date, b.changes)))
	if err != nil {
		return err
	}
	if err := s.add(f.doc+"/changelog.Debian.gz", changes, ""); err != nil {
		return err
	}
	if err := s.copy(f.doc+"/changelog.gz", "CHANGELOG.md", ""); err != nil {
		return err
	}
	if err := s.add(f.doc+"/copyright", []byte(debianCopyright(string(own), mods, b.date)), ""); err != nil {
		return err
	}
	return s.copy("/usr/share/lintian/overrides/xrdpfix", "packaging/lintian-overrides", "")
}

// filesBelow are the files below a directory, without those that say what it is
// for. No directory, no files.
func filesBelow(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) && p == dir {
				return nil
			}
			return err
		}
		if d.Type().IsRegular() && d.Name() != "README.md" && !strings.HasPrefix(d.Name(), ".") {
			name, err := filepath.Rel(dir, p)
			out = append(out, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	return out, err
}
