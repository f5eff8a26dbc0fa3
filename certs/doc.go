// Package certs knows the certificate and the private key that a TLS server
// such as xrdp serves: it makes a self-signed pair, and it says what is right
// and wrong with a pair that exists.
//
// Bytes come in and bytes or plain values go out. The package opens no file,
// reads no clock and uses no randomness of its own, and no value that it
// returns, the generated private key PEM excepted, holds anything secret.
//
// Files are judged by the rules of the OpenSSL functions that xrdp calls
// (common/ssl_calls.c:ssl_tls_accept): SSL_CTX_use_PrivateKey_file takes the
// first private key block of a PEM file, SSL_CTX_use_certificate_chain_file
// takes the first certificate block as the server's own and the others as its
// chain. Other blocks are skipped, so that a combined file works for both
// settings and in either order; DER and passphrases do not.
package certs
