package mockidp

import "slices"

// Authentication context classes (SAML Authentication Context 3.4) that the Server supports.
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

// strengths ranks the classes for Comparison (SAML Core 3.3.2.2.1). The strength of an unsupported class is 0.
var strengths = map[string]int{
	"urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified": 1,
	"urn:oasis:names:tc:SAML:2.0:ac:classes:Password":    2,
	PasswordProtectedTransport:                           withPassword,
	TimeSyncToken:                                        withFactor,
	MultiFactor:                                          withFactor,
	"urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract": withFactor,
	"http://schemas.microsoft.com/claims/multipleauthn":              withFactor,
}

type requestedContext struct {
	comparison string // "exact", "minimum", "better" or "maximum"
	classes    []string
	declared   bool // it asks for a declaration, which is not supported
}

// class returns the strongest class that is true of a sign-in and satisfies the request, or "".
func (c *requestedContext) class(strong int) string {
	var requested []int
	for _, class := range c.classes {
		if strengths[class] > 0 {
			requested = append(requested, strengths[class])
		}
	}
	if len(requested) == 0 || c.comparison == "better" && len(requested) < len(c.classes) {
		return ""
	}
	candidates := slices.Concat(c.classes, []string{PasswordProtectedTransport, TimeSyncToken})
	lowest, highest := 1, strong
	switch c.comparison {
	case "exact":
		candidates = c.classes
	case "minimum":
		lowest = slices.Min(requested)
	case "maximum":
		highest = min(strong, slices.Max(requested))
	case "better": // than each of them
		lowest = slices.Max(requested) + 1
	}
	best := ""
	for _, class := range candidates {
		if s := strengths[class]; s >= lowest && s <= highest && s > strengths[best] {
			best = class
		}
	}
	return best
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

func (s *session) strength() int {
	if s.factor {
		return withFactor
	}
	return withPassword
}
