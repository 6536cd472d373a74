package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"github.com/meridian-saml/meridian/mockidp"
)

// app is one of the file's apps: the fields of mockidp.App, some of which the
// file writes in another way than Go.
type app struct {
	mockidp.App
	Kind            word[mockidp.Kind]        // "saml" or "bookmark"
	Profile         word[mockidp.Profile]     // "okta" or "entra"
	UnlistedACS     word[mockidp.UnlistedACS] // Unlisted: "reject" or "useDefault"
	Sign            word[mockidp.Signing]     // "both", "response" or "assertion"
	Refusals        word[mockidp.Refusals]    // "page" or "status"
	IdentityCenter  *identityCenter
	GroupAttribute  *groupAttribute
	GroupAttributes []groupAttribute
	SessionLifetime duration

	EncryptionCertificate certificate
	RequestCertificates   []certificate
}

type identityCenter struct {
	mockidp.IdentityCenter
	ACSURLs []string // URL1 to URL17, in order
}

type groupAttribute struct {
	mockidp.GroupAttribute
	Filter word[mockidp.Filter] // "", "startsWith", "equals", "contains" or "regex"
}

func (g groupAttribute) attribute() mockidp.GroupAttribute {
	g.GroupAttribute.Filter = g.Filter.value
	return g.GroupAttribute
}

// word is a choice that a file spells out.
type word[T choice] struct{ value T }

type choice interface {
	mockidp.Kind | mockidp.Profile | mockidp.UnlistedACS | mockidp.Filter | mockidp.Signing | mockidp.Refusals | mockidp.UserStatus
}

func (w *word[T]) UnmarshalText(b []byte) error {
	var words []string // in the order of the constants
	switch any(w.value).(type) {
	case mockidp.Kind:
		words = []string{"saml", "bookmark"}
	case mockidp.Profile:
		words = []string{"okta", "entra"}
	case mockidp.UnlistedACS:
		words = []string{"reject", "useDefault"}
	case mockidp.Filter:
		words = []string{"", "startsWith", "equals", "contains", "regex"}
	case mockidp.Signing:
		words = []string{"both", "response", "assertion"}
	case mockidp.Refusals:
		words = []string{"page", "status"}
	case mockidp.UserStatus:
		words = []string{"active", "lockedOut", "suspended", "deprovisioned", "staged"}
	}
	for i, x := range words {
		if x == string(b) {
			w.value = T(i)
			return nil
		}
	}
	return fmt.Errorf("want one of %q, got %q", words, b)
}

// certificate is one in PEM; nil where the text is empty.
type certificate struct{ *x509.Certificate }

func (c *certificate) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		return nil
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return fmt.Errorf("want a PEM certificate, got %.40q", text)
	}
	c.Certificate, err = x509.ParseCertificate(block.Bytes)
	return err
}

func (a app) app() (mockidp.App, error) {
	out := a.App
	out.Kind, out.Profile, out.Unlisted, out.Sign, out.Refusals = a.Kind.value, a.Profile.value, a.UnlistedACS.value, a.Sign.value, a.Refusals.value
	out.SessionLifetime, out.EncryptionCertificate = a.SessionLifetime.Duration, a.EncryptionCertificate.Certificate
	for _, c := range a.RequestCertificates {
		if c.Certificate == nil {
			return out, fmt.Errorf("app %q: requestCertificates: want a PEM certificate, got none", a.Label)
		}
		out.RequestCertificates = append(out.RequestCertificates, c.Certificate)
	}
	if f := a.IdentityCenter; f != nil {
		out.IdentityCenter = &f.IdentityCenter
		if copy(out.IdentityCenter.ACSURLs[:], f.ACSURLs) < len(f.ACSURLs) {
			return out, fmt.Errorf("app %q: acsURLs: want at most %d, got %d", a.Label, len(out.IdentityCenter.ACSURLs), len(f.ACSURLs))
		}
	}
	if a.GroupAttribute != nil {
		g := a.GroupAttribute.attribute()
		out.GroupAttribute = &g
	}
	for _, g := range a.GroupAttributes {
		out.GroupAttributes = append(out.GroupAttributes, g.attribute())
	}
	return out, nil
}
