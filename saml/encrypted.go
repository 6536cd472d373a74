package saml

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	// maxDecryptionKeys is more than any rollover needs.
	maxDecryptionKeys = 8
	// maxKeyOperations bounds what one message can make the private keys do,
	// with all its encrypted attributes.
	maxKeyOperations = 64

	ruleDecryption = "Decryption (Core 2.3.4, 6)"
)

// verifyThenDecrypt is for an encrypted assertion in a signed Response. That
// signature is over the ciphertext and is verified first: if it doesn't hold,
// no private key is used. A signature on the assertion inside must hold too, and
// need not be there.
func (v *verification) verifyThenDecrypt(m *message) (proof, error) {
	response, err := v.verifySignature("Response", m.responseSignature)
	if err := v.trace.step(ruleSignatures, err); err != nil {
		return proof{}, err
	}
	_, err = v.decrypt(m, response)
	if err := v.trace.step(ruleDecryption, err); err != nil {
		return proof{}, err
	}
	if err := v.trace.step(ruleShapes, v.findDecryptedSignature(m)); err != nil {
		return proof{}, err
	}
	assertion, err := v.verifySignature("Assertion", m.assertionSignature)
	if err := v.trace.step(ruleSignatures, err); err != nil {
		return proof{}, err
	}
	return prove(m, response, assertion)
}

// decryptThenVerify is for an encrypted assertion in a Response that is not
// signed. An attacker may have made or changed the ciphertext, so it must have
// integrity of its own (GCM), and the assertion inside must be signed: that it
// was encrypted to us says nothing about who wrote it. Until that signature
// holds, the error is one and the same where an attacker can have changed the
// ciphertext without knowing what it says. The trace is for a person who has the
// message and the keys, and says what really happened.
func (v *verification) decryptThenVerify(m *message) (proof, error) {
	malleable, err := v.decrypt(m, dsig.Signed{})
	if err := v.trace.step(ruleDecryption, err); err != nil {
		return proof{}, maskDecryptError(err, malleable)
	}
	if err := v.trace.step(ruleShapes, v.findDecryptedSignature(m)); err != nil {
		return proof{}, maskDecryptError(err, malleable)
	}
	assertion, err := v.verifySignature("Assertion", m.assertionSignature)
	if err := v.trace.step(ruleSignatures, err); err != nil {
		return proof{}, maskDecryptError(err, malleable)
	}
	return prove(m, dsig.Signed{}, assertion)
}

// decrypt puts the assertion in the place of the encrypted one. What comes out
// is held to everything that a plain assertion is held to: the limits, one
// assertion and no more, IDs that stand nowhere else in the message. response is
// the Response, if its signature was verified. malleable is true once something
// was decrypted that an attacker can have changed.
func (v *verification) decrypt(m *message, response dsig.Signed) (malleable bool, err error) {
	sealed, err := v.readEncrypted(m.encrypted, response.Element().OK())
	if err != nil {
		return false, err
	}
	m.assertion, err = v.open(sealed, m.encrypted, "Assertion", func(plain []byte, limits xmltree.Limits) (*xmltree.Doc, error) {
		// An assertion with a signature of its own takes the namespaces of the
		// place where it stood: that signature covers the ones that it uses. One
		// that is only covered as ciphertext takes what the Response's signature
		// covers, and no more.
		tree, err := xmltree.ParseFragment(plain, limits, m.encrypted)
		if err != nil || !response.Element().OK() || tree.Root().Child(xmltree.Signature, "Signature").OK() {
			return tree, err
		}
		return xmltree.ParseSigned(plain, limits, m.encrypted, response.Element())
	})
	if err != nil {
		return false, err
	}
	assertions, others := 0, 0
	m.assertion.Walk(func(n xmltree.Node) {
		switch {
		case n.Is(xmltree.Assertion, "Assertion"):
			assertions++
		case n.Is(xmltree.Assertion, "EncryptedAssertion"), n.Is(xmltree.Protocol, "Response"):
			others++
		}
	})
	if assertions != 1 || others != 0 {
		err = &Error{Reason: ReasonAssertionCount, Detail: "in what was decrypted", Want: "1", Got: fmt.Sprintf("%d assertions, and %d encrypted ones or Responses", assertions, others)}
	}
	return sealed.Malleable(), err
}

// decryptPart opens an EncryptedID (Core 2.2.4) or an EncryptedAttribute
// (Core 2.7.3.2) of a signed assertion. The signature is over the ciphertext
// and holds, so only its signer can have put it there. It takes the
// namespaces that the assertion visibly uses, which the signature covers too.
func (v *verification) decryptPart(n, assertion xmltree.Node, want string) (xmltree.Node, error) {
	sealed, err := v.readEncrypted(n, true)
	if err != nil {
		return xmltree.Node{}, err
	}
	return v.open(sealed, n, want, func(plain []byte, limits xmltree.Limits) (*xmltree.Doc, error) {
		return xmltree.ParseSigned(plain, limits, n, assertion)
	})
}

func (v *verification) readEncrypted(n xmltree.Node, authenticated bool) (*xmlenc.Sealed, error) {
	if len(v.cfg.DecryptionKeys) == 0 {
		return nil, &Error{Reason: ReasonEncrypted, Detail: n.Local() + ": there is no decryption key"}
	}
	if v.keys == nil {
		v.keys = xmlenc.NewKeys(v.cfg.DecryptionKeys, v.cfg.Rand, maxKeyOperations)
	}
	sealed, err := xmlenc.Read(n, xmlenc.Policy{
		Recipient:               v.cfg.EntityID,
		Authenticated:           authenticated,
		AllowUnauthenticatedCBC: v.cfg.InsecureAllowUnauthenticatedCBC,
		AllowRSA15:              v.cfg.InsecureAllowRSA15,
	})
	if err != nil {
		return nil, fromEncryption(n.Local(), err)
	}
	return sealed, nil
}

// open decrypts n to one element of that name, which parse reads with the
// namespaces that are in scope where n's EncryptedData stands (XML Encryption
// 1.1, 4.4).
func (v *verification) open(sealed *xmlenc.Sealed, n xmltree.Node, want string, parse func([]byte, xmltree.Limits) (*xmltree.Doc, error)) (xmltree.Node, error) {
	limits := v.cfg.Limits.tree(xmltree.Name{})
	root, err := xmlenc.Open(sealed, v.keys, func(plain []byte) (xmltree.Node, error) {
		tree, err := parse(plain, limits)
		if err != nil {
			return xmltree.Node{}, fromTree(err)
		}
		if tree.Root().Is(xmltree.Assertion, "BaseID") {
			return xmltree.Node{}, unknownBaseID()
		}
		if !tree.Root().Is(xmltree.Assertion, want) {
			return xmltree.Node{}, &Error{Reason: ReasonEncrypted, Detail: "in " + n.Local(), Want: want, Got: tree.Root().Name()}
		}
		return tree.Root(), nil
	})
	if err != nil {
		return xmltree.Node{}, fromEncryption(n.Local(), err)
	}
	return root, nil
}

// maskDecryptError makes one error of everything that is wrong inside an
// assertion that an attacker can have changed without knowing what it says: the
// differences would tell what it says (decryption oracles).
func maskDecryptError(err error, malleable bool) error {
	if malleable {
		return cantDecrypt()
	}
	return err
}

// cantDecrypt is what all failures to decrypt an assertion look like.
func cantDecrypt() *Error {
	return &Error{
		Reason: ReasonEncrypted, Rule: ruleDecryption,
		Detail: "EncryptedAssertion: it does not decrypt, with the keys that there are, to an assertion that can be trusted",
	}
}

func fromEncryption(what string, err error) error {
	var e *xmlenc.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Reason == xmlenc.Failed && what == "EncryptedAssertion":
		return cantDecrypt()
	case e.Reason == xmlenc.Algorithm:
		return &Error{Reason: ReasonAlgorithm, Detail: what + ": " + e.Detail, Want: e.Want, Got: e.Got}
	case e.Reason == xmlenc.Limit:
		return &Error{Reason: ReasonLimit, Detail: what + ": " + e.Detail}
	}
	return &Error{Reason: ReasonEncrypted, Detail: what + ": " + e.Detail, Want: e.Want, Got: e.Got}
}

// checkDecryptionKeys is what New wants of them.
func (cfg *Config) checkDecryptionKeys() error {
	if len(cfg.DecryptionKeys) > maxDecryptionKeys {
		return configError("Config.DecryptionKeys", fmt.Sprintf("at most %d, got %d", maxDecryptionKeys, len(cfg.DecryptionKeys)), nil)
	}
	for i, key := range cfg.DecryptionKeys {
		field := fmt.Sprintf("Config.DecryptionKeys[%d]", i)
		if private, ok := key.(*rsa.PrivateKey); key == nil || ok && private == nil {
			return configError(field, "is nil", nil)
		}
		public, ok := key.Public().(*rsa.PublicKey)
		switch {
		case !ok || public == nil || public.N == nil:
			return &Error{Reason: ReasonKey, Rule: field, Want: "an RSA key", Got: fmt.Sprintf("%T", key.Public())}
		case public.N.BitLen() < cfg.minRSABits():
			return &Error{Reason: ReasonKey, Rule: field, Want: fmt.Sprintf("at least %d bits", cfg.minRSABits()), Got: fmt.Sprintf("%d bits", public.N.BitLen())}
		}
	}
	return checkEncryptionCertificate(cfg.EncryptionCertificate, cfg.DecryptionKeys)
}

// checkEncryptionCertificate keeps us from publishing a key that we don't have.
func checkEncryptionCertificate(cert *x509.Certificate, keys []crypto.Decrypter) error {
	switch {
	case cert == nil:
		return nil
	case len(keys) == 0:
		return configError("Config.EncryptionCertificate", "needs Config.DecryptionKeys", nil)
	case !keys[0].Public().(*rsa.PublicKey).Equal(cert.PublicKey):
		return configError("Config.EncryptionCertificate", "is not the certificate of the first of Config.DecryptionKeys", nil)
	}
	return nil
}
