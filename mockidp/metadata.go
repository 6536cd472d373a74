package mockidp

import (
	"bytes"
	"crypto/x509"
	_ "embed"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
)

// Metadata returns the identity provider's metadata for a SAML app, with the layout of Okta's, or of Entra ID's for an
// app with that profile. It panics with an *Error if there is no such app, and before the address is known.
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

// handleFirstMetadata sends the metadata of the first SAML app, for the many configurations that have one.
func (s *Server) handleFirstMetadata(w http.ResponseWriter, _ *http.Request) *Error {
	st := s.state.Load()
	app, err := st.samlApp("")
	if err != nil {
		return err
	}
	return s.sendMetadata(w, st, app)
}

func (s *Server) sendMetadata(w http.ResponseWriter, st *state, app *App) *Error {
	doc, err := s.metadata(st, app)
	if err != nil {
		return internal("writing the metadata", err)
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml; charset=utf-8")
	w.Header().Set("Content-Disposition", `inline; filename="`+fileName(app, "metadata.xml")+`"`)
	_, _ = w.Write(doc)
	return nil
}

// metadata returns an EntityDescriptor with an IDPSSODescriptor (SAML Metadata 2.4.3) and all keys, the one that
// signs for the app first. Meridian's other packages don't write it, so that a mistake in their reader is not
// hidden by the same mistake here.
func (s *Server) metadata(st *state, app *App) ([]byte, error) {
	if app.Profile == Entra {
		return s.entraMetadata(st, app)
	}
	return s.oktaMetadata(app, st.keysFor(app))
}

// oktaMetadata writes metadata with the types of crewjam/saml, in Okta's layout.
func (s *Server) oktaMetadata(app *App, keys []*signingKey) ([]byte, error) {
	idp := crewjam.IDPSSODescriptor{WantAuthnRequestsSigned: &app.SignedRequests}
	idp.ProtocolSupportEnumeration = nsProtocol
	for _, c := range certificates(keys) {
		idp.KeyDescriptors = append(idp.KeyDescriptors, keyDescriptor("signing", c))
	}
	signing := idp.KeyDescriptors
	if app.EncryptedNameIDs {
		isRSA := func(k *signingKey) bool { return k.cert.PublicKeyAlgorithm == x509.RSA }
		if i := slices.IndexFunc(keys, isRSA); i >= 0 {
			idp.KeyDescriptors = append(idp.KeyDescriptors, keyDescriptor("encryption", certificates(keys[i : i+1])[0]))
		}
	}
	idp.NameIDFormats = []crewjam.NameIDFormat{NameIDUnspecified, NameIDEmail}
	if format := crewjam.NameIDFormat(app.NameIDFormat); !slices.Contains(idp.NameIDFormats, format) {
		idp.NameIDFormats = []crewjam.NameIDFormat{format}
	}
	for _, binding := range []string{bindingPOST, bindingRedirect} {
		endpoint := crewjam.Endpoint{Binding: binding, Location: s.ssoURL(app)}
		idp.SingleSignOnServices = append(idp.SingleSignOnServices, endpoint)
	}
	if app.ResponseBinding != ResponsePOST {
		idp.SSODescriptor.ArtifactResolutionServices = []crewjam.IndexedEndpoint{
			{Binding: bindingSOAP, Location: s.artifactURL(app), Index: ArtifactIndex, IsDefault: new(true)}}
	}
	if app.LogoutURL != "" {
		for _, binding := range []string{bindingPOST, bindingRedirect} {
			endpoint := crewjam.Endpoint{Binding: binding, Location: s.logoutURL(app)}
			idp.SingleLogoutServices = append(idp.SingleLogoutServices, endpoint)
		}
	}
	if app.LogoutSOAPURL != "" {
		endpoint := crewjam.Endpoint{Binding: bindingSOAP, Location: s.logoutSOAPURL(app)}
		idp.SingleLogoutServices = append(idp.SingleLogoutServices, endpoint)
	}
	roles := []crewjam.IDPSSODescriptor{idp}
	entity := crewjam.EntityDescriptor{EntityID: app.Issuer, IDPSSODescriptors: roles}
	if app.AttributeQueries {
		authority := crewjam.AttributeAuthorityDescriptor{NameIDFormats: idp.NameIDFormats,
			AttributeServices: []crewjam.Endpoint{{Binding: bindingSOAP, Location: s.attributesURL(app)}}}
		authority.ProtocolSupportEnumeration, authority.KeyDescriptors = nsProtocol, signing
		entity.AttributeAuthorityDescriptors = []crewjam.AttributeAuthorityDescriptor{authority}
	}
	out, err := xml.Marshal(&entity)
	if err != nil {
		return nil, err
	}
	doc := canonical(etree.NewDocument())
	if err := doc.ReadFromBytes(out); err != nil {
		return nil, err
	}
	doc.InsertChildAt(0, etree.NewProcInst("xml", `version="1.0" encoding="UTF-8"`))
	layOutLikeOkta(doc.Root())
	doc.Indent(2)
	return doc.WriteToBytes()
}

func keyDescriptor(use, certificate string) crewjam.KeyDescriptor {
	key := crewjam.KeyDescriptor{Use: use}
	key.KeyInfo.X509Data.X509Certificates = []crewjam.X509Certificate{{Data: certificate}}
	return key
}

// layOutLikeOkta gives elements the prefixes and attributes the order that Okta's have. encoding/xml declares a default
// namespace on nearly every element.
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
		e.CreateAttr("xmlns:md", "urn:oasis:names:tc:SAML:2.0:metadata")
	case "KeyInfo":
		e.CreateAttr("xmlns:ds", nsSignature)
	}
}

func certificates(keys []*signingKey) []string {
	var out []string
	for _, k := range keys {
		out = append(out, base64.StdEncoding.EncodeToString(k.cert.Raw))
	}
	return out
}

// nextKey is a certificate whose private key doesn't exist. Entra ID publishes the key that it will sign with next, so
// service providers must try more than one.
//
//go:embed entra_next_key.txt
var nextKey string

// entraMetadata returns a tenant's metadata with the parts of Entra ID's metadata on which some readers fail: a
// byte order mark, two RoleDescriptors of WS-Federation (1.2, 3.1.2) before the IDPSSODescriptor, several keys in
// each, and a signature over all of it, with the key that signs for the app. A SingleLogoutService is
// there for an app with single logout, by HTTP-Redirect only, as at Entra ID; its address isn't Entra ID's.
func (s *Server) entraMetadata(st *state, app *App) ([]byte, error) {
	k, kerr := st.signer(app)
	if kerr != nil {
		return nil, kerr
	}
	data := map[string]any{"Issuer": app.Issuer, "SSO": s.ssoURL(app), "SLO": "",
		"ID": "_" + derivedGUID("metadata\x00"+app.Issuer), "WSFed": s.base() + "/" + st.entraTenant(app) + "/wsfed",
		"Certificates": append(certificates(st.keysFor(app)), nextKey)}
	if app.LogoutURL != "" {
		data["SLO"] = s.logoutURL(app)
	}
	doc, err := newDocument("entra-metadata", data)
	if err != nil {
		return nil, err
	}
	sig, err := k.signature(doc.Root())
	if err != nil {
		return nil, err
	}
	doc.Root().InsertChildAt(0, sig)
	out, err := doc.WriteToBytes()
	return append([]byte(byteOrderMark), out...), err
}

// documents holds the templates of the XML documents that the Server writes. Each value in them passes through xml,
// which escapes it; a test checks that. Line breaks and indentation are for readers of the templates, and not sent.
var documents = parseDocuments()

var indentation = regexp.MustCompile(`\n\s*`)

func parseDocuments() *template.Template {
	set := template.New("").Option("missingkey=error").Funcs(template.FuncMap{"xml": escapeXML})
	for _, name := range []string{"response", "encrypted", "entra-metadata", "logout-request", "logout-response",
		"artifact-response"} {
		text, err := embedded.ReadFile("templates/" + name + ".xml")
		if err != nil {
			panic("mockidp: " + err.Error()) // the folder is compiled in
		}
		template.Must(set.New(name).Parse(indentation.ReplaceAllString(string(text), "")))
	}
	return set
}

func escapeXML(v any) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, fmt.Append(nil, v))
	return b.String(), err
}

func newDocument(name string, data any) (*etree.Document, error) {
	var b bytes.Buffer
	if err := documents.ExecuteTemplate(&b, name, data); err != nil {
		return nil, err
	}
	doc := canonical(etree.NewDocument())
	return doc, doc.ReadFromBytes(b.Bytes())
}

// canonical makes a document escape carriage returns too, so that a reader gets exactly what was signed.
func canonical(doc *etree.Document) *etree.Document {
	doc.WriteSettings.CanonicalText, doc.WriteSettings.CanonicalAttrVal = true, true
	return doc
}
