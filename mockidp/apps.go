package mockidp

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Kind is what sort of application an App is.
type Kind int

// The kinds.
const (
	SAML     Kind = iota // signs people in with SAML 2.0; the zero value
	Bookmark             // a tile with a URL, and nothing else
)

// Signing is what an app's responses have signed.
type Signing int

// The choices. Okta's default is both.
const (
	SignBoth      Signing = iota // the assertion, then the Response around it; the zero value
	SignResponse                 // the Response only
	SignAssertion                // the assertion only; a Response without one (an error status) is signed itself
)

// NameID formats (SAML Core 8.3).
const (
	NameIDEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	NameIDUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	NameIDPersistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	NameIDTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
)

// App is an application on the dashboard.
type App struct {
	// ID names the app to this package's methods, and is in a bookmark's link.
	// Zero: 0oa and 17 characters made from the label.
	ID string
	// ExternalKey is the last part of the SAML paths. Zero: exk and 17
	// characters made from the label.
	ExternalKey string
	// Name is the app's part of the sign-on path. Zero: made from the label.
	Name string
	// Kind is SAML (the zero value) or Bookmark.
	Kind Kind
	// Label is what the tile says. Required.
	Label string

	// Users are the logins that the app is assigned to. A user who is neither
	// here nor in one of Groups sees no tile and gets 403.
	Users []string
	// Groups are the groups that the app is assigned to; Everyone is one.
	Groups []string

	// URL is where a Bookmark leads. Bookmarks only, and required there.
	URL string

	// The rest is for SAML apps.

	// Issuer is this identity provider's entity ID towards the app. Zero:
	// "http://www.okta.com/" and ExternalKey.
	Issuer string
	// Audience is the service provider's entity ID. Zero: no request is
	// accepted until RegisterSP or UpdateApp sets it.
	Audience string
	// ACS is the ordered list of assertion consumer services. The first is
	// Okta's "Single sign-on URL": the default of requests that name none, and
	// the only one that IdP-initiated sign-in uses. The others are its "other
	// requestable SSO URLs". Zero: every sign-in ends in a 400 page.
	ACS []ACS
	// Unlisted is what becomes of requests that name another ACS. Zero: Reject.
	Unlisted UnlistedACS
	// DefaultRelayState goes with IdP-initiated sign-in only. Zero: none.
	DefaultRelayState string
	// NameIDFormat is the Format of the NameID, whose value is always the
	// user's login. Zero: NameIDEmail.
	NameIDFormat string
	// Attributes are the attribute statements, in order. Zero: none.
	Attributes []Attribute
	// GroupAttribute sends the user's groups. Zero (nil): they aren't sent.
	GroupAttribute *GroupAttribute
	// Sign is what gets signed. Zero: SignBoth.
	Sign Signing
	// SessionLifetime becomes SessionNotOnOrAfter, counted from the assertion.
	// Zero: the attribute is left out, as at Okta.
	SessionLifetime time.Duration
}

func (a App) clone() App {
	a.Users, a.Groups = slices.Clone(a.Users), slices.Clone(a.Groups)
	a.ACS = slices.Clone(a.ACS)
	for i, x := range a.ACS {
		if x.Index != nil {
			n := *x.Index
			a.ACS[i].Index = &n
		}
	}
	a.Attributes = slices.Clone(a.Attributes)
	for i, x := range a.Attributes {
		a.Attributes[i].Values = slices.Clone(x.Values)
	}
	if a.GroupAttribute != nil {
		g := *a.GroupAttribute
		a.GroupAttribute = &g
	}
	return a
}

func (a *App) assignedTo(u *User) bool {
	has := slices.ContainsFunc(a.Users, func(l string) bool { return loginKey(l) == loginKey(u.Login) })
	return has || slices.ContainsFunc(a.Groups, u.in)
}

var (
	idShape   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)
	notInName = regexp.MustCompile(`[^a-z0-9]+`)
)

// prepared copies the app, fills in what is zero, and refuses contradictions.
// ordinal tells apart apps that share a label.
func (a App) prepared(ordinal int) (App, *Error) {
	a = a.clone()
	if strings.TrimSpace(a.Label) == "" || len(a.Label) > 200 {
		return App{}, badConfig("App.Label must be 1 to 200 bytes, got %s", quote(a.Label))
	}
	if a.ID == "" {
		a.ID = "0oa" + derivedID("app", a.Label, ordinal)
	}
	if a.ExternalKey == "" {
		a.ExternalKey = "exk" + derivedID("key", a.Label, ordinal)
	}
	if a.Name == "" {
		a.Name = appName(a.Label, ordinal)
	}
	for _, id := range []string{a.ID, a.ExternalKey, a.Name} {
		if !idShape.MatchString(id) || strings.Trim(id, ".") == "" {
			return App{}, badConfig("app %s: ID, ExternalKey and Name are letters, digits and _ . -, got %s", quote(a.Label), quote(id))
		}
	}
	for _, t := range []string{a.Label, a.Issuer, a.Audience, a.NameIDFormat} {
		if err := checkText("app "+quote(a.Label), t); err != nil {
			return App{}, err
		}
	}
	switch a.Kind {
	case SAML:
		return a.preparedSAML()
	case Bookmark:
		return a.preparedBookmark()
	}
	return App{}, badConfig("app %s: unknown Kind %d", quote(a.Label), a.Kind)
}

func (a App) preparedSAML() (App, *Error) {
	var err *Error
	if a.ACS, err = numberedACS(a.ACS); err != nil {
		return App{}, &Error{Reason: ReasonConfig, Detail: "app " + quote(a.Label), Err: err}
	}
	if a.Issuer == "" {
		a.Issuer = "http://www.okta.com/" + a.ExternalKey
	}
	if a.NameIDFormat == "" {
		a.NameIDFormat = NameIDEmail
	}
	switch {
	case a.URL != "":
		return App{}, badConfig("app %s: URL is for bookmarks; a SAML app has ACS", quote(a.Label))
	case a.Unlisted != Reject && a.Unlisted != UseDefault:
		return App{}, badConfig("app %s: unknown Unlisted %d", quote(a.Label), a.Unlisted)
	case a.Sign < SignBoth || a.Sign > SignAssertion:
		return App{}, badConfig("app %s: unknown Sign %d", quote(a.Label), a.Sign)
	case a.SessionLifetime < 0:
		return App{}, badConfig("app %s: SessionLifetime is negative", quote(a.Label))
	}
	if err := checkRelayState(a.DefaultRelayState); err != nil {
		return App{}, &Error{Reason: ReasonConfig, Detail: "app " + quote(a.Label) + ": DefaultRelayState", Err: err}
	}
	return a, a.checkAttributes()
}

func (a App) preparedBookmark() (App, *Error) {
	if a.Audience != "" || a.Issuer != "" || len(a.ACS) > 0 || len(a.Attributes) > 0 || a.GroupAttribute != nil || a.DefaultRelayState != "" {
		return App{}, badConfig("app %s: a bookmark has a URL and nothing of SAML", quote(a.Label))
	}
	return a, checkWebURL("bookmark "+quote(a.Label)+": URL", a.URL)
}

// appName follows Okta's orgname_appname_n.
func appName(label string, ordinal int) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(label), "_"), "_")
	if name == "" {
		name = "app"
	}
	if len(name) > 60 {
		name = name[:60]
	}
	return "mockidp_" + name + "_" + itoa(ordinal+1)
}
