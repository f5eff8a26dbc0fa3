package certs

// Problem says why a certificate or a private key cannot be used. The empty
// Problem means that it can. The codes are stable and go to JSON.
type Problem string

// The problems of a certificate file and of a key file. Each of them makes xrdp
// refuse the file, and so TLS, except ProblemUnsupported and ProblemNonstandard.
const (
	ProblemNone Problem = ""
	// ProblemEmpty: no byte but white space.
	ProblemEmpty Problem = "empty"
	// ProblemDER: the right object in binary form; OpenSSL reads only PEM here.
	ProblemDER Problem = "der"
	// ProblemPKCS12: a .p12 or .pfx file, which holds both and needs a passphrase.
	ProblemPKCS12 Problem = "pkcs12"
	// ProblemUTF16: PEM text saved in UTF-16 by an editor.
	ProblemUTF16 Problem = "utf16"
	// ProblemNotPEM: no PEM block and nothing that is known.
	ProblemNotPEM Problem = "not-pem"
	// ProblemNoCertificate: PEM, but no block holds a certificate.
	ProblemNoCertificate Problem = "no-certificate-block"
	// ProblemNoKey: PEM, but no block holds a private key.
	ProblemNoKey Problem = "no-key-block"
	// ProblemDamaged: the block is there, its contents are cut short or garbage.
	ProblemDamaged Problem = "damaged"
	// ProblemEncrypted: the key is protected by a passphrase, which a daemon
	// cannot be asked for.
	ProblemEncrypted Problem = "encrypted"
	// ProblemUnsupported: a key of a kind that this package cannot judge, or
	// that no TLS server uses (DSA, X25519, OpenSSH format).
	ProblemUnsupported Problem = "unsupported"
	// ProblemNonstandard: a certificate that breaks RFC 5280 in a way that this
	// package does not accept and OpenSSL may, such as a negative serial number.
	ProblemNonstandard Problem = "nonstandard"
)

// The problems of a pair whose halves are both readable.
const (
	// ProblemMismatch: the key is not the one that the certificate names.
	ProblemMismatch Problem = "mismatch"
	// ProblemWeakKey: refused by OpenSSL at security level 2, the default of
	// Debian and others ("ee key too small").
	ProblemWeakKey Problem = "weak-key"
)

// Part names what a PartProblem is about.
type Part string

// The parts of a pair.
const (
	PartKey         Part = "key"
	PartCertificate Part = "certificate"
	PartPair        Part = "pair"
)

// PartProblem is a problem and what it is about.
type PartProblem struct {
	Part    Part    `json:"part"`
	Problem Problem `json:"problem"`
}

// Pair is what Inspect finds in a certificate file and a key file.
type Pair struct {
	Cert CertInfo `json:"cert"`
	Key  KeyInfo  `json:"key"`
	// Match is true when the certificate is for this very key. It is false
	// when either of them could not be read.
	Match bool `json:"match"`
	// Problems is everything that stops TLS, in the order in which xrdp meets
	// it: key, certificate, pair. Nil when there is nothing. Validity, names
	// and the like do not stop xrdp and are not here; CertInfo tells them.
	Problems []PartProblem `json:"problems,omitempty"`
}

// Inspect judges the contents of the files that certificate= and key_file= of
// xrdp.ini name; both may be the same combined file. It never fails: what is
// wrong is part of the answer. Nil stands for a file that could not be read and
// gives ProblemEmpty, so the caller must keep apart what it could not look at.
func Inspect(certPEM, keyPEM []byte) Pair {
	cert := inspectCert(certPEM)
	key, public := inspectKey(keyPEM)
	p := Pair{Cert: cert, Key: key}
	p.Match = public != nil && key.PublicSHA256 != "" && key.PublicSHA256 == cert.PublicSHA256
	add := func(part Part, problem Problem) {
		if problem != ProblemNone {
			p.Problems = append(p.Problems, PartProblem{part, problem})
		}
	}
	add(PartKey, key.Problem)
	add(PartCertificate, cert.Problem)
	if cert.Problem == ProblemNone && cert.WeakKey() {
		add(PartCertificate, ProblemWeakKey)
	}
	if cert.PublicSHA256 != "" && key.PublicSHA256 != "" && !p.Match {
		add(PartPair, ProblemMismatch)
	}
	return p
}
