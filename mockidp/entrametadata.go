package mockidp

import (
	"encoding/base64"

	"github.com/beevik/etree"
)

const (
	nsFederation = "http://docs.oasis-open.org/wsfed/federation/200706"
	nsAuth       = "http://docs.oasis-open.org/wsfed/authorization/200706"
	nsAddressing = "http://www.w3.org/2005/08/addressing"
)

// nextKey is a certificate whose key was thrown away when it was made. Entra ID
// publishes the key that it will sign with next, and service providers have to
// try more than one.
const nextKey = "" +
	"MIIDETCCAfmgAwIBAgIUCJUrjflwxaiGrOmXQTY3Bkysh2swDQYJKoZIhvcNAQELBQAwGDEWMBQG" +
	"A1UEAwwNQSBrZXkgdG8gY29tZTAeFw0yNjExMjgxNjQ0MzBaFw00NjExMjMxNjQ0MzBaMBgxFjAU" +
	"BgNVBAMMDUEga2V5IHRvIGNvbWUwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCroHJ+" +
	"K0o4Sf2ohLuv+Phntv0ZRPzlEJuysS0U5et/4qQzZVmaoWQg1lxgSW0DLFZYc5ex9vVnxvtbxlYD" +
	"lNr14UtSJn87iQ0+yv0SkGj5TdyGsFQZBsx8s6pskQxOC2ne4F0EcQYwggZZAB3ggil9DB/BfZtr" +
	"sq9BQTFaJzRL+0TCIWl5jWe58daLS/rRr/VbhgQf1pbcaPlFWU/zKUvLdn5Y9KLod6Gq94nw6ruZ" +
	"BCCDceCuebXGRwm3BmC33iJ+rNmWLPv6JPqduD7Sg6j5/1eqJn8kvfFKaQAnXXV2qCI6p/P8C7c1" +
	"4Pxc40bqVbxCBCbOoGjGAY4Og0CIsCaPAgMBAAGjUzBRMB0GA1UdDgQWBBTt1EnoMl6J+xUwjp5b" +
	"+G4A+nthDTAfBgNVHSMEGDAWgBTt1EnoMl6J+xUwjp5b+G4A+nthDTAPBgNVHRMBAf8EBTADAQH/" +
	"MA0GCSqGSIb3DQEBCwUAA4IBAQAJOOrrO7LURYsgPAvueOV8BCnfkmnw6pUgq2Ln25UujfSdihMP" +
	"/GNRDrIWNPFYQX3PvI3B1/nkyWcjD0NXAB3SVNaNjQYtBGebBDuBxfxrB3mzPQ+aAVmE2VnfyoyL" +
	"D9Y0LWpW/4A+LPMOZbXDvl8dVn+zhzskbnk9J+9oyWfqXhCLdS0RNYOQYmBDZfvGqcwondpraf62" +
	"tc9YFBpnktQRBKIsMfGIjlkGS3vU0H+lmLk2npE4F0t6hobDMUgqFTeY/mmiL6eNDn5dhV43KeE3" +
	"lf0LSS4zbXSRp+t0o8p8Ykbfyi9/s1+FtD0wHaoIDSzifJCjFgJDH7dqmYyCIwS4"

// entraMetadata is a tenant's metadata with what in Entra ID's makes readers
// fail: a byte order mark, two RoleDescriptors of WS-Federation before the
// IDPSSODescriptor, several keys in each, and a signature over it all, which is
// made with the key that signs for the app. There is no SingleLogoutService:
// the mock has none.
func (s *Server) entraMetadata(st *state, app *App) ([]byte, error) {
	k, kerr := st.signer(app)
	if kerr != nil {
		return nil, kerr
	}
	entity := etree.NewElement("EntityDescriptor")
	entity.CreateAttr("ID", "_"+derivedGUID("metadata\x00"+app.Issuer))
	entity.CreateAttr("entityID", app.Issuer)
	entity.CreateAttr("xmlns", nsMetadata)
	tenant := s.base() + "/" + st.tenant(app)
	keys := st.keysFor(app)
	tokens := federationRole(entity, "fed:SecurityTokenServiceType", keys)
	claims := tokens.CreateElement("fed:ClaimTypesOffered")
	for _, c := range [][2]string{{"Name", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"},
		{"Subject", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"}} {
		claim := claims.CreateElement("auth:ClaimType")
		claim.CreateAttr("xmlns:auth", nsAuth)
		claim.CreateAttr("Uri", c[1])
		claim.CreateElement("auth:DisplayName").SetText(c[0])
	}
	endpoint(tokens, "fed:SecurityTokenServiceEndpoint", tenant+"/wsfed")
	endpoint(tokens, "fed:PassiveRequestorEndpoint", tenant+"/wsfed")
	application := federationRole(entity, "fed:ApplicationServiceType", keys)
	endpoint(application, "fed:TargetScopes", app.Issuer)
	endpoint(application, "fed:ApplicationServiceEndpoint", tenant+"/wsfed")
	endpoint(application, "fed:PassiveRequestorEndpoint", tenant+"/wsfed")

	idp := entity.CreateElement("IDPSSODescriptor")
	idp.CreateAttr("protocolSupportEnumeration", nsProtocol)
	entraKeys(idp, keys)
	for _, binding := range []string{bindingRedirect, bindingPOST} {
		sso := idp.CreateElement("SingleSignOnService")
		sso.CreateAttr("Binding", binding)
		sso.CreateAttr("Location", s.ssoURL(app))
	}

	sig, err := k.signature(entity)
	if err != nil {
		return nil, err
	}
	entity.InsertChildAt(0, sig)
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText, doc.WriteSettings.CanonicalAttrVal = true, true
	doc.CreateProcInst("xml", `version="1.0" encoding="utf-8"`)
	doc.AddChild(entity)
	out, err := doc.WriteToBytes()
	return append([]byte(byteOrderMark), out...), err
}

// federationRole is a role that only xsi:type tells apart, with the keys
// repeated (WS-Federation 1.2, 3.1.2).
func federationRole(entity *etree.Element, xsiType string, keys []*signingKey) *etree.Element {
	role := entity.CreateElement("RoleDescriptor")
	role.CreateAttr("xsi:type", xsiType)
	role.CreateAttr("protocolSupportEnumeration", nsFederation)
	role.CreateAttr("xmlns:xsi", nsXSI)
	role.CreateAttr("xmlns:fed", nsFederation)
	entraKeys(role, keys)
	return role
}

func entraKeys(role *etree.Element, keys []*signingKey) {
	add := func(certificate string) {
		key := role.CreateElement("KeyDescriptor")
		key.CreateAttr("use", "signing")
		info := key.CreateElement("KeyInfo")
		info.CreateAttr("xmlns", nsSignature)
		info.CreateElement("X509Data").CreateElement("X509Certificate").SetText(certificate)
	}
	for _, k := range keys {
		add(base64.StdEncoding.EncodeToString(k.cert.Raw))
	}
	add(nextKey)
}

func endpoint(role *etree.Element, name, address string) {
	reference := role.CreateElement(name).CreateElement("wsa:EndpointReference")
	reference.CreateAttr("xmlns:wsa", nsAddressing)
	reference.CreateElement("wsa:Address").SetText(address)
}
