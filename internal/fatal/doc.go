// Package fatal is for tests: it runs a program and ends it, or lets it fail, at
// one of its system calls that change something. Every such call counts, of all
// threads and children, in the order in which they are begun, so that a test can
// try each of them.
//
// It holds the program with ptrace(2), has it stopped at those calls alone by a filter
// of seccomp(2), and knows the registers of amd64 only.
package fatal
