package xmlenc

import (
	"crypto"
	"crypto/rsa"
	"io"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// wrapped is an EncryptedKey: a content key, encrypted to an RSA key.
type wrapped struct {
	value     []byte
	pkcs1     bool // RSA 1.5, else RSA-OAEP with what follows
	hash, mgf crypto.Hash
	label     []byte
}

// maxLabel bounds OAEPparams, in bytes. No known identity provider uses them.
const maxLabel = 256

// readKey checks the form of an EncryptedKey. Its KeyInfo, which may name the key,
// is ignored: all of ours are tried.
func readKey(n xmltree.Node, policy Policy) (wrapped, error) {
	p, err := readPart(n)
	if err != nil {
		return wrapped{}, err
	}
	w := wrapped{value: p.value, hash: crypto.SHA1, mgf: crypto.SHA1}
	name := algorithm(p.method)
	switch {
	case policy.refuses(name):
	case name == oaep, name == oaepMGF1P:
		return w, w.readOAEP(p.method, name)
	case name == rsa15 && policy.AllowRSA15 && !p.method.First().OK():
		w.pkcs1 = true
		return w, nil
	}
	return w, &Error{Reason: Algorithm, Detail: "EncryptedKey", Want: "RSA-OAEP", Got: name}
}

// readOAEP reads the parameters of RSA-OAEP (XML Encryption 1.1, 5.5.2). The older
// name always has SHA-1 in its mask, the newer one by default.
func (w *wrapped) readOAEP(method xmltree.Node, name string) error {
	seen := make(map[string]bool)
	for c := method.First(); c.OK(); c = c.Next() {
		if seen[c.Local()] {
			return shape("two " + c.Local() + " in an EncryptionMethod")
		}
		seen[c.Local()] = true
		var ok bool
		switch {
		case c.Is(xmltree.Signature, "DigestMethod"):
			w.hash, ok = digests[algorithm(c)]
		case c.Is(xmltree.Encryption11, "MGF"):
			w.mgf, ok = masks[algorithm(c)]
			ok = ok && (name == oaep || w.mgf == crypto.SHA1)
		case c.Is(xmltree.Encryption, "OAEPparams"):
			if len(c.Text()) > 0 || c.First().OK() {
				if w.label, ok = c.Base64(); !ok || len(w.label) > maxLabel {
					return shape("OAEPparams is not valid base64, or too long")
				}
			}
			ok = true
		}
		if !ok {
			const want = "SHA-1, SHA-256, SHA-384 or SHA-512, and MGF1 with one of them"
			return &Error{Reason: Algorithm, Detail: c.Name() + " of " + name, Want: want, Got: algorithm(c)}
		}
	}
	return nil
}

// unwrap always returns a content key of n bytes. Where decryption fails it is a
// random one and ok is false: a wrong key, a wrong padding and a wrong length are
// followed by the same work as a good key.
func (w *wrapped) unwrap(key crypto.Decrypter, random io.Reader, n int) (content []byte, ok bool) {
	spare := make([]byte, n)
	if _, err := io.ReadFull(random, spare); err != nil {
		return spare, false
	}
	var opts crypto.DecrypterOpts = &rsa.OAEPOptions{Hash: w.hash, MGFHash: w.mgf, Label: w.label}
	if w.pkcs1 {
		// Where the padding is wrong this returns a random key without an error
		// (RFC 3218, 2.3.2).
		//lint:ignore SA1019 only where InsecureAllowRSA15 asks for it
		opts = &rsa.PKCS1v15DecryptOptions{SessionKeyLen: n}
	}
	content, err := key.Decrypt(random, w.value, opts)
	if err != nil || len(content) != n {
		return spare, false
	}
	return content, true
}
