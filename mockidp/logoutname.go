package mockidp

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/xml"

	"github.com/beevik/etree"
)

// decryptName replaces the EncryptedID of a verified LogoutRequest by the NameID in it.
func (m *logoutMessage) decryptName(keys []*signingKey) *Error {
	if m.encrypted == nil {
		return nil
	}
	el, err := decrypted(m.encrypted, keys)
	if err != nil {
		return err
	}
	if nameOf(el) != (xml.Name{Space: nsAssertion, Local: "NameID"}) {
		return errorf(ReasonSubject, "the EncryptedID has the element %s; only a NameID is supported", quote(el.Tag))
	}
	m.encrypted = nil
	return m.readChild(el)
}

// encryptName puts an EncryptedID in the place of the NameID of a LogoutRequest, for an app with EncryptedNameIDs or
// with faults about that.
func (s *Server) encryptName(app *App, root *etree.Element, faults []Fault) *Error {
	name := childNamed(root, xml.Name{Space: nsAssertion, Local: "NameID"})
	foreign, broken := has(faults, LogoutEncryptedForOther), has(faults, LogoutCiphertext)
	if name == nil || !app.EncryptedNameIDs && !foreign && !broken {
		return nil
	}
	how := Encryption{}.withDefaults()
	if app.Encrypt != nil {
		how = *app.Encrypt
	}
	var to *rsa.PublicKey
	if app.EncryptionCertificate != nil {
		to, _ = app.EncryptionCertificate.PublicKey.(*rsa.PublicKey)
	}
	if foreign || broken && to == nil {
		other, err := s.sealer(nil, app, sealedByOther)
		if err != nil {
			return err
		}
		to, _ = other.key.cert.PublicKey.(*rsa.PublicKey)
	}
	if to == nil {
		return badConfig("the app %s has EncryptedNameIDs and no EncryptionCertificate", quote(app.Label))
	}
	at := name.Index()
	el, err := how.encrypted(name, "EncryptedID", to, readerFunc(s.readRandom))
	if err != nil {
		return internal("encrypting the NameID", err)
	}
	if broken {
		value := el.FindElement("./EncryptedData/CipherData/CipherValue")
		value.SetText(base64.StdEncoding.EncodeToString(make([]byte, 64)))
	}
	root.InsertChildAt(at, el)
	return nil
}
