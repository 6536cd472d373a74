package portal

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
)

// userOf returns the active user whom an identity provider asserts. A user belongs to the one that vouches for them. No
// other can assert them, even if it sends the same NameID.
func (p *Portal) userOf(provider, userName string) (center.User, *Error) {
	u, ok := p.cfg.Directory.UserOf(provider, userName)
	if p.cfg.SP.HasIdPs() && u.IdentityProvider != provider { // the directory has lost its list since New
		ok = false
	}
	u, refused := p.active(u, ok)
	if refused != nil && refused.Reason == ReasonUnknownUser {
		refused.Want = "a user of the identity provider " + strconv.Quote(provider)
	}
	return u, refused
}

// userOfSession returns the active user of a session that is about to begin. It refuses a user who has moved to another
// identity provider since the assertion.
func (p *Portal) userOfSession(s sessions.Session) (center.User, *Error) {
	u, refused := p.active(p.cfg.Directory.UserByID(s.UserID))
	if refused == nil {
		refused = vouchedFor(u, s)
	}
	return u, refused
}

// vouchedFor returns an error if a session's assertion is of another identity provider than the user's. Sessions of
// earlier versions, and users of an instance that lists no identity providers, may name none.
func vouchedFor(u center.User, s sessions.Session) *Error {
	by := s.Proof.Subject.Provider
	if by == "" || u.IdentityProvider == "" || by == u.IdentityProvider {
		return nil
	}
	want, got := "the user's own, "+strconv.Quote(u.IdentityProvider), fmt.Sprintf("%s of %s", s.UserName, by)
	return newError(ReasonUnknownUser, "identity provider of the session", want, got)
}

// earlierIdP returns the identity provider of the browser's session, for a user who signs in again, or "". The cookie
// is of this host, so another site can't choose it.
func (p *Portal) earlierIdP(r *http.Request) string {
	if !p.cfg.SP.HasIdPs() {
		return ""
	}
	_, s, err := p.kept(r)
	if err != nil {
		return ""
	}
	if u, refused := p.userOfSession(s); refused != nil || u.IdentityProvider != s.Proof.Subject.Provider {
		return ""
	}
	return s.Proof.Subject.Provider
}

// providerOf returns the name of a user's identity provider for pages, or "" if there is only one.
func (p *Portal) providerOf(u center.User) string {
	if name := p.providerName(u.IdentityProvider); name != "" || len(p.cfg.Directory.IdentityProviders()) < 2 {
		return name
	}
	return u.IdentityProvider
}

// providerName returns the name of an identity provider that the directory lists, or "" if there is only one.
func (p *Portal) providerName(entityID string) string {
	list := p.cfg.Directory.IdentityProviders()
	i := slices.IndexFunc(list, func(l center.IdentityProvider) bool { return l.EntityID == entityID })
	if len(list) < 2 || i < 0 {
		return ""
	}
	return list[i].Label()
}
