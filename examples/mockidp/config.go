package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// file is the configuration file. Its keys are the fields of mockidp.Config, which documents them.
type file struct {
	Org, Hint       string
	SessionLifetime duration
	MaxFailures     int
	Users           []user
	Groups          []mockidp.Group
	Apps            []app
	Attacks         []mockidp.StandingMutation // switched on from the start, as by -attack
}

type user struct {
	mockidp.User
	Status word[mockidp.UserStatus]
}

// duration is written as in Go: "8h", "90m".
type duration struct{ time.Duration }

func (d *duration) UnmarshalText(b []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(b))
	return err
}

// load reads the file. An unknown key is an error, so that a misspelled one doesn't mean the default.
func load(path string) (c mockidp.Config, err error) {
	if path == "" {
		return c, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var f file
	if err := d.Decode(&f); err != nil {
		line := 1 + bytes.Count(raw[:min(d.InputOffset(), int64(len(raw)))], []byte("\n"))
		return c, fmt.Errorf("%s: near line %d: %w", path, line, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("%s: unexpected data after the configuration", path)
	}
	c = mockidp.Config{
		Org: f.Org, Hint: f.Hint, SessionLifetime: f.SessionLifetime.Duration, MaxFailures: f.MaxFailures,
		Groups: f.Groups, StandingMutations: f.Attacks,
	}
	for _, u := range f.Users {
		u.User.Status = u.Status.value
		c.Users = append(c.Users, u.User)
	}
	for _, a := range f.Apps {
		app, err := a.app()
		if err != nil {
			return c, fmt.Errorf("%s: app %q: %w", path, a.Label, err)
		}
		c.Apps = append(c.Apps, app)
	}
	return c, nil
}

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

// word is an enumerated value that the file writes as text.
type word[T choice] struct{ value T }

type choice interface {
	mockidp.Kind | mockidp.Profile | mockidp.UnlistedACS | mockidp.Filter | mockidp.Signing | mockidp.Refusals |
		mockidp.UserStatus
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
