// Package repotest holds the repository to its own rules: who imports whom, what
// is required and why, how long a file may be, what must not be in it, and that
// generated documents are up to date. Its tests read the source and need neither
// a network nor the go command.
package repotest
