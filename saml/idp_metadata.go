package saml

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	crewjam "github.com/crewjam/saml"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	nsMetadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
)

// metadataLimits are wide enough for a federation's aggregate.
var metadataLimits = xmltree.Limits{Bytes: 64 << 20, Depth: 64, Nodes: 4_000_000, Attributes: 64, Namespaces: 64, Total: 4_000_000}

// ParseIdPMetadata reads an identity provider's metadata: an EntityDescriptor,
// or an EntitiesDescriptor with exactly one identity provider in it. Use
// [ParseIdPMetadataFor] to choose one from several.
//
// Metadata decides whom you trust: take it from a place you trust, over a
// channel you trust. A signature on it is not checked here.
//
// Every signing key is taken, and those of a KeyDescriptor that doesn't say
// what it is for (Metadata 2.4.1.1). Addresses with other bindings than
// HTTP-Redirect and HTTP-POST, and addresses that would send requests over
// plain http, are passed over.
func ParseIdPMetadata(metadata []byte) (*IdP, error) { return parseIdPMetadata(metadata, "") }

// ParseIdPMetadataFor reads the metadata of the identity provider with that
// entity ID, from an EntityDescriptor or an EntitiesDescriptor of any size.
func ParseIdPMetadataFor(metadata []byte, entityID string) (*IdP, error) {
	if entityID == "" {
		return nil, configError("entityID", "is required", nil)
	}
	return parseIdPMetadata(metadata, entityID)
}

func parseIdPMetadata(metadata []byte, entityID string) (*IdP, error) {
	if err := checkValidUntil(metadata); err != nil {
		return nil, err
	}
	entities, err := decodeEntities(metadata)
	var address *url.Error
	if errors.As(err, &address) { // the cause repeats it, with user information
		return nil, metadataError("Location (Metadata 2.2.2)", quote(withoutUser(address.URL))+" is not a URL")
	}
	if err != nil {
		return nil, &Error{Reason: ReasonMetadata, Rule: "Metadata", Err: err}
	}
	var found []crewjam.EntityDescriptor
	for _, e := range entities {
		if len(e.IDPSSODescriptors) > 0 && (entityID == "" || e.EntityID == entityID) {
			found = append(found, e)
		}
	}
	switch {
	case len(found) == 0 && entityID != "":
		return nil, metadataError("IDPSSODescriptor", "no identity provider "+quote(entityID)+" in it")
	case len(found) == 0:
		return nil, metadataError("IDPSSODescriptor", "no identity provider in it")
	case len(found) > 1 && entityID == "":
		return nil, metadataError("IDPSSODescriptor", fmt.Sprintf("%d identity providers in it: say which one", len(found)))
	case len(found) > 1:
		return nil, metadataError("entityID", quote(entityID)+" is in it more than once")
	}
	return idpFromEntity(found[0])
}

// checkValidUntil refuses a validUntil that is no instant: to the decoder an
// empty one would mean that there is none.
func checkValidUntil(metadata []byte) error {
	tree, err := xmltree.Parse(string(metadata), metadataLimits)
	if err != nil {
		return &Error{Reason: ReasonMetadata, Rule: "Metadata", Err: err}
	}
	var wrong error
	tree.Root().Walk(func(n xmltree.Node) {
		until, ok := n.Attr("validUntil")
		if t, err := parseInstant(until); ok && n.NS() == xmltree.Metadata && (err != nil || t.Year() < 2000) {
			wrong = &Error{Reason: ReasonMetadata, Rule: "validUntil (Metadata 2.3.2)", Want: "an instant", Got: until}
		}
	})
	return wrong
}

// decodeEntities flattens nested EntitiesDescriptors (Metadata 2.3.1). What a
// group says of its end holds for every entity in it.
func decodeEntities(metadata []byte) ([]crewjam.EntityDescriptor, error) {
	var root struct{ XMLName xml.Name }
	if err := xml.Unmarshal(metadata, &root); err != nil {
		return nil, err
	}
	switch root.XMLName {
	case xml.Name{Space: nsMetadata, Local: "EntityDescriptor"}:
		var one crewjam.EntityDescriptor
		if err := xml.Unmarshal(metadata, &one); err != nil {
			return nil, err
		}
		return []crewjam.EntityDescriptor{one}, nil
	case xml.Name{Space: nsMetadata, Local: "EntitiesDescriptor"}:
		var many crewjam.EntitiesDescriptor
		if err := xml.Unmarshal(metadata, &many); err != nil {
			return nil, err
		}
		return flatten(many, time.Time{}), nil
	}
	return nil, errors.New("the root is neither EntityDescriptor nor EntitiesDescriptor of " + nsMetadata)
}

func flatten(group crewjam.EntitiesDescriptor, until time.Time) []crewjam.EntityDescriptor {
	if group.ValidUntil != nil {
		until = earliest(until, *group.ValidUntil)
	}
	var out []crewjam.EntityDescriptor
	for _, e := range group.EntityDescriptors {
		e.ValidUntil = earliest(e.ValidUntil, until)
		out = append(out, e)
	}
	for _, g := range group.EntitiesDescriptors {
		out = append(out, flatten(g, until)...)
	}
	return out
}

// earliest treats a zero time as "never".
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func idpFromEntity(e crewjam.EntityDescriptor) (*IdP, error) {
	cfg := IdPConfig{EntityID: e.EntityID, ValidUntil: e.ValidUntil}
	for _, d := range e.IDPSSODescriptors {
		if !speaksSAML2(d.ProtocolSupportEnumeration) {
			continue
		}
		if d.ValidUntil != nil {
			cfg.ValidUntil = earliest(cfg.ValidUntil, *d.ValidUntil)
		}
		if d.WantAuthnRequestsSigned != nil && *d.WantAuthnRequestsSigned {
			cfg.WantAuthnRequestsSigned = true
		}
		for _, s := range d.SingleSignOnServices {
			known := s.Binding == HTTPRedirect || s.Binding == HTTPPost
			if known && checkEndpointURL("", s.Location) == nil {
				cfg.SSO = append(cfg.SSO, SSOService{Binding: s.Binding, URL: s.Location})
			}
		}
		certs, err := signingCertificates(d.KeyDescriptors)
		if err != nil {
			return nil, err
		}
		cfg.Certificates = append(cfg.Certificates, certs...)
	}
	return NewIdP(cfg)
}

func speaksSAML2(protocols string) bool {
	for _, p := range strings.Fields(protocols) {
		if p == nsProtocol {
			return true
		}
	}
	return false
}

// signingCertificates takes the keys whose use is "signing" or not said. A
// key for encryption alone signs nothing (Metadata 2.4.1.1).
func signingCertificates(descriptors []crewjam.KeyDescriptor) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for _, k := range descriptors {
		if k.Use != "" && k.Use != "signing" {
			continue
		}
		// One key a KeyDescriptor: certificates behind the first are the ones
		// that issued it, and sign no messages.
		for _, c := range k.KeyInfo.X509Data.X509Certificates[:min(1, len(k.KeyInfo.X509Data.X509Certificates))] {
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(c.Data), ""))
			if err != nil {
				return nil, &Error{Reason: ReasonMetadata, Rule: "X509Certificate", Err: err}
			}
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				return nil, &Error{Reason: ReasonMetadata, Rule: "X509Certificate", Err: err}
			}
			out = append(out, cert)
		}
	}
	return out, nil
}
