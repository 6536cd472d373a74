package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"github.com/meridian-saml/meridian/mockidp"
)

// app is one of the file's apps: the fields of mockidp.App.
type app struct {
	Kind           word[mockidp.Kind]    `json:"kind"` // "saml" or "bookmark"
	Inactive       bool                  `json:"inactive"`
	Profile        word[mockidp.Profile] `json:"profile"` // "okta" or "entra"
	ID             string                `json:"id"`
	ExternalKey    string                `json:"externalKey"`
	Name           string                `json:"name"`
	Label          string                `json:"label"`
	Users          []string              `json:"users"`
	Groups         []string              `json:"groups"`
	URL            string                `json:"url"`
	Issuer         string                `json:"issuer"`
	Audience       string                `json:"audience"`
	IdentityCenter *struct {
		ACSURL    string   `json:"acsURL"`
		ACSURLs   []string `json:"acsURLs"` // URL1 to URL17, in order
		IssuerURL string   `json:"issuerURL"`
	} `json:"identityCenter"`
	ACS []struct {
		URL     string  `json:"url"`
		Index   *uint16 `json:"index"`
		Default bool    `json:"default"`
	} `json:"acs"`
	UnlistedACS       word[mockidp.UnlistedACS] `json:"unlistedACS"` // "reject" or "useDefault"
	Recipient         string                    `json:"recipient"`
	Destination       string                    `json:"destination"`
	DefaultRelayState string                    `json:"defaultRelayState"`
	NameIDFormat      string                    `json:"nameIDFormat"`
	NameIDTemplate    string                    `json:"nameIDTemplate"`
	IgnoreNameID      bool                      `json:"ignoreNameIDPolicy"`
	RequireIssuer     bool                      `json:"requireIssuer"`
	Attributes        []struct {
		Name       string   `json:"name"`
		NameFormat string   `json:"nameFormat"`
		Values     []string `json:"values"`
	} `json:"attributes"`
	GroupAttribute  *groupAttribute         `json:"groupAttribute"`
	GroupAttributes []groupAttribute        `json:"groupAttributes"`
	Sign            word[mockidp.Signing]   `json:"sign"` // "both", "response" or "assertion"
	SignatureMethod mockidp.SignatureMethod `json:"signatureMethod"`
	OmitKeyInfo     bool                    `json:"omitKeyInfo"`
	Encrypt         *struct {
		Method       mockidp.EncryptionMethod `json:"method"`
		KeyTransport mockidp.KeyTransport     `json:"keyTransport"`
		Digest       mockidp.Hash             `json:"digest"`
		MGF          mockidp.Hash             `json:"mgf"`
		KeyBeside    bool                     `json:"keyBeside"`
	} `json:"encrypt"`
	EncryptionCertificate string                 `json:"encryptionCertificate"` // PEM
	SignedRequests        bool                   `json:"signedRequests"`
	RequestCertificates   []string               `json:"requestCertificates"` // PEM
	IgnoreForceAuthn      bool                   `json:"ignoreForceAuthn"`
	AuthnContext          string                 `json:"authnContext"`
	Refusals              word[mockidp.Refusals] `json:"refusals"` // "page" or "status"
	SessionLifetime       duration               `json:"sessionLifetime"`
}

type groupAttribute struct {
	Name       string               `json:"name"`
	NameFormat string               `json:"nameFormat"`
	Filter     word[mockidp.Filter] `json:"filter"` // "", "startsWith", "equals", "contains" or "regex"
	Value      string               `json:"value"`
}

func (g groupAttribute) attribute() mockidp.GroupAttribute {
	return mockidp.GroupAttribute{Name: g.Name, NameFormat: g.NameFormat, Filter: g.Filter.value, Value: g.Value}
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

func (a app) app() (mockidp.App, error) {
	out := mockidp.App{
		ID: a.ID, ExternalKey: a.ExternalKey, Name: a.Name, Kind: a.Kind.value, Inactive: a.Inactive, Profile: a.Profile.value, Label: a.Label, Users: a.Users, Groups: a.Groups,
		URL: a.URL, Issuer: a.Issuer, Audience: a.Audience, Unlisted: a.UnlistedACS.value,
		Recipient: a.Recipient, Destination: a.Destination, DefaultRelayState: a.DefaultRelayState,
		NameIDFormat: a.NameIDFormat, NameIDTemplate: a.NameIDTemplate, IgnoreNameIDPolicy: a.IgnoreNameID, RequireIssuer: a.RequireIssuer,
		Sign: a.Sign.value, SignatureMethod: a.SignatureMethod, OmitKeyInfo: a.OmitKeyInfo,
		SignedRequests: a.SignedRequests, IgnoreForceAuthn: a.IgnoreForceAuthn, AuthnContext: a.AuthnContext,
		Refusals: a.Refusals.value, SessionLifetime: a.SessionLifetime.Duration,
	}
	if f := a.IdentityCenter; f != nil {
		out.IdentityCenter = &mockidp.IdentityCenter{ACSURL: f.ACSURL, IssuerURL: f.IssuerURL}
		if copy(out.IdentityCenter.ACSURLs[:], f.ACSURLs) < len(f.ACSURLs) {
			return out, fmt.Errorf("app %q: acsURLs: want at most %d, got %d", a.Label, len(out.IdentityCenter.ACSURLs), len(f.ACSURLs))
		}
	}
	for _, x := range a.ACS {
		out.ACS = append(out.ACS, mockidp.ACS(x))
	}
	for _, x := range a.Attributes {
		out.Attributes = append(out.Attributes, mockidp.Attribute(x))
	}
	if a.GroupAttribute != nil {
		g := a.GroupAttribute.attribute()
		out.GroupAttribute = &g
	}
	for _, g := range a.GroupAttributes {
		out.GroupAttributes = append(out.GroupAttributes, g.attribute())
	}
	if e := a.Encrypt; e != nil {
		out.Encrypt = &mockidp.Encryption{Method: e.Method, KeyTransport: e.KeyTransport, Digest: e.Digest, MGF: e.MGF, KeyBeside: e.KeyBeside}
	}
	return out, a.certificates(&out)
}

func (a app) certificates(out *mockidp.App) error {
	for _, text := range a.RequestCertificates {
		c, err := certificate(text)
		if err != nil {
			return fmt.Errorf("app %q: requestCertificates: %w", a.Label, err)
		}
		out.RequestCertificates = append(out.RequestCertificates, c)
	}
	if a.EncryptionCertificate == "" {
		return nil
	}
	c, err := certificate(a.EncryptionCertificate)
	if err != nil {
		return fmt.Errorf("app %q: encryptionCertificate: %w", a.Label, err)
	}
	out.EncryptionCertificate = c
	return nil
}

func certificate(text string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("want a PEM certificate, got %.40q", text)
	}
	return x509.ParseCertificate(block.Bytes)
}
