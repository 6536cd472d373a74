package federation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// Config describes the sources of metadata.
type Config struct {
	// Sources are searched in this order. The first source that has an entity ID
	// provides its metadata. At least one is required. Query sources must be last,
	// because their entities are not known in advance.
	Sources []Source
	// Policy returns what is accepted from an identity provider, besides what the
	// service provider's Config says. An invalid policy makes the identity provider
	// unusable. It is called once for each entity that is used of a document, by
	// several goroutines. Nil: the zero policy.
	Policy func(entityID string) saml.IdPPolicy
	// MinRefresh and MaxRefresh bound how long a document is used before it is
	// fetched again. Within these bounds it is the cacheDuration, or three quarters
	// of the time left until validUntil, whichever is shorter. Zero: 10 min and 8 h.
	MinRefresh, MaxRefresh time.Duration
	// PollFiles is how often files and directories are checked for changes. Zero: 1
	// min.
	PollFiles time.Duration
	// Timeout bounds each fetch. Zero: 1 min.
	Timeout time.Duration
	// Skew is the allowed difference between clocks, for validUntil. Zero: 180 s. At
	// most 5 min.
	Skew time.Duration
	// Observer is called with the state of a source after each attempt to read it.
	// Nil: none.
	Observer Observer
	// Logger gets a record for each attempt. Nil: slog.Default().
	Logger *slog.Logger
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Source is one source of metadata. Exactly one of URL, File, Dir and Query must be
// set.
type Source struct {
	// Name is its name in logs and for the Observer. Empty: its address.
	Name string
	// URL is the address of a document.
	URL string
	// File is the path of a document, and Dir a directory whose *.xml files are
	// documents. They are read again when they change.
	File, Dir string
	// Query is the base URL of a metadata query service, with a slash at its end
	// (draft-young-md-query 3.1).
	Query string

	// Keys are pinned: the root's signature must verify with one of them. Required
	// for URL and Query, unless InsecureUnverified is set.
	Keys []crypto.PublicKey
	// InsecureUnverified accepts a document of a URL or Query without verifying a
	// signature. Only TLS then protects it. It is refused for plain http, except for
	// loopback.
	InsecureUnverified bool
	// MaxValidity, if not zero, is the longest accepted time until validUntil. A
	// document without validUntil is then refused. It is how long an attacker can
	// withhold newer documents, and how long an entity is used that a query service
	// has removed. Federations use 28 days.
	MaxValidity time.Duration
	// Copy is where the last good document of a URL is stored: a file, or for a
	// Query a directory. It requires Keys, because a copy is verified when it is
	// loaded. The nodes of a Region can share the directory of a Query, and must where
	// one node may get the response to another's request, because responses cause no
	// fetch. Each node has its own file for a URL. The directory must exist. Empty: no
	// copy, so a restart needs the source.
	Copy string
	// AllowPrivateAddresses allows connections to loopback, private and link-local
	// addresses.
	AllowPrivateAddresses bool
}

// Observer receives the state of each source. Calls for one source are sequential.
// They are made by the goroutines that fetch: one that blocks delays the next fetch of
// its source, and one that panics ends the process. They must not call Reset or Close.
type Observer interface {
	// ObserveMetadata is called after an attempt to read a source. It gets the age
	// of the metadata in use since it was fetched (negative: there is none, or the
	// source is a query service), the time left until its validUntil (negative:
	// expired; zero: no validUntil), the number of identity providers, and the Reason
	// of the failure, or "" after a success.
	ObserveMetadata(source string, age, left time.Duration, providers int, reason string)
}

const (
	maxSkew     = 5 * time.Minute
	defaultSkew = 180 * time.Second
)

func (c *Config) check() error {
	if len(c.Sources) == 0 {
		return badConfig("Sources", "at least one is required")
	}
	for field, value := range map[string]*time.Duration{
		"MinRefresh": &c.MinRefresh, "MaxRefresh": &c.MaxRefresh, "PollFiles": &c.PollFiles,
		"Timeout": &c.Timeout, "Skew": &c.Skew,
	} {
		if *value < 0 {
			return badConfig(field, "must not be negative")
		}
		if *value == 0 {
			*value = map[string]time.Duration{
				"MinRefresh": 10 * time.Minute, "MaxRefresh": 8 * time.Hour, "PollFiles": time.Minute,
				"Timeout": time.Minute, "Skew": defaultSkew,
			}[field]
		}
	}
	if c.MaxRefresh < c.MinRefresh {
		return badConfig("MaxRefresh", "is shorter than MinRefresh")
	}
	if c.Skew > maxSkew {
		return badConfig("Skew", "is more than 5 min")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	names, copies, queries := map[string]bool{}, map[string]bool{}, false
	for i := range c.Sources {
		s, at := &c.Sources[i], fmt.Sprintf("Sources[%d]", i)
		if err := s.check(at); err != nil {
			return err
		}
		switch {
		case names[s.Name]:
			return badConfig(at+".Name", "is used twice")
		case s.Copy != "" && copies[filepath.Clean(s.Copy)]:
			return badConfig(at+".Copy", "is used twice")
		case s.Query == "" && queries:
			return badConfig(at, "must be before the Query sources")
		}
		names[s.Name], copies[filepath.Clean(s.Copy)] = true, true
		queries = queries || s.Query != ""
	}
	return nil
}

func (s *Source) check(at string) error {
	given := 0
	for _, place := range []string{s.URL, s.File, s.Dir, s.Query} {
		if place != "" {
			given++
		}
	}
	if given != 1 {
		return badConfig(at, "exactly one of URL, File, Dir and Query must be set")
	}
	for i, key := range s.Keys {
		if !usable(key) {
			return badConfig(fmt.Sprintf("%s.Keys[%d]", at, i),
				fmt.Sprintf("want an *rsa.PublicKey or *ecdsa.PublicKey, got %T", key))
		}
	}
	if s.MaxValidity < 0 {
		return badConfig(at+".MaxValidity", "must not be negative")
	}
	if !s.remote() {
		if s.InsecureUnverified || s.Copy != "" {
			return badConfig(at, "InsecureUnverified and Copy are for URL and Query")
		}
	} else if err := s.checkRemote(at); err != nil {
		return err
	}
	if s.Name == "" {
		s.Name = s.File + s.Dir + hostAndPath(s.URL+s.Query)
	}
	return nil
}

// usable reports whether a key is of a type that can verify metadata.
func usable(key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return key != nil && key.N != nil
	case *ecdsa.PublicKey:
		return key != nil && key.Curve != nil
	}
	return false
}

func (s *Source) checkRemote(at string) error {
	u, err := url.Parse(s.URL + s.Query)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return badConfig(at, "URL and Query must be http or https addresses without user information")
	}
	if s.Query != "" && (!strings.HasSuffix(s.Query, "/") || u.RawQuery != "" || u.Fragment != "") {
		return badConfig(at+".Query", "must end with a slash, and have no query")
	}
	switch {
	case len(s.Keys) == 0 && !s.InsecureUnverified:
		return badConfig(at+".Keys", "at least one is required, or InsecureUnverified")
	case len(s.Keys) > 0 && s.InsecureUnverified:
		return badConfig(at+".InsecureUnverified", "contradicts Keys")
	case s.InsecureUnverified && s.Copy != "":
		return badConfig(at+".Copy", "TLS says nothing about a copy (Metadata 4.3.3): it needs Keys")
	case s.insecure(u):
		return badConfig(at, "plain http needs Keys")
	}
	return nil
}

// insecure reports whether s must not be fetched from u, because neither a signature
// nor TLS would authenticate it.
func (s *Source) insecure(u *url.URL) bool {
	return s.InsecureUnverified && u.Scheme == "http" && !saml.IsLoopback(u.Hostname())
}

func (s *Source) remote() bool { return s.URL != "" || s.Query != "" }

// hostAndPath returns an address without its query, which may contain a secret.
func hostAndPath(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host + u.Path
}
