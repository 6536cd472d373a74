package mockidp

import (
	"net/url"
	"slices"
	"strings"
)

// ACS is one assertion consumer service of an app.
type ACS struct {
	URL string
	// Index is what AssertionConsumerServiceIndex names it by. Zero (nil): its
	// place in the list, from 0; a list has either all indexes or none. With
	// the profile Entra: it has none, as each Reply URL may.
	Index *uint16
	// Default is the checkbox of a Reply URL. With the profile Entra only, at
	// most once in a list; zero: the first is the default.
	Default bool
}

// maxACS is how many assertion consumer services an app may list, as at Okta.
const maxACS = 100

// UnlistedACS says what becomes of an AuthnRequest that names an assertion
// consumer service that isn't on the app's list. Whatever it says, nothing is
// ever posted to an unlisted URL, but for one in a request whose signature was
// verified (App.SignedRequests).
type UnlistedACS int

// The policies.
const (
	Reject     UnlistedACS = iota // a 400 page; the zero value
	UseDefault                    // as if the request had named none: the answer goes to the default URL
)

// resolve finds where the answer goes (SAML Core 3.4.1; SAML Metadata 2.4.4).
// It looks only at the list, so nothing else can become a form's action.
func (a *App) resolve(req *authnRequest) (ACS, *Error) {
	if len(a.ACS) == 0 {
		return ACS{}, &Error{Reason: ReasonNoACS,
			Detail: "the app " + quote(a.Label) + " lists no assertion consumer service: give it one with RegisterSP, SetACS or in its configuration"}
	}
	switch {
	case req == nil:
		return a.DefaultACS(), nil
	case req.ACSURL != nil && req.ACSIndex != nil:
		return ACS{}, &Error{Reason: ReasonURLAndIndex,
			Detail: "the request names both AssertionConsumerServiceURL and AssertionConsumerServiceIndex, which exclude each other (SAML Core 3.4.1)"}
	case req.verified && a.SignedRequests && a.Profile == Okta:
		return a.resolveSigned(req)
	case req.ACSURL == nil && req.ACSIndex == nil:
		return a.DefaultACS(), nil
	}
	asked := func(x ACS) bool { return req.ACSURL != nil && x.URL == *req.ACSURL }
	if req.ACSURL == nil {
		asked = func(x ACS) bool { return x.Index != nil && *x.Index == *req.ACSIndex }
	}
	if i := slices.IndexFunc(a.ACS, asked); i >= 0 {
		return a.ACS[i], nil
	}
	if a.Unlisted == UseDefault {
		return a.DefaultACS(), nil
	}
	return ACS{}, a.unlisted(req)
}

// resolveSigned is Okta's rule once "Signed Requests" is on (App.SignedRequests
// says where it is known from): the URLs of the app no longer count, the default
// among them, and the URL is the request's, since only the service provider can
// have written it.
func (a *App) resolveSigned(req *authnRequest) (ACS, *Error) {
	if req.ACSURL == nil {
		return ACS{}, &Error{Reason: ReasonUnlistedURL, Want: "an AssertionConsumerServiceURL", Got: "",
			Detail: "the app " + quote(a.Label) + " takes signed requests, which must say where the answer goes"}
	}
	if err := checkWebURL("the request's AssertionConsumerServiceURL", *req.ACSURL); err != nil {
		err.Reason = ReasonUnlistedURL
		return ACS{}, err
	}
	if i := slices.IndexFunc(a.ACS, func(x ACS) bool { return x.URL == *req.ACSURL }); i >= 0 {
		return a.ACS[i], nil
	}
	return ACS{URL: *req.ACSURL}, nil
}

// DefaultACS returns the ACS that carries the flag, else the first of the list;
// the zero ACS if the list is empty.
func (a *App) DefaultACS() ACS {
	if len(a.ACS) == 0 {
		return ACS{}
	}
	if i := slices.IndexFunc(a.ACS, func(x ACS) bool { return x.Default }); i >= 0 {
		return a.ACS[i]
	}
	return a.ACS[0]
}

// unlisted is the refusal, in Okta's terms or in Entra's.
func (a *App) unlisted(req *authnRequest) *Error {
	var urls, indexes []string
	for _, x := range a.ACS {
		urls = append(urls, x.URL)
		if x.Index != nil {
			indexes = append(indexes, itoa(int(*x.Index)))
		}
	}
	e := &Error{Reason: ReasonUnlistedIndex, Want: strings.Join(indexes, " or "),
		Detail: "the request's AssertionConsumerServiceIndex is not on the list of the app " + quote(a.Label)}
	if req.ACSURL != nil {
		e.Reason, e.Want, e.Got = ReasonUnlistedURL, strings.Join(urls, " or "), withoutUser(*req.ACSURL)
		e.Detail = "the request's AssertionConsumerServiceURL is not on the list of the app " + quote(a.Label)
	} else {
		e.Got = itoa(int(*req.ACSIndex))
	}
	if a.Profile == Entra {
		e.Detail = "AADSTS50011: the request asks for a reply URL that isn't configured for the application " + quote(a.Audience)
	}
	return e
}

// numberedACS copies a list, checks it, and fills in positional indexes.
func numberedACS(list []ACS, p Profile) ([]ACS, *Error) {
	if len(list) > maxACS {
		return nil, badConfig("%d assertion consumer services, at most %d", len(list), maxACS)
	}
	out := make([]ACS, len(list))
	urls, indexes, defaults := map[string]bool{}, map[uint16]bool{}, 0
	for i, x := range list {
		if err := checkWebURL("ACS.URL", x.URL); err != nil {
			return nil, err
		}
		if urls[x.URL] {
			return nil, badConfig("ACS list: the URL %s is there twice", quote(x.URL))
		}
		urls[x.URL] = true
		if x.Default {
			defaults++
		}
		if p == Okta && (x.Index == nil) != (list[0].Index == nil) {
			return nil, badConfig("ACS list: indexes must be given for all or for none, and %s differs from the first", quote(x.URL))
		}
		out[i] = ACS{URL: x.URL, Default: x.Default}
		if x.Index == nil && p == Entra {
			continue
		}
		n := uint16(i)
		if x.Index != nil {
			n = *x.Index
		}
		if indexes[n] {
			return nil, badConfig("ACS list: the index %d is there twice", n)
		}
		indexes[n] = true
		out[i].Index = &n
	}
	if defaults > 1 || defaults > 0 && p == Okta {
		return nil, badConfig("ACS list: Default is for one URL of an app with the profile Entra; at Okta the first URL is the default")
	}
	return out, nil
}

// checkWebURL wants an absolute http or https URL in the characters of RFC
// 3986, so that what a browser submits to is byte for byte what is listed.
func checkWebURL(what, s string) *Error {
	u, err := url.Parse(s)
	plain := !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) })
	if err != nil || !plain || len(s) > 2048 || !webScheme(u.Scheme) || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return &Error{Reason: ReasonConfig, Detail: what + " is not an absolute http or https URL", Want: "https://sp.example/saml/acs", Got: withoutUser(s)}
	}
	return nil
}
