package mockidp

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
)

// Metadata returns the identity provider's metadata for a SAML app, with the layout of Okta's, or of Entra ID's for an
// app with that profile. "" is the first SAML app. It panics with an *Error if there is no such app, or no address yet:
// both are mistakes in a test.
func (s *Server) Metadata(appID string) []byte {
	doc, err := s.Snapshot().Metadata(appID, "")
	if err != nil {
		panic(err)
	}
	return doc
}

func (s *Server) handleMetadata(w http.ResponseWriter, r *http.Request) *Error {
	st := s.state.Load()
	app := st.byKey(r.PathValue("key"))
	if app == nil {
		return errorf(ReasonNoSuchApp, "no app has this metadata address")
	}
	return s.sendMetadata(w, st, app)
}

func (s *Server) sendMetadata(w http.ResponseWriter, st *state, app *App) *Error {
	doc, err := s.metadata(st, app)
	if err != nil {
		return internal("writing the metadata", err)
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml; charset=utf-8")
	_, _ = w.Write(doc)
	return nil
}

// metadata returns an EntityDescriptor with an IDPSSODescriptor (SAML Metadata 2.4.3) and all keys, the one that signs
// for the app first.
func (s *Server) metadata(st *state, app *App) ([]byte, error) {
	if app.Profile == Entra {
		return s.entraMetadata(st, app)
	}
	return s.oktaMetadata(app, st.keysFor(app))
}

func (s *Server) oktaMetadata(app *App, keys []*signingKey) ([]byte, error) {
	doc, err := metadataDocument(s.describe(app, keys), "UTF-8")
	if err != nil {
		return nil, err
	}
	layOutLikeOkta(doc.Root())
	doc.Indent(2)
	return doc.WriteToBytes()
}

// describe uses the types of crewjam/saml, not Meridian's: a mistake there can't cancel out one in Meridian's reader.
func (s *Server) describe(app *App, keys []*signingKey) *crewjam.EntityDescriptor {
	idp := crewjam.IDPSSODescriptor{WantAuthnRequestsSigned: &app.SignedRequests}
	idp.ProtocolSupportEnumeration = nsProtocol
	for _, k := range keys {
		idp.KeyDescriptors = append(idp.KeyDescriptors, keyDescriptor(base64.StdEncoding.EncodeToString(k.cert.Raw)))
	}
	idp.NameIDFormats = []crewjam.NameIDFormat{NameIDUnspecified, NameIDEmail}
	if app.NameIDFormat != NameIDUnspecified && app.NameIDFormat != NameIDEmail {
		idp.NameIDFormats = []crewjam.NameIDFormat{crewjam.NameIDFormat(app.NameIDFormat)}
	}
	idp.SingleSignOnServices = []crewjam.Endpoint{
		{Binding: bindingPOST, Location: s.ssoURL(app)},
		{Binding: bindingRedirect, Location: s.ssoURL(app)},
	}
	return &crewjam.EntityDescriptor{EntityID: app.Issuer, IDPSSODescriptors: []crewjam.IDPSSODescriptor{idp}}
}

func keyDescriptor(certificate string) crewjam.KeyDescriptor {
	key := crewjam.KeyDescriptor{Use: "signing"}
	key.KeyInfo.X509Data.X509Certificates = []crewjam.X509Certificate{{Data: certificate}}
	return key
}

// metadataDocument returns the output of encoding/xml, which declares a default namespace on nearly every element.
func metadataDocument(entity *crewjam.EntityDescriptor, encoding string) (*etree.Document, error) {
	out, err := xml.Marshal(entity)
	if err != nil {
		return nil, err
	}
	doc := canonical(etree.NewDocument())
	if err := doc.ReadFromBytes(out); err != nil {
		return nil, err
	}
	doc.InsertChildAt(0, etree.NewProcInst("xml", `version="1.0" encoding="`+encoding+`"`))
	return doc, nil
}

// layOutLikeOkta sets the prefixes and the order of attributes to Okta's.
func layOutLikeOkta(e *etree.Element) {
	for c := range e.ChildElementsSeq() {
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
