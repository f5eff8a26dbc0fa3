package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// An Image is a finished, read-only system tree in the cache.
type Image struct {
	Name     string            `json:"name"`
	Base     string            `json:"base,omitempty"` // the image below, of which this one is a layer
	Suite    Suite             `json:"suite"`          // what the image holds, forky when sid would not build
	Built    time.Time         `json:"built"`
	Seconds  float64           `json:"seconds"`  // how long the build took
	Versions map[string]string `json:"versions"` // of xrdp, xorgxrdp, openssl, systemd, freerdp3-x11
}

// Root returns the directory of the image's tree. Nobody may write to it.
func (i Image) Root() string { return filepath.Join(imagesDir(), i.Name, "root") }

// lower returns the image as overlay's lowerdir option wants it: with the one
// below, which has none below itself.
func (i Image) lower() string {
	if i.Base == "" {
		return i.Root()
	}
	return i.Root() + ":" + Image{Name: i.Base}.Root()
}

// EnsureImage returns the image of the suite's hosts, and makes it first when
// the cache has none of the present recipe: that takes about a minute, during
// which lines of progress go to log (nil for none). Where sid cannot be built,
// forky stands in. Several processes may ask at once; one of them builds.
func EnsureImage(ctx context.Context, s Suite, log io.Writer) (Image, error) {
	if err := Require(ctx, log); err != nil {
		return Image{}, err
	}
	if s == Sid && failedLately(hostRecipe(Sid).name()) {
		s = Forky
	}
	img, err := ensure(ctx, hostRecipe(s), log)
	if err == nil || s != Sid || ctx.Err() != nil {
		return img, err
	}
	say(log, "%v; taking forky instead", err)
	img, ferr := ensure(ctx, hostRecipe(Forky), log)
	if ferr != nil {
		return Image{}, errors.Join(err, ferr)
	}
	return img, nil
}

// EnsureLayer returns the image of the suite with more packages, kept as a layer
// over the image of its hosts, and makes both first where the cache has none.
func EnsureLayer(ctx context.Context, s Suite, packages []string, log io.Writer) (Image, error) {
	base, err := EnsureImage(ctx, s, log)
	if err != nil || len(packages) == 0 {
		return base, err
	}
	return ensure(ctx, layerRecipe(base, packages), log)
}

// ensure returns the recipe's image, built if need be.
func ensure(ctx context.Context, r recipe, log io.Writer) (Image, error) {
	name := r.name()
	if img, err := readImage(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return img, err
	}
	unlock, err := lock(ctx, imageLock(name))
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	if img, err := readImage(name); err == nil { // another process was faster
		return img, nil
	}
	removeLeftovers(name)
	area, err := os.MkdirTemp(imagesDir(), ".build-"+name+"-")
	if err != nil {
		return Image{}, fmt.Errorf("make room for image %s: %w", name, err)
	}
	defer removeTree(area) //nolint:errcheck // the next build removes what stays
	lower := filepath.Join(area, "empty")
	if err := os.Mkdir(lower, 0o755); err != nil {
		return Image{}, fmt.Errorf("make room for image %s: %w", name, err)
	}
	if r.Base != "" {
		lower = Image{Name: r.Base}.Root()
	}
	say(log, "building image %s (once; about a minute)", name)
	start := time.Now()
	versions, err := build(ctx, r, area, lower, log)
	if err != nil {
		keepLog(area, name)
		return Image{}, err
	}
	img := Image{Name: name, Base: r.Base, Suite: r.Suite, Built: start.UTC(), Seconds: time.Since(start).Seconds(), Versions: versions}
	say(log, "image %s is ready after %.0f s: %v", name, img.Seconds, versions)
	return img, install(img, area)
}

// install moves a built image into the cache. The tree comes with its
// description in one rename, so an image either is there whole or is not.
func install(img Image, area string) error {
	text, err := json.MarshalIndent(img, "", "  ")
	if err != nil {
		return fmt.Errorf("describe image %s: %w", img.Name, err)
	}
	if err := os.WriteFile(filepath.Join(area, "image.json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("describe image %s: %w", img.Name, err)
	}
	for _, part := range []string{"work", "mnt", "empty"} {
		if err := removeTree(filepath.Join(area, part)); err != nil {
			return fmt.Errorf("tidy image %s: %w", img.Name, err)
		}
	}
	if err := os.Chmod(area, 0o755); err != nil {
		return fmt.Errorf("install image %s: %w", img.Name, err)
	}
	if err := os.Rename(area, filepath.Join(imagesDir(), img.Name)); err != nil {
		return fmt.Errorf("install image %s: %w", img.Name, err)
	}
	return nil
}

// readImage returns the image of that name from the cache; the error wraps
// fs.ErrNotExist when there is none.
func readImage(name string) (Image, error) {
	path := filepath.Join(imagesDir(), name, "image.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return Image{}, fmt.Errorf("read image: %w", err)
	}
	var img Image
	if err := json.Unmarshal(text, &img); err != nil {
		return Image{}, fmt.Errorf("read image: %s: %w", path, err)
	}
	return img, nil
}

// Images returns the images in the cache, those of older recipes included.
func Images() ([]Image, error) {
	paths, err := filepath.Glob(filepath.Join(imagesDir(), "*", "image.json"))
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	var list []Image
	for _, p := range paths {
		if filepath.Base(filepath.Dir(p))[0] == '.' { // being built
			continue
		}
		img, err := readImage(filepath.Base(filepath.Dir(p)))
		if err != nil {
			return nil, err
		}
		list = append(list, img)
	}
	return list, nil
}

// removeLeftovers removes what killed builds of that image left; the caller
// holds the image's lock, so none of them is still at work.
func removeLeftovers(name string) {
	old, _ := filepath.Glob(filepath.Join(imagesDir(), ".build-"+name+"-*"))
	for _, dir := range old {
		_ = removeTree(dir)
	}
}

// failedLog is where the log of the image's failed build is kept.
func failedLog(name string) string { return filepath.Join(imagesDir(), name+".failed.log") }

// failedLately reports whether the image could not be built within the last
// day. The archive mends sid by itself, but not between two tests.
func failedLately(name string) bool {
	fi, err := os.Stat(failedLog(name))
	return err == nil && time.Since(fi.ModTime()) < 24*time.Hour
}

// keepLog saves the log of a failed build beside the images.
func keepLog(area, name string) {
	_ = os.Rename(filepath.Join(area, "build.log"), failedLog(name))
}
