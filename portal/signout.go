package portal

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
)

// Signing out has two parts. The first always happens, and happens first: the sessions here end, in every Region. The
// second is the user's choice on the page after that: the identity provider ends its session too. For that part the
// session's proof is kept in the Region's store for some minutes, under a secret in this browser's cookie.

const (
	// signedOutCookie says what the page after a sign-out shows, and resultCookie how the identity provider's part ended.
	// They are two because the identity provider's answer can be a POST, which doesn't have the first.
	signedOutCookie = "__Host-meridian-signed-out"
	resultCookie    = "__Host-meridian-signed-out-idp"
	signOutLifetime = 15 * time.Minute
	maxSignOut      = 3 << 10 // bytes; browsers keep cookies of 4 KiB
)

// signOutRecord is the value of signedOutCookie. Only this browser sees it, so it may name unreachable Regions.
type signOutRecord struct {
	Secret     string   `json:"s,omitempty"` // of the record for the identity provider's part; empty: there is none
	IdP        string   `json:"i,omitempty"` // its entity ID
	Regions    []string `json:"r,omitempty"` // with sessions that ended
	Behind     []string `json:"b,omitempty"` // that may not know yet
	Everywhere bool     `json:"e,omitempty"` // whether all sessions of the user ended
}

// The results of the identity provider's part.
const (
	resultEnded   = "ended"
	resultPartial = "partial"
	resultUntold  = "untold"
)

// signOut ends every session of the sign-in, at every portal and in every Region. It clears the cookie last: if the
// store fails, the user must be able to try again.
func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) {
	c, err := r.Cookie(SessionCookie)
	if err != nil {
		p.showSignedOut(w, r)
		return
	}
	key := sessionKey(c.Value)
	s, err := p.cfg.Sessions.Get(r.Context(), key)
	if all, ok := p.cfg.Sessions.(sessions.CatchUp); ok && errors.Is(err, sessions.ErrNoSession) {
		// Another node of the Region may have made it a moment ago.
		if err = all.CatchUp(r.Context()); err == nil {
			s, err = p.cfg.Sessions.Get(r.Context(), key)
		}
	}
	var o signOutRecord
	own := err == nil && s.Region == p.cfg.Region
	if own {
		o = p.newSignOut(r.Context(), s, false)
		err = p.endSignIn(r.Context(), s)
	}
	if err == nil || errors.Is(err, sessions.ErrNoSession) {
		err = p.cfg.Sessions.End(r.Context(), key)
	}
	if err != nil {
		p.refuse(w, r, unavailable("end of the session", err))
		return
	}
	if own {
		p.log.InfoContext(r.Context(), "portal: signed out", "user", s.UserName)
		p.auditLogout(r.Context(), s, byUser, endedSignIn)
		p.keepSignOut(w, r, s, o)
	}
	p.showSignedOut(w, r)
}

// showSignedOut clears the cookies of a session that has ended, and shows the page after a sign-out.
func (p *Portal) showSignedOut(w http.ResponseWriter, r *http.Request) {
	p.forgetBrowser(w)
	p.forceNext(w)
	http.Redirect(w, r, pathSignedOut, http.StatusSeeOther)
}

// newSignOut describes a sign-out that is about to happen: of one sign-in, or of the user everywhere.
func (p *Portal) newSignOut(ctx context.Context, s sessions.Session, everywhere bool) signOutRecord {
	o := signOutRecord{IdP: s.Proof.Subject.Provider, Behind: p.behind(), Everywhere: everywhere}
	all, err := p.cfg.Sessions.List(ctx, s.UserID)
	if err != nil { // the sessions end in any case
		p.logRefused(ctx, unavailable("list of the sessions", err), "")
	}
	now := p.now()
	for _, region := range p.cfg.Directory.Regions() {
		if slices.ContainsFunc(all, func(other sessions.Session) bool {
			return other.Region == region.Name && (everywhere || other.SignIn == s.SignIn) && !other.Over(now, p.cfg.IdleTimeout)
		}) {
			o.Regions = append(o.Regions, region.Name)
		}
	}
	return o
}

// keepSignOut sets the cookie for the page after a sign-out. The session has ended. If the identity provider can end
// its session, what it needs for that is stored. Without the store, the user has to sign out there.
func (p *Portal) keepSignOut(w http.ResponseWriter, r *http.Request, s sessions.Session, o signOutRecord) {
	if p.logoutBinding(r, s.Proof.Subject) != "" {
		secret := newSecret()
		b, err := json.Marshal(s.Proof)
		if err == nil {
			err = p.cfg.Store.Add(r.Context(), signOutKey(secret), b, p.now().Add(signOutLifetime))
		}
		if err != nil {
			p.logRefused(r.Context(), unavailable("write of the sign-out", err), "")
		} else {
			o.Secret = secret
		}
	}
	p.clearCookie(w, resultCookie)
	p.setSignOut(w, o)
}

// setSignOut sets the cookie. Parts that don't fit aren't shown.
func (p *Portal) setSignOut(w http.ResponseWriter, o signOutRecord) {
	value := o.encode()
	if len(value) > maxSignOut {
		o.Regions, o.Behind = nil, nil
		value = o.encode()
	}
	p.setCookie(w, signedOutCookie, value, signOutLifetime)
}

func (o signOutRecord) encode() string {
	b, _ := json.Marshal(o) // strings and a bool, which can't fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// signOutOf returns what this browser's cookie says, or the zero signOutRecord.
func signOutOf(r *http.Request) (o signOutRecord) {
	c, err := r.Cookie(signedOutCookie)
	if err != nil || len(c.Value) > maxSignOut {
		return signOutRecord{}
	}
	b, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || json.Unmarshal(b, &o) != nil || o.Secret != "" && !isSecret(o.Secret) {
		return signOutRecord{}
	}
	return o
}

func signOutKey(secret string) string { return "portal." + hashed("portal sign-out", secret) }

// signedOutBody is the page after a sign-out.
type signedOutBody struct {
	Everywhere      bool
	Regions, Behind []center.Region // where sessions ended, and where they end later
	Provider        string          // the name of the identity provider, if there are several
	Offer           bool            // whether it can end its session
	Targets         []string        // where the form for that leads
	Result          string          // of that, if it was asked
	Link            string          // its sign-out page, if that is needed
}

// signedOut is the page after a sign-out. It starts no sign-in.
func (p *Portal) signedOut(w http.ResponseWriter, r *http.Request) {
	_, err := p.current(r)
	if err == nil {
		http.Redirect(w, r, pathHome, http.StatusSeeOther)
		return
	}
	if why := lookupError(err); why != nil {
		p.refuseVisit(w, r, why)
		return
	}
	o := signOutOf(r)
	known := slices.DeleteFunc(slices.Clone(o.Regions), func(name string) bool { return slices.Contains(o.Behind, name) })
	body := signedOutBody{
		Everywhere: o.Everywhere && len(o.Behind) == 0, Regions: p.named(known), Behind: p.named(o.Behind),
		Offer: o.Secret != "", Provider: p.providerName(o.IdP),
	}
	if c, err := r.Cookie(resultCookie); err == nil && !body.Offer {
		body.Result = c.Value
	}
	if !body.Offer && body.Result != resultEnded && body.Result != resultPartial {
		body.Link = p.cfg.SignOutURLs[o.IdP]
	}
	if body.Offer {
		body.Targets = acs.LogoutTargets(p.cfg.SP, o.IdP)
		w.Header().Set("Content-Security-Policy", contentSecurityPolicy("'self' "+strings.Join(body.Targets, " ")))
	}
	p.render(w, r, http.StatusOK, "signedout", page{Title: "You are signed out", Body: body})
}

// named returns the Regions with these names that the directory knows.
func (p *Portal) named(names []string) []center.Region {
	return slices.DeleteFunc(slices.Clone(p.cfg.Directory.Regions()), func(r center.Region) bool {
		return !slices.Contains(names, r.Name)
	})
}

// forgetSignOut clears the cookies of an earlier sign-out when a session begins.
func (p *Portal) forgetSignOut(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{signedOutCookie, resultCookie, forceCookie} {
		if _, err := r.Cookie(name); err == nil {
			p.clearCookie(w, name)
		}
	}
}
