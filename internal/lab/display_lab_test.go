//go:build lab

package lab

import (
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// TestDisplays starts and ends displays at once, as the rows of a matrix do: a
// display that ends leaves those alone that take its number. A client in a
// host's network namespace has the socket in the file system only.
func TestDisplays(t *testing.T) {
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 20 {
				d, err := newDisplay(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				socket := filepath.Join("/tmp/.X11-unix", "X"+d.name[1:])
				for range 10 {
					c, err := net.Dial("unix", socket)
					if err != nil {
						t.Error(err)
						break
					}
					_ = c.Close()
				}
				d.close()
			}
		})
	}
	wg.Wait()
}
