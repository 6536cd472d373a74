package middleware

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/acs/sessions"
)

// refusal is the answer to a refusal. It contains nothing of the request.
type refusal struct {
	status             int
	title, text, again string // again is the text of the link to Paths.Login; empty: to Paths.Home
}

var textRefusals = map[Reason]refusal{
	ReasonNotPending: {http.StatusForbidden, "This sign-in is over",
		"It was finished, or began too long ago or in another browser. You can start again.", "Sign in again"},
	ReasonNavigation: {http.StatusForbidden, "Sign-in can't continue this way",
		"Sign-in needs its own window or tab, and the buttons of its pages.", "Sign in again"},
	ReasonLoggedOut: {http.StatusForbidden, "Your identity provider has signed you out",
		"It ended your session while you were signing in. You can start again.", "Sign in again"},
	ReasonRevoked: {http.StatusForbidden, "This sign-in was ended",
		"Your sessions were ended while you were signing in. You can start again.", "Sign in again"},
	ReasonSessionOver: {http.StatusForbidden, "This sign-in is over",
		"Your identity provider limits how long you are signed in, and that time has passed. You can start again.",
		"Sign in again"},
	ReasonForbidden: {http.StatusForbidden, "You don't have access to this page",
		"Your account is not allowed to use it. If that is wrong, tell your administrator.", ""},
	ReasonUnavailable: {http.StatusServiceUnavailable, "This service is not available right now",
		"Please try again in a minute.", "Sign in again"},
}

// refuse logs why, and answers with a page, or with a line of text where the client wants no page.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, why *Error) {
	reference := newReference()
	log := g.cfg.Logger.WarnContext
	if why.Reason == ReasonUnavailable {
		log = g.cfg.Logger.ErrorContext
	}
	cause := ""
	if why.Err != nil {
		cause = storeerr.Printable(why.Err.Error())
	}
	log(r.Context(), "middleware: refused", "reference", reference, "reason", string(why.Reason), "rule", why.Rule,
		"want", why.Want, "got", storeerr.Printable(why.Got), "cause", cause)
	a := textRefusals[why.Reason]
	acs.SetPageHeaders(w.Header())
	if a.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	if !acceptsHTML(r) {
		http.Error(w, a.title+".", a.status)
		return
	}
	p := acs.Page{
		Kind: acs.PageError, Status: a.status, Title: a.title, Text: a.text, Reference: reference,
		Link: g.cfg.Paths.Login, LinkText: a.again,
	}
	if a.again == "" {
		p.Link, p.LinkText = g.cfg.Paths.Home, "Go to the start page"
	}
	g.cfg.WritePage(w, r, p)
}

// unauthorized answers a request that isn't redirected to the sign-in, such as a form that is posted after the session
// has ended. The header WWW-Authenticate is set.
func (g *Guard) unauthorized(w http.ResponseWriter, r *http.Request) {
	acs.SetPageHeaders(w.Header())
	if !acceptsHTML(r) {
		http.Error(w, "Sign in with a browser first.", http.StatusUnauthorized)
		return
	}
	g.cfg.WritePage(w, r, acs.Page{
		Kind: acs.PageError, Status: http.StatusUnauthorized, Title: "You have to sign in first",
		Text: "You are not signed in any more, or have to sign in again for this. What you sent has not arrived.",
		Link: g.cfg.Paths.Login, LinkText: "Sign in",
	})
}

// refused is the page to which the consumer redirects after it has refused a response. Most of these were sent twice (a
// double click, the back button, a restored tab), and the user is signed in already.
func (g *Guard) refused(w http.ResponseWriter, r *http.Request) {
	acs.SetPageHeaders(w.Header())
	_, err := g.current(r)
	var why *Error
	switch {
	case err == nil:
		http.Redirect(w, r, g.cfg.Paths.Home, http.StatusSeeOther)
	case errors.Is(err, sessions.ErrNoSession):
		g.region.Refused(w, r)
	case errors.As(err, &why):
		g.refuse(w, r, why)
	}
}

// newReference returns a random reference, short enough to be read aloud, as those of package acs are.
func newReference() string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var b [8]byte
	rand.Read(b[:])
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return "MRD-" + string(b[:4]) + "-" + string(b[4:])
}

// isolated returns a user's name for a sentence: cut short, on one line, and so that its direction of writing doesn't
// change that of the words around it (Unicode UAX 9, first strong isolate).
func isolated(name string) string {
	name = strings.Join(strings.Fields(name), " ")
	if all := []rune(name); len(all) > 64 {
		name = string(all[:64]) + "…"
	}
	// A mark of its own would end the isolation.
	name = strings.Map(func(c rune) rune {
		if c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069' {
			return -1
		}
		return c
	}, name)
	return "\u2068" + name + "\u2069"
}
