package mockidp

import "slices"

// Authentication context classes (SAML Authentication Context 3.4) that this
// identity provider can state truthfully.
const (
	// PasswordProtectedTransport is what everybody who signed in has.
	PasswordProtectedTransport = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	// TimeSyncToken is what a person with a second factor has besides.
	TimeSyncToken = "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken"
	// MultiFactor is REFEDS' name for the same.
	MultiFactor = "https://refeds.org/profile/mfa"
)

// strength ranks the classes, as RequestedAuthnContext's Comparison needs
// (SAML Core 3.3.2.2.1). It is 0 for one that can't be stated here.
func strength(class string) int {
	switch class {
	case "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified":
		return 1
	case "urn:oasis:names:tc:SAML:2.0:ac:classes:Password":
		return 2
	case PasswordProtectedTransport:
		return withPassword
	case TimeSyncToken, MultiFactor, "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
		"http://schemas.microsoft.com/claims/multipleauthn":
		return withFactor
	}
	return 0
}

const (
	withPassword = 3 // how strong a sign-in with a password is
	withFactor   = 4 // and one with a second factor as well
)

// requestedContext is a RequestedAuthnContext.
type requestedContext struct {
	comparison string // "exact", "minimum", "better" or "maximum"
	classes    []string
	declared   bool // it asks for a declaration, which there are none of
}

// class picks what to state about a sign-in of some strength; "" if nothing
// that is true would satisfy the request.
func (c *requestedContext) class(strong int) string {
	// The strongest true statement first, so that exact, minimum and maximum
	// all end with the best one that fits.
	best := ""
	try := func(class string) {
		if s := strength(class); s > 0 && s <= strong && c.fits(s, class) && s > strength(best) {
			best = class
		}
	}
	for _, class := range c.classes {
		try(class)
	}
	if c.comparison != "exact" {
		try(PasswordProtectedTransport)
		try(TimeSyncToken)
	}
	return best
}

// fits holds one class against the list. A class on the list that is unknown
// here can't be compared with, and so counts for nothing.
func (c *requestedContext) fits(s int, class string) bool {
	any := func(f func(asked int) bool) bool {
		return slices.ContainsFunc(c.classes, func(x string) bool { return strength(x) > 0 && f(strength(x)) })
	}
	switch c.comparison {
	case "exact":
		return slices.Contains(c.classes, class)
	case "minimum":
		return any(func(asked int) bool { return s >= asked })
	case "maximum":
		return any(func(asked int) bool { return s <= asked })
	}
	// better: stronger than every one of them, and each must be known.
	return len(c.classes) > 0 && !slices.ContainsFunc(c.classes, func(x string) bool { return strength(x) == 0 || s <= strength(x) })
}

// classFor is the AuthnContextClassRef for a sign-in of some strength, or ""
// if the request asks for what this sign-in isn't.
func (a *App) classFor(req *authnRequest, strong int) string {
	if req == nil || req.Context == nil {
		return a.AuthnContext
	}
	if req.Context.declared {
		return ""
	}
	return req.Context.class(strong)
}

// canBe says whether a sign-in of some strength is one that was asked for.
func (p *pending) canBe(app *App, strong int) bool {
	return p.req == nil || app.classFor(p.req, strong) != ""
}

// strengthOf is how strong a sign-in is, or with everything the user has could be.
func strengthOf(factor bool) int {
	if factor {
		return withFactor
	}
	return withPassword
}
