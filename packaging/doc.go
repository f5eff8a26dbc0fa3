// Package packaging holds what the packages are made of, and the tests that
// install, use and remove them on real machines. See README.md; the program that
// makes them is in build.
package packaging
