package lab

import (
	"context"
	"fmt"
	"path/filepath"
)

// A Layer is an image that was changed while nothing of it ran, as builders of
// images do. Any number of hosts can be booted over it, see [Options.Over].
type Layer struct {
	Image Image
	st    state
}

// layerScript mounts the tree in a mount namespace of its own, so that the mount
// is gone however the script ends.
//
//	$1 lower directory   $2 layer's directory   the rest: the command, which gets
//	the tree as its last argument
const layerScript = `
lower=$1 dir=$2; shift 2
mount -t overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" overlay "$dir/root"
exec "$@" "$dir/root"
`

// NewLayer begins a layer over the suite's image. The caller removes it when no
// host runs on it any more; one that a dead process left goes with its hosts.
func NewLayer(ctx context.Context, s Suite, o Options) (*Layer, error) {
	img, err := EnsureLayer(ctx, s, o.Packages, o.Log)
	if err != nil {
		return nil, err
	}
	if err := Reap(ctx); err != nil {
		return nil, err
	}
	l := &Layer{Image: img, st: state{Name: "layer-" + randomName(s), Asked: s, Image: img.Name, Owner: self()}}
	return l, l.st.register(ctx, false)
}

// Run runs a command of the machine with the path of the layer's tree as an
// additional last argument. No host may run on the layer yet.
func (l *Layer) Run(ctx context.Context, argv ...string) (Result, error) {
	args := append([]string{"unshare", "--mount", "--propagation", "private", "sh", "-ec", layerScript, "lab-layer",
		l.Image.lower(), hostDir(l.st.Name)}, argv...)
	r, err := run(ctx, args, nil, nil)
	if err != nil {
		return r, fmt.Errorf("change an image: %w", err)
	}
	return r, nil
}

// upper is the directory of the layer's changes.
func (l *Layer) upper() string { return filepath.Join(hostDir(l.st.Name), "upper") }

// Remove removes the layer.
func (l *Layer) Remove(ctx context.Context) error {
	unlock, err := lock(ctx, hostsLock())
	if err != nil {
		return fmt.Errorf("remove a layer: %w", err)
	}
	defer unlock()
	return l.st.remove()
}
