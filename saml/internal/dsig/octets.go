package dsig

import (
	"crypto"
	"errors"
	"hash"
)

// VerifyOctets verifies a signature over octets, as HTTP-Redirect has it (SAML Bindings 3.4.4.1), with each key in
// turn.
func VerifyOctets(algorithm string, octets, signature []byte, keys []crypto.PublicKey, policy Policy) error {
	m, ok := methods[algorithm]
	if !ok || algorithm == base+"rsa-sha1" && !policy.AllowSHA1 || policy.refuses(algorithm) {
		const want = "RSA, RSA-PSS or ECDSA with SHA-256, SHA-384 or SHA-512"
		return &Error{Reason: Algorithm, Detail: "SigAlg is not accepted", Want: want, Got: algorithm}
	}
	_, usable, err := m.tryKeys(keys, policy, signature, func(h hash.Hash) { h.Write(octets) })
	var e *Error
	if errors.As(err, &e) && e.Reason == Invalid && usable == 0 {
		return &Error{Reason: Algorithm, Detail: "SigAlg is not one of the configured keys' kind", Got: algorithm}
	}
	return err
}
