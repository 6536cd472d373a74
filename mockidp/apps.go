package mockidp

import (
	"crypto/x509"
	"slices"
	"time"
)

// Kind is what sort of application an App is.
type Kind int

// The kinds.
const (
	SAML     Kind = iota // signs people in with SAML 2.0; the zero value
	Bookmark             // a tile with a URL, and nothing else
)

// Profile is whose habits an app follows.
type Profile int

// The profiles.
const (
	Okta Profile = iota // the zero value
	// Entra is Microsoft Entra ID's: the default ACS is the one with the
	// Default flag (else the first), each may have an Index or none, and the
	// page for an unlisted one says AADSTS50011. Issuer, sign-on address and
	// metadata are a tenant's: /TENANT/saml2 takes the requests of all its
	// apps, whose Audiences therefore differ, and tells them apart by Issuer
	// (else AADSTS700016); the tile leads elsewhere.
	Entra
)

// Signing is what an app's responses have signed.
type Signing int

// The choices. Okta's default is both.
const (
	SignBoth      Signing = iota // the assertion, then the Response around it; the zero value
	SignResponse                 // the Response only
	SignAssertion                // the assertion only; a Response without one (an error status) is signed itself
)

// Refusals is how an app's service provider learns that somebody isn't let in.
type Refusals int

// The choices. Real identity providers differ.
const (
	// RefuseByPage shows the person a page, as Okta does, and the service
	// provider hears nothing. The zero value.
	RefuseByPage Refusals = iota
	// RefuseByStatus answers the request with a status: RequestDenied for a
	// user who isn't assigned, AuthnFailed for one who is locked,
	// InvalidNameIDPolicy. What arouses doubt in the request itself, and all
	// that isn't the answer to a request, still ends on a page.
	RefuseByStatus
)

// App is an application on the dashboard.
type App struct {
	// ID names the app to this package's methods, and is in a bookmark's link.
	// Zero: 0oa and 17 characters made from the label.
	ID string
	// ExternalKey is the app's part of the SAML paths. Zero: exk and 17
	// characters made from the label; with the profile Entra, where it is the
	// application's ID, a GUID made from it.
	ExternalKey string
	// Name is the readable part of Okta's sign-on path. Zero: made from the label.
	Name string
	// Inactive switches the app off: no tile, and 403 for everybody. Zero: it is on.
	Inactive bool
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

	// Profile is whose habits the app follows. Zero: Okta's.
	Profile Profile
	// IdentityCenter makes the app the catalogue's "AWS IAM Identity Center":
	// its form is filled in instead of ACS and Audience, which are then made
	// from it, whatever stands in them. Zero (nil): an app of one's own.
	IdentityCenter *IdentityCenter

	// Issuer is this identity provider's entity ID towards the app. Zero:
	// "http://www.okta.com/" and ExternalKey; with the profile Entra
	// "https://sts.windows.net/", the ID of a tenant made from Config.Org, and
	// "/". An Issuer with another tenant's ID puts the app into that tenant.
	Issuer string
	// Audience is the service provider's entity ID. Zero: no request is
	// accepted until RegisterSP or UpdateApp sets it.
	Audience string
	// RequireIssuer refuses requests without Issuer, which Profiles 4.1.4.1
	// wants. Zero: one is accepted that names a URL of ACS. The profile Entra
	// and Config.Strict refuse it always.
	RequireIssuer bool
	// ACS is the ordered list of assertion consumer services. The first is
	// Okta's "Single sign-on URL": the default of requests that name none, and
	// the only one that IdP-initiated sign-in uses. The others are its "other
	// requestable SSO URLs". Zero: every sign-in ends in a 400 page.
	ACS []ACS
	// Unlisted is what becomes of requests that name another ACS. Zero: Reject.
	Unlisted UnlistedACS
	// Recipient and Destination are sent instead of the default ACS's URL, as
	// where Okta's "Use this for Recipient URL and Destination URL" is off.
	// They hold for the default alone: an answer that a request asked to have
	// elsewhere names the place it goes to. Zero: the URL itself.
	Recipient, Destination string
	// DefaultRelayState goes with IdP-initiated sign-in only. Zero: none.
	DefaultRelayState string

	// NameIDFormat is the Format of the NameID. Zero: NameIDEmail.
	NameIDFormat string
	// NameIDTemplate is the NameID's value, in the expressions of Attribute.
	// The format changes nothing about it. Zero: "${user.userName}".
	NameIDTemplate string
	// IgnoreNameIDPolicy answers in NameIDFormat whatever format a request asks
	// for. Zero: a request for another one is refused (SAML Core 3.4.1.1),
	// except that the profile Entra answers one for a transient NameID with a
	// random one, as Entra ID does.
	IgnoreNameIDPolicy bool
	// Attributes are the attribute statements, in order. Zero: none.
	Attributes []Attribute
	// GroupAttribute sends the user's groups. Zero (nil): they aren't sent.
	GroupAttribute *GroupAttribute
	// GroupAttributes are further group statements. Zero: none.
	GroupAttributes []GroupAttribute

	// Sign is what gets signed. Zero: SignBoth.
	Sign Signing
	// SignatureMethod is the algorithm, which has to suit the key. Zero: with
	// SHA-256, or for ECDSA on a larger curve with the hash of its size.
	SignatureMethod SignatureMethod
	// KeyID is the one of the app's keys (Server.AppKeys) that signs for it.
	// Zero: the Server's.
	KeyID string
	// OmitKeyInfo leaves the certificate out of signatures. Zero: it is there.
	OmitKeyInfo bool

	// Encrypt encrypts assertions for EncryptionCertificate. Zero (nil): they
	// are sent in the clear.
	Encrypt *Encryption
	// EncryptionCertificate holds the service provider's RSA key. RegisterSP
	// fills it in. Zero: none, and then Encrypt must be nil, or be set before
	// RegisterSP finds one.
	EncryptionCertificate *x509.Certificate

	// SignedRequests refuses requests that aren't signed with the key of one
	// of RequestCertificates. As at Okta the answer then goes where the signed
	// request says, whether or not that is on the list, and a request that
	// doesn't say is refused. Okta's help says so of its checkbox "Signed Requests"
	// (Application Integration Wizard SAML field reference): the SSO URLs are
	// read from the request, in place of those of the app. With the profile
	// Entra the list goes on to count. Zero: signatures are neither asked for
	// nor looked at.
	SignedRequests bool
	// RequestCertificates hold the service provider's signing keys. RegisterSP
	// fills them in. Zero: none, so that SignedRequests lets nothing pass.
	RequestCertificates []*x509.Certificate

	// IgnoreForceAuthn is Okta's "Honor Force Authentication" switched off.
	// Zero: a request with ForceAuthn makes the person sign in again.
	IgnoreForceAuthn bool
	// AuthnContext is the AuthnContextClassRef of answers to requests that ask
	// for none, and to no request. Zero: PasswordProtectedTransport.
	AuthnContext string
	// Refusals is how the service provider learns that somebody isn't let in.
	// Zero: RefuseByPage.
	Refusals Refusals

	// SessionLifetime becomes SessionNotOnOrAfter, counted from the assertion.
	// Zero: the attribute is left out, as at Okta.
	SessionLifetime time.Duration
}

// clone copies deeply, but for certificates, which nobody changes.
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
	a.GroupAttribute, a.IdentityCenter, a.Encrypt = clonePtr(a.GroupAttribute), clonePtr(a.IdentityCenter), clonePtr(a.Encrypt)
	a.GroupAttributes = slices.Clone(a.GroupAttributes)
	a.RequestCertificates = slices.Clone(a.RequestCertificates)
	return a
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// AssignedTo says that the app is assigned to the user, directly or by a group,
// whether or not it is Inactive.
func (a *App) AssignedTo(u User) bool {
	return a.listsUser(&u) || slices.ContainsFunc(a.Groups, u.In)
}

// openTo says that the user sees the app's tile and gets in.
func (a *App) openTo(u *User) bool { return !a.Inactive && a.AssignedTo(*u) }

// listsUser says that the app is assigned to the person, and not by a group.
func (a *App) listsUser(u *User) bool {
	return slices.ContainsFunc(a.Users, func(l string) bool { return SameLogin(l, u.Login) })
}
