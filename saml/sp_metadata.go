package saml

import (
	"crypto/x509"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
)

const nsSignature = "http://www.w3.org/2000/09/xmldsig#"

// Metadata returns this service provider's metadata (Metadata 2.4.4): one
// SPSSODescriptor with every ACS URL in order, for HTTP-POST, and then those that take
// artifacts again, for HTTP-Artifact. Only the first has isDefault="true". Give the
// metadata to the identity provider, or enter the same URLs there in the same order.
//
// It always has a cacheDuration, and a validUntil only with
// Config.MetadataValidity. The root element is in exclusive canonical form. With
// Config.SignMetadata it is signed, at most once a minute for one list of ACS URLs.
func (sp *ServiceProvider) Metadata() ([]byte, error) {
	list, now := sp.acs.Load(), sp.cfg.Now()
	root := ""
	if sp.cfg.SignMetadata {
		var err error
		if root, err = sp.signedMetadata(list, now); err != nil {
			return nil, err
		}
	} else {
		root = sp.writeMetadata(list, now, "", "")
	}
	return []byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + root + "\n"), nil
}

// writeMetadata returns the EntityDescriptor. An empty ID or signature is left out.
func (sp *ServiceProvider) writeMetadata(list *acsList, now time.Time, id, signature string) string {
	w := metadataWriter{cfg: &sp.cfg, id: id, signature: signature, logoutURL: sp.PublishedLogoutURL()}
	w.entity(list.all, now)
	return w.String()
}

// metadataWriter writes metadata in canonical form, with a line for each element:
// attributes are in order, and no prefix is declared twice.
type metadataWriter struct {
	canonicalWriter
	cfg           *Config
	id, signature string // of the root
	logoutURL     string // empty: none
	depth         int
}

func (w *metadataWriter) line() { w.WriteString("\n" + strings.Repeat("  ", w.depth)) }

// open writes a start tag, which close ends.
func (w *metadataWriter) open(name string, attributes ...attribute) {
	if w.depth > 0 {
		w.line()
	}
	w.start(name, attributes...)
	w.depth++
}

func (w *metadataWriter) close(name string) {
	w.depth--
	w.line()
	w.end(name)
}

// leaf writes an element with text, or an empty one.
func (w *metadataWriter) leaf(name, text string, attributes ...attribute) {
	w.line()
	w.element(name, text, attributes...)
}

func (w *metadataWriter) entity(endpoints []Endpoint, now time.Time) {
	validUntil := ""
	if w.cfg.MetadataValidity > 0 {
		validUntil = now.Add(w.cfg.MetadataValidity).UTC().Format(time.RFC3339)
	}
	w.open("md:EntityDescriptor",
		attribute{"xmlns:md", nsMetadata},
		attribute{"ID", w.id},
		attribute{"cacheDuration", formatDuration(w.cfg.MetadataCacheDuration)},
		attribute{"entityID", w.cfg.EntityID},
		attribute{"validUntil", validUntil})
	w.WriteString(w.signature)
	w.open("md:Extensions")
	w.algorithms()
	w.entityAttributes()
	w.close("md:Extensions")
	w.role(endpoints)
	w.organization()
	w.contacts()
	w.close("md:EntityDescriptor")
}

// role leaves WantAssertionsSigned out if no signature on the assertion is required.
// An identity provider that reads "false" may stop signing assertions, against its
// own settings.
func (w *metadataWriter) role(endpoints []Endpoint) {
	w.open("md:SPSSODescriptor",
		attribute{"AuthnRequestsSigned", strconv.FormatBool(w.cfg.SignRequests)},
		attribute{"WantAssertionsSigned", trueOrEmpty(w.cfg.WantAssertionsSigned)},
		attribute{"protocolSupportEnumeration", nsProtocol})
	if len(w.cfg.DiscoveryResponses)+len(w.cfg.RequestInitiators) > 0 || w.cfg.About.hasUI() {
		w.open("md:Extensions")
		w.uiInfo()
		w.discovery()
		w.close("md:Extensions")
	}
	if w.cfg.Certificate != nil {
		w.keyDescriptor("signing", w.cfg.Certificate, nil)
	}
	for _, cert := range w.cfg.OtherCertificates {
		w.keyDescriptor("signing", cert, nil)
	}
	if w.cfg.EncryptionCertificate != nil {
		w.keyDescriptor("encryption", w.cfg.EncryptionCertificate, xmlenc.Offered())
	}
	for _, cert := range w.cfg.OtherEncryptionCertificates {
		w.keyDescriptor("encryption", cert, xmlenc.Offered())
	}
	if w.logoutURL != "" {
		for _, binding := range []string{HTTPRedirect, HTTPPost, SOAP} {
			if binding != SOAP || w.cfg.LogoutSOAP {
				w.leaf("md:SingleLogoutService", "", attribute{"Binding", binding}, attribute{"Location", w.logoutURL})
			}
		}
	}
	for _, format := range w.cfg.NameIDFormats {
		w.leaf("md:NameIDFormat", format)
	}
	for i, e := range endpoints {
		w.consumerService(HTTPPost, e.URL, *e.Index, i == 0)
	}
	for _, e := range endpoints {
		if e.ArtifactIndex != nil {
			w.consumerService(HTTPArtifact, e.URL, *e.ArtifactIndex, false)
		}
	}
	w.attributeServices()
	w.close("md:SPSSODescriptor")
}

func (w *metadataWriter) consumerService(binding, url string, index uint16, isDefault bool) {
	w.leaf("md:AssertionConsumerService", "",
		attribute{"Binding", binding},
		attribute{"Location", url},
		attribute{"index", strconv.Itoa(int(index))},
		attribute{"isDefault", trueOrEmpty(isDefault)})
}

// keyDescriptor writes a KeyDescriptor (Metadata 2.4.1.1).
func (w *metadataWriter) keyDescriptor(use string, cert *x509.Certificate, methods []string) {
	w.open("md:KeyDescriptor", attribute{"use", use})
	w.open("ds:KeyInfo", attribute{"xmlns:ds", nsSignature})
	w.open("ds:X509Data")
	w.leaf("ds:X509Certificate", base64.StdEncoding.EncodeToString(cert.Raw))
	w.close("ds:X509Data")
	w.close("ds:KeyInfo")
	for _, name := range methods {
		w.leaf("md:EncryptionMethod", "", attribute{"Algorithm", name})
	}
	w.close("md:KeyDescriptor")
}

var withoutZeros = strings.NewReplacer("H0M0S", "H", "H0M", "H", "M0S", "M")

// formatDuration writes whole seconds as an xs:duration (XML Schema Part 2, 3.2.6).
func formatDuration(d time.Duration) string {
	return "PT" + withoutZeros.Replace(strings.ToUpper(d.String()))
}
