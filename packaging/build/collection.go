package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// collectionDir is the Ansible collection. Its galaxy.yml is JSON, which is YAML.
const collectionDir = "packaging/ansible"

// A galaxyFile is an entry of FILES.json and MANIFEST.json, as Ansible Galaxy has
// them (ansible/galaxy/collection/__init__.py).
type galaxyFile struct {
	Name     string  `json:"name"`
	Type     string  `json:"ftype"`
	SumType  *string `json:"chksum_type"`
	SHA256   *string `json:"chksum_sha256"`
	FormatID int     `json:"format"`
}

var sha256Sum = "sha256"

func galaxyEntry(name string, text []byte) galaxyFile {
	sum := hexSum(text)
	return galaxyFile{name, "file", &sha256Sum, &sum, 1}
}

// collection writes the tarball that ansible-galaxy collection build makes, but
// with the version of the project, with the same bytes each time, and without
// Ansible. It may be called where galaxy.yml is there.
func (b *builder) collection() error {
	info, err := b.galaxyInfo()
	if err != nil {
		return err
	}
	files, texts, err := collectionFiles()
	if err != nil {
		return err
	}
	list, err := json.MarshalIndent(map[string]any{"files": files, "format": 1}, "", " ")
	if err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(map[string]any{
		"collection_info": info, "file_manifest_file": galaxyEntry("FILES.json", list), "format": 1,
	}, "", " ")
	if err != nil {
		return err
	}
	files = append([]galaxyFile{galaxyEntry("MANIFEST.json", manifest), galaxyEntry("FILES.json", list)}, files[1:]...)
	texts["MANIFEST.json"], texts["FILES.json"] = manifest, list
	packed, err := b.tarball(files, texts)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	name := filepath.Join(b.dir, fmt.Sprintf("%s-%s-%s.tar.gz", info["namespace"], info["name"], info["version"]))
	if err := os.WriteFile(name, packed, 0o644); err != nil {
		return err
	}
	return b.made(name)
}

// galaxyInfo is galaxy.yml with the version of the project, and null for what it
// does not state.
func (b *builder) galaxyInfo() (map[string]any, error) {
	text, err := os.ReadFile(filepath.Join(collectionDir, "galaxy.yml"))
	if err != nil {
		return nil, err
	}
	info := map[string]any{"license_file": nil, "repository": nil, "documentation": nil, "homepage": nil, "issues": nil}
	if err := json.Unmarshal(text, &info); err != nil {
		return nil, fmt.Errorf("read %s/galaxy.yml: %w", collectionDir, err)
	}
	delete(info, "build_ignore")
	info["version"] = collectionVersion(b.version)
	if b.homepage != "" {
		info["repository"] = b.homepage
	}
	return info, nil
}

// collectionVersion is the version of a package as semver.org writes it.
func collectionVersion(version string) string {
	number, more, pre := strings.Cut(version, "~")
	if pre {
		more, build, dirty := strings.Cut(more, "+")
		// One identifier: a numeric one may not begin with a zero.
		version = number + "-" + strings.ReplaceAll(more, ".", "-")
		if dirty {
			version += "+" + build
		}
		return version
	}
	number, more, build := strings.Cut(version, "+")
	for strings.Count(number, ".") < 2 {
		number += ".0"
	}
	if build {
		number += "+" + strings.ReplaceAll(more, "+", ".")
	}
	return number
}

// collectionFiles lists the collection without galaxy.yml, as Galaxy does.
func collectionFiles() ([]galaxyFile, map[string][]byte, error) {
	var files []galaxyFile
	texts := map[string][]byte{}
	err := filepath.WalkDir(collectionDir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(collectionDir, p)
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "__pycache__":
			return fs.SkipDir
		case d.IsDir():
			files = append(files, galaxyFile{Name: name, Type: "dir", FormatID: 1})
			return nil
		case name == "galaxy.yml" || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		text, err := os.ReadFile(p)
		texts[name] = text
		files = append(files, galaxyEntry(name, text))
		return err
	})
	return files, texts, err
}

func (b *builder) tarball(files []galaxyFile, texts map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(zipped)
	for _, f := range files {
		h := &tar.Header{Name: f.Name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(texts[f.Name])), ModTime: b.date, Format: tar.FormatGNU}
		if f.Type == "dir" {
			h.Typeflag, h.Mode, h.Name = tar.TypeDir, 0o755, f.Name+"/"
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(texts[f.Name]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	err = zipped.Close()
	return out.Bytes(), err
}
