package mockidp

import (
	_ "embed"
	"encoding/xml"
	"slices"
	"strings"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
)

const (
	nsFederation = "http://docs.oasis-open.org/wsfed/federation/200706"
	nsAuth       = "http://docs.oasis-open.org/wsfed/authorization/200706"
	nsAddressing = "http://www.w3.org/2005/08/addressing"
)

// nextKey is a certificate whose private key doesn't exist. Entra ID publishes the key that it will sign with next, so
// service providers must try more than one.
//
//go:embed entra_next_key.txt
var nextKey string

// entraMetadata returns a tenant's metadata with those parts of Entra ID's that make readers fail: a byte order mark, two
// RoleDescriptors of WS-Federation before the IDPSSODescriptor, several keys in each, and a signature over all of it,
// with the key that signs for the app. There is no SingleLogoutService: the mock has none.
func (s *Server) entraMetadata(st *state, app *App) ([]byte, error) {
	k, kerr := st.signer(app)
	if kerr != nil {
		return nil, kerr
	}
	doc, err := metadataDocument(s.describeEntra(st, app), "utf-8")
	if err != nil {
		return nil, err
	}
	entity := doc.Root()
	layOutLikeEntra(entity)
	tenant := s.base() + "/" + st.tenant(app)
	roles := entity.SelectElements("RoleDescriptor")
	addTokenService(roles[0], tenant)
	endpoint(roles[1], "fed:TargetScopes", app.Issuer)
	endpoint(roles[1], "fed:ApplicationServiceEndpoint", tenant+"/wsfed")
	endpoint(roles[1], "fed:PassiveRequestorEndpoint", tenant+"/wsfed")

	sig, err := k.signature(entity)
	if err != nil {
		return nil, err
	}
	entity.InsertChildAt(0, sig)
	out, err := doc.WriteToBytes()
	return append([]byte(byteOrderMark), out...), err
}

// describeEntra adds two roles to describe that only xsi:type distinguishes, with the keys repeated in each
// (WS-Federation 1.2, 3.1.2).
func (s *Server) describeEntra(st *state, app *App) *crewjam.EntityDescriptor {
	entity := s.describe(app, st.keysFor(app))
	entity.ID = "_" + derivedGUID("metadata\x00"+app.Issuer)
	idp := &entity.IDPSSODescriptors[0]
	idp.KeyDescriptors = append(idp.KeyDescriptors, keyDescriptor(nextKey))
	idp.WantAuthnRequestsSigned, idp.NameIDFormats = nil, nil
	slices.Reverse(idp.SingleSignOnServices)
	for _, xsiType := range []string{"SecurityTokenServiceType", "ApplicationServiceType"} {
		entity.RoleDescriptors = append(entity.RoleDescriptors, crewjam.RoleDescriptor{
			XSIType:                    xml.Name{Space: nsFederation, Local: xsiType},
			ProtocolSupportEnumeration: nsFederation,
			KeyDescriptors:             idp.KeyDescriptors,
		})
	}
	return entity
}

// layOutLikeEntra keeps the default namespaces where Entra ID declares them, on the root and on KeyInfo, and gives that of
// WS-Federation the prefix fed.
func layOutLikeEntra(e *etree.Element) {
	if e.Tag != "EntityDescriptor" && e.Tag != "KeyInfo" {
		e.RemoveAttr("xmlns")
	}
	if e.Tag == "RoleDescriptor" {
		xsiType := e.SelectAttr("xsi:type")
		prefix, local, _ := strings.Cut(xsiType.Value, ":")
		xsiType.Value = "fed:" + local
		e.RemoveAttr("xmlns:" + prefix)
		e.CreateAttr("xmlns:fed", nsFederation)
	}
	for c := range e.ChildElementsSeq() {
		layOutLikeEntra(c)
	}
}

// addTokenService describes a token service of WS-Federation.
func addTokenService(role *etree.Element, tenant string) {
	claims := role.CreateElement("fed:ClaimTypesOffered")
	for _, c := range [][2]string{{"Name", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"},
		{"Subject", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"}} {
		add(add(claims, "auth:ClaimType", "xmlns:auth", nsAuth, "Uri", c[1]), "auth:DisplayName").SetText(c[0])
	}
	endpoint(role, "fed:SecurityTokenServiceEndpoint", tenant+"/wsfed")
	endpoint(role, "fed:PassiveRequestorEndpoint", tenant+"/wsfed")
}

func endpoint(role *etree.Element, name, address string) {
	reference := add(add(role, name), "wsa:EndpointReference", "xmlns:wsa", nsAddressing)
	add(reference, "wsa:Address").SetText(address)
}
