package saml

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"math"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Family is the IP family that an endpoint's host is reached over. It changes
// nothing in the protocol: an IPv4-only and a dual-stack URL are two URLs, and an
// identity provider must list both if both are used.
type Family uint8

const (
	// IPv4Only is the zero value.
	IPv4Only Family = iota
	// DualStack hosts answer over IPv4 and IPv6.
	DualStack
)

// String returns "IPv4" or "dual-stack".
func (f Family) String() string {
	if f == DualStack {
		return "dual-stack"
	}
	return "IPv4"
}

// Endpoint is one assertion consumer service (ACS) URL of the service provider.
type Endpoint struct {
	// URL is compared byte for byte with the URLs in messages: enter the same URL
	// here and at the identity provider. Absolute, https, no fragment; plain http
	// only for loopback addresses, localhost and *.localhost, or with
	// Config.InsecureAllowHTTP.
	URL string
	// Region is the name of this URL's Region. Several URLs of one Region (IPv4
	// and dual-stack) share it. It may be empty where there is one Region.
	Region string
	Family Family
	// Index is the AssertionConsumerService index in metadata. Either every endpoint
	// has one, unique and never reused for another URL, or none has. Without them
	// the index is the position, counted from 0, and only appending keeps indexes
	// stable.
	Index *uint16
	// ArtifactIndex accepts artifacts at this URL, too (HTTP-Artifact, Bindings 3.6): our
	// metadata then lists the URL a second time, with this index. It is unique among all
	// indexes, and never reused for another URL or binding. Where Index is the position,
	// it is at least 1,000, which no position reaches. It needs Config.Key, and with
	// Config.IdPs a [SourceIdPs]. Nil: only HTTP-POST.
	ArtifactIndex *uint16
}

// acsList is a validated, ordered list of endpoints. It never changes; a new
// list replaces it, so one verification sees one list.
type acsList struct {
	all   []Endpoint // every Index set
	byURL map[string]int
	tags  map[string]int // request tag -> position
	fixed bool           // the indexes are explicit
}

// maxEndpoints is far above the 35 URLs of 17 Regions with two IP families and
// one legacy URL.
const maxEndpoints = 1000

func newACSList(in []Endpoint, allowHTTP bool) (*acsList, error) {
	switch {
	case len(in) == 0:
		return nil, configError("Config.ACS", "at least one assertion consumer service URL is needed")
	case len(in) > maxEndpoints:
		return nil, configError("Config.ACS", "at most %d URLs, got %d", maxEndpoints, len(in))
	}
	l := &acsList{byURL: make(map[string]int), tags: make(map[string]int), fixed: in[0].Index != nil}
	seen := make(map[uint16]string)
	for i, e := range in {
		field := fmt.Sprintf("Config.ACS[%d]", i)
		if err := checkURL(field+".URL", e.URL, allowHTTP); err != nil {
			return nil, err
		}
		if (e.Index != nil) != l.fixed {
			return nil, configError(field+".Index", "either every endpoint has an index or none has")
		}
		index := uint16(i)
		if l.fixed {
			index = *e.Index
		}
		if _, dup := l.byURL[e.URL]; dup {
			return nil, configError(field+".URL", "%s is listed twice", quote(e.URL))
		}
		e.Index = &index
		e = e.clone()
		if !l.fixed && e.ArtifactIndex != nil && *e.ArtifactIndex < maxEndpoints {
			return nil, configError(field+".ArtifactIndex",
				"%d can become the position of an endpoint: at least %d without Index", *e.ArtifactIndex, maxEndpoints)
		}
		for name, index := range e.indexes() {
			if other, dup := seen[index]; dup {
				return nil, configError(field+"."+name, "index %d is already that of %s", index, quote(other))
			}
			seen[index] = e.URL
		}
		l.byURL[e.URL] = i
		l.tags[requestTag(e.URL)] = i
		l.all = append(l.all, e)
	}
	return l, nil
}

func (l *acsList) find(url string) (Endpoint, bool) {
	i, ok := l.byURL[url]
	if !ok {
		return Endpoint{}, false
	}
	return l.all[i], true
}

// clone returns a copy that doesn't share the indexes.
func (e Endpoint) clone() Endpoint {
	for _, index := range []**uint16{&e.Index, &e.ArtifactIndex} {
		if *index != nil {
			*index = new(**index)
		}
	}
	return e
}

// indexes yields the indexes by the names of their fields.
func (e Endpoint) indexes() iter.Seq2[string, uint16] {
	return func(yield func(string, uint16) bool) {
		if e.Index != nil && !yield("Index", *e.Index) {
			return
		}
		if e.ArtifactIndex != nil {
			yield("ArtifactIndex", *e.ArtifactIndex)
		}
	}
}

// place is what an index is of: a URL and a binding.
type place struct{ field, url string }

// places yields the explicit indexes of a list, and what they are of.
func (l *acsList) places() iter.Seq2[uint16, place] {
	return func(yield func(uint16, place) bool) {
		for _, e := range l.all {
			for field, index := range e.indexes() {
				if (l.fixed || field == "ArtifactIndex") && !yield(index, place{field, e.URL}) {
					return
				}
			}
		}
	}
}

// snapshot copies the list.
func (l *acsList) snapshot() []Endpoint {
	out := slices.Clone(l.all)
	for i := range out {
		out[i] = out[i].clone()
	}
	return out
}

// with returns the list with more appended, as input for newACSList. Positional
// indexes are left out. If indexes are explicit, endpoints of more without one get
// the next after the highest ever used.
func (l *acsList) with(more []Endpoint, retired map[uint16]place) []Endpoint {
	out := append(l.snapshot(), more...)
	if !l.fixed {
		for i := range l.all {
			out[i].Index = nil
		}
		return out
	}
	var highest uint16
	for index := range retired { // includes the indexes in use
		highest = max(highest, index)
	}
	for _, e := range more {
		for _, index := range e.indexes() {
			highest = max(highest, index)
		}
	}
	for i := len(l.all); i < len(out); i++ {
		if out[i].Index == nil && highest < math.MaxUint16 {
			highest++
			out[i].Index = new(highest)
		}
	}
	return out
}

// checkSuccessor checks that next may replace l. An explicit index is never reused
// for another URL or binding, not even if its URL has left the list (see retired). The
// default stays the same unless mayReplaceDefault is true.
func (l *acsList) checkSuccessor(next *acsList, retired map[uint16]place, mayReplaceDefault bool) error {
	if was, is := l.all[0].URL, next.all[0].URL; was != is && !mayReplaceDefault {
		return configError("ACS", "the first URL is the default, and replacing %s by %s moves IdP-initiated sign-in: "+
			"use ReplaceDefaultACS to do that", quote(was), quote(is))
	}
	given := func(index uint16) (place, bool) {
		if was, ok := retired[index]; ok {
			return was, true
		}
		for _, e := range l.all {
			for field, i := range e.indexes() {
				if i == index {
					return place{field, e.URL}, true
				}
			}
		}
		return place{}, false
	}
	for _, e := range next.all {
		for field, index := range e.indexes() {
			if field == "Index" && !l.fixed && !next.fixed { // both are positions
				continue
			}
			if was, ok := given(index); ok && was != (place{field, e.URL}) {
				return configError("ACS", "index %d was given to %s of %s and can't be given to %s of %s",
					index, was.field, quote(was.url), field, quote(e.URL))
			}
		}
	}
	return nil
}

// requestTag returns the tag that begins the ID of every AuthnRequest made for an
// ACS URL. It is not secret and proves nothing. With it, a consumer that receives an
// unknown request ID can name the ACS URL that the request was made for.
func requestTag(acsURL string) string {
	sum := sha256.Sum256([]byte("acs|" + acsURL))
	return "_" + hex.EncodeToString(sum[:8]) + "-"
}

const requestTagLen = 1 + 16 + 1

// tagOf returns the endpoint whose tag a request ID begins with.
func (l *acsList) tagOf(requestID string) (Endpoint, bool) {
	i, ok := l.tags[requestID[:min(len(requestID), requestTagLen)]]
	if !ok {
		return Endpoint{}, false
	}
	return l.all[i], true
}

// foreign reports whether a URL has another origin than each of ours. The browser is
// sent to the addresses in metadata by a page of ours, so the handlers there would take
// the request, which can be a POST, for one of our own. One of several identity providers
// must not choose them.
func (sp *ServiceProvider) foreign(raw string) bool {
	to, ok := originOf(raw)
	if !ok {
		return false
	}
	same := func(url string) bool { ours, _ := originOf(url); return to == ours }
	logout := sp.logout.Load()
	return !same(logout.published) &&
		!slices.ContainsFunc(sp.acs.Load().all, func(e Endpoint) bool { return same(e.URL) }) &&
		!slices.ContainsFunc(logout.all, func(e LogoutEndpoint) bool { return same(e.URL) })
}

// originOf returns the origin of a URL. Browsers map other letters of a host to ASCII, so
// ok is false if it isn't in ASCII. They also read 0443 as the port 443, and 127.1 and
// 0x7f000001 as the address 127.0.0.1 (URL Standard 3.5): ok is false for such a host.
func originOf(raw string) (origin string, ok bool) {
	u, err := url.Parse(raw)
	if err != nil || strings.ContainsFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return "", false
	}
	port := cmp.Or(strings.TrimLeft(u.Port(), "0"), map[string]string{"https": "443", "http": "80"}[u.Scheme])
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String()
	} else if endsInNumber(host) {
		return "", false
	}
	return u.Scheme + "://" + net.JoinHostPort(host, port), true
}

// endsInNumber reports whether a browser reads a host as an IPv4 address.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	_, err := strconv.ParseUint(last, 10, 64)
	return err == nil || strings.HasPrefix(last, "0x")
}

// checkURL accepts an absolute https URL without user information or fragment.
// Plain http is accepted for loopback hosts, and for all with allowHTTP.
func checkURL(field, raw string, allowHTTP bool) *Error {
	u, err := url.Parse(raw)
	problem := ""
	switch {
	case err != nil, !writable(raw):
		problem = "is not a URL"
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.Hostname() == "":
		problem = "is not an absolute http or https URL"
	case u.User != nil, u.Fragment != "", strings.Contains(raw, "#"):
		problem = "must have neither user information nor a fragment"
	case u.Scheme == "http" && !allowHTTP && !IsLoopback(u.Hostname()):
		problem = "must be https: plain http is accepted for loopback hosts only"
	default:
		return nil
	}
	return configError(field, "%s %s", quote(withoutUser(raw)), problem)
}

// checkLocation is checkURL for an address in metadata. Line ends in an attribute are read as spaces, and an address
// with one can't be meant.
func checkLocation(attribute, raw string) *Error {
	if strings.Contains(raw, " ") {
		return configError(attribute, "%s is not a URL", quote(withoutUser(raw)))
	}
	return checkURL(attribute, raw, false)
}

// checkDirectLocation is checkLocation for an address to which this program itself connects, and not the browser. A
// literal IP address must be public, or loopback in a test, because metadata must not lead into our own network. Names
// are resolved, and their addresses checked, where the connection is made.
func checkDirectLocation(attribute, raw string) *Error {
	if err := checkLocation(attribute, raw); err != nil {
		return err
	}
	u, _ := url.Parse(raw) // checkLocation has parsed it
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	if err == nil && (IsPublicAddress(ip) || IsLoopback(host)) || err != nil && !endsInNumber(host) {
		return nil
	}
	return configError(attribute, "%s must not have an address that is not public", quote(raw))
}

// IsLoopback reports whether a host name or address, without brackets and port,
// always means this machine: localhost and names below it (RFC 6761 section 6.3),
// 127.0.0.0/8 and ::1. Plain http is accepted for these only.
//
// Browsers send no DNS query for such names. Go's resolver does for names below
// localhost, so a program should dial localhost instead.
func IsLoopback(host string) bool {
	return localhost.MatchString(strings.ToLower(host)) || net.ParseIP(host).IsLoopback()
}

var localhost = regexp.MustCompile(`^([a-z0-9_-]+\.)*localhost\.?$`)
