#!/bin/sh
# Makes the fixtures of the certs tests with OpenSSL, the library that xrdp uses.
# The keys protect nothing. Run in this directory; the tests read what is committed.
set -eu
days=36500
cnf() {
	printf '[req]\nprompt=no\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\nCN=%s\n[ext]\n%s\n' "$1" "$2" >tmp.cnf
}
leaf='basicConstraints=CA:FALSE
extendedKeyUsage=serverAuth
subjectAltName=DNS:desk.example.org,DNS:*.lab.example.org,IP:192.0.2.7,IP:2001:db8::7'

# The common pair, in every form.
cnf desk.example.org "$leaf"
openssl req -x509 -newkey rsa:2048 -nodes -days $days -sha256 -config tmp.cnf -keyout rsa.key -out rsa.crt
openssl rsa -in rsa.key -traditional -out rsa-pkcs1.key
openssl rsa -in rsa.key -traditional -aes128 -passout pass:x -out rsa-proctype.key
openssl pkcs8 -topk8 -in rsa.key -passout pass:x -out rsa-encrypted.key
openssl rsa -in rsa.key -outform DER -out rsa.key.der
openssl pkcs8 -topk8 -nocrypt -in rsa.key -outform DER -out rsa-pkcs8.key.der
openssl pkcs8 -topk8 -in rsa.key -outform DER -passout pass:x -out rsa-encrypted.key.der
openssl x509 -in rsa.crt -outform DER -out rsa.crt.der
openssl x509 -in rsa.crt -trustout -addtrust serverAuth -out trusted.crt
openssl pkcs12 -export -in rsa.crt -inkey rsa.key -passout pass:x -out rsa.p12
openssl rsa -in rsa.key -pubout -out public.pem

# Other kinds of keys.
openssl ecparam -name prime256v1 -genkey -out ec-sec1.key # EC PARAMETERS, then EC PRIVATE KEY
openssl req -x509 -key ec-sec1.key -days $days -sha256 -config tmp.cnf -out ec.crt
openssl pkcs8 -topk8 -nocrypt -in ec-sec1.key -out ec.key
openssl ecparam -name brainpoolP256r1 -genkey -noout -out brainpool-sec1.key
openssl genpkey -algorithm ED25519 -out ed25519.key
openssl req -x509 -key ed25519.key -days $days -config tmp.cnf -out ed25519.crt
openssl genpkey -algorithm ED448 -out ed448.key
openssl req -x509 -key ed448.key -days $days -config tmp.cnf -out ed448.crt
openssl genpkey -algorithm X25519 -out x25519.key
openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:2048 -out tmp.dsa
openssl gendsa -out tmp.dsakey tmp.dsa
openssl dsa -in tmp.dsakey -out dsa.key
openssl pkey -in tmp.dsakey -out dsa-pkcs8.key

# Weak ones, and the template of xrdp's own install (CA:true, no names).
openssl req -x509 -newkey rsa:1024 -nodes -days $days -sha256 -config tmp.cnf -keyout rsa1024.key -out rsa1024.crt
openssl req -x509 -newkey rsa:512 -nodes -days $days -sha256 -config tmp.cnf -keyout rsa512.key -out rsa512.crt
openssl req -x509 -key rsa.key -days $days -md5 -config tmp.cnf -out md5.crt
openssl req -x509 -key rsa.key -days $days -sha1 -config tmp.cnf -out sha1.crt
cnf www.xrdp.org 'basicConstraints=CA:true'
openssl req -x509 -key rsa.key -days $days -config tmp.cnf -out upstream.crt
cnf client.example.org 'extendedKeyUsage=clientAuth'
openssl req -x509 -key rsa.key -days $days -config tmp.cnf -out clientauth.crt
cnf desk.example.org "$leaf"
openssl req -x509 -key rsa.key -days $days -set_serial -5 -config tmp.cnf -out negative-serial.crt

# A chain of three, and a forger of the issuer's name.
ca='basicConstraints=critical,CA:TRUE'
cnf 'Test Root' "$ca"
openssl req -x509 -newkey rsa:2048 -nodes -days $days -config tmp.cnf -keyout tmp.rootkey -out root.crt
openssl req -x509 -key rsa1024.key -days $days -config tmp.cnf -out impostor-root.crt
cnf 'Test Intermediate' "$ca"
openssl req -new -newkey rsa:2048 -nodes -config tmp.cnf -keyout tmp.ickey -out tmp.csr
openssl x509 -req -in tmp.csr -CA root.crt -CAkey tmp.rootkey -set_serial 2 -days $days -extfile tmp.cnf -extensions ext -out intermediate.crt
cnf desk.example.org "$leaf"
openssl req -new -key rsa.key -config tmp.cnf -out request.csr
openssl x509 -req -in request.csr -CA intermediate.crt -CAkey tmp.ickey -set_serial 3 -days $days -extfile tmp.cnf -extensions ext -out issued.crt

ssh-keygen -q -t ed25519 -N '' -C test -f tmp.ssh
mv tmp.ssh openssh.key
rm -f tmp.*
