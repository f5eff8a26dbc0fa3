// Package fleet visits many servers at once: it reads lists of targets and
// ranges of addresses, finds the addresses of names, and lets a bounded number
// of workers ask, at a bounded rate, never two of them the same server.
//
// It knows nothing of what is asked. Nothing is kept of a server that was
// visited but what the caller keeps; a range is never written out, so that a
// visit of 65,536 addresses takes the memory of its workers.
package fleet
