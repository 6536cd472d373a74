package portal

import (
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// spValues are what the SAML app at the identity provider asks for besides the ACS URLs.
type spValues struct {
	EntityID, MetadataURL string
	Certificates          []certificateRow
}

// certificateRow is a certificate in the service provider's metadata.
type certificateRow struct {
	ID  string // of its element
	Use string // "signing", "encryption", or "" for both
	PEM string
}

// spValues reads the certificates from the metadata, which has those that are published.
func (p *Portal) spValues(r *http.Request) spValues {
	out := spValues{EntityID: p.cfg.SP.EntityID()}
	if at := p.place(r).origin(); at != "" {
		out.MetadataURL = at + PathMetadata
	}
	var metadata struct {
		Keys []struct {
			Use         string `xml:"use,attr"`
			Certificate string `xml:"KeyInfo>X509Data>X509Certificate"`
		} `xml:"SPSSODescriptor>KeyDescriptor"`
	}
	raw, err := p.cfg.SP.Metadata()
	if err == nil {
		err = xml.Unmarshal(raw, &metadata)
	}
	if err != nil {
		p.log.ErrorContext(r.Context(), "portal: metadata not read", "cause", err.Error())
	}
	for i, key := range metadata.Keys {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(key.Certificate), ""))
		if err == nil && len(der) > 0 {
			text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
			out.Certificates = append(out.Certificates, certificateRow{fmt.Sprintf("certificate-%d", i), key.Use, string(text)})
		}
	}
	return out
}
