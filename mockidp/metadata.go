package mockidp

import (
	"encoding/base64"
	"strconv"

	"github.com/beevik/etree"
)

// Metadata is the identity provider's metadata for a SAML app, laid out as
// Okta lays it out, or as Entra ID does for an app with that profile: with a byte
// order mark, roles of WS-Federation, a key that doesn't sign yet, and a
// signature. "" is the first SAML app. It panics with an *Error if
// there is no such app, or no address yet: both are slips in a test.
func (s *Server) Metadata(appID string) []byte {
	st := s.state.Load()
	app, err := st.samlApp(appID)
	if err != nil {
		panic(err)
	}
	doc, werr := s.metadata(st, app)
	if werr != nil {
		panic(werr)
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
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText, doc.WriteSettings.CanonicalAttrVal = true, true
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	entity := doc.CreateElement("md:EntityDescriptor")
	entity.CreateAttr("entityID", app.Issuer)
	entity.CreateAttr("xmlns:md", nsMetadata)
	idp := entity.CreateElement("md:IDPSSODescriptor")
	idp.CreateAttr("WantAuthnRequestsSigned", strconv.FormatBool(app.SignedRequests))
	idp.CreateAttr("protocolSupportEnumeration", nsProtocol)
	for _, k := range keys {
		key := idp.CreateElement("md:KeyDescriptor")
		key.CreateAttr("use", "signing")
		info := key.CreateElement("ds:KeyInfo")
		info.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
		info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").
			SetText(base64.StdEncoding.EncodeToString(k.cert.Raw))
	}
	formats := []string{NameIDUnspecified, NameIDEmail}
	if app.NameIDFormat != NameIDUnspecified && app.NameIDFormat != NameIDEmail {
		formats = []string{app.NameIDFormat}
	}
	for _, f := range formats {
		idp.CreateElement("md:NameIDFormat").SetText(f)
	}
	for _, binding := range []string{bindingPOST, bindingRedirect} {
		sso := idp.CreateElement("md:SingleSignOnService")
		sso.CreateAttr("Binding", binding)
		sso.CreateAttr("Location", s.ssoURL(app))
	}
	doc.Indent(2)
	return doc.WriteToBytes()
}
