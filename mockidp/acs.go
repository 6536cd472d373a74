package mockidp

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ACS is one assertion consumer service of an app.
type ACS struct {
	URL string
	// Index is what AssertionConsumerServiceIndex names it by. Zero (nil): its
	// place in the list, from 0. A list has either all indexes or none.
	Index *uint16
}

// MaxACS is how many assertion consumer services an app may list, as at Okta.
const MaxACS = 100

// UnlistedACS says what becomes of an AuthnRequest that names an assertion
// consumer service that isn't on the app's list. Whatever it says, nothing is
// ever posted to an unlisted URL.
type UnlistedACS int

// The policies.
const (
	Reject     UnlistedACS = iota // a 400 page; the zero value
	UseDefault                    // as if the request had named none: the answer goes to the first URL
)

// resolve finds where the answer goes (SAML Core 3.4.1; SAML Metadata 2.4.4).
// It looks only at the list, so nothing else can become a form's action.
func (a *App) resolve(req *authnRequest) (ACS, *Error) {
	if len(a.ACS) == 0 {
		return ACS{}, &Error{Reason: ReasonNoACS,
			Detail: "the app " + quote(a.Label) + " lists no assertion consumer service: give it one with RegisterSP, SetACS or in its configuration"}
	}
	first := a.ACS[0]
	switch {
	case req == nil || req.ACSURL == nil && req.ACSIndex == nil:
		return first, nil
	case req.ACSURL != nil && req.ACSIndex != nil:
		return ACS{}, &Error{Reason: ReasonURLAndIndex,
			Detail: "the request names both AssertionConsumerServiceURL and AssertionConsumerServiceIndex, which exclude each other (SAML Core 3.4.1)"}
	case req.ACSURL != nil:
		if i := slices.IndexFunc(a.ACS, func(x ACS) bool { return x.URL == *req.ACSURL }); i >= 0 {
			return a.ACS[i], nil
		}
		if a.Unlisted == UseDefault {
			return first, nil
		}
		return ACS{}, &Error{Reason: ReasonUnlistedURL, Want: a.listed(), Got: *req.ACSURL,
			Detail: "the request's AssertionConsumerServiceURL is not on the list of the app " + quote(a.Label)}
	}
	if i := slices.IndexFunc(a.ACS, func(x ACS) bool { return *x.Index == *req.ACSIndex }); i >= 0 {
		return a.ACS[i], nil
	}
	if a.Unlisted == UseDefault {
		return first, nil
	}
	return ACS{}, &Error{Reason: ReasonUnlistedIndex, Want: a.listedIndexes(), Got: strconv.Itoa(int(*req.ACSIndex)),
		Detail: "the request's AssertionConsumerServiceIndex is not on the list of the app " + quote(a.Label)}
}

func (a *App) listed() string {
	var urls []string
	for _, x := range a.ACS {
		urls = append(urls, x.URL)
	}
	return strings.Join(urls, " or ")
}

func (a *App) listedIndexes() string {
	var idx []string
	for _, x := range a.ACS {
		idx = append(idx, strconv.Itoa(int(*x.Index)))
	}
	return strings.Join(idx, " or ")
}

// numberedACS copies a list, checks it, and fills in positional indexes.
func numberedACS(list []ACS) ([]ACS, *Error) {
	if len(list) > MaxACS {
		return nil, badConfig("%d assertion consumer services, at most %d", len(list), MaxACS)
	}
	out := make([]ACS, len(list))
	urls, indexes := map[string]bool{}, map[uint16]bool{}
	for i, x := range list {
		if err := checkWebURL("ACS.URL", x.URL); err != nil {
			return nil, err
		}
		if (x.Index == nil) != (list[0].Index == nil) {
			return nil, badConfig("ACS list: indexes must be given for all or for none, and %s differs from the first", quote(x.URL))
		}
		n := uint16(i)
		if x.Index != nil {
			n = *x.Index
		}
		if urls[x.URL] {
			return nil, badConfig("ACS list: the URL %s is there twice", quote(x.URL))
		}
		if indexes[n] {
			return nil, badConfig("ACS list: the index %d is there twice", n)
		}
		urls[x.URL], indexes[n] = true, true
		out[i] = ACS{URL: x.URL, Index: &n}
	}
	return out, nil
}

// checkWebURL wants an absolute http or https URL in the characters of RFC
// 3986, so that what a browser submits to is byte for byte what is listed.
func checkWebURL(what, s string) *Error {
	u, err := url.Parse(s)
	plain := !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) })
	if err != nil || !plain || len(s) > 2048 || !webScheme(u.Scheme) || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return &Error{Reason: ReasonConfig, Detail: what + " is not an absolute http or https URL", Want: "https://sp.example/saml/acs", Got: s}
	}
	return nil
}
