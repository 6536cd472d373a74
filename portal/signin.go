package portal

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// A pending sign-in is what a response proved, on its way from the consumer to
// pathContinue. It is held in the Region's store under the hash of a secret
// that is in this browser's cookie, and can be taken once.
type pending struct {
	UserID      string         `json:"user_id"`
	UserName    string         `json:"user_name"`
	Proof       sessions.Proof `json:"proof,omitzero"`
	SessionEnd  time.Time      `json:"session_end"` // SessionNotOnOrAfter, zero if there was none
	ReturnTo    string         `json:"return_to,omitempty"`
	Unsolicited bool           `json:"unsolicited,omitempty"`
	Until       time.Time      `json:"until"` // of this record
	Epoch       sessions.Epoch `json:"epoch,omitempty"`
	// Asked is the ID of the user whose browser was asked whether to go on.
	Asked string `json:"asked,omitempty"`
	// Waits counts how often it waited for another tab's session.
	Waits int `json:"waits,omitempty"`
	// SignIn is the one that a handoff came from; empty for a response.
	SignIn string `json:"sign_in,omitempty"`
}

// maxSubject and maxSessionIndex are how many bytes of a subject's names and of a
// SessionIndex are kept. Core sets no limit; providers send some tens.
const (
	maxSubject      = 5 << 10
	maxSessionIndex = 1 << 10
)

// bounded leaves out of a proof what is too long to be copied into every Region
// with every session. No sign-in depends on it, so a long one is no reason to
// refuse: the identity provider's logout then ends all of the subject's sessions,
// or none.
func bounded(p sessions.Proof) sessions.Proof {
	s, n := p.Subject, p.Subject.NameID
	if len(s.Provider+s.ServiceProvider+n.Value+n.Format+n.NameQualifier+n.SPNameQualifier+n.SPProvidedID) > maxSubject {
		return sessions.Proof{}
	}
	if len(strings.Join(p.SessionIndexes, "")) > maxSessionIndex {
		p.SessionIndexes = nil
	}
	return p
}

// proofOf is what an assertion says of its sign-in.
func (p *Portal) proofOf(a *saml.Assertion) sessions.Proof {
	out := sessions.Proof{
		Subject: sessions.Subject{Provider: a.Issuer(), ServiceProvider: p.cfg.SP.EntityID(), NameID: sessions.NameID(a.NameID())},
		Issued:  a.IssueInstant(),
	}
	if index := a.SessionIndex(); index != "" {
		out.SessionIndexes = []string{index}
	}
	return bounded(out)
}

// pendingLifetime is how long a person may think about the question.
const pendingLifetime = 5 * time.Minute

// proved is the consumer's OnLogin: the response is genuine and was not seen
// before. Whether its subject is somebody here is decided now.
func (p *Portal) proved(w http.ResponseWriter, r *http.Request, l *acs.Login) {
	p.secure(w)
	a := l.Assertion
	name := a.NameID().Value
	in := pending{
		UserName:    name,
		Proof:       p.proofOf(a),
		SessionEnd:  a.SessionNotOnOrAfter(),
		ReturnTo:    l.ReturnTo,
		Unsolicited: l.Unsolicited,
		Until:       p.cfg.Now().Add(pendingLifetime),
	}
	if refused := p.mayBegin(); refused != nil {
		p.refuseSignIn(w, r, in, refused)
		return
	}
	u, refused := p.active(p.cfg.Directory.User(name))
	if refused != nil {
		p.refuseSignIn(w, r, in, refused)
		return
	}
	in.UserID = u.ID
	// Now and not when the session begins: what is revoked from here on is
	// this sign-in too.
	epoch, err := p.cfg.Sessions.Epoch(r.Context(), u.ID)
	if err != nil {
		p.refuseSignIn(w, r, in, unavailable("read of the user's epoch", err))
		return
	}
	in.Epoch = epoch
	tag, refused := p.keep(w, r, "", in)
	if refused != nil {
		p.refuseSignIn(w, r, in, refused)
		return
	}
	http.Redirect(w, r, pathContinue+"?s="+url.QueryEscape(tag), http.StatusSeeOther)
}

// proceed finishes the sign-in that this browser has pending, unless there is
// a question to ask first. Somebody who came back to an old page goes home.
func (p *Portal) proceed(w http.ResponseWriter, r *http.Request) {
	tag := r.URL.Query().Get("s")
	in, err := p.take(w, r, tag)
	switch {
	case errors.Is(err, errNotPending):
		p.notBegun(w, r, &Error{Reason: ReasonNotPending, Rule: "cookie of the sign-in", Want: "a sign-in that this browser has to continue"})
	case err != nil:
		p.refuse(w, r, unavailable("read of the sign-in", err))
	default:
		p.finish(w, r, tag, in, "")
	}
}

// finish turns a pending sign-in into a session. agreed is the ID of the user
// whom the person at this browser agreed to stop being.
func (p *Portal) finish(w http.ResponseWriter, r *http.Request, tag string, in pending, agreed string) {
	u, refused := p.active(p.cfg.Directory.UserByID(in.UserID))
	if refused != nil {
		p.clearCookie(w, pendingCookie(tag))
		p.refuseSignIn(w, r, in, refused)
		return
	}
	before, err := p.current(r)
	if why := unsure(err); why != nil {
		p.refuseSignIn(w, r, in, why)
		return
	}
	if p.waited(w, r, tag, in, before) {
		return
	}
	if in.SignIn != "" && before != nil && before.user.ID != u.ID {
		p.clearCookie(w, pendingCookie(tag))
		p.refuseSignIn(w, r, in, otherUser(before, in.UserName))
		return
	}
	if before != nil && before.user.ID != u.ID && in.Unsolicited && agreed != before.user.ID {
		p.ask(w, r, tag, in, before.user, u)
		return
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
	p.clearCookie(w, pendingCookie(tag))
	if refused == nil {
		refused = p.become(w, r, before, in, u)
	}
	if refused != nil {
		p.release(r.Context(), claimed)
		p.refuseSignIn(w, r, in, refused)
		return
	}
	p.signedIn(r.Context(), in)
	http.Redirect(w, r, p.destination(r, in.ReturnTo), http.StatusSeeOther)
}

// become begins the session of a pending sign-in, in place of the live one
// before, or of one that has gone idle.
func (p *Portal) become(w http.ResponseWriter, r *http.Request, before *visit, in pending, u center.User) *Error {
	if before == nil && in.SignIn == "" {
		idle, refused := p.idle(r)
		if refused != nil {
			return refused
		}
		// Nobody is asked about it, so who made a link must not end it.
		if idle != nil && (idle.user.ID == u.ID || !in.Unsolicited) {
			before = idle
		}
	}
	return p.replace(w, r, before, in.session(u))
}

// session is what a pending sign-in becomes.
func (in pending) session(u center.User) sessions.Session {
	return sessions.Session{SignIn: in.SignIn, UserID: u.ID, UserName: in.UserName, Proof: in.Proof, Expires: in.SessionEnd, Epoch: in.Epoch}
}

// keep stores a pending sign-in and gives this browser its secret. The tag
// tells several sign-ins of one browser apart and is no secret; an empty one
// means a new one.
func (p *Portal) keep(w http.ResponseWriter, r *http.Request, tag string, in pending) (string, *Error) {
	secret, err := p.secret()
	if err != nil {
		return "", unavailable("making of a secret", err)
	}
	if tag == "" {
		if tag, err = p.random(tagBytes); err != nil {
			return "", unavailable("making of a tag", err)
		}
	}
	b, err := json.Marshal(in)
	if err != nil {
		return "", unavailable("writing of the sign-in", err)
	}
	if err := p.cfg.Store.Add(r.Context(), pendingKey(secret), b, in.Until); err != nil {
		return "", unavailable("write of the sign-in", err)
	}
	p.setCookie(w, pendingCookie(tag), secret, pendingLifetime)
	return tag, nil
}

// errNotPending: this browser has no such sign-in, or has used it, or it is
// too old.
var errNotPending = errors.New("portal: no such sign-in is pending")

// take returns this browser's pending sign-in, and that only once.
func (p *Portal) take(w http.ResponseWriter, r *http.Request, tag string) (pending, error) {
	c, err := r.Cookie(pendingCookie(tag))
	if err != nil || len(tag) != 2*tagBytes {
		return pending{}, errNotPending
	}
	b, err := p.cfg.Store.Take(r.Context(), pendingKey(c.Value))
	var in pending
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	if errors.Is(err, acs.ErrNotFound) || err == nil && !p.cfg.Now().Before(in.Until) {
		p.clearCookie(w, pendingCookie(tag))
		return pending{}, errNotPending
	}
	return in, err
}

// pendingKey is not of the kinds that acs keeps for itself in the same store.
func pendingKey(secret string) string { return "portal." + hashed("portal sign-in", secret) }

const pendingPrefix = "__Host-meridian-continue-"

func pendingCookie(tag string) string { return pendingPrefix + tag }

// signedIn tells log and caller about a new session.
func (p *Portal) signedIn(ctx context.Context, in pending) {
	if in.SignIn != "" {
		p.cfg.Logger.InfoContext(ctx, "portal: entered", "region", p.cfg.Region, "user", in.UserName)
		return
	}
	p.cfg.Logger.InfoContext(ctx, "portal: signed in", "region", p.cfg.Region, "user", in.UserName, "unsolicited", in.Unsolicited)
	p.tell(ctx, in, "", "")
}

// refuseSignIn answers somebody who was proved to be who they are and still
// does not get in.
func (p *Portal) refuseSignIn(w http.ResponseWriter, r *http.Request, in pending, why *Error) {
	if why.noAccess() {
		why.Got = in.UserName
	}
	p.tell(r.Context(), in, p.refuse(w, r, why), why.Reason)
}

func (p *Portal) tell(ctx context.Context, in pending, reference string, reason Reason) {
	if p.cfg.OnSignIn != nil && in.SignIn == "" { // which is for responses
		p.cfg.OnSignIn(ctx, SignIn{
			Time: p.cfg.Now(), Reference: reference, Region: p.cfg.Region, UserName: in.UserName,
			Unsolicited: in.Unsolicited, Accepted: reason == "", Reason: reason,
		})
	}
}
