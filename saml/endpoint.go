package saml

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
)

// Family is the IP family that an endpoint's host is reached over. It changes
// nothing in the protocol: an IPv4-only and a dual-stack URL are simply two
// URLs, and an identity provider must list both if both are used.
type Family uint8

const (
	// IPv4Only is the zero value.
	IPv4Only Family = iota
	// DualStack hosts answer over IPv4 and IPv6.
	DualStack
)

// String gives "IPv4" or "dual-stack".
func (f Family) String() string {
	if f == DualStack {
		return "dual-stack"
	}
	return "IPv4"
}

// Endpoint is one assertion consumer service (ACS) URL of the service provider.
type Endpoint struct {
	// URL is compared byte for byte with what the identity provider writes, so
	// enter here exactly what is entered there. Absolute, https, no fragment;
	// plain http only for loopback addresses, localhost and *.localhost, unless
	// Config.InsecureAllowHTTP says otherwise.
	URL string
	// Region is the name that this URL's Region goes by. Several URLs of one
	// Region (IPv4 and dual-stack) share it. May be empty where there is one.
	Region string
	Family Family
	// Index is the AssertionConsumerService index in metadata. Either every
	// endpoint has one (unique, and never used again for another URL), or none
	// has, and positions count from 0; then only appending keeps them stable.
	Index *uint16
}

// acsList is a checked, ordered list of endpoints. It never changes; a new
// list replaces it whole (invariant: one verification sees one list).
type acsList struct {
	all   []Endpoint // every Index set
	byURL map[string]int
	tags  map[string]int // request tag -> position
	fixed bool           // the indexes are explicit
}

func newACSList(in []Endpoint, allowHTTP bool) (*acsList, error) {
	if len(in) == 0 {
		return nil, configError("Config.ACS", "at least one assertion consumer service URL is needed", nil)
	}
	if len(in) > maxEndpoints {
		return nil, configError("Config.ACS", fmt.Sprintf("at most %d URLs, got %d", maxEndpoints, len(in)), nil)
	}
	l := &acsList{byURL: make(map[string]int), tags: make(map[string]int), fixed: in[0].Index != nil}
	seen := make(map[uint16]string)
	for i, e := range in {
		field := fmt.Sprintf("Config.ACS[%d]", i)
		if err := checkURL(field+".URL", e.URL, allowHTTP); err != nil {
			return nil, err
		}
		if (e.Index != nil) != l.fixed {
			return nil, configError(field+".Index", "either every endpoint has an index or none has", nil)
		}
		index := uint16(i)
		if l.fixed {
			index = *e.Index
		}
		if other, dup := seen[index]; dup {
			return nil, configError(field+".Index", fmt.Sprintf("index %d is already %s's", index, quote(other)), nil)
		}
		if _, dup := l.byURL[e.URL]; dup {
			return nil, configError(field+".URL", fmt.Sprintf("%s is listed twice", quote(e.URL)), nil)
		}
		seen[index] = e.URL
		e.Index = &index
		l.byURL[e.URL] = i
		l.tags[requestTag(e.URL)] = i
		l.all = append(l.all, e)
	}
	return l, nil
}

// maxEndpoints is far above the 35 URLs that 17 Regions with two IP families
// and one legacy URL make.
const maxEndpoints = 1000

func (l *acsList) find(url string) (Endpoint, bool) {
	i, ok := l.byURL[url]
	if !ok {
		return Endpoint{}, false
	}
	return l.all[i], true
}

// snapshot copies the list, so that no caller can reach into it.
func (l *acsList) snapshot() []Endpoint {
	out := slices.Clone(l.all)
	for i := range out {
		index := *out[i].Index
		out[i].Index = &index
	}
	return out
}

// with is the list with more at its end, as it may be given to newACSList:
// indexes are left to the places where they were before, and else those of more
// that have none follow the highest that was ever used.
func (l *acsList) with(more []Endpoint, retired map[uint16]string) []Endpoint {
	out := append(l.snapshot(), more...)
	if !l.fixed {
		for i := range l.all {
			out[i].Index = nil
		}
		return out
	}
	var highest uint16
	for index := range retired { // those in use are there too
		highest = max(highest, index)
	}
	for _, e := range more {
		if e.Index != nil {
			highest = max(highest, *e.Index)
		}
	}
	for i := len(l.all); i < len(out); i++ {
		if out[i].Index == nil && highest < math.MaxUint16 {
			highest++
			index := highest
			out[i].Index = &index
		}
	}
	return out
}

// successor checks that next may follow l: an explicit index that stood for
// one URL never comes to stand for another (retired keeps the ones that left
// the list), and the default stays unless the caller says otherwise.
func (l *acsList) successor(next *acsList, retired map[uint16]string, mayReplaceDefault bool) error {
	if was, is := l.all[0].URL, next.all[0].URL; was != is && !mayReplaceDefault {
		return configError("ACS", fmt.Sprintf("the first URL is the default, and replacing %s by %s moves IdP-initiated sign-in: use ReplaceDefaultACS if that is meant", quote(was), quote(is)), nil)
	}
	if !l.fixed && !next.fixed {
		return nil
	}
	now := make(map[uint16]string, len(l.all))
	for _, e := range l.all {
		now[*e.Index] = e.URL
	}
	for _, e := range next.all {
		was, ok := retired[*e.Index]
		if !ok {
			was, ok = now[*e.Index]
		}
		if ok && was != e.URL {
			return configError("ACS", fmt.Sprintf("index %d stood for %s and can't be given to %s", *e.Index, quote(was), quote(e.URL)), nil)
		}
	}
	return nil
}

// requestTag is the keyless tag that begins the ID of every AuthnRequest made
// for one ACS URL. It is no secret and proves nothing: it only lets a consumer
// that meets an unknown request say which other URL made it.
func requestTag(acsURL string) string {
	sum := sha256.Sum256([]byte("acs|" + acsURL))
	return "_" + hex.EncodeToString(sum[:8]) + "-"
}

// tagOf finds the endpoint whose tag begins a request ID.
func (l *acsList) tagOf(requestID string) (Endpoint, bool) {
	if len(requestID) < requestTagLen {
		return Endpoint{}, false
	}
	i, ok := l.tags[requestID[:requestTagLen]]
	if !ok {
		return Endpoint{}, false
	}
	return l.all[i], true
}

const requestTagLen = 1 + 16 + 1

// checkEndpointURL accepts an absolute https URL without user information or
// fragment, and plain http for hosts that can only be this machine.
func checkEndpointURL(field, raw string) error { return checkURL(field, raw, false) }

// checkURL is checkEndpointURL; allowHTTP drops what it asks of plain http.
func checkURL(field, raw string, allowHTTP bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil, !writable(raw):
		return configError(field, quote(withoutUser(raw))+" is not a URL", nil)
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.Hostname() == "":
		return configError(field, quote(withoutUser(raw))+" is not an absolute http or https URL", nil)
	case u.User != nil, u.Fragment != "", strings.Contains(raw, "#"):
		return configError(field, quote(withoutUser(raw))+" must have neither user information nor a fragment", nil)
	case u.Scheme == "http" && !allowHTTP && !IsLoopback(u.Hostname()):
		return configError(field, quote(withoutUser(raw))+" must be https: plain http is accepted for loopback hosts only", nil)
	}
	return nil
}
