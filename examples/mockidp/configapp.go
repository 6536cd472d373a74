package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
)

// app is an app of the file: the fields of mockidp.App, some of them in another form.
type app struct {
	mockidp.App
	Kind            word[mockidp.Kind]
	Profile         word[mockidp.Profile]
	UnlistedACS     word[mockidp.UnlistedACS] // Unlisted
	Sign            word[mockidp.Signing]
	Refusals        word[mockidp.Refusals]
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
	Filter word[mockidp.Filter]
}

func (g groupAttribute) attribute() mockidp.GroupAttribute {
	g.GroupAttribute.Filter = g.Filter.value
	return g.GroupAttribute
}

// word is a choice that the file spells out.
type word[T choice] struct{ value T }

type choice interface {
	mockidp.Kind | mockidp.Profile | mockidp.UnlistedACS | mockidp.Filter | mockidp.Signing | mockidp.Refusals | mockidp.UserStatus
}

// words are the words of each type, in the order of its constants.
var words = map[any][]string{
	mockidp.Kind(0):        {"saml", "bookmark"},
	mockidp.Profile(0):     {"okta", "entra"},
	mockidp.UnlistedACS(0): {"reject", "useDefault"},
	mockidp.Filter(0):      {"", "startsWith", "equals", "contains", "regex"},
	mockidp.Signing(0):     {"both", "response", "assertion"},
	mockidp.Refusals(0):    {"page", "status"},
	mockidp.UserStatus(0):  {"active", "lockedOut", "suspended", "deprovisioned", "staged"},
}

func (w *word[T]) UnmarshalText(b []byte) error {
	all := words[any(T(0))]
	i := slices.Index(all, string(b))
	if i < 0 {
		return fmt.Errorf("want one of %q, got %q", all, b)
	}
	w.value = T(i)
	return nil
}

// certificate is a certificate in PEM; nil if the text is empty.
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
	out.Kind, out.Profile, out.Unlisted = a.Kind.value, a.Profile.value, a.UnlistedACS.value
	out.Sign, out.Refusals = a.Sign.value, a.Refusals.value
	out.SessionLifetime, out.EncryptionCertificate = a.SessionLifetime.Duration, a.EncryptionCertificate.Certificate
	for _, c := range a.RequestCertificates {
		if c.Certificate == nil {
			return out, errors.New("requestCertificates: want a PEM certificate, got none")
		}
		out.RequestCertificates = append(out.RequestCertificates, c.Certificate)
	}
	if f := a.IdentityCenter; f != nil {
		out.IdentityCenter = &f.IdentityCenter
		if copy(out.IdentityCenter.ACSURLs[:], f.ACSURLs) < len(f.ACSURLs) {
			return out, fmt.Errorf("acsURLs: want at most %d, got %d", len(out.IdentityCenter.ACSURLs), len(f.ACSURLs))
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
