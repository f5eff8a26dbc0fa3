// Package diagnose turns what was seen on a host into findings.
//
// [Collect] asks an [Env] about the machine and returns [Facts]: plain values
// that go to JSON and back. "Could not look" is a fact of its own (see
// [Observed]), neither fine nor broken. [Run] is pure: the same facts give the
// same findings in the same order. A fault of the host is a [Finding], never an
// error.
package diagnose
