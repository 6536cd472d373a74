package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// file is the configuration file. Its keys are the fields of mockidp.Config,
// whose documentation says what each means and what its absence means.
type file struct {
	Org             string   `json:"org"`
	Hint            string   `json:"hint"`
	SessionLifetime duration `json:"sessionLifetime"`
	Users           []struct {
		Login      string              `json:"login"`
		Password   string              `json:"password"`
		FirstName  string              `json:"firstName"`
		LastName   string              `json:"lastName"`
		Email      string              `json:"email"`
		Groups     []string            `json:"groups"`
		Attributes map[string][]string `json:"attributes"`
	} `json:"users"`
	Groups []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"groups"`
	Apps []app `json:"apps"`
}

type app struct {
	Kind        word[mockidp.Kind] `json:"kind"` // "saml" or "bookmark"
	ID          string             `json:"id"`
	ExternalKey string             `json:"externalKey"`
	Name        string             `json:"name"`
	Label       string             `json:"label"`
	Users       []string           `json:"users"`
	Groups      []string           `json:"groups"`
	URL         string             `json:"url"`
	Issuer      string             `json:"issuer"`
	Audience    string             `json:"audience"`
	ACS         []struct {
		URL   string  `json:"url"`
		Index *uint16 `json:"index"`
	} `json:"acs"`
	UnlistedACS       word[mockidp.UnlistedACS] `json:"unlistedACS"` // "reject" or "useDefault"
	DefaultRelayState string                    `json:"defaultRelayState"`
	NameIDFormat      string                    `json:"nameIDFormat"`
	Attributes        []struct {
		Name       string   `json:"name"`
		NameFormat string   `json:"nameFormat"`
		Values     []string `json:"values"`
	} `json:"attributes"`
	GroupAttribute *struct {
		Name       string               `json:"name"`
		NameFormat string               `json:"nameFormat"`
		Filter     word[mockidp.Filter] `json:"filter"` // "", "startsWith", "equals", "contains" or "regex"
		Value      string               `json:"value"`
	} `json:"groupAttribute"`
	Sign            word[mockidp.Signing] `json:"sign"` // "both", "response" or "assertion"
	SessionLifetime duration              `json:"sessionLifetime"`
}

// word is a choice that a file spells out.
type word[T mockidp.Kind | mockidp.UnlistedACS | mockidp.Filter | mockidp.Signing] struct{ value T }

func (w *word[T]) UnmarshalText(b []byte) error {
	var words []string // in the order of the constants
	switch any(w.value).(type) {
	case mockidp.Kind:
		words = []string{"saml", "bookmark"}
	case mockidp.UnlistedACS:
		words = []string{"reject", "useDefault"}
	case mockidp.Filter:
		words = []string{"", "startsWith", "equals", "contains", "regex"}
	case mockidp.Signing:
		words = []string{"both", "response", "assertion"}
	}
	for i, x := range words {
		if x == string(b) {
			w.value = T(i)
			return nil
		}
	}
	return fmt.Errorf("want one of %q, got %q", words, b)
}

// duration is written as Go writes it: "8h", "90m".
type duration struct{ time.Duration }

func (d *duration) UnmarshalText(b []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(b))
	return err
}

// load reads the file strictly: an unknown key is an error, so that a slip of
// the pen doesn't become a default.
func load(path string) (mockidp.Config, error) {
	if path == "" {
		return mockidp.Config{}, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return mockidp.Config{}, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var f file
	if err := d.Decode(&f); err != nil {
		line := 1 + bytes.Count(raw[:min(d.InputOffset(), int64(len(raw)))], []byte("\n"))
		return mockidp.Config{}, fmt.Errorf("%s: near line %d: %w", path, line, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return mockidp.Config{}, fmt.Errorf("%s: something follows the configuration", path)
	}
	return f.config(), nil
}

func (f file) config() mockidp.Config {
	c := mockidp.Config{Org: f.Org, Hint: f.Hint, SessionLifetime: f.SessionLifetime.Duration}
	for _, u := range f.Users {
		c.Users = append(c.Users, mockidp.User(u))
	}
	for _, g := range f.Groups {
		c.Groups = append(c.Groups, mockidp.Group(g))
	}
	for _, a := range f.Apps {
		c.Apps = append(c.Apps, a.app())
	}
	return c
}

func (a app) app() mockidp.App {
	out := mockidp.App{
		ID: a.ID, ExternalKey: a.ExternalKey, Name: a.Name, Kind: a.Kind.value, Label: a.Label, Users: a.Users, Groups: a.Groups,
		URL: a.URL, Issuer: a.Issuer, Audience: a.Audience, Unlisted: a.UnlistedACS.value, DefaultRelayState: a.DefaultRelayState,
		NameIDFormat: a.NameIDFormat, Sign: a.Sign.value, SessionLifetime: a.SessionLifetime.Duration,
	}
	for _, x := range a.ACS {
		out.ACS = append(out.ACS, mockidp.ACS(x))
	}
	for _, x := range a.Attributes {
		out.Attributes = append(out.Attributes, mockidp.Attribute(x))
	}
	if g := a.GroupAttribute; g != nil {
		out.GroupAttribute = &mockidp.GroupAttribute{Name: g.Name, NameFormat: g.NameFormat, Filter: g.Filter.value, Value: g.Value}
	}
	return out
}
