// Package opensslconf reads openssl.cnf as OpenSSL does (crypto/conf/conf_def.c,
// config(5)), as far as it decides which TLS versions a server can offer: which
// file is used, what it includes, and the settings of the section that
// openssl_conf, ssl_conf and system_default lead to. OpenSSL applies that
// section to every SSL_CTX before the program says a word, and a program that
// only sets options, as xrdp does, cannot lift a MinProtocol found there.
//
// [Override] writes the small file that lifts it for one service.
//
// Nothing here touches the machine: files come in through a [Source].
package opensslconf
