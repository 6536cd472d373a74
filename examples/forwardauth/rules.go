package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/meridian-saml/meridian/saml"
)

// settings are the contents of -applications.
type settings struct {
	// Applications in the order of their assertion consumer services: the first is the default.
	Applications []application `json:"applications"`
	// Headers are the attributes that fill Remote-Email, Remote-Name and Remote-Groups. Others stay empty.
	Headers map[string]string `json:"headers"`
}

// application is one that is protected. It has a host of its own.
type application struct {
	URL   string `json:"url"` // its origin, such as https://wiki.example
	Rules []rule `json:"rules"`

	host string // of URL, with a port if it has one
}

// rule says who may open a path and the paths below it. The rule with the longest path decides, and a path without a
// rule is refused. A rule with a path alone is for all users who are signed in.
type rule struct {
	Path       string              `json:"path"`          // without a slash at its end, except "/"
	Public     bool                `json:"public"`        // no sign-in is needed
	Deny       bool                `json:"deny"`          // for no user
	Attributes map[string][]string `json:"attributes"`    // of each, the user must have one of the values
	Contexts   []string            `json:"authn_context"` // authentication contexts, one of which is needed; empty: any
	Fresh      duration            `json:"fresh"`         // how old the authentication may be; zero: any age

	folded string // Path in one case
}

// duration is a time.Duration that JSON has as a string, such as "15m".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err == nil && parsed < time.Minute {
		err = fmt.Errorf("%q is less than a minute", text)
	}
	*d = duration(parsed)
	return err
}

// readSettings reads and checks the contents of -applications.
func readSettings(text []byte) (settings, error) {
	var s settings
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return s, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return s, errors.New("want one JSON object")
	}
	if len(s.Applications) == 0 {
		return s, errors.New("applications: want at least one")
	}
	hosts := make(map[string]bool)
	for i := range s.Applications {
		a := &s.Applications[i]
		if err := a.check(); err != nil {
			return s, fmt.Errorf("%q: %w", a.URL, err)
		}
		if hosts[a.host] {
			return s, fmt.Errorf("%q: two applications have this host", a.URL)
		}
		hosts[a.host] = true
	}
	for name, attribute := range s.Headers {
		if !isIdentityHeader(name) || name == userHeader || attribute == "" {
			return s, fmt.Errorf("headers: want an attribute for Remote-Email, Remote-Name or Remote-Groups, got %q: %q",
				name, attribute)
		}
	}
	return s, nil
}

func (a *application) check() error {
	u, err := url.Parse(a.URL)
	if err != nil || u.Host == "" || u.Host != strings.ToLower(u.Host) || a.URL != u.Scheme+"://"+u.Host {
		return errors.New("url: want an origin in lower case, such as https://wiki.example")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !saml.IsLoopback(u.Hostname())) {
		return errors.New("url: want https, or http of localhost")
	}
	a.host = u.Host
	paths := make(map[string]bool)
	for i := range a.Rules {
		r := &a.Rules[i]
		r.folded = fold(r.Path)
		if err := r.check(); err != nil {
			return fmt.Errorf("rule %q: %w", r.Path, err)
		}
		if paths[r.folded] {
			return fmt.Errorf("rule %q: two rules have this path", r.Path)
		}
		paths[r.folded] = true
	}
	return nil
}

func (r *rule) check() error {
	path, plain := plainPath((&url.URL{Path: r.Path}).EscapedPath())
	if !plain || path != r.Path || path != "/" && strings.HasSuffix(path, "/") {
		return errors.New("path: want a decoded path without . and .. and without a slash at its end")
	}
	if within(path, pages) {
		return errors.New("path: the sign-in pages have it")
	}
	needs := len(r.Attributes) > 0 || len(r.Contexts) > 0 || r.Fresh > 0
	if r.Public && r.Deny || needs && (r.Public || r.Deny) {
		return errors.New("public and deny are for a rule without the other and without requirements")
	}
	if err := r.requirement().AuthnContext.Check(); err != nil { // RequireWith would panic
		return fmt.Errorf("authn_context: %w", err)
	}
	for name, values := range r.Attributes {
		if name == "" || len(values) == 0 {
			return fmt.Errorf("attributes: want a name and at least one value, got %q: %q", name, values)
		}
	}
	return nil
}

// ruleFor returns the rule for a path, or nil. An application that ignores case would open a path under another rule.
// So a path that has another rule in another case has none.
func (a *application) ruleFor(path string) *rule {
	var exact, folded *rule
	lower := fold(path)
	for i := range a.Rules {
		r := &a.Rules[i]
		if within(path, r.Path) && (exact == nil || len(r.Path) > len(exact.Path)) {
			exact = r
		}
		if within(lower, r.folded) && (folded == nil || len(r.folded) > len(folded.folded)) {
			folded = r
		}
	}
	if exact != folded {
		return nil
	}
	return exact
}

// within reports whether a path is another, or below it.
func within(path, above string) bool {
	return path == above || strings.HasPrefix(path, strings.TrimSuffix(above, "/")+"/")
}

// fold returns a text in which letters that differ in case only are equal.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, s)
}
