package acs_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// fakeIdP signs responses without Meridian's code.
type fakeIdP struct {
	entityID string
	key      *rsa.PrivateKey
	cert     *x509.Certificate
}

func newFakeIdP(entityID string, now time.Time) *fakeIdP {
	key := testkit.RSAKey("idp")
	return &fakeIdP{entityID: entityID, key: key, cert: testkit.Certificate(key, now)}
}

// GetKeyPair makes it a dsig.X509KeyStore.
func (f *fakeIdP) GetKeyPair() (*rsa.PrivateKey, []byte, error) { return f.key, f.cert.Raw, nil }

// answer describes a response. The assertion is signed and the Response isn't, so tests can change the Response.
type answer struct {
	id, assertionID string
	issuer          string
	to              string // Destination and Recipient
	audience        string
	nameID          string
	inResponseTo    string // empty: unsolicited
	issued          time.Time
	notOnOrAfter    time.Time
	authn           time.Time
}

// encode returns the SAMLResponse form value.
func (f *fakeIdP) encode(a answer) string {
	stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
	doc := etree.NewDocument()
	response := doc.CreateElement("samlp:Response")
	response.CreateAttr("xmlns:samlp", "urn:oasis:names:tc:SAML:2.0:protocol")
	response.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	response.CreateAttr("ID", a.id)
	response.CreateAttr("Version", "2.0")
	response.CreateAttr("IssueInstant", stamp(a.issued))
	response.CreateAttr("Destination", a.to)
	if a.inResponseTo != "" {
		response.CreateAttr("InResponseTo", a.inResponseTo)
	}
	response.CreateElement("saml:Issuer").SetText(a.issuer)
	response.CreateElement("samlp:Status").CreateElement("samlp:StatusCode").
		CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Success")
	response.AddChild(f.sign(f.assertion(a, stamp)))
	out, err := doc.WriteToBytes()
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(out)
}

func (f *fakeIdP) assertion(a answer, stamp func(time.Time) string) *etree.Element {
	el := etree.NewElement("saml:Assertion")
	el.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	el.CreateAttr("ID", a.assertionID)
	el.CreateAttr("Version", "2.0")
	el.CreateAttr("IssueInstant", stamp(a.issued))
	el.CreateElement("saml:Issuer").SetText(a.issuer)

	subject := el.CreateElement("saml:Subject")
	nameID := subject.CreateElement("saml:NameID")
	nameID.CreateAttr("Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")
	nameID.SetText(a.nameID)
	confirmation := subject.CreateElement("saml:SubjectConfirmation")
	confirmation.CreateAttr("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")
	data := confirmation.CreateElement("saml:SubjectConfirmationData")
	data.CreateAttr("Recipient", a.to)
	data.CreateAttr("NotOnOrAfter", stamp(a.notOnOrAfter))
	if a.inResponseTo != "" {
		data.CreateAttr("InResponseTo", a.inResponseTo)
	}

	conditions := el.CreateElement("saml:Conditions")
	conditions.CreateAttr("NotBefore", stamp(a.issued.Add(-time.Minute)))
	conditions.CreateAttr("NotOnOrAfter", stamp(a.notOnOrAfter))
	conditions.CreateElement("saml:AudienceRestriction").CreateElement("saml:Audience").SetText(a.audience)

	authn := el.CreateElement("saml:AuthnStatement")
	authn.CreateAttr("AuthnInstant", stamp(a.authn))
	authn.CreateElement("saml:AuthnContext").CreateElement("saml:AuthnContextClassRef").
		SetText("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport")
	return el
}

func (f *fakeIdP) sign(el *etree.Element) *etree.Element {
	ctx := dsig.NewDefaultSigningContext(f)
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signature, err := ctx.ConstructSignature(el, true)
	if err != nil {
		panic(err)
	}
	signed := el.Copy()
	signed.InsertChildAt(1, signature)
	return signed
}
