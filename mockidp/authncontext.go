package mockidp

import "slices"

// Authentication context classes (SAML Authentication Context 3.4) that the Server can truthfully state.
const (
	// PasswordProtectedTransport holds for every sign-in.
	PasswordProtectedTransport = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	// TimeSyncToken holds for a sign-in with a second factor.
	TimeSyncToken = "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken"
	// MultiFactor is REFEDS' name for a sign-in with a second factor.
	MultiFactor = "https://refeds.org/profile/mfa"
)

const (
	withPassword = 3 // the strength of a sign-in with a password
	withFactor   = 4 // and of one with a second factor as well
)

// strengths ranks the classes, as the Comparison of a RequestedAuthnContext needs (SAML Core 3.3.2.2.1). The strength
// of an unsupported class is 0.
var strengths = map[string]int{
	"urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified": 1,
	"urn:oasis:names:tc:SAML:2.0:ac:classes:Password":    2,
	PasswordProtectedTransport:                           withPassword,
	TimeSyncToken:                                        withFactor,
	MultiFactor:                                          withFactor,
	"urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract": withFactor,
	"http://schemas.microsoft.com/claims/multipleauthn":              withFactor,
}

// requestedContext is a RequestedAuthnContext.
type requestedContext struct {
	comparison string // "exact", "minimum", "better" or "maximum"
	classes    []string
	declared   bool // it asks for a declaration, which is not supported
}

// class returns the strongest class that is true of a sign-in and satisfies the request, or "".
func (c *requestedContext) class(strong int) string {
	candidates := c.classes
	if c.comparison != "exact" {
		candidates = slices.Concat(c.classes, []string{PasswordProtectedTransport, TimeSyncToken})
	}
	best := ""
	for _, class := range candidates {
		if s := strengths[class]; s > strengths[best] && s <= strong && c.fits(s, class) {
			best = class
		}
	}
	return best
}

// fits compares one class with the requested ones. Unsupported classes can't be compared, and don't count.
func (c *requestedContext) fits(s int, class string) bool {
	any := func(f func(requested int) bool) bool {
		return slices.ContainsFunc(c.classes, func(x string) bool { return strengths[x] > 0 && f(strengths[x]) })
	}
	switch c.comparison {
	case "exact":
		return slices.Contains(c.classes, class)
	case "minimum":
		return any(func(requested int) bool { return s >= requested })
	case "maximum":
		return any(func(requested int) bool { return s <= requested })
	}
	// better: stronger than every one of them, all of which must be supported.
	return len(c.classes) > 0 &&
		!slices.ContainsFunc(c.classes, func(x string) bool { return strengths[x] == 0 || s <= strengths[x] })
}

// classFor returns the AuthnContextClassRef for a sign-in, or "" if it doesn't satisfy the request.
func (a *App) classFor(req *authnRequest, strong int) string {
	switch {
	case req == nil || req.Context == nil:
		return a.AuthnContext
	case req.Context.declared:
		return ""
	}
	return req.Context.class(strong)
}

// satisfiable reports whether a sign-in of some strength satisfies the request.
func (p *pending) satisfiable(app *App, strong int) bool {
	return p.req == nil || app.classFor(p.req, strong) != ""
}

func strengthOf(factor bool) int {
	if factor {
		return withFactor
	}
	return withPassword
}
