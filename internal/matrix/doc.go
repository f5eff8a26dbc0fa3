// Package matrix plants faults in real xrdp servers and holds what xrdpfix does
// about each of them against what a real client then sees. It has tests only,
// all with the build tag lab: the acceptance tests of the whole program, and a
// table of faults with one row each.
//
// With XRDPFIX_ALL=1 every row runs on every suite, and docs/fault-matrix.md is
// written.
package matrix
