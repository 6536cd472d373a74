package mockidp

import (
	"encoding/base64"
	"encoding/xml"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
)

// Metadata is the identity provider's metadata for a SAML app, laid out as Okta
// lays it out, or as Entra ID does for an app with that profile. "" is the first
// SAML app. It panics with an *Error if there is no such app, or no address yet:
// both are slips in a test.
func (s *Server) Metadata(appID string) []byte {
	doc, err := s.Snapshot().Metadata(appID, "")
	if err != nil {
		panic(err)
	}
	return doc
}

// metadata is an EntityDescriptor with an IDPSSODescriptor (SAML Metadata
// 2.4.3), in which every key is published, the one that signs for the app first.
func (s *Server) metadata(st *state, app *App) ([]byte, error) {
	if app.Profile == Entra {
		return s.entraMetadata(st, app)
	}
	return s.metadataOf(app, st.keysFor(app))
}

func (s *Server) metadataOf(app *App, keys []*signingKey) ([]byte, error) {
	doc, err := metadataDocument(s.describe(app, keys), "UTF-8")
	if err != nil {
		return nil, err
	}
	layOutLikeOkta(doc.Root())
	doc.Indent(2)
	return doc.WriteToBytes()
}

// describe says it with the types of crewjam/saml, not with Meridian's: a
// mistake there can't cancel out one in the reader.
func (s *Server) describe(app *App, keys []*signingKey) *crewjam.EntityDescriptor {
	idp := crewjam.IDPSSODescriptor{WantAuthnRequestsSigned: &app.SignedRequests}
	idp.ProtocolSupportEnumeration = nsProtocol
	for _, k := range keys {
		idp.KeyDescriptors = append(idp.KeyDescriptors, keyDescriptor(base64.StdEncoding.EncodeToString(k.cert.Raw)))
	}
	formats := []string{NameIDUnspecified, NameIDEmail}
	if app.NameIDFormat != NameIDUnspecified && app.NameIDFormat != NameIDEmail {
		formats = []string{app.NameIDFormat}
	}
	for _, f := range formats {
		idp.NameIDFormats = append(idp.NameIDFormats, crewjam.NameIDFormat(f))
	}
	for _, binding := range []string{bindingPOST, bindingRedirect} {
		idp.SingleSignOnServices = append(idp.SingleSignOnServices, crewjam.Endpoint{Binding: binding, Location: s.ssoURL(app)})
	}
	return &crewjam.EntityDescriptor{EntityID: app.Issuer, IDPSSODescriptors: []crewjam.IDPSSODescriptor{idp}}
}

func keyDescriptor(certificate string) crewjam.KeyDescriptor {
	key := crewjam.KeyDescriptor{Use: "signing"}
	key.KeyInfo.X509Data.X509Certificates = []crewjam.X509Certificate{{Data: certificate}}
	return key
}

// metadataDocument is what encoding/xml makes of a description, ready to be laid
// out: it declares a default namespace on nearly every element.
func metadataDocument(entity *crewjam.EntityDescriptor, encoding string) (*etree.Document, error) {
	out, err := xml.Marshal(entity)
	if err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(out); err != nil {
		return nil, err
	}
	doc.WriteSettings.CanonicalText, doc.WriteSettings.CanonicalAttrVal = true, true
	doc.InsertChildAt(0, etree.NewProcInst("xml", `version="1.0" encoding="`+encoding+`"`))
	return doc, nil
}

// layOutLikeOkta gives elements the prefixes and attributes the order that
// Okta's have.
func layOutLikeOkta(e *etree.Element) {
	for _, c := range e.ChildElements() {
		layOutLikeOkta(c) // while e's declaration is still there
	}
	prefix := "md"
	if e.NamespaceURI() == nsSignature {
		prefix = "ds"
	}
	e.Space = prefix
	e.RemoveAttr("xmlns")
	e.SortAttrs()
	switch e.Tag {
	case "EntityDescriptor":
		e.CreateAttr("xmlns:md", nsMetadata)
	case "KeyInfo":
		e.CreateAttr("xmlns:ds", nsSignature)
	}
}
