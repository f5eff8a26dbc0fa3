package logwatch

import (
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// ErrPacked is met in a rotated log that is compressed by a method that this
// package cannot read: logrotate's compresscmd can be any program.
var ErrPacked = errors.New("compressed by a method that cannot be read here")

// maxDictionary bounds the memory that unpacking may take, whatever a file says:
// xz -9 and zstd without --ultra stay below it.
const maxDictionary = 64 << 20

// unpack returns a reader of what was packed. Its Close, where it has one, does
// not close r.
func unpack(method string, r io.Reader) (io.ReadCloser, error) {
	switch method {
	case "gz":
		return gzip.NewReader(r)
	case "bz2":
		return io.NopCloser(bzip2.NewReader(r)), nil
	case "xz": // openSUSE's logrotate.conf
		z, err := xz.ReaderConfig{DictCap: maxDictionary}.NewReader(r)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(z), nil
	case "zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxDictionary))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return nil, ErrPacked
}

// closers closes one after another.
type closers []io.Closer

// Close closes all and returns the first error.
func (list closers) Close() error {
	var first error
	for _, c := range list {
		if err := c.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
