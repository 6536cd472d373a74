package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

type documentJSON struct {
	Root          string `json:"root"`
	Verified      bool   `json:"verified"`
	ValidUntil    string `json:"valid_until"`
	CacheDuration int64  `json:"cache_duration"` // seconds
	Created       string `json:"created"`
}

type entityJSON struct {
	EntityID         string          `json:"entity_id"`
	Roles            []string        `json:"roles"`
	IdentityProvider bool            `json:"identity_provider"`
	Usable           bool            `json:"usable"`
	Problems         []*problem      `json:"problems"`
	DisplayName      string          `json:"display_name"`
	ValidUntil       string          `json:"valid_until"`
	ValidUntilOf     *lifetimeJSON   `json:"valid_until_of"`
	CacheDuration    int64           `json:"cache_duration"`
	Lifetimes        []lifetimeJSON  `json:"lifetimes"`
	WantsSigned      bool            `json:"wants_signed_requests"`
	Keys             []keyJSON       `json:"keys"`
	Endpoints        []endpointJSON  `json:"endpoints"`
	Services         []serviceJSON   `json:"services"`
	SigningMethods   []algorithmJSON `json:"signing_methods"`
	DigestMethods    []algorithmJSON `json:"digest_methods"`
	Scopes           []scopeJSON     `json:"scopes"`
	NameIDFormats    []string        `json:"name_id_formats"`
	Registered       registeredJSON  `json:"registered"`
	EntityAttributes []entityAttr    `json:"entity_attributes"`
	ErrorURL         string          `json:"error_url"`
	Contacts         []contactJSON   `json:"contacts"`
	Warnings         []string        `json:"warnings"`
}

type lifetimeJSON struct {
	Element       string `json:"element"`
	Name          string `json:"name"`
	ValidUntil    string `json:"valid_until"`
	CacheDuration int64  `json:"cache_duration"`
}

type keyJSON struct {
	Use               string           `json:"use"`
	Type              string           `json:"type"`
	Bits              int              `json:"bits"`
	Trusted           bool             `json:"trusted"`
	SHA256            string           `json:"sha256"`
	Certificate       *certificateJSON `json:"certificate"`
	Ignored           []string         `json:"ignored"`
	EncryptionMethods []algorithmJSON  `json:"encryption_methods"`
}

type certificateJSON struct {
	SHA256    string `json:"sha256"`
	Subject   string `json:"subject"`
	NotBefore string `json:"not_before"`
	NotAfter  string `json:"not_after"`
	InForce   bool   `json:"in_force"`
}

type endpointJSON struct {
	Binding string `json:"binding"`
	URL     string `json:"url"`
	Ignored string `json:"ignored"`
}

type serviceJSON struct {
	Element     string `json:"element"`
	Binding     string `json:"binding"`
	URL         string `json:"url"`
	ResponseURL string `json:"response_url"`
	Index       string `json:"index"`
	Ignored     string `json:"ignored"`
}

type algorithmJSON struct {
	URI     string `json:"uri"`
	MinBits int    `json:"min_bits"`
	MaxBits int    `json:"max_bits"`
	Usable  bool   `json:"usable"`
}

type scopeJSON struct {
	Scope   string `json:"scope"`
	Pattern bool   `json:"pattern"`
	Ignored string `json:"ignored"`
}

type registeredJSON struct {
	Authority string `json:"authority"`
	Instant   string `json:"instant"`
}

type contactJSON struct {
	Type       string   `json:"type"`
	Company    string   `json:"company"`
	Name       string   `json:"name"`
	Emails     []string `json:"emails"`
	Telephones []string `json:"telephones"`
}

type entityAttr struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

func newEntityJSON(r *saml.EntityReport, now time.Time) *entityJSON {
	j := &entityJSON{
		EntityID: r.Description.EntityID, Roles: append([]string{}, r.Roles...), IdentityProvider: r.Provider,
		Usable: r.Provider && len(r.Problems) == 0, Problems: []*problem{}, DisplayName: displayName(r),
		Lifetimes: []lifetimeJSON{}, Keys: []keyJSON{}, Endpoints: []endpointJSON{}, Services: []serviceJSON{},
		SigningMethods: algorithms(r.Algorithms, "SigningMethod"), DigestMethods: algorithms(r.Algorithms, "DigestMethod"),
		Scopes: []scopeJSON{}, NameIDFormats: append([]string{}, r.NameIDFormats...),
		Registered:       registeredJSON{r.Registration.Authority, instantOrEmpty(r.Registration.Instant)},
		EntityAttributes: []entityAttr{}, ErrorURL: r.Description.ErrorURL, Contacts: []contactJSON{},
		Warnings: append([]string{}, r.Warnings...),
	}
	for _, p := range r.Problems {
		j.Problems = append(j.Problems, newProblem(p))
	}
	if r.IdP != nil {
		j.WantsSigned, j.CacheDuration = r.IdP.WantAuthnRequestsSigned(), seconds(r.IdP.CacheDuration())
	}
	if l := r.Ends; !l.ValidUntil.IsZero() {
		of := newLifetimeJSON(l)
		j.ValidUntil, j.ValidUntilOf = of.ValidUntil, &of
	}
	for _, l := range r.Lifetimes {
		j.Lifetimes = append(j.Lifetimes, newLifetimeJSON(l))
	}
	for _, k := range r.Keys {
		j.Keys = append(j.Keys, newKeyJSON(k, now))
	}
	for _, e := range r.Endpoints {
		j.Endpoints = append(j.Endpoints, endpointJSON{e.Binding, e.URL, e.Ignored})
	}
	for _, s := range r.Services {
		j.Services = append(j.Services, serviceJSON(s))
	}
	for _, s := range r.Scopes {
		j.Scopes = append(j.Scopes, scopeJSON{s.Scope, s.Pattern, s.Ignored})
	}
	for _, a := range r.Attributes {
		j.EntityAttributes = append(j.EntityAttributes, entityAttr{a.Name, append([]string{}, a.Values...)})
	}
	for _, c := range r.Description.Contacts {
		j.Contacts = append(j.Contacts, contactJSON{
			string(c.Type), c.Company, strings.TrimSpace(c.GivenName + " " + c.Surname),
			append([]string{}, c.Emails...), append([]string{}, c.TelephoneNumbers...),
		})
	}
	return j
}

func newLifetimeJSON(l saml.Lifetime) lifetimeJSON {
	return lifetimeJSON{l.Element, l.Name, instantOrEmpty(l.ValidUntil), seconds(l.CacheDuration)}
}

func newKeyJSON(k saml.KeyReport, now time.Time) keyJSON {
	j := keyJSON{
		Use: k.Use, Trusted: k.Trusted, Ignored: append([]string{}, k.Ignored...),
		EncryptionMethods: algorithms(k.EncryptionMethods, "EncryptionMethod"),
	}
	if der, err := x509.MarshalPKIXPublicKey(k.Public); err == nil {
		j.Type, j.Bits = kindOf(k.Public)
		j.SHA256 = fingerprint(der)
	}
	if c := k.Certificate; c != nil {
		inForce := !now.Before(c.NotBefore) && !now.After(c.NotAfter)
		j.Certificate = &certificateJSON{fingerprint(c.Raw), c.Subject.String(), instant(c.NotBefore), instant(c.NotAfter),
			inForce}
	}
	return j
}

func algorithms(all []saml.AlgorithmReport, element string) []algorithmJSON {
	out := []algorithmJSON{}
	for _, a := range all {
		if a.Element == element {
			out = append(out, algorithmJSON{a.URI, a.MinBits, a.MaxBits, a.Usable})
		}
	}
	return out
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func instantOrEmpty(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return instant(t)
}
