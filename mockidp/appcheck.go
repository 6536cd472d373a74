package mockidp

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	idShape   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)
	notInName = regexp.MustCompile(`[^a-z0-9]+`)
)

// naming is what an app's identifiers are derived from besides its label.
type naming struct {
	salt    string // "" unless Config.OddPaths
	org     string
	tenant  string // of Server.Tenant, or ""
	ordinal int    // distinguishes apps with the same label
}

func (a *App) bad(format string, args ...any) *Error {
	return badConfig("app %s: %s", quote(a.Label), fmt.Sprintf(format, args...))
}

// prepared returns a copy with defaults filled in. It refuses contradictions.
func (a App) prepared(n naming) (App, *Error) {
	a = a.clone()
	if strings.TrimSpace(a.Label) == "" || len(a.Label) > 200 {
		return App{}, badConfig("App.Label must be 1 to 200 bytes, got %s", quote(a.Label))
	}
	a.setIdentifiers(n)
	for _, id := range []string{a.ID, a.ExternalKey, a.Name} {
		if !idShape.MatchString(id) || strings.Trim(id, ".") == "" {
			return App{}, a.bad("ID, ExternalKey and Name consist of letters, digits and _ . -, got %s", quote(id))
		}
	}
	checks := map[Kind][]func() *Error{
		SAML: {a.checkTexts, a.applyForm, a.prepareSAML, a.checkChoices, a.checkAddresses, a.checkKeys,
			a.checkAttributes},
		Bookmark: {a.checkTexts, a.checkBookmark},
	}[a.Kind]
	if checks == nil {
		return App{}, a.bad("unknown Kind %d", a.Kind)
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return App{}, err
		}
	}
	return a, nil
}

func (a *App) checkTexts() *Error {
	return checkText("app "+quote(a.Label), a.Label, a.Issuer, a.Audience, a.NameIDFormat, a.NameIDTemplate,
		a.AuthnContext)
}

func (a *App) setIdentifiers(n naming) {
	entra := a.Kind == SAML && a.Profile == Entra
	a.ID = cmp.Or(a.ID, "0oa"+derivedID("app", n.salt+a.Label, n.ordinal))
	if a.ExternalKey == "" && entra {
		a.ExternalKey = derivedGUID("app\x00" + n.salt + a.Label + "\x00" + itoa(n.ordinal))
	}
	a.ExternalKey = cmp.Or(a.ExternalKey, "exk"+derivedID("key", n.salt+a.Label, n.ordinal))
	if a.IdentityCenter != nil {
		a.Name = cmp.Or(a.Name, IdentityCenterName)
	}
	a.Name = cmp.Or(a.Name, appName(a.Label, n.ordinal))
	switch {
	case a.Issuer != "" || a.Kind != SAML:
	case entra:
		a.Issuer = "https://sts.windows.net/" + tenantID(n) + "/"
	default:
		a.Issuer = issuerIn(n.tenant, "http://www.okta.com/"+a.ExternalKey)
	}
}

func (a *App) prepareSAML() (err *Error) {
	if a.ACS, err = numberedACS(a.ACS, a.Profile); err != nil {
		return &Error{Reason: ReasonConfig, Detail: "app " + quote(a.Label), Err: err}
	}
	a.NameIDFormat = cmp.Or(a.NameIDFormat, NameIDEmail)
	a.NameIDTemplate = cmp.Or(a.NameIDTemplate, "${user.userName}")
	a.AuthnContext = cmp.Or(a.AuthnContext, PasswordProtectedTransport)
	if a.Encrypt != nil {
		a.Encrypt = new(a.Encrypt.withDefaults())
	}
	return nil
}

func (a *App) checkChoices() *Error {
	switch {
	case a.URL != "":
		return a.bad("URL is for bookmarks; a SAML app has ACS")
	case a.Profile != Okta && a.Profile != Entra:
		return a.bad("unknown Profile %d", a.Profile)
	case a.Unlisted != Reject && a.Unlisted != UseDefault:
		return a.bad("unknown Unlisted %d", a.Unlisted)
	case a.Sign < SignBoth || a.Sign > SignArtifactResponse:
		return a.bad("unknown Sign %d", a.Sign)
	case a.ResponseBinding < ResponsePOST || a.ResponseBinding > ResponseArtifactPOST:
		return a.bad("unknown ResponseBinding %d", a.ResponseBinding)
	case (a.ResponseBinding != ResponsePOST || a.AttributeQueries) && a.Profile == Entra:
		return a.bad("the profile Entra has neither HTTP-Artifact nor attribute queries")
	case a.EncryptedNameIDs && a.Profile == Entra:
		return a.bad("the profile Entra has no EncryptedNameIDs")
	case a.Sign == SignArtifactResponse && a.ResponseBinding == ResponsePOST:
		return a.bad("Sign SignArtifactResponse needs a ResponseBinding of HTTP-Artifact")
	case a.Refusals != RefuseByPage && a.Refusals != RefuseByStatus:
		return a.bad("unknown Refusals %d", a.Refusals)
	case a.LogoutBinding != LogoutRedirect && a.LogoutBinding != LogoutPOST:
		return a.bad("unknown LogoutBinding %d", a.LogoutBinding)
	case a.LogoutChannel < FrontChannel || a.LogoutChannel > HiddenFrame:
		return a.bad("unknown LogoutChannel %d", a.LogoutChannel)
	case a.LogoutChannel == BackChannel && a.LogoutSOAPURL == "":
		return a.bad("the LogoutChannel BackChannel needs a LogoutSOAPURL")
	case a.LogoutResponseURL != "" && a.LogoutURL == "":
		return a.bad("LogoutResponseURL needs a LogoutURL")
	case a.SessionLifetime < 0:
		return a.bad("SessionLifetime is negative: %v", a.SessionLifetime)
	case badExpression(a.NameIDTemplate):
		return a.bad("NameIDTemplate supports only ${user.name}, got %s", quote(a.NameIDTemplate))
	}
	return nil
}

func (a *App) checkAddresses() *Error {
	if err := checkRelayState(a.DefaultRelayState); err != nil {
		return &Error{Reason: ReasonConfig, Detail: "app " + quote(a.Label) + ": DefaultRelayState", Err: err}
	}
	for name, u := range map[string]string{"Recipient": a.Recipient, "Destination": a.Destination,
		"LogoutURL": a.LogoutURL, "LogoutResponseURL": a.LogoutResponseURL, "LogoutSOAPURL": a.LogoutSOAPURL} {
		if u == "" {
			continue
		}
		if err := checkWebURL("app "+quote(a.Label)+": "+name, u); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) checkKeys() *Error {
	if m := a.SignatureMethod; m != "" && !slices.Contains(slices.Concat(rsaMethods, ecdsaMethods), m) {
		return a.bad("unknown SignatureMethod %s", quote(string(m)))
	}
	for _, c := range a.RequestCertificates {
		if c == nil {
			return a.bad("a nil certificate in RequestCertificates")
		}
		switch c.PublicKey.(type) {
		case *rsa.PublicKey, *ecdsa.PublicKey:
		default:
			return a.bad("the key of a RequestCertificate must be RSA or ECDSA, got %T", c.PublicKey)
		}
	}
	if c := a.EncryptionCertificate; c != nil {
		if key, ok := c.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() < 1024 {
			return a.bad("EncryptionCertificate must hold an RSA key of 1024 bits or more")
		}
	}
	if a.Encrypt == nil {
		return nil
	}
	if err := a.Encrypt.check(); err != nil {
		return &Error{Reason: ReasonConfig, Detail: "app " + quote(a.Label), Err: err}
	}
	return nil
}

func (a *App) checkBookmark() *Error {
	if a.Audience != "" || a.Issuer != "" || len(a.ACS) > 0 || len(a.Attributes) > 0 || a.GroupAttribute != nil ||
		a.DefaultRelayState != "" || a.IdentityCenter != nil || a.Encrypt != nil || a.SignedRequests || a.KeyID != "" ||
		a.hasLogout() {
		return a.bad("a bookmark has a URL and no SAML settings")
	}
	return checkWebURL("bookmark "+quote(a.Label)+": URL", a.URL)
}

// appName follows Okta's orgname_appname_n.
func appName(label string, ordinal int) string {
	name := cmp.Or(strings.Trim(notInName.ReplaceAllString(strings.ToLower(label), "_"), "_"), "app")
	return "mockidp_" + name[:min(len(name), 60)] + "_" + itoa(ordinal+1)
}
