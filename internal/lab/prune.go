package lab

import (
	"context"
	"fmt"
	"path/filepath"
)

// Prune removes the images that the present recipes do not make and that no
// host runs on, and returns their names.
func Prune(ctx context.Context) ([]string, error) {
	unlock, err := lock(ctx, hostsLock())
	if err != nil {
		return nil, err
	}
	defer unlock()
	images, err := Images()
	if err != nil {
		return nil, err
	}
	hosts, err := states()
	if err != nil {
		return nil, err
	}
	keep := map[string]bool{}
	for _, s := range []Suite{Bullseye, Bookworm, Trixie, Forky, Sid} {
		keep[hostRecipe(s).name()] = true
	}
	for _, i := range images { // layers stand and fall with the image below
		if i.Base != "" && keep[i.Base] {
			keep[i.Name] = true
		}
	}
	for _, h := range hosts {
		keep[h.Image] = true
		if i, err := readImage(h.Image); err == nil {
			keep[i.Base] = true
		}
	}
	var gone []string
	for _, i := range images {
		if keep[i.Name] {
			continue
		}
		if err := removeTree(filepath.Join(imagesDir(), i.Name)); err != nil {
			return gone, fmt.Errorf("prune image %s: %w", i.Name, err)
		}
		gone = append(gone, i.Name)
	}
	return gone, nil
}
