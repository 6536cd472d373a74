package mockidp

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
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
	ordinal int // tells apart apps that share a label
}

// prepared copies the app, fills in what is zero, and refuses contradictions.
func (a App) prepared(n naming) (App, *Error) {
	a = a.clone()
	if strings.TrimSpace(a.Label) == "" || len(a.Label) > 200 {
		return App{}, badConfig("App.Label must be 1 to 200 bytes, got %s", quote(a.Label))
	}
	a.ID = cmp.Or(a.ID, "0oa"+derivedID("app", n.salt+a.Label, n.ordinal))
	if a.ExternalKey == "" {
		a.ExternalKey = "exk" + derivedID("key", n.salt+a.Label, n.ordinal)
		if a.Kind == SAML && a.Profile == Entra {
			a.ExternalKey = derivedGUID("app\x00" + n.salt + a.Label + "\x00" + itoa(n.ordinal))
		}
	}
	if a.Name == "" && a.IdentityCenter != nil {
		a.Name = IdentityCenterName
	}
	a.Name = cmp.Or(a.Name, appName(a.Label, n.ordinal))
	for _, id := range []string{a.ID, a.ExternalKey, a.Name} {
		if !idShape.MatchString(id) || strings.Trim(id, ".") == "" {
			return App{}, badConfig("app %s: ID, ExternalKey and Name are letters, digits and _ . -, got %s", quote(a.Label), quote(id))
		}
	}
	for _, t := range []string{a.Label, a.Issuer, a.Audience, a.NameIDFormat, a.NameIDTemplate, a.AuthnContext} {
		if err := checkText("app "+quote(a.Label), t); err != nil {
			return App{}, err
		}
	}
	switch a.Kind {
	case SAML:
		return a.preparedSAML(n)
	case Bookmark:
		return a.preparedBookmark()
	}
	return App{}, badConfig("app %s: unknown Kind %d", quote(a.Label), a.Kind)
}

func (a App) preparedSAML(n naming) (App, *Error) {
	a, err := a.preparedCatalogue()
	if err != nil {
		return App{}, err
	}
	if a.ACS, err = numberedACS(a.ACS, a.Profile); err != nil {
		return App{}, &Error{Reason: ReasonConfig, Detail: "app " + quote(a.Label), Err: err}
	}
	if a.Issuer == "" {
		a.Issuer = "http://www.okta.com/" + a.ExternalKey
		if a.Profile == Entra {
			a.Issuer = "https://sts.windows.net/" + tenantID(n) + "/"
		}
	}
	a.NameIDFormat = cmp.Or(a.NameIDFormat, NameIDEmail)
	a.NameIDTemplate = cmp.Or(a.NameIDTemplate, "${user.userName}")
	a.AuthnContext = cmp.Or(a.AuthnContext, PasswordProtectedTransport)
	if a.Encrypt != nil {
		e := a.Encrypt.withDefaults()
		a.Encrypt = &e
	}
	for _, check := range []func() *Error{a.checkChoices, a.checkAddresses, a.checkCryptography, a.checkAttributes} {
		if err := check(); err != nil {
			return App{}, err
		}
	}
	return a, nil
}

func (a *App) checkChoices() *Error {
	switch {
	case a.URL != "":
		return badConfig("app %s: URL is for bookmarks; a SAML app has ACS", quote(a.Label))
	case a.Profile != Okta && a.Profile != Entra:
		return badConfig("app %s: unknown Profile %d", quote(a.Label), a.Profile)
	case a.Unlisted != Reject && a.Unlisted != UseDefault:
		return badConfig("app %s: unknown Unlisted %d", quote(a.Label), a.Unlisted)
	case a.Sign < SignBoth || a.Sign > SignAssertion:
		return badConfig("app %s: unknown Sign %d", quote(a.Label), a.Sign)
	case a.Refusals != RefuseByPage && a.Refusals != RefuseByStatus:
		return badConfig("app %s: unknown Refusals %d", quote(a.Label), a.Refusals)
	case a.SessionLifetime < 0:
		return badConfig("app %s: SessionLifetime is negative", quote(a.Label))
	case badExpression(a.NameIDTemplate):
		return badConfig("app %s: NameIDTemplate: only ${user.name} is understood, got %s", quote(a.Label), quote(a.NameIDTemplate))
	}
	return nil
}

func (a *App) checkAddresses() *Error {
	if err := checkRelayState(a.DefaultRelayState); err != nil {
		return &Error{Reason: ReasonConfig, Detail: "app " + quote(a.Label) + ": DefaultRelayState", Err: err}
	}
	for name, u := range map[string]string{"Recipient": a.Recipient, "Destination": a.Destination} {
		if u == "" {
			continue
		}
		if err := checkWebURL("app "+quote(a.Label)+": "+name, u); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) checkCryptography() *Error {
	if m := a.SignatureMethod; m != "" && !slices.Contains(rsaMethods, m) && !slices.Contains(ecdsaMethods, m) {
		return badConfig("app %s: unknown SignatureMethod %s", quote(a.Label), quote(string(m)))
	}
	for _, c := range a.RequestCertificates {
		if c == nil {
			return badConfig("app %s: a nil certificate in RequestCertificates", quote(a.Label))
		}
		switch c.PublicKey.(type) {
		case *rsa.PublicKey, *ecdsa.PublicKey:
		default:
			return badConfig("app %s: a RequestCertificate's key is neither RSA nor ECDSA but %T", quote(a.Label), c.PublicKey)
		}
	}
	if c := a.EncryptionCertificate; c != nil {
		key, ok := c.PublicKey.(*rsa.PublicKey)
		if !ok || key.N.BitLen() < 1024 {
			return badConfig("app %s: EncryptionCertificate must hold an RSA key of 1024 bits or more", quote(a.Label))
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

func (a App) preparedBookmark() (App, *Error) {
	if a.Audience != "" || a.Issuer != "" || len(a.ACS) > 0 || len(a.Attributes) > 0 || a.GroupAttribute != nil || a.DefaultRelayState != "" ||
		a.IdentityCenter != nil || a.Encrypt != nil || a.SignedRequests || a.KeyID != "" {
		return App{}, badConfig("app %s: a bookmark has a URL and nothing of SAML", quote(a.Label))
	}
	return a, checkWebURL("bookmark "+quote(a.Label)+": URL", a.URL)
}

// appName follows Okta's orgname_appname_n.
func appName(label string, ordinal int) string {
	name := cmp.Or(strings.Trim(notInName.ReplaceAllString(strings.ToLower(label), "_"), "_"), "app")
	return "mockidp_" + name[:min(len(name), 60)] + "_" + itoa(ordinal+1)
}
