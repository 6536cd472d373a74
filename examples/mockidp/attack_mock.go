package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// idpDescriptor is what -idp-metadata is read for.
type idpDescriptor struct {
	XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	EntityID string   `xml:"entityID,attr"`
	IdP      struct {
		Certificates []string `xml:"KeyDescriptor>KeyInfo>X509Data>X509Certificate"`
		SSO          []struct {
			Location string `xml:"Location,attr"`
		} `xml:"SingleSignOnService"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:metadata IDPSSODescriptor"`
}

// readMock returns the identity provider of -idp-metadata, which the service provider trusts already: a mock, with the
// published test key, or with the key of -key.
func (o *attackOptions) readMock(ctx context.Context) (*run.IdP, error) {
	bad := func(err error) (*run.IdP, error) { return nil, fmt.Errorf("-idp-metadata: %w", err) }
	key, certificate, err := mockidp.TestKey()
	if err != nil {
		return bad(err)
	}
	own, ok := key.(*rsa.PrivateKey)
	if !ok {
		return bad(fmt.Errorf("the published test key is a %T", key))
	}
	idp := &run.IdP{RSA: own, Certificates: map[crypto.Signer][]byte{own: certificate.Raw}}
	t := o.target
	t.IdP = idp // Fetch wants a whole target
	doc, err := readFileOrURL(ctx, t, o.idpMetadata)
	if err != nil {
		return bad(err)
	}
	var d idpDescriptor
	if err := xml.Unmarshal(doc, &d); err != nil {
		return bad(err)
	}
	switch {
	case d.EntityID == "" || len(d.IdP.SSO) == 0:
		return bad(errors.New("no entityID, or no IDPSSODescriptor with a SingleSignOnService"))
	case o.key != "":
		if idp, err = o.readKey(); err != nil {
			return nil, err
		}
	case !d.has(certificate):
		return bad(errors.New("it doesn't have the mock's published test key; give the private key, -key FILE"))
	}
	idp.EntityID, idp.SSOURL = d.EntityID, d.IdP.SSO[0].Location
	return idp, nil
}

func (d idpDescriptor) has(certificate *x509.Certificate) bool {
	return slices.ContainsFunc(d.IdP.Certificates, func(text string) bool {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		return err == nil && bytes.Equal(der, certificate.Raw)
	})
}

// readFileOrURL reads a URL by the rules of the attack.
func readFileOrURL(ctx context.Context, t run.Target, from string) ([]byte, error) {
	if isURL(from) {
		return t.Fetch(ctx, from)
	}
	return os.ReadFile(from)
}
