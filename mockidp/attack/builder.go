package attack

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/beevik/etree"
)

const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsDSig      = "http://www.w3.org/2000/09/xmldsig#"
	nsXS        = "http://www.w3.org/2001/XMLSchema"
	nsXSI       = "http://www.w3.org/2001/XMLSchema-instance"

	success  = "urn:oasis:names:tc:SAML:2.0:status:Success"
	bearer   = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	email    = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	entity   = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
	basic    = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
	password = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

	// lifetime is how long a good assertion is valid, into the future and, for clocks
	// that run behind, into the past.
	lifetime = 5 * time.Minute
)

// draft is a document under construction. Its methods keep the first error, so
// that an attack can be written as a list of steps.
type draft struct {
	p       Params
	mode    Sign
	changes []change

	// The setup stage may change these.
	key           crypto.Signer // signs
	keyInfo       bool
	method        string // SignatureMethod; "" for the key's own with SHA-256
	digest        string // DigestMethod
	prefixes      string // InclusiveNamespaces of the Reference
	unsigned      bool
	encryption    *encryption // nil: nothing is encrypted
	inheritSpaces bool        // the assertion uses the Response's namespace declarations

	tree       *etree.Document
	resp, asrt *etree.Element
	respSig    *signature // nil where there is none
	asrtSig    *signature
	sig        *signature // the signature under attack

	text     string // the plaintext, the document or the form value, in their stages
	document string // the finished document

	metadata MetadataParams // of a draft of metadata
	logout   *logoutDraft   // of a draft of a logout message
	artifact *artifactDraft // of a draft of an artifact, or of the answer to an ArtifactResolve

	err error
}

// DefaultAttributes returns the eight attributes of a typical directory.
func DefaultAttributes() []Attribute {
	return []Attribute{
		{"email", []string{"alice@example.com"}},
		{"firstName", []string{"Alice"}},
		{"lastName", []string{"Liddell"}},
		{"displayName", []string{"Alice Liddell"}},
		{"department", []string{"Research & Development"}},
		{"costCenter", []string{"4711"}},
		{"locale", []string{"en-GB"}},
		{"groups", []string{"engineers", "on-call"}},
	}
}

func newDraft(p Params, n Needs, changes []change) (*draft, error) {
	switch {
	case p.Issuer == "" || p.Audience == "" || p.Recipient == "":
		return nil, errors.New("missing Issuer, Audience or Recipient")
	case p.Now.IsZero():
		return nil, errors.New("missing Now")
	case p.Key == nil:
		return nil, errors.New("missing Key")
	case n.Encrypted && p.EncryptTo == nil:
		return nil, errors.New("missing EncryptTo")
	case n.SP.OtherIdP && (p.OtherIdP == "" || p.OtherKey == nil):
		return nil, errors.New("missing OtherIdP or OtherKey")
	}
	p.Subject, p.Forged = cmp.Or(p.Subject, "alice@example.com"), cmp.Or(p.Forged, "admin@example.com")
	if p.Attributes == nil {
		p.Attributes = DefaultAttributes()
	}
	if p.Rand == nil {
		p.Rand = rand.Reader
	}
	d := &draft{p: p, mode: p.Sign, changes: changes, key: p.Key, digest: sha256Digest}
	d.keyInfo = !p.NoCertificate && !tooWeak(p.Key.Public())
	if p.EncryptTo != nil {
		d.encryption = d.goodEncryption()
	}
	return d, nil
}

// goodEncryption is Params.Cipher or AES-256-GCM, with the RSA-OAEP that every
// version of the standard supports and every policy allows.
func (d *draft) goodEncryption() *encryption {
	return &encryption{to: []*rsa.PublicKey{d.p.EncryptTo}, block: cmp.Or(d.p.Cipher, aes256GCM), transport: oaepMGF1P}
}

func (d *draft) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

func (d *draft) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(d.p.Rand, b); err != nil {
		d.fail("random: %w", err)
	}
	return b
}

// newID returns a new xs:ID (Core 1.3.4).
func (d *draft) newID() string { return "id" + hex.EncodeToString(d.random(16)) }

// at returns an instant relative to Params.Now as an xs:dateTime (Core 1.3.3).
func (d *draft) at(offset time.Duration) string {
	return d.p.Now.Add(offset).UTC().Format("2006-01-02T15:04:05.000Z")
}

// build makes the good, unsigned Response, in Okta's layout.
func (d *draft) build() {
	d.tree = etree.NewDocument()
	d.tree.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	resp := child(&d.tree.Element, "saml2p:Response", "xmlns:saml2p", nsProtocol)
	if d.inheritSpaces {
		for _, a := range [][2]string{{"saml2", nsAssertion}, {"xs", nsXS}, {"xsi", nsXSI}} {
			resp.CreateAttr("xmlns:"+a[0], a[1])
		}
	}
	resp.CreateAttr("Destination", d.p.Recipient)
	resp.CreateAttr("ID", d.newID())
	if d.p.RequestID != "" {
		resp.CreateAttr("InResponseTo", d.p.RequestID)
	}
	resp.CreateAttr("IssueInstant", d.at(0))
	resp.CreateAttr("Version", "2.0")
	d.issuer(resp)
	child(child(resp, "saml2p:Status"), "saml2p:StatusCode", "Value", success)
	d.resp, d.asrt = resp, d.assertion(resp)
}

// declaring returns namespace declarations, unless the Response has them.
func (d *draft) declaring(attrs ...string) []string {
	if d.inheritSpaces {
		return nil
	}
	return attrs
}

func (d *draft) issuer(parent *etree.Element) {
	var space []string
	if parent == d.tree.Root() {
		space = d.declaring("xmlns:saml2", nsAssertion)
	}
	child(parent, "saml2:Issuer", append(space, "Format", entity)...).SetText(d.p.Issuer)
}

func (d *draft) assertion(parent *etree.Element) *etree.Element {
	el := child(parent, "saml2:Assertion", append(d.declaring("xmlns:saml2", nsAssertion),
		"ID", d.newID(), "IssueInstant", d.at(0), "Version", "2.0")...)
	d.issuer(el)
	d.subject(el)
	conditions := child(el, "saml2:Conditions", "NotBefore", d.at(-lifetime), "NotOnOrAfter", d.at(lifetime))
	child(child(conditions, "saml2:AudienceRestriction"), "saml2:Audience").SetText(d.p.Audience)
	authn := child(el, "saml2:AuthnStatement", "AuthnInstant", d.at(0), "SessionIndex", d.newID())
	child(child(authn, "saml2:AuthnContext"), "saml2:AuthnContextClassRef").SetText(password)
	d.attributes(el)
	return el
}

func (d *draft) subject(parent *etree.Element) {
	subject := child(parent, "saml2:Subject")
	child(subject, "saml2:NameID", "Format", cmp.Or(d.p.NameIDFormat, email)).SetText(d.p.Subject)
	data := child(child(subject, "saml2:SubjectConfirmation", "Method", bearer), "saml2:SubjectConfirmationData")
	if d.p.RequestID != "" {
		data.CreateAttr("InResponseTo", d.p.RequestID)
	}
	data.CreateAttr("NotOnOrAfter", d.at(lifetime))
	data.CreateAttr("Recipient", d.p.Recipient)
}

func (d *draft) attributes(parent *etree.Element) {
	all := d.p.Attributes
	if d.p.IdentityAttribute != "" {
		all = slices.DeleteFunc(slices.Clone(all), func(a Attribute) bool { return a.Name == d.p.IdentityAttribute })
		all = append(all, Attribute{d.p.IdentityAttribute, []string{d.p.Subject}})
	}
	if len(all) == 0 {
		return
	}
	statement := child(parent, "saml2:AttributeStatement")
	for _, a := range all {
		d.attribute(statement, a)
	}
}

func (d *draft) attribute(statement *etree.Element, a Attribute) {
	el := child(statement, "saml2:Attribute", "Name", a.Name, "NameFormat", basic)
	for _, v := range a.Values {
		attrs := append(d.declaring("xmlns:xs", nsXS, "xmlns:xsi", nsXSI), "xsi:type", "xs:string")
		child(el, "saml2:AttributeValue", attrs...).SetText(v)
	}
}

// addAttribute adds an attribute to the assertion.
func (d *draft) addAttribute(name, value string) {
	if d.asrt.SelectElement("AttributeStatement") == nil {
		child(d.asrt, "saml2:AttributeStatement")
	}
	d.attribute(d.find("AttributeStatement"), Attribute{name, []string{value}})
}

// write returns a document as text. Carriage returns are escaped, so that a reader
// gets what was signed.
func (d *draft) write(tree *etree.Document) string {
	tree.WriteSettings.CanonicalText, tree.WriteSettings.CanonicalAttrVal = true, true
	text, err := tree.WriteToString()
	if err != nil {
		d.fail("writing the document: %w", err)
	}
	return text
}
