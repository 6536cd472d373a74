package mockidp

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"slices"
	"strings"
)

// Bounds of RegisterSP and AddSP.
const (
	maxMetadata = 1 << 20
	maxApps     = 1000 // in all, for what AddSP adds
)

// spDocument is an EntityDescriptor, or an EntitiesDescriptor of several (SAML Metadata 2.3).
type spDocument struct {
	XMLName xml.Name
	spEntity
	Entities []spEntity   `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	Groups   []spDocument `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntitiesDescriptor"`
}

type spEntity struct {
	EntityID string `xml:"entityID,attr"`
	SP       []struct {
		// DisplayNames are of mdui:UIInfo.
		DisplayNames []localName `xml:"Extensions>UIInfo>DisplayName"`
		Keys         []struct {
			Use          string   `xml:"use,attr"`
			Certificates []string `xml:"http://www.w3.org/2000/09/xmldsig# KeyInfo>X509Data>X509Certificate"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata KeyDescriptor"`
		Logout []struct {
			Binding          string `xml:"Binding,attr"`
			Location         string `xml:"Location,attr"`
			ResponseLocation string `xml:"ResponseLocation,attr"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata SingleLogoutService"`
		NameIDFormats []string `xml:"urn:oasis:names:tc:SAML:2.0:metadata NameIDFormat"`
		ACS           []struct {
			Binding  string  `xml:"Binding,attr"`
			Location string  `xml:"Location,attr"`
			Index    *uint16 `xml:"index,attr"`
			Default  *bool   `xml:"isDefault,attr"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata AssertionConsumerService"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:metadata SPSSODescriptor"`
	Organization struct {
		DisplayNames []localName `xml:"urn:oasis:names:tc:SAML:2.0:metadata OrganizationDisplayName"`
		Names        []localName `xml:"urn:oasis:names:tc:SAML:2.0:metadata OrganizationName"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:metadata Organization"`
}

// spSettings are the settings that an app takes from metadata.
type spSettings struct {
	App
	nameIDFormats []string
}

// nameIDFormat returns the format that an app should send: the one it has, if the service provider supports it (SAML
// Metadata 2.4.2), else the first that the service provider lists.
func (sp spSettings) nameIDFormat(has string) string {
	formats := slices.DeleteFunc(slices.Clone(sp.nameIDFormats), func(f string) bool { return f == nameIDEncrypted })
	if len(formats) == 0 || slices.Contains(formats, has) || slices.Contains(formats, NameIDUnspecified) {
		return has
	}
	return formats[0]
}

// localName is a name in a language.
type localName struct {
	Lang string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Text string `xml:",chardata"`
}

const nsMetadata = "urn:oasis:names:tc:SAML:2.0:metadata"

func badMetadata(detail string, err error) *Error {
	return &Error{Reason: ReasonMetadata, Detail: "the service provider's metadata " + detail, Err: err}
}

// parseSPs returns the service providers in metadata in order. Other entities are left out.
func parseSPs(doc []byte) ([]spSettings, *Error) {
	if len(doc) > maxMetadata {
		return nil, badMetadata("is over 1 MiB", nil)
	}
	var d spDocument
	if err := xml.Unmarshal(doc, &d); err != nil {
		return nil, badMetadata("is invalid", err)
	}
	var entities []spEntity
	switch d.XMLName {
	case xml.Name{Space: nsMetadata, Local: "EntityDescriptor"}:
		entities = []spEntity{d.spEntity}
	case xml.Name{Space: nsMetadata, Local: "EntitiesDescriptor"}:
		entities = d.all()
	default:
		return nil, badMetadata("holds another element: "+quote(d.XMLName.Local), nil)
	}
	var out []spSettings
	for _, e := range entities {
		if len(e.SP) == 0 {
			continue
		}
		a, err := e.app()
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(b spSettings) bool { return b.Audience == a.Audience }) {
			return nil, badMetadata("has the entity ID "+quote(a.Audience)+" twice", nil)
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, badMetadata("must have an EntityDescriptor with an SPSSODescriptor", nil)
	}
	if len(out) > maxApps {
		return nil, badMetadata("has over "+itoa(maxApps)+" service providers", nil)
	}
	return out, nil
}

func (d *spDocument) all() []spEntity {
	out := slices.Clone(d.Entities)
	for i := range d.Groups {
		out = append(out, d.Groups[i].all()...)
	}
	return out
}

// app returns the settings that an app takes from metadata.
func (d *spEntity) app() (spSettings, *Error) {
	bad := func(detail string, err error) (spSettings, *Error) { return spSettings{}, badMetadata(detail, err) }
	if d.EntityID == "" || len(d.SP) != 1 {
		return bad("must have an entityID and one SPSSODescriptor", nil)
	}
	var list []ACS
	var flags []*bool
	for _, x := range d.SP[0].ACS {
		if x.Binding != bindingPOST {
			continue
		}
		if x.Index == nil { // required by the schema, but often missing
			x.Index = new(uint16(len(list)))
		}
		list, flags = append(list, ACS{URL: x.Location, Index: x.Index}), append(flags, x.Default)
	}
	if len(list) == 0 {
		return bad("has no AssertionConsumerService for HTTP-POST", nil)
	}
	// The first isDefault="true"; else the first without isDefault; else the first.
	at := slices.IndexFunc(flags, func(f *bool) bool { return f != nil && *f })
	if at < 0 {
		at = max(0, slices.Index(flags, nil))
	}
	def := list[at]
	list = slices.Insert(slices.Delete(list, at, at+1), 0, def)
	if _, err := numberedACS(list, Okta); err != nil {
		return bad("has an invalid list of assertion consumer services", err)
	}
	out := spSettings{App: App{Label: d.label(), Audience: d.EntityID, ACS: list}}
	for _, x := range d.SP[0].Logout { // the first for browsers, and the first for SOAP
		switch browser := x.Binding == bindingRedirect || x.Binding == bindingPOST; {
		case browser && out.LogoutURL == "":
			out.LogoutURL, out.LogoutResponseURL = x.Location, x.ResponseLocation
			if x.Binding == bindingPOST {
				out.LogoutBinding = LogoutPOST
			}
		case x.Binding == bindingSOAP && out.LogoutSOAPURL == "":
			out.LogoutSOAPURL = x.Location
		}
	}
	for _, f := range d.SP[0].NameIDFormats {
		out.nameIDFormats = append(out.nameIDFormats, strings.TrimSpace(f))
	}
	for _, k := range d.SP[0].Keys {
		for _, text := range k.Certificates {
			if err := out.addSPKey(k.Use, text); err != nil {
				return bad("has an invalid certificate", err)
			}
		}
	}
	return out, nil
}

// label returns a name for users: of UIInfo, else of the organisation, else the entity ID.
func (d *spEntity) label() string {
	for _, list := range [][]localName{d.SP[0].DisplayNames, d.Organization.DisplayNames, d.Organization.Names} {
		if len(list) == 0 {
			continue
		}
		at := max(0, slices.IndexFunc(list, func(n localName) bool { return strings.EqualFold(n.Lang, "en") }))
		if name := shortLabel(list[at].Text); name != "" {
			return name
		}
	}
	return shortLabel(d.EntityID)
}

// shortLabel returns text that fits App.Label.
func shortLabel(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most-len("…")], "") + "…"
	}
	return s
}

// addSPKey adds a certificate (SAML Metadata 2.4.1.1: without a use it is for both). It ignores unsupported keys.
func (a *App) addSPKey(use, text string) error {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	rsaKey, isRSA := cert.PublicKey.(*rsa.PublicKey)
	_, isECDSA := cert.PublicKey.(*ecdsa.PublicKey)
	if use != "encryption" && (isRSA || isECDSA) {
		a.RequestCertificates = append(a.RequestCertificates, cert)
	}
	if use != "signing" && isRSA && rsaKey.N.BitLen() >= 1024 && a.EncryptionCertificate == nil {
		a.EncryptionCertificate = cert
	}
	return nil
}
