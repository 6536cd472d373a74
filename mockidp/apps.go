package mockidp

import (
	"crypto/x509"
	"slices"
	"time"
)

// Kind is the kind of an App.
type Kind int

// The kinds.
const (
	SAML     Kind = iota // signs users in with SAML 2.0; the zero value
	Bookmark             // a tile with a URL
)

// Profile is the identity provider whose behaviour an app follows.
type Profile int

// The profiles.
const (
	Okta Profile = iota // the zero value
	// Entra is Microsoft Entra ID. The default ACS is the one with the Default flag, else the first. Each ACS may
	// have an Index or none. The page for an unlisted one shows AADSTS50011. Issuer, sign-on address and metadata
	// belong to a tenant. /TENANT/saml2 accepts the requests of all its apps and finds the app by Issuer (else
	// AADSTS700016), so the Audiences of a tenant's apps must differ. The tile has another address.
	Entra
)

// Signing selects the parts of an app's responses that are signed.
type Signing int

// The choices. Okta's default is both.
const (
	SignBoth      Signing = iota // the assertion, then the Response around it; the zero value
	SignResponse                 // the Response only
	SignAssertion                // the assertion only; a Response without one (an error status) is signed itself
	// SignArtifactResponse signs neither, if the Response goes by HTTP-Artifact: the ArtifactResponse around it is signed,
	// as it always is. By HTTP-POST the Response is signed.
	SignArtifactResponse
)

// Refusals selects how an app's service provider learns that a user was refused.
type Refusals int

// The choices. Real identity providers differ.
const (
	// RefuseByPage shows the user a page, as Okta does, and sends the service provider nothing. The zero value.
	RefuseByPage Refusals = iota
	// RefuseByStatus answers the request with a status: RequestDenied for a user who isn't assigned, AuthnFailed
	// for one who is locked, InvalidNameIDPolicy. An invalid request and an IdP-initiated sign-in still end on a
	// page.
	RefuseByStatus
)

// LogoutBinding is how an app's logout messages are sent through the browser. Both bindings are accepted.
type LogoutBinding int

// The bindings.
const (
	LogoutRedirect LogoutBinding = iota // HTTP-Redirect; the zero value
	LogoutPOST                          // HTTP-POST
)

// LogoutChannel is how an app is told that a session ended which another app, or the user, ends.
type LogoutChannel int

// The channels (SAML Profiles 4.4.3).
const (
	FrontChannel LogoutChannel = iota // the browser goes there, one app after another; the zero value
	BackChannel                       // the Server calls it by SOAP, without the browser
	HiddenFrame                       // the browser goes there in a hidden frame, to all such apps at once
)

// App is an application on the dashboard.
type App struct {
	// ID identifies the app in this package's methods and in a bookmark's link. Zero: 0oa and 17 characters derived from
	// the label.
	ID string
	// ExternalKey is the app's part of the SAML paths. Zero: exk and 17 characters derived from the label; with the
	// profile Entra, where it is the application's ID, a GUID derived from it.
	ExternalKey string
	// Name is the readable part of Okta's sign-on path. Zero: derived from the label.
	Name string
	// Inactive switches the app off: no tile, and 403 for every user. Zero: it is on.
	Inactive bool
	// Kind is SAML (the zero value) or Bookmark.
	Kind Kind
	// Label is the tile's text. Required.
	Label string

	// Users are the logins that the app is assigned to. A user who is neither among them nor in one of Groups sees no
	// tile and gets 403.
	Users []string
	// Groups are the groups that the app is assigned to; Everyone is one.
	Groups []string

	// URL is where a Bookmark leads. Bookmarks only, and required there.
	URL string

	// The rest is for SAML apps.

	// Profile is the identity provider whose behaviour the app follows. Zero: Okta.
	Profile Profile
	// IdentityCenter makes the app the catalogue's "AWS IAM Identity Center": its form then replaces ACS and
	// Audience. Zero (nil): an app without that form.
	IdentityCenter *IdentityCenter

	// Issuer is the identity provider's entity ID for the app. Zero: "http://www.okta.com/" and ExternalKey; with the
	// profile Entra "https://sts.windows.net/", a tenant ID derived from Config.Org, and "/". An Issuer with another
	// tenant's ID puts the app into that tenant.
	Issuer string
	// Audience is the service provider's entity ID. Zero: all requests are refused until RegisterSP or UpdateApp sets it.
	Audience string
	// RequireIssuer refuses requests without Issuer, which Profiles 4.1.4.1 requires. Zero: a request that names a URL of
	// ACS is accepted. The profile Entra and Config.Strict always require it.
	RequireIssuer bool
	// ACS is the ordered list of assertion consumer services. The first is Okta's "Single sign-on URL": the default for
	// requests that name none, and the only one for IdP-initiated sign-in. The others are Okta's "other requestable SSO
	// URLs". Zero: every sign-in ends in a 400 page.
	ACS []ACS
	// Unlisted is the policy for requests that name another ACS. Zero: Reject.
	Unlisted UnlistedACS
	// Recipient and Destination are sent instead of the default ACS's URL, as at Okta if "Use this for Recipient
	// URL and Destination URL" is off. They apply to the default only: an answer to another URL names that URL.
	// Zero: the URL itself.
	Recipient, Destination string
	// DefaultRelayState is sent in IdP-initiated sign-in only. Zero: none.
	DefaultRelayState string

	// NameIDFormat is the Format of the NameID. Zero: NameIDEmail.
	NameIDFormat string
	// NameIDTemplate is the NameID's value, in the expressions of Attribute. The format doesn't affect it. Zero:
	// "${user.userName}".
	NameIDTemplate string
	// IgnoreNameIDPolicy ignores the format that a request asks for, and answers in NameIDFormat. Zero: a request
	// for another format is refused (SAML Core 3.4.1.1). The profile Entra has one exception, as Entra ID has: it
	// answers a request for a transient NameID with a random one.
	IgnoreNameIDPolicy bool
	// Attributes are the attribute statements, in order. Zero, and no GroupAttribute and GroupAttributes either: what
	// DefaultAttributes returns.
	Attributes []Attribute
	// GroupAttribute sends the user's groups. Zero (nil): they aren't sent.
	GroupAttribute *GroupAttribute
	// GroupAttributes are further group statements. Zero: none.
	GroupAttributes []GroupAttribute
	// OmitAttributes sends no attributes, also not the default ones; Attributes, GroupAttribute and GroupAttributes must
	// be zero. Zero: they are sent.
	OmitAttributes bool

	// Sign is which parts are signed. Zero: SignBoth.
	Sign Signing
	// SignatureMethod is the algorithm, which must fit the key. Zero: with SHA-256, or for ECDSA on a larger curve with
	// the hash of its size.
	SignatureMethod SignatureMethod
	// KeyID is the ID of the key that signs for the app, one of Server.AppKeys. Zero: the Server's signing key.
	KeyID string
	// OmitKeyInfo leaves the certificate out of signatures. Zero: it is included.
	OmitKeyInfo bool

	// Encrypt encrypts assertions for EncryptionCertificate. Zero (nil): they are sent in the clear.
	Encrypt *Encryption
	// EncryptionCertificate holds the service provider's RSA key. RegisterSP sets it. Zero: none, and sign-in fails while
	// Encrypt is set.
	EncryptionCertificate *x509.Certificate

	// SignedRequests refuses requests that aren't signed with the key of one of RequestCertificates. As at Okta the
	// answer then goes to the URL in the signed request, even if it is not on the list. A request without a URL is
	// refused. Okta's help on the checkbox "Signed Requests" (Application Integration Wizard SAML field reference):
	// the SSO URLs are read from the request, in place of those of the app. With the profile Entra the list still
	// counts. Zero: signatures are neither required nor checked.
	SignedRequests bool
	// RequestCertificates hold the service provider's signing keys. RegisterSP sets them. Zero: none, so that
	// SignedRequests refuses every request.
	RequestCertificates []*x509.Certificate

	// LogoutURL is where the service provider takes LogoutRequests from browsers (SAML Metadata 2.4.2, Location).
	// RegisterSP sets it. Zero: the app has single logout by SOAP only or, if LogoutSOAPURL is zero too, none, as at Okta
	// while it is off: its metadata has no SingleLogoutService.
	LogoutURL string
	// LogoutResponseURL is where the service provider takes LogoutResponses (ResponseLocation). Zero: LogoutURL.
	LogoutResponseURL string
	// LogoutBinding is the binding of the messages to both. Zero: LogoutRedirect.
	LogoutBinding LogoutBinding
	// LogoutSOAPURL is where the service provider takes LogoutRequests by SOAP (SAML Bindings 3.2). RegisterSP sets it.
	// Zero: it takes none.
	LogoutSOAPURL string
	// LogoutChannel is how the app is told. BackChannel needs LogoutSOAPURL. Zero: FrontChannel; an app without
	// LogoutURL is told by LogoutSOAPURL.
	LogoutChannel LogoutChannel
	// EncryptedNameIDs encrypts the NameID of LogoutRequests to the app for EncryptionCertificate, which is required then
	// (SAML Core 2.2.4), and lists an RSA key of the app's in the metadata for the service provider to do the same. The
	// profile Entra has none. Zero: they are sent in the clear, and the metadata has no such key. An EncryptedID for a
	// key of the app is accepted in any case.
	EncryptedNameIDs bool
	// InsecureUnsignedLogout accepts LogoutRequests and LogoutResponses without checking a signature. Zero: they must be
	// signed with the key of one of RequestCertificates.
	InsecureUnsignedLogout bool

	// IgnoreForceAuthn switches Okta's "Honor Force Authentication" off. Zero: a request with ForceAuthn makes the user
	// sign in again.
	IgnoreForceAuthn bool
	// AuthnContext is the AuthnContextClassRef of answers to no request, and to requests that ask for none. Zero:
	// PasswordProtectedTransport.
	AuthnContext string
	// ResponseBinding is how responses are sent. A request with a ProtocolBinding of HTTP-POST is answered by that;
	// requests for HTTP-Artifact are refused unless it is switched on here. The profile Entra has ResponsePOST only. The
	// service provider fetches the Response of an artifact once, within ArtifactLifetime, at the ArtifactResolutionService
	// that the metadata then lists. It must sign with the key of one of RequestCertificates, or present that in TLS. Zero:
	// ResponsePOST.
	ResponseBinding ResponseBinding
	// AttributeQueries adds an attribute authority to the metadata, whose AttributeService answers queries by SOAP about
	// users of the app. They are authenticated as the requests for artifacts are. The profile Entra has none. Zero: off.
	AttributeQueries bool
	// Refusals selects how the service provider learns that a user was refused. Zero: RefuseByPage.
	Refusals Refusals

	// SessionLifetime becomes SessionNotOnOrAfter, counted from the assertion. Zero: the attribute is left out, as at
	// Okta.
	SessionLifetime time.Duration
}

// clone copies deeply, except for certificates, which never change.
func (a App) clone() App {
	a.Users, a.Groups = slices.Clone(a.Users), slices.Clone(a.Groups)
	a.ACS = slices.Clone(a.ACS)
	for i, x := range a.ACS {
		a.ACS[i].Index = clonePtr(x.Index)
	}
	a.Attributes = slices.Clone(a.Attributes)
	for i, x := range a.Attributes {
		a.Attributes[i].Values = slices.Clone(x.Values)
	}
	a.GroupAttribute, a.IdentityCenter = clonePtr(a.GroupAttribute), clonePtr(a.IdentityCenter)
	a.Encrypt = clonePtr(a.Encrypt)
	a.GroupAttributes = slices.Clone(a.GroupAttributes)
	a.RequestCertificates = slices.Clone(a.RequestCertificates)
	return a
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

// AssignedTo reports whether the app is assigned to the user, directly or by a group, even if it is Inactive.
func (a *App) AssignedTo(u User) bool { return a.listsUser(&u) || slices.ContainsFunc(a.Groups, u.In) }

// openTo reports whether the user sees the app's tile and may sign in to the app.
func (a *App) openTo(u *User) bool { return !a.Inactive && a.AssignedTo(*u) }

// listsUser reports whether the app is assigned to the user directly.
func (a *App) listsUser(u *User) bool {
	return slices.ContainsFunc(a.Users, func(l string) bool { return SameLogin(l, u.Login) })
}
