package dsig

import (
	"crypto"
	"crypto/rsa"
	"fmt"
)

// VerifyOctets verifies a signature over octets, as HTTP-Redirect has it (SAML Bindings 3.4.4.1), with each key in
// turn.
func VerifyOctets(algorithm string, octets, signature []byte, keys []crypto.PublicKey, policy Policy) error {
	m, ok := methods[algorithm]
	if !ok || algorithm == base+"rsa-sha1" && !policy.AllowSHA1 || policy.refuses(algorithm) {
		const want = "RSA, RSA-PSS or ECDSA with SHA-256, SHA-384 or SHA-512"
		return &Error{Reason: Algorithm, Detail: "SigAlg is not accepted", Want: want, Got: algorithm}
	}
	h := m.hash.New()
	h.Write(octets)
	digest := h.Sum(nil)
	usable, weak := 0, -1 // as in Envelope.Verify
	for _, key := range keys {
		if !m.usable(key) {
			continue
		}
		if key, ok := key.(*rsa.PublicKey); ok && key.N.BitLen() < policy.MinRSABits {
			weak = max(weak, key.N.BitLen())
			continue
		}
		usable++
		if m.verify(key, digest, signature) {
			return nil
		}
	}
	switch {
	case usable > 0:
		return &Error{Reason: Invalid,
			Detail: fmt.Sprintf("signature does not verify with any of the %d configured keys", len(keys))}
	case weak >= 0:
		return &Error{Reason: WeakKey, Detail: "configured keys are too weak",
			Want: fmt.Sprintf("an RSA key of at least %d bits", policy.MinRSABits), Got: fmt.Sprintf("%d bits", weak)}
	}
	return &Error{Reason: Algorithm, Detail: "SigAlg is not one of the configured keys' kind", Got: algorithm}
}
