package dsig

import (
	"crypto"
	"errors"
	"hash"
)

// VerifyOctets verifies a signature over octets, as HTTP-Redirect has it (SAML Bindings 3.4.4.1), with each key in
// turn.
//
// An ECDSA value may be r followed by s, as XML Signature has it (RFC 4051 2.3.6), or DER, which Java and OpenSSL make
// and their users send as it is. The length decides which: twice the width of the curve's order is r and s, and any
// other length is DER. A value of DER has that length once in 2^40 signatures or less, and is then refused.
func VerifyOctets(algorithm string, octets, signature []byte, keys []crypto.PublicKey, policy Policy) error {
	m, ok := methods[algorithm]
	if !ok || algorithm == base+"rsa-sha1" && !policy.AllowSHA1 || policy.refuses(algorithm) {
		const want = "RSA, RSA-PSS or ECDSA with SHA-256, SHA-384 or SHA-512"
		return &Error{Reason: Algorithm, Detail: "SigAlg is not accepted", Want: want, Got: algorithm}
	}
	if m.kind == ecdsaRS {
		m.kind = ecdsaOctets
	}
	_, usable, err := m.tryKeys(keys, policy, signature, func(h hash.Hash) { h.Write(octets) })
	var e *Error
	if errors.As(err, &e) && e.Reason == Invalid && usable == 0 {
		return &Error{Reason: Algorithm, Detail: "SigAlg is not one of the configured keys' kind", Got: algorithm}
	}
	return err
}
