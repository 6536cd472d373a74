package mockidp

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"slices"
	"strings"
)

// maxMetadata bounds what RegisterSP reads.
const maxMetadata = 1 << 20

// RegisterSP configures a SAML app from its service provider's metadata. The entity ID becomes the Audience. The
// assertion consumer services for HTTP-POST become the ACS list, with their indexes and in their order, but with
// the default (SAML Metadata 2.4.4) first. In an app with IdentityCenter they fill the form, which has no indexes.
// The signing keys become RequestCertificates and the first RSA key for encryption becomes EncryptionCertificate,
// without switching SignedRequests or Encrypt on. If the metadata lists formats of NameIDs, and the app's NameIDFormat
// isn't among them, the first becomes the app's. Keys and formats that the metadata lacks stay unchanged.
func (s *Server) RegisterSP(appID string, spMetadata []byte) error {
	sp, perr := parseSPMetadata(spMetadata)
	if perr != nil {
		return perr
	}
	if _, err := s.state.Load().samlApp(appID); err != nil {
		return err
	}
	return s.UpdateApp(appID, func(a *App) error {
		a.Audience = sp.Audience
		if a.IdentityCenter != nil {
			a.IdentityCenter.IssuerURL = sp.Audience
		}
		if len(sp.RequestCertificates) > 0 {
			a.RequestCertificates = sp.RequestCertificates
		}
		a.EncryptionCertificate = cmp.Or(sp.EncryptionCertificate, a.EncryptionCertificate)
		a.NameIDFormat = sp.nameIDFormat(a.NameIDFormat)
		return a.setACS(sp.ACS)
	})
}

type spDescriptor struct {
	XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	EntityID string   `xml:"entityID,attr"`
	SP       []struct {
		Keys []struct {
			Use          string   `xml:"use,attr"`
			Certificates []string `xml:"http://www.w3.org/2000/09/xmldsig# KeyInfo>X509Data>X509Certificate"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata KeyDescriptor"`
		NameIDFormats []string `xml:"urn:oasis:names:tc:SAML:2.0:metadata NameIDFormat"`
		ACS           []struct {
			Binding  string  `xml:"Binding,attr"`
			Location string  `xml:"Location,attr"`
			Index    *uint16 `xml:"index,attr"`
			Default  *bool   `xml:"isDefault,attr"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata AssertionConsumerService"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:metadata SPSSODescriptor"`
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

func parseSPMetadata(doc []byte) (spSettings, *Error) {
	bad := func(detail string, err error) (spSettings, *Error) {
		return spSettings{}, &Error{Reason: ReasonMetadata, Detail: "the service provider's metadata " + detail, Err: err}
	}
	if len(doc) > maxMetadata {
		return bad("is over 1 MiB", nil)
	}
	var d spDescriptor
	if err := xml.Unmarshal(doc, &d); err != nil {
		return bad("is invalid", err)
	}
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
	out := spSettings{App: App{Audience: d.EntityID, ACS: list}}
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
