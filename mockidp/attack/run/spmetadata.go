package run

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// spMetadata is what the tool reads in a service provider's metadata (SAML Metadata 2.4.4).
type spMetadata struct {
	XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	EntityID string   `xml:"entityID,attr"`
	SP       []struct {
		Keys []struct {
			Use          string   `xml:"use,attr"`
			Certificates []string `xml:"http://www.w3.org/2000/09/xmldsig# KeyInfo>X509Data>X509Certificate"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata KeyDescriptor"`
		Discovery []struct {
			Location string `xml:"Location,attr"`
		} `xml:"Extensions>DiscoveryResponse"`
		Logout []struct {
			Binding  string `xml:"Binding,attr"`
			Location string `xml:"Location,attr"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata SingleLogoutService"`
		ACS []struct {
			Binding  string `xml:"Binding,attr"`
			Location string `xml:"Location,attr"`
			Default  string `xml:"isDefault,attr"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata AssertionConsumerService"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:metadata SPSSODescriptor"`
}

const (
	bindings    = "urn:oasis:names:tc:SAML:2.0:bindings:"
	bindingPOST = bindings + "HTTP-POST"
)

func readSPMetadata(doc []byte) (*spMetadata, error) {
	m := new(spMetadata)
	if err := xml.Unmarshal(doc, m); err != nil {
		return nil, fmt.Errorf("the service provider's metadata: %w", err)
	}
	if m.EntityID == "" || len(m.SP) != 1 {
		return nil, errors.New("the service provider's metadata must have an entityID and one SPSSODescriptor")
	}
	if len(m.acs()) == 0 {
		return nil, errors.New("the service provider's metadata has no AssertionConsumerService for HTTP-POST")
	}
	return m, nil
}

// acs lists the URLs for HTTP-POST, the default first.
func (m *spMetadata) acs() []string {
	var out []string
	for _, a := range m.SP[0].ACS {
		switch location := strings.TrimSpace(a.Location); {
		case strings.TrimSpace(a.Binding) != bindingPOST:
		case a.Default == "true" || a.Default == "1":
			out = slices.Insert(out, 0, location)
		default:
			out = append(out, location)
		}
	}
	return out
}

// artifactACS returns the first URL for HTTP-Artifact, or "".
func (m *spMetadata) artifactACS() string {
	for _, a := range m.SP[0].ACS {
		if strings.TrimSpace(a.Binding) == bindings+"HTTP-Artifact" {
			return strings.TrimSpace(a.Location)
		}
	}
	return ""
}

// encryptTo returns the first RSA key for encryption, or nil.
func (m *spMetadata) encryptTo() *rsa.PublicKey {
	for _, k := range m.SP[0].Keys {
		if k.Use == "signing" {
			continue
		}
		for _, text := range k.Certificates {
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
			if err != nil {
				continue
			}
			if c, err := x509.ParseCertificate(der); err == nil {
				if key, ok := c.PublicKey.(*rsa.PublicKey); ok {
					return key
				}
			}
		}
	}
	return nil
}

// logout returns the first address for logout by each binding, or nil.
func (m *spMetadata) logout() map[attack.LogoutBinding]string {
	var out map[attack.LogoutBinding]string
	for _, s := range m.SP[0].Logout {
		for _, b := range []attack.LogoutBinding{attack.ByRedirect, attack.ByPOST, attack.BySOAP} {
			if strings.TrimSpace(s.Binding) != bindings+b.String() || out[b] != "" {
				continue
			}
			if out == nil {
				out = make(map[attack.LogoutBinding]string)
			}
			out[b] = strings.TrimSpace(s.Location)
		}
	}
	return out
}

// UseMetadata sets EntityID, ACS, OtherACS, ArtifactACS, EncryptTo, Discovery and Logout to those of a service
// provider's metadata, where they are empty.
func (t *Target) UseMetadata(doc []byte) error {
	m, err := readSPMetadata(doc)
	if err != nil {
		return &attack.Error{Rule: "target", Detail: reason(err)}
	}
	t.use(m)
	return nil
}

func (t *Target) use(m *spMetadata) {
	t.EntityID = cmp.Or(t.EntityID, m.EntityID)
	all := m.acs()
	t.ACS = cmp.Or(t.ACS, all[0])
	if at := slices.IndexFunc(all, func(u string) bool { return u != t.ACS }); at >= 0 {
		t.OtherACS = cmp.Or(t.OtherACS, all[at])
	}
	t.ArtifactACS = cmp.Or(t.ArtifactACS, m.artifactACS())
	t.EncryptTo = cmp.Or(t.EncryptTo, m.encryptTo())
	if len(t.Logout) == 0 {
		t.Logout = m.logout()
	}
	if all := m.SP[0].Discovery; len(all) > 0 {
		t.Discovery = cmp.Or(t.Discovery, strings.TrimSpace(all[0].Location))
	}
}

// Fetch reads a page of the service provider, such as its metadata, by the rules of a run: it connects to this machine
// and AllowHosts only.
func (t Target) Fetch(ctx context.Context, from string) ([]byte, error) {
	r, err := t.runner()
	if err != nil {
		return nil, err
	}
	defer r.transport.CloseIdleConnections()
	r.addSite(from)
	p, err := r.newBrowser().get(ctx, from)
	if err != nil {
		return nil, err
	}
	if p.status != http.StatusOK || p.leaving != nil {
		return nil, fmt.Errorf("%s answers with status %d", p.url.Redacted(), p.status)
	}
	return []byte(p.body), nil
}
