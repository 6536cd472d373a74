package oktaapi

import (
	"crypto/x509"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

func (v *visit) signingSection(a mockidp.App, isNew bool) section[mockidp.App] {
	keys := []word[string]{{"", "the server's signing key"}}
	if !isNew {
		for _, k := range v.keys(a.ID) {
			keys = append(keys, word[string]{k.ID, k.ID})
		}
	}
	return section[mockidp.App]{title: "Signing", folded: true, inputs: []input[mockidp.App]{
		selectInput("sign", "Signed parts", "", []word[mockidp.Signing]{{mockidp.SignBoth, "the assertion and the Response"},
			{mockidp.SignResponse, "the Response"}, {mockidp.SignAssertion, "the assertion"},
			{mockidp.SignArtifactResponse, "the ArtifactResponse around them"}},
			func(a *mockidp.App) *mockidp.Signing { return &a.Sign }),
		selectInput("signatureMethod", "Signature method", "It must fit the key.",
			stringWords("the key's default", signatureMethods, signatureText),
			func(a *mockidp.App) *mockidp.SignatureMethod { return &a.SignatureMethod }, "ignature method", "SignatureMethod"),
		selectInput("keyID", "Key", "The keys of the app are on its page Keys.", keys,
			func(a *mockidp.App) *string { return &a.KeyID }, "is signed with the key"),
		checkInput("omitKeyInfo", "Leave the certificate out of signatures", "",
			func(a *mockidp.App) *bool { return &a.OmitKeyInfo }),
	}}
}

func encryptionSection() section[mockidp.App] {
	in := func(in input[mockidp.App], get func(*mockidp.Encryption) string) input[mockidp.App] {
		set := in.set
		in.get = func(a *mockidp.App) string {
			if a.Encrypt == nil {
				return ""
			}
			return get(a.Encrypt)
		}
		in.set = func(a *mockidp.App, s string) error {
			if a.Encrypt == nil {
				return nil // switched off
			}
			return set(a, s)
		}
		return in
	}
	method := selectInput("encryption", "Assertions are encrypted", "",
		stringWords("no", encryptionMethods, encryptionText),
		func(a *mockidp.App) *mockidp.EncryptionMethod { return &a.Encrypt.Method }, "Encryption.Method")
	method.get = func(a *mockidp.App) string {
		if a.Encrypt == nil {
			return ""
		}
		return string(a.Encrypt.Method)
	}
	choose := method.set
	method.set = func(a *mockidp.App, s string) error {
		if s == "" {
			a.Encrypt = nil
			return nil
		}
		if a.Encrypt == nil {
			a.Encrypt = &mockidp.Encryption{}
		}
		return choose(a, s)
	}
	// Settings that another key transport doesn't have are dropped.
	transport := selectInput("keyTransport", "Key transport", "", stringWords("the default", keyTransports, transportText),
		func(a *mockidp.App) *mockidp.KeyTransport { return &a.Encrypt.KeyTransport }, "KeyTransport")
	put := transport.set
	transport.set = func(a *mockidp.App, s string) error {
		a.Encrypt.MGF, a.Encrypt.Digest = "", ""
		return put(a, s)
	}
	hashWords := stringWords("the default", []mockidp.Hash{mockidp.SHA1, mockidp.SHA256, mockidp.SHA384, mockidp.SHA512},
		func(h mockidp.Hash) string { return strings.Replace(strings.ToUpper(string(h)), "SHA", "SHA-", 1) })
	return section[mockidp.App]{title: "Encryption", folded: true, inputs: []input[mockidp.App]{
		method,
		certificatesInput("encryptionCertificate", "Certificate of the service provider",
			"PEM, with an RSA key. Encryption needs it.", 1,
			func(a *mockidp.App) []*x509.Certificate {
				return slices.DeleteFunc([]*x509.Certificate{a.EncryptionCertificate},
					func(c *x509.Certificate) bool { return c == nil })
			},
			func(a *mockidp.App, list []*x509.Certificate) {
				a.EncryptionCertificate = nil
				if len(list) > 0 {
					a.EncryptionCertificate = list[0]
				}
			}, "EncryptionCertificate"),
		in(transport, func(e *mockidp.Encryption) string { return string(e.KeyTransport) }),
		in(selectInput("digest", "Hash of OAEP", "", hashWords,
			func(a *mockidp.App) *mockidp.Hash { return &a.Encrypt.Digest }, "Encryption.Digest"),
			func(e *mockidp.Encryption) string { return string(e.Digest) }),
		in(selectInput("mgf", "Hash of OAEP's mask function", "For RSA-OAEP of XML Encryption 1.1 only.", hashWords,
			func(a *mockidp.App) *mockidp.Hash { return &a.Encrypt.MGF }, "Encryption.MGF"),
			func(e *mockidp.Encryption) string { return string(e.MGF) }),
		in(checkInput("keyBeside", "Put the encrypted key beside the encrypted data", "",
			func(a *mockidp.App) *bool { return &a.Encrypt.KeyBeside }),
			func(e *mockidp.Encryption) string { return map[bool]string{true: "on"}[e.KeyBeside] }),
	}}
}
