package lab

import (
	"context"
	"fmt"
	"io"
	"os"
)

// EnsureClient returns the image from which FreeRDP 3 runs, a layer over that
// of trixie's hosts, and makes both first where the cache has none. FreeRDP 3
// has a layer of its own so that hosts stay what a server is.
func EnsureClient(ctx context.Context, log io.Writer) (Image, error) {
	return EnsureLayer(ctx, Trixie, []string{"freerdp3-x11"}, log)
}

// client3Script runs $3... in a copy of the client image that is gone with it. What
// fails before the client runs ends with the status of a harness, see [runClient].
//
//	$1 empty directory   $2 lower directories   $LAB_RDP a file of this machine
//	that is to be there under the same name, "" for none
const client3Script = `
d=$1 lower=$2; shift 2
trap 'exit 128' EXIT
mount -t tmpfs tmpfs "$d"
mkdir "$d/upper" "$d/work" "$d/root"
mount -t overlay -o "lowerdir=$lower,upperdir=$d/upper,workdir=$d/work" overlay "$d/root"
mkdir -p "$d/root/tmp/.X11-unix"
mount --bind /tmp/.X11-unix "$d/root/tmp/.X11-unix"
mount -t proc proc "$d/root/proc"
mount --bind /dev "$d/root/dev"
if [ -n "$LAB_RDP" ]; then
	mkdir -p "$d/root$(dirname "$LAB_RDP")"
	cp "$LAB_RDP" "$d/root$LAB_RDP"
fi
exec chroot "$d/root" "$@"
`

// FreeRDP3 connects as [FreeRDP] does, with the FreeRDP 3 of trixie. The first
// call on a machine makes the client's image; call [EnsureClient] before where
// that would be a surprise.
func FreeRDP3(ctx context.Context, h *Host, args ...string) (ClientResult, error) {
	return h.freeRDP3(ctx, h.netArgs(), clientArgs(args))
}

// FreeRDP3Across connects as [FreeRDPAcross] does, with the FreeRDP 3 of trixie.
func FreeRDP3Across(ctx context.Context, h *Host, args ...string) (ClientResult, error) {
	return h.freeRDP3(ctx, nil, h.acrossArgs(args))
}

// freeRDP3 runs the client after the words of enter, none for the machine itself.
func (h *Host) freeRDP3(ctx context.Context, enter, args []string) (ClientResult, error) {
	img, err := EnsureClient(ctx, nil)
	if err != nil {
		return ClientResult{}, err
	}
	dir, err := os.MkdirTemp("", "lab-client-")
	if err != nil {
		return ClientResult{}, fmt.Errorf("run xfreerdp3: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	screen, err := h.screen(ctx)
	if err != nil {
		return ClientResult{}, fmt.Errorf("run xfreerdp3: %w", err)
	}
	argv := append(enter, "unshare", "--mount", "--propagation", "private", "sh", "-ec", client3Script, "lab-client", dir, img.lower(), "xfreerdp3")
	env := append(clientEnv(screen, "/root"), baseEnv[0], "LAB_RDP="+rdpFile(args))
	return h.settled(ctx, append(argv, args...), env)
}
