package middleware

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
)

// The identity provider's page posts the response from another site, so the browser doesn't send the session's cookie
// with it. Therefore the sign-in is kept in the Region's store, under a secret in a cookie of this browser, and
// finished by a GET of Paths.Continue, which has all cookies.

// pending is a verified sign-in between the consumer and Paths.Continue. It can be taken once.
type pending struct {
	sessions.Session           // the session to make, as far as it is known
	ReturnTo         string    `json:"return_to,omitempty"`
	Until            time.Time `json:"until"`           // of this record
	Asked            string    `json:"asked,omitempty"` // the ID of the session whose user was asked to confirm
	Unsolicited      bool      `json:"unsolicited,omitempty"`
}

const pendingLifetime = 5 * time.Minute // the user may have to answer a question

// signedIn is the consumer's OnLogin: the assertion is genuine and was not accepted before.
func (g *Guard) signedIn(w http.ResponseWriter, r *http.Request, l *acs.Login) {
	in, err := g.pendingOf(l)
	if err != nil {
		g.observe(r.Context(), l.Assertion.Issuer(), l.Unsolicited, reasonOf(err))
		l.MissingAttributes(w, r, err)
		return
	}
	// The epoch is read now and not when the session begins, so that a revocation in between ends this sign-in too.
	if in.Epoch, err = g.cfg.Sessions.Epoch(r.Context(), in.UserID); err != nil {
		g.refuseSignIn(w, r, in, unavailable("read of the user's epoch", err))
		return
	}
	tag := newName()
	if why := g.keep(w, r, tag, in); why != nil {
		g.refuseSignIn(w, r, in, why)
		return
	}
	http.Redirect(w, r, g.cfg.Paths.Continue+"?s="+tag, http.StatusSeeOther)
}

// pendingOf returns the sign-in of an accepted assertion. The error is one for acs.Login.MissingAttributes.
func (g *Guard) pendingOf(l *acs.Login) (pending, error) {
	a, user := l.Assertion, User{}
	if g.cfg.Admit != nil {
		var err error
		if user, err = g.cfg.Admit(a); err != nil {
			return pending{}, err
		}
	}
	kept, err := g.dataOf(a)
	if err != nil {
		return pending{}, err
	}
	subject := sessions.Subject{
		Provider: a.Issuer(), ServiceProvider: g.cfg.SP.EntityID(), NameID: sessions.NameID(a.NameID()),
	}
	return pending{
		Session: sessions.Session{
			UserID: userID(subject, user.ID), UserName: cmp.Or(user.Name, a.NameID().Value),
			Proof: sessions.Proof{
				Subject: subject, SessionIndexes: a.SessionIndexes(), Issued: a.IssueInstant(),
			}.Bounded(),
			Region: g.cfg.Region, Expires: a.SessionNotOnOrAfter(), Data: kept,
		},
		ReturnTo: l.ReturnTo, Until: g.now().Add(pendingLifetime), Unsolicited: l.Unsolicited,
	}, nil
}

// userID returns the ID of a user, which depends on the identity provider, so that no other can assert the user.
func userID(s sessions.Subject, id string) string {
	s = s.Key()
	parts := []string{"id", s.Provider, id}
	if n := s.NameID; id == "" {
		parts = []string{"name", s.Provider, n.Value, n.Format, n.NameQualifier, n.SPNameQualifier}
	}
	b, _ := json.Marshal(parts) // strings, which can't fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// keep stores a pending sign-in and sets its secret in this browser's cookie. The tag distinguishes several sign-ins of
// one browser. It is not secret.
func (g *Guard) keep(w http.ResponseWriter, r *http.Request, tag string, in pending) *Error {
	secret := newSecret()
	b, err := json.Marshal(in)
	if err == nil {
		err = g.cfg.Store.Add(r.Context(), g.pendingKey(secret), b, in.Until)
	}
	if err != nil {
		return unavailable("write of the sign-in", err)
	}
	setCookie(w, g.pendingCookie(tag), secret, pendingLifetime)
	return nil
}

func (g *Guard) pendingCookie(tag string) string { return g.cfg.CookieName + "-" + tag }

// pendingKey has a prefix that acs doesn't use for its own records in the same store.
func (g *Guard) pendingKey(secret string) string { return "middleware." + g.hashed("sign-in", secret) }

// take returns this browser's pending sign-in, once.
func (g *Guard) take(w http.ResponseWriter, r *http.Request, tag string) (in pending, why *Error) {
	none := &Error{Reason: ReasonNotPending, Rule: "cookie of the sign-in", Want: "a pending sign-in of this browser"}
	c, err := r.Cookie(g.pendingCookie(tag))
	if err != nil || !isName(tag) || !isSecret(c.Value) {
		return in, none
	}
	b, err := g.cfg.Store.Take(r.Context(), g.pendingKey(c.Value))
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	switch {
	case errors.Is(err, acs.ErrNotFound), err == nil && !g.now().Before(in.Until):
		clearCookie(w, g.pendingCookie(tag))
		return in, none
	case err != nil:
		return in, unavailable("read of the sign-in", err)
	}
	return in, nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
