package mockidp

import (
	"net/url"
	"slices"
	"strings"
)

// ACS is one assertion consumer service of an app.
type ACS struct {
	URL string
	// Index is its AssertionConsumerServiceIndex. Zero (nil): its position in the list, from 0; a list has either all
	// indexes or none. With the profile Entra each Reply URL may have one; zero: it has none.
	Index *uint16
	// Default is the checkbox of a Reply URL. With the profile Entra only, at most once in a list; zero: the first one is
	// the default.
	Default bool
}

// maxACS is how many assertion consumer services an app may list, as at Okta.
const maxACS = 100

// UnlistedACS is the policy for an AuthnRequest that names an assertion consumer service that isn't on the app's list.
// No policy sends an answer to an unlisted URL, except for one in a request whose signature was verified
// (App.SignedRequests).
type UnlistedACS int

// The policies.
const (
	Reject     UnlistedACS = iota // a 400 page; the zero value
	UseDefault                    // as if the request had named none: the answer goes to the default URL
)

// resolve returns where the answer goes (SAML Core 3.4.1; SAML Metadata 2.4.4).
func (a *App) resolve(req *authnRequest) (ACS, *Error) {
	if len(a.ACS) == 0 {
		return ACS{}, errorf(ReasonNoACS, "the app %s lists no assertion consumer service: add one with RegisterSP, SetACS "+
			"or in the configuration", quote(a.Label))
	}
	switch {
	case req == nil:
		return a.DefaultACS(), nil
	case req.ACSURL != nil && req.ACSIndex != nil:
		return ACS{}, errorf(ReasonURLAndIndex, "the request has both AssertionConsumerServiceURL and "+
			"AssertionConsumerServiceIndex, which exclude each other (SAML Core 3.4.1)")
	case req.verified && a.SignedRequests && a.Profile == Okta:
		return a.resolveSigned(req)
	case req.ACSURL == nil && req.ACSIndex == nil:
		return a.DefaultACS(), nil
	}
	for _, x := range a.ACS {
		byIndex := req.ACSIndex != nil && x.Index != nil && *x.Index == *req.ACSIndex
		if byIndex || req.ACSURL != nil && x.URL == *req.ACSURL {
			return x, nil
		}
	}
	if a.Unlisted == UseDefault {
		return a.DefaultACS(), nil
	}
	return ACS{}, a.unlisted(req)
}

// resolveSigned follows Okta's "Signed Requests" (see App.SignedRequests): the URL is the request's, because only the
// service provider can have written it, and the app's URLs don't count.
func (a *App) resolveSigned(req *authnRequest) (ACS, *Error) {
	if req.ACSURL == nil {
		return ACS{}, mismatch(ReasonUnlistedURL, "an AssertionConsumerServiceURL", "",
			"the app %s takes signed requests, which must name the URL of the answer", quote(a.Label))
	}
	if err := checkWebURL("the request's AssertionConsumerServiceURL", *req.ACSURL); err != nil {
		err.Reason = ReasonUnlistedURL
		return ACS{}, err
	}
	return ACS{URL: *req.ACSURL}, nil
}

// DefaultACS returns the ACS with the Default flag, else the first of the list; the zero ACS if the list is empty.
func (a *App) DefaultACS() ACS {
	if len(a.ACS) == 0 {
		return ACS{}
	}
	return a.ACS[max(0, slices.IndexFunc(a.ACS, func(x ACS) bool { return x.Default }))]
}

func (a *App) unlisted(req *authnRequest) *Error {
	reason, attribute, got := ReasonUnlistedURL, "AssertionConsumerServiceURL", ""
	if req.ACSURL != nil {
		got = withoutUser(*req.ACSURL)
	} else {
		reason, attribute, got = ReasonUnlistedIndex, "AssertionConsumerServiceIndex", itoa(int(*req.ACSIndex))
	}
	var listed []string
	for _, x := range a.ACS {
		if req.ACSURL != nil {
			listed = append(listed, x.URL)
		} else if x.Index != nil {
			listed = append(listed, itoa(int(*x.Index)))
		}
	}
	e := mismatch(reason, strings.Join(listed, " or "), got, "the request's %s is not on the list of the app %s",
		attribute, quote(a.Label))
	if a.Profile == Entra {
		e.Detail = "AADSTS50011: the reply URL of the request isn't configured for the application " + quote(a.Audience)
	}
	return e
}

// numberedACS returns a checked copy of a list with positional indexes filled in.
func numberedACS(list []ACS, p Profile) ([]ACS, *Error) {
	if len(list) > maxACS {
		return nil, badConfig("%d assertion consumer services, at most %d", len(list), maxACS)
	}
	out := slices.Clone(list)
	urls, indexes, defaults := map[string]bool{}, map[uint16]bool{}, 0
	for i, x := range list {
		if err := checkWebURL("ACS.URL", x.URL); err != nil {
			return nil, err
		}
		if urls[x.URL] {
			return nil, badConfig("the ACS list has the URL %s twice", quote(x.URL))
		}
		urls[x.URL] = true
		if x.Default {
			defaults++
		}
		if p == Okta && (x.Index == nil) != (list[0].Index == nil) {
			return nil, badConfig("an ACS list must have an index for each URL or for none; that of %s differs", quote(x.URL))
		}
		n := uint16(i)
		switch {
		case x.Index != nil:
			n = *x.Index
		case p == Entra:
			continue
		}
		if indexes[n] {
			return nil, badConfig("the ACS list has the index %d twice", n)
		}
		indexes[n] = true
		out[i].Index = &n
	}
	if defaults > 1 || defaults > 0 && p == Okta {
		return nil, badConfig("ACS.Default is for one URL of the profile Entra; at Okta the first URL is the default")
	}
	return out, nil
}

// checkWebURL accepts absolute http and https URLs in the characters of RFC 3986, which browsers submit to unchanged.
func checkWebURL(what, s string) *Error {
	u, err := url.Parse(s)
	unescaped := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) }
	if err != nil || strings.ContainsFunc(s, unescaped) || len(s) > 2048 ||
		!webScheme(u.Scheme) || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return mismatch(ReasonConfig, "https://sp.example/", withoutUser(s), "%s must be an absolute http or https URL", what)
	}
	return nil
}

// IdentityCenter is the form of Okta's catalogue app "AWS IAM Identity Center". The comments quote its labels.
type IdentityCenter struct {
	ACSURL    string     // "AWS SSO ACS URL": the default, and the first of the list
	ACSURLs   [17]string // "AWS SSO ACS URL1" to "AWS SSO ACS URL17"; empty ones are left out
	IssuerURL string     // "AWS SSO issuer URL": the Audience
}

// IdentityCenterName is the catalogue app's part of the sign-on path.
const IdentityCenterName = "amazon_aws_sso"

// list returns the form as an ACS list. The index of each URL is its field's number, 0 for the default.
func (f *IdentityCenter) list() []ACS {
	var out []ACS
	for i, u := range slices.Concat([]string{f.ACSURL}, f.ACSURLs[:]) {
		if u != "" {
			out = append(out, ACS{URL: u, Index: new(uint16(i))})
		}
	}
	return out
}

// setACS replaces an app's list. In the form of IdentityCenter, the first URL becomes "AWS SSO ACS URL" and the others
// fill the numbered fields; indexes are lost.
func (a *App) setACS(list []ACS) error {
	f := a.IdentityCenter
	if f == nil {
		a.ACS = slices.Clone(list)
		return nil
	}
	if len(list) > 1+len(f.ACSURLs) {
		return a.bad("the form of AWS IAM Identity Center has fields for %d URLs, not %d", 1+len(f.ACSURLs), len(list))
	}
	f.ACSURL, f.ACSURLs = "", [17]string{}
	for i, x := range list {
		if i == 0 {
			f.ACSURL = x.URL
		} else {
			f.ACSURLs[i-1] = x.URL
		}
	}
	return nil
}

// applyForm sets ACS and Audience from the form of IdentityCenter.
func (a *App) applyForm() *Error {
	f := a.IdentityCenter
	switch {
	case f == nil:
		return nil
	case a.Profile != Okta:
		return a.bad("the form IdentityCenter is for the profile Okta")
	case f.ACSURL == "" && f.ACSURLs != [17]string{}:
		return a.bad("AWS SSO ACS URL is empty but a numbered one isn't: the default would be missing")
	}
	a.ACS, a.Audience = f.list(), f.IssuerURL
	return nil
}
