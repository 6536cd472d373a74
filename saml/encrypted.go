package saml

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	// maxDecryptionKeys is more than any rollover needs.
	maxDecryptionKeys = 8
	// maxKeyOperations bounds what one message can make the private keys do,
	// with all its encrypted attributes.
	maxKeyOperations = 64

	decryptionRule = "Decryption (Core 2.3.4, 6)"
)

// order is what is left to do once the signatures of the message as it came
// have the right shape. Where the assertion is encrypted there are two orders,
// and no third:
//
//  1. The Response is signed. Its signature is over the ciphertext and is
//     verified first: if it doesn't hold, no private key is used. A signature
//     on the assertion inside must hold too, and need not be there.
//  2. The Response is not signed. The ciphertext may be anybody's, so it must
//     have integrity of its own (GCM), and the assertion inside must be signed:
//     that it was encrypted to us says nothing about who wrote it.
func (v *verification) order() []step {
	switch {
	case !v.in.encrypted.OK():
		return inTheClear
	case v.in.responseSig != nil:
		return signedAround
	default:
		return signedWithin
	}
}

var (
	inTheClear   = []step{checkSigned, schema}
	signedAround = []step{checkSigned, decryption, checkShapes, checkSigned, schema}
	signedWithin = []step{decryption, checkShapes, checkSigned, schema}
)

// decrypt puts the assertion in the place of the encrypted one. What comes out
// is held to everything that a plain assertion is held to: the limits, one
// assertion and no more, IDs that stand nowhere else in the message.
func (v *verification) decrypt() error {
	sealed, err := v.readEncrypted(v.in.encrypted, v.signedResponse.OK())
	if err != nil {
		return err
	}
	if v.in.assertion, err = v.open(sealed, v.in.encrypted, "Assertion"); err != nil {
		return err
	}
	v.in.malleable = sealed.Malleable()
	assertions, others := 0, 0
	v.in.assertion.Walk(func(n xmltree.Node) {
		switch {
		case n.Is(xmltree.Assertion, "Assertion"):
			assertions++
		case n.Is(xmltree.Assertion, "EncryptedAssertion"), n.Is(xmltree.Protocol, "Response"):
			others++
		}
	})
	if assertions != 1 || others != 0 {
		return &Error{Reason: ReasonAssertionCount, Detail: "in what was decrypted", Want: "1", Got: fmt.Sprintf("%d assertions, and %d encrypted ones or Responses", assertions, others)}
	}
	return nil
}

// decryptSigned opens an EncryptedID (Core 2.2.4) or an EncryptedAttribute
// (Core 2.7.3.2) of a signed assertion. The signature is over the ciphertext
// and holds, so nobody can have put another one there.
func (v *verification) decryptSigned(n xmltree.Node, want string) (xmltree.Node, error) {
	sealed, err := v.readEncrypted(n, true)
	if err != nil {
		return xmltree.Node{}, err
	}
	return v.open(sealed, n, want)
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

// open decrypts n to one element of that name, read with the namespaces that
// are in scope where n's EncryptedData stands (XML Encryption 1.1, 4.4).
func (v *verification) open(sealed *xmlenc.Sealed, n xmltree.Node, want string) (xmltree.Node, error) {
	root, err := xmlenc.Open(sealed, v.keys, func(plain []byte) (xmltree.Node, error) {
		tree, err := v.parsePlain(plain, n)
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

// parsePlain reads what was decrypted. An assertion with a signature of its own
// takes the namespaces of the place where it stood: that signature covers the
// ones that it uses. Everything else is only covered as ciphertext, by the
// signature around it, so it takes what that covers and no more.
func (v *verification) parsePlain(plain []byte, n xmltree.Node) (*xmltree.Doc, error) {
	limits := v.cfg.Limits.tree(xmltree.Name{})
	if v.signedAssertion.OK() {
		return xmltree.ParseSigned(plain, limits, n, v.signedAssertion)
	}
	tree, err := xmltree.ParseFragment(plain, limits, n)
	if err != nil || !v.signedResponse.OK() || tree.Root().Child(xmltree.Signature, "Signature").OK() {
		return tree, err
	}
	return xmltree.ParseSigned(plain, limits, n, v.signedResponse)
}

// hush makes one error of everything that is wrong inside an assertion which a
// stranger may have changed without knowing what it says, until a signature in
// it holds: the differences would tell him what it says (decryption oracles).
func (v *verification) hush(err error) error {
	if err == nil || !v.in.malleable || v.signedAssertion.OK() {
		return err
	}
	return cantDecrypt()
}

// cantDecrypt is what all failures to decrypt an assertion look like.
func cantDecrypt() *Error {
	return &Error{
		Reason: ReasonEncrypted, Rule: decryptionRule,
		Detail: "EncryptedAssertion: it does not decrypt, with the keys that there are, to an assertion that can be trusted",
	}
}

func fromEncryption(what string, err error) error {
	var e *xmlenc.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Kind == xmlenc.Failed && what == "EncryptedAssertion":
		return cantDecrypt()
	case e.Kind == xmlenc.Algorithm:
		return &Error{Reason: ReasonAlgorithm, Detail: what + ": " + e.Detail, Want: e.Want, Got: e.Got}
	case e.Kind == xmlenc.Limit:
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
