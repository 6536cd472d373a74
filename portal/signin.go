package portal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// pending is a verified sign-in between the consumer and pathContinue. It is in the Region's store, under the hash of a
// secret that is in this browser's cookie, and can be taken once.
type pending struct {
	sessions.Session           // the session to make, as far as it is known
	SessionEnd       time.Time `json:"session_end"` // SessionNotOnOrAfter, or zero
	ReturnTo         string    `json:"return_to,omitempty"`
	Unsolicited      bool      `json:"unsolicited,omitempty"`
	Restarted        bool      `json:"restarted,omitempty"` // Restart began it, and the identity provider chose itself
	Until            time.Time `json:"until"`               // of this record
	Asked            string    `json:"asked,omitempty"`     // the ID of the signed-in user who was asked to confirm
	Waits            int       `json:"waits,omitempty"`     // the number of waits for another tab's session
}

// unasked reports whether the sign-in, which would end another user's, may not be the user's own choice. An identity
// provider can sign in any of its users, so it can't end a sign-in of another one without the user's consent.
func (in pending) unasked(now, next center.User) bool {
	return in.Unsolicited || in.Restarted && now.IdentityProvider != next.IdentityProvider
}

// handedOff reports whether the sign-in came from a handoff and not from a response.
func (in pending) handedOff() bool { return in.SignIn != "" }

const (
	// pendingLifetime is how long the user may take to answer the question.
	pendingLifetime = 5 * time.Minute
	pendingPrefix   = "__Host-meridian-continue-"
)

func (p *Portal) proofOf(a *saml.Assertion) sessions.Proof {
	out := sessions.Proof{
		Subject: sessions.Subject{
			Provider: a.Issuer(), ServiceProvider: p.cfg.SP.EntityID(), NameID: sessions.NameID(a.NameID()),
		},
		SessionIndexes: a.SessionIndexes(), Issued: a.IssueInstant(),
	}
	return out.Bounded()
}

// verified is the consumer's OnLogin: the response is genuine and was not accepted before. It checks that the subject
// is a user who may sign in.
func (p *Portal) verified(w http.ResponseWriter, r *http.Request, l *acs.Login) {
	p.secure(w)
	a := l.Assertion
	in := pending{
		Session:     sessions.Session{UserName: a.NameID().Value, Proof: p.proofOf(a)},
		SessionEnd:  a.SessionNotOnOrAfter(),
		ReturnTo:    l.ReturnTo,
		Unsolicited: l.Unsolicited,
		Restarted:   l.Restarted,
		Until:       p.now().Add(pendingLifetime),
	}
	var refused *Error
	if p.cfg.AccessControl {
		in.Tags, refused = tagsOf(a.Attributes())
	}
	tag := ""
	if refused == nil {
		tag, refused = p.keepProved(w, r, in)
	}
	if refused != nil {
		p.refuseSignIn(w, r, in, refused)
		return
	}
	http.Redirect(w, r, pathContinue+"?s="+url.QueryEscape(tag), http.StatusSeeOther)
}

func (p *Portal) keepProved(w http.ResponseWriter, r *http.Request, in pending) (tag string, refused *Error) {
	if refused := p.mayBegin(); refused != nil {
		return "", refused
	}
	u, refused := p.userOf(in.Proof.Subject.Provider, in.UserName)
	if refused != nil {
		return "", refused
	}
	in.UserID = u.ID
	// The epoch is read now and not when the session begins, so that a revocation in between ends this sign-in too.
	var err error
	if in.Epoch, err = p.cfg.Sessions.Epoch(r.Context(), u.ID); err != nil {
		return "", unavailable("read of the user's epoch", err)
	}
	return p.keep(w, r, randomHex(tagBytes), in)
}

// proceed finishes this browser's pending sign-in, or asks the user first. A signed-in user who returns to an old page
// is redirected home.
func (p *Portal) proceed(w http.ResponseWriter, r *http.Request) {
	tag := r.URL.Query().Get("s")
	in, err := p.take(w, r, tag)
	switch {
	case errors.Is(err, errNotPending):
		p.notBegun(w, r, newError(ReasonNotPending, "cookie of the sign-in", "a pending sign-in of this browser", ""))
	case err != nil:
		p.refuse(w, r, unavailable("read of the sign-in", err))
	default:
		p.finish(w, r, tag, in, "")
	}
}

// finish turns a pending sign-in into a session. agreed is the ID of the user who confirmed the change to another user.
func (p *Portal) finish(w http.ResponseWriter, r *http.Request, tag string, in pending, agreed string) {
	u, refused := p.userOfSession(in.Session)
	if refused != nil {
		p.clearCookie(w, pendingPrefix+tag)
		p.refuseSignIn(w, r, in, refused)
		return
	}
	before, err := p.current(r)
	if why := lookupError(err); why != nil {
		p.refuseSignIn(w, r, in, why)
		return
	}
	if p.waited(w, r, tag, in, before) {
		return
	}
	// A session that is only idle still has its cookie.
	if _, noSession := r.Cookie(SessionCookie); noSession != nil && in.Asked != "" { // the user who was asked signed out
		p.clearCookie(w, pendingPrefix+tag)
		http.Redirect(w, r, pathSignedOut, http.StatusSeeOther)
		return
	}
	if before != nil && before.user.ID != u.ID {
		if in.handedOff() {
			p.clearCookie(w, pendingPrefix+tag)
			p.refuseSignIn(w, r, in, otherUser(before, in.UserName))
			return
		}
		if in.unasked(before.user, u) && agreed != before.user.ID {
			p.ask(w, r, tag, in, before.user, u)
			return
		}
	}
	claimed, refused := p.claim(r, before, in)
	switch claimed.outcome {
	case claimLost:
		p.wait(w, r, tag, in)
		return
	case claimHome:
		p.leave(w, r, tag, in, p.destination(r, in.ReturnTo))
		return
	}
	p.clearCookie(w, pendingPrefix+tag)
	in.ID = randomHex(nameBytes)
	if refused == nil {
		refused = p.become(w, r, before, u, in)
	}
	if refused != nil {
		p.release(r.Context(), claimed)
		p.refuseSignIn(w, r, in, refused)
		return
	}
	if in.handedOff() {
		p.log.InfoContext(r.Context(), "portal: entered", "user", in.UserName)
	} else {
		p.log.InfoContext(r.Context(), "portal: signed in", "user", in.UserName, "unsolicited", in.Unsolicited,
			"idp", in.Proof.Subject.Provider)
	}
	p.tell(r.Context(), in, "", "")
	http.Redirect(w, r, p.destination(r, in.ReturnTo), http.StatusSeeOther)
}

// become begins the session of a pending sign-in. It replaces before, or a session that has gone idle.
func (p *Portal) become(w http.ResponseWriter, r *http.Request, before *visit, u center.User, in pending) *Error {
	if before == nil && !in.handedOff() {
		idle, refused := p.idle(r)
		if refused != nil {
			return refused
		}
		// The user was not asked, so an attacker's link must not end another user's sign-in.
		if idle != nil && (idle.user.ID == in.UserID || !in.unasked(idle.user, u)) {
			before = idle
		}
	}
	s := in.Session
	s.Expires = in.SessionEnd
	return p.replace(w, r, before, s, sessionEvent(in, ""))
}

// keep stores a pending sign-in and sets its secret in this browser's cookie. The tag distinguishes several sign-ins of
// one browser. It is not secret.
func (p *Portal) keep(w http.ResponseWriter, r *http.Request, tag string, in pending) (string, *Error) {
	secret := newSecret()
	b, err := json.Marshal(in)
	if err == nil {
		err = p.cfg.Store.Add(r.Context(), pendingKey(secret), b, in.Until)
	}
	if err != nil {
		return "", unavailable("write of the sign-in", err)
	}
	p.setCookie(w, pendingPrefix+tag, secret, pendingLifetime)
	return tag, nil
}

// errNotPending: this browser has no such sign-in, or it is used or too old.
var errNotPending = errors.New("portal: no such sign-in is pending")

// take returns this browser's pending sign-in, once.
func (p *Portal) take(w http.ResponseWriter, r *http.Request, tag string) (pending, error) {
	c, err := r.Cookie(pendingPrefix + tag)
	if err != nil || len(tag) != 2*tagBytes {
		return pending{}, errNotPending
	}
	b, err := p.cfg.Store.Take(r.Context(), pendingKey(c.Value))
	var in pending
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	if errors.Is(err, acs.ErrNotFound) || err == nil && !p.now().Before(in.Until) {
		p.clearCookie(w, pendingPrefix+tag)
		return pending{}, errNotPending
	}
	return in, err
}

// pendingKey has a prefix that acs doesn't use for its own records in the same store.
func pendingKey(secret string) string { return "portal." + hashed("portal sign-in", secret) }

func (p *Portal) refuseSignIn(w http.ResponseWriter, r *http.Request, in pending, why *Error) {
	if why.noAccess() {
		why.Got = cmp.Or(why.Got, in.UserName)
	}
	why.signIn = &in
	p.tell(r.Context(), in, p.refuse(w, r, why), why.Reason)
}

func (p *Portal) tell(ctx context.Context, in pending, reference string, reason Reason) {
	if in.handedOff() {
		return
	}
	if p.cfg.Observer != nil {
		p.cfg.Observer.ObserveSignIn(ctx, in.Proof.Subject.Provider, in.Unsolicited, string(reason))
	}
	if p.cfg.OnSignIn != nil {
		p.cfg.OnSignIn(ctx, SignIn{
			Time: p.now(), Reference: reference, Region: p.cfg.Region, IdP: in.Proof.Subject.Provider, UserName: in.UserName,
			Unsolicited: in.Unsolicited, Accepted: reason == "", Reason: reason,
		})
	}
}

// ask asks the user to confirm the change to another user. Nothing changes before the answer. The sign-in is stored
// again under a new secret, with the same expiry.
func (p *Portal) ask(w http.ResponseWriter, r *http.Request, tag string, in pending, now, next center.User) {
	in.Asked = now.ID
	if _, err := p.keep(w, r, tag, in); err != nil {
		p.refuseSignIn(w, r, in, err)
		return
	}
	// form-action applies to the redirect after the form too, which may lead to another origin.
	var targets []string
	if origin := originOf(p.destination(r, in.ReturnTo)); origin != "" {
		targets = []string{origin}
		w.Header().Set("Content-Security-Policy", contentSecurityPolicy("'self' "+origin))
	}
	p.render(w, r, http.StatusOK, "confirm", page{
		Title: p.theme.Texts(r).T("Continue as %s?", next.Label()),
		Body:  confirmBody{tag, now, next, p.providerOf(now), p.providerOf(next), targets},
	})
}

type confirmBody struct {
	Tag           string
	Now, Next     center.User
	NowOf, NextOf string   // their identity providers, if there are several
	Targets       []string // origins to which the answer redirects
}

func (p *Portal) answer(w http.ResponseWriter, r *http.Request) {
	answer := ""
	if err := r.ParseForm(); err == nil {
		answer = r.PostForm.Get("answer")
	}
	if answer != "continue" && answer != "stay" {
		p.badRequest(w, r)
		return
	}
	tag := r.PostForm.Get("s")
	in, err := p.take(w, r, tag)
	switch {
	case errors.Is(err, errNotPending):
		p.stay(w, r)
	case err != nil:
		p.refuse(w, r, unavailable("read of the sign-in", err))
	case answer == "stay":
		p.clearCookie(w, pendingPrefix+tag)
		p.stay(w, r)
	default:
		p.finish(w, r, tag, in, in.Asked)
	}
}

// stay changes nothing and redirects home. If there is no session, it shows the signed-out page, which has a link: home
// would redirect to the identity provider, and the form's content security policy blocks that.
func (p *Portal) stay(w http.ResponseWriter, r *http.Request) {
	to := pathHome
	if _, err := p.current(r); err != nil {
		to = pathSignedOut
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
