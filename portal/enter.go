package portal

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// enter is the destination's part of a handoff: it turns a code into a session
// of this origin. A code that is no good leads to a sign-in without other
// Regions, and where that was the one that failed, to a page that says so:
// nobody is sent around in circles.
func (p *Portal) enter(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a, ok := p.takeAttempt(w, r, q.Get("s"))
	code := q.Get("code")
	if !ok {
		p.burn(r.Context(), code)
		p.notBegun(w, r, &Error{Reason: ReasonHandoffBrowser, Rule: "cookie of the handoff", Want: "a handoff that this browser began a short while ago"})
		return
	}
	if code == "" && a.region != p.cfg.Region {
		p.cfg.Logger.InfoContext(r.Context(), "portal: no session to hand off", "region", p.cfg.Region, "from", a.region)
		p.plainly(w, r, a.returnTo)
		return
	}
	s, why := p.redeem(r, a, code)
	var got outcome
	if why == nil {
		got, why = p.admit(w, r, s)
	}
	switch {
	case why == nil && got == claimLost:
		p.wait(w, r, "", p.handedOn(a, s))
	case why == nil:
		p.cfg.Logger.InfoContext(r.Context(), "portal: entered", "region", p.cfg.Region, "user", s.UserName, "from", a.region)
		http.Redirect(w, r, cmp.Or(a.returnTo, pathHome), http.StatusSeeOther)
	case why.noAccess() || why.Reason == ReasonHandoffUser || why.Reason == ReasonSessions:
		p.refuse(w, r, why) // whom a sign-in would refuse too, or replace unasked
	default:
		p.otherwise(w, r, a, why)
	}
}

// redeem takes a code and judges what it stands for, here and now.
func (p *Portal) redeem(r *http.Request, a attempt, code string) (sessions.Session, *Error) {
	g, from, why := p.takeGrant(r.Context(), code)
	if why != nil {
		return sessions.Session{}, why
	}
	now, l := p.cfg.Now(), p.place(r)
	switch {
	case !now.Before(g.Until):
		return sessions.Session{}, &Error{Reason: ReasonHandoffCode, Rule: "lifetime of the code", Want: "a code that is not over"}
	case l.portal == "" || g.To != l.portal:
		return sessions.Session{}, &Error{Reason: ReasonHandoffBinding, Rule: "origin that the code is for", Want: l.portal, Got: g.To}
	case subtle.ConstantTimeCompare([]byte(g.State), []byte(a.state())) != 1:
		return sessions.Session{}, &Error{Reason: ReasonHandoffBinding, Rule: "state of the handoff", Want: "the one that this browser began"}
	case from != "" && g.Region != from:
		return sessions.Session{}, &Error{Reason: ReasonHandoffBinding, Rule: "Region that the code came from", Want: from, Got: g.Region}
	case g.Region != a.region:
		return sessions.Session{}, &Error{Reason: ReasonHandoffBinding, Rule: "Region that was asked", Want: a.region, Got: g.Region}
	case !p.activeRegion(g.Region):
		return sessions.Session{}, &Error{Reason: ReasonHandoffBinding, Rule: "Region that was asked", Want: "an active Region of the instance", Got: g.Region}
	case g.SignIn == "":
		return sessions.Session{}, &Error{Reason: ReasonHandoffCode, Rule: "what the code stands for", Want: "a sign-in"}
	}
	if _, why := p.active(p.cfg.Directory.UserByID(g.UserID)); why != nil {
		why.Got = g.UserName
		return sessions.Session{}, why
	}
	return sessions.Session{
		SignIn: g.SignIn, UserID: g.UserID, UserName: g.UserName, Proof: bounded(g.Proof), Expires: g.Expires, Epoch: g.Epoch,
	}, nil
}

// takeGrant takes what a code stands for, and says which Region put it. It may
// wait for a code that is on its way here; Codes bounds how many requests do.
func (p *Portal) takeGrant(ctx context.Context, code string) (g grant, from string, why *Error) {
	none := &Error{Reason: ReasonHandoffCode, Rule: "code of the handoff", Want: "one that was not used and is not over"}
	if !isSecret(code) {
		return grant{}, "", none
	}
	b, from, err := p.cfg.Codes.TakeCode(ctx, codeKey(code))
	if err == nil {
		err = json.Unmarshal(b, &g)
	}
	if errors.Is(err, ErrNoCode) {
		return grant{}, "", none
	} else if err != nil {
		return grant{}, "", unavailable("read of the code", err)
	}
	return g, from, nil
}

// burn makes a code worthless that came through a browser which did not begin
// the handoff. Whoever did, and has the cookie that goes with the code's state,
// could otherwise use it for the rest of its minute. One that is still on its
// way here is out of reach, as waiting for it would be for strangers to abuse.
func (p *Portal) burn(ctx context.Context, code string) {
	if !isSecret(code) {
		return
	}
	if err := p.cfg.Codes.DropCode(ctx, codeKey(code)); err != nil {
		p.logRefused(ctx, unavailable("removal of the code", err), "")
	}
}

// admit begins the session, in place of one of the same person's. Somebody else
// is not replaced: whoever can put cookies or addresses into a browser must not
// choose whose session it has. To sign out first is the person's answer.
//
// It does nothing if another tab of this browser has, or is about to.
func (p *Portal) admit(w http.ResponseWriter, r *http.Request, s sessions.Session) (outcome, *Error) {
	before, err := p.current(r)
	if why := unsure(err); why != nil {
		return claimWon, why
	}
	if before != nil && before.user.ID != s.UserID {
		return claimWon, otherUser(before, s.UserName)
	}
	if before == nil || before.session.SignIn != s.SignIn {
		if why := p.roomFor(r.Context(), s); why != nil {
			return claimWon, why
		}
	}
	claimed, why := p.claim(r, before, pending{UserID: s.UserID, SignIn: s.SignIn})
	if why != nil || claimed.outcome != claimWon {
		return claimed.outcome, why
	}
	if why := p.replace(w, r, before, s); why != nil {
		p.release(r.Context(), claimed)
		return claimWon, why
	}
	return claimWon, nil
}

func otherUser(now *visit, next string) *Error {
	return &Error{Reason: ReasonHandoffUser, Rule: "user of the session that the browser has", Want: now.session.UserName, Got: next}
}

// handedOn is a handoff that waits for another tab, as a sign-in does.
func (p *Portal) handedOn(a attempt, s sessions.Session) pending {
	return pending{
		SignIn: s.SignIn, UserID: s.UserID, UserName: s.UserName, Proof: s.Proof, SessionEnd: s.Expires, Epoch: s.Epoch,
		ReturnTo: a.returnTo, Until: p.cfg.Now().Add(pendingLifetime),
	}
}

// roomFor bounds the sessions of one sign-in, which would hand each other on
// without end. Handoffs that end at the same time can exceed it together, by no
// more than the codes that can be alive at once.
func (p *Portal) roomFor(ctx context.Context, s sessions.Session) *Error {
	all, err := p.cfg.Sessions.List(ctx, s.UserID)
	if err != nil {
		return unavailable("list of the sessions", err)
	}
	n, now := 0, p.cfg.Now()
	for _, other := range all {
		if other.SignIn == s.SignIn && !other.Over(now, p.cfg.IdleTimeout) {
			n++
		}
	}
	if n >= maxSessions {
		return &Error{Reason: ReasonSessions, Rule: "sessions of one sign-in", Want: fmt.Sprintf("at most %d", maxSessions), Got: s.UserName}
	}
	return nil
}

// otherwise goes on without the session that another Region would have given.
// A portal that asked its own Region's consumer has no other way, and says so.
func (p *Portal) otherwise(w http.ResponseWriter, r *http.Request, a attempt, why *Error) {
	if a.region == p.cfg.Region {
		p.refuseVisit(w, r, why)
		return
	}
	p.logRefused(r.Context(), why, "")
	p.plainly(w, r, a.returnTo)
}

// notBegun answers somebody who came with something that this browser did not
// begin, or has finished. It starts nothing by itself: a browser that keeps no
// cookies would go around for ever.
func (p *Portal) notBegun(w http.ResponseWriter, r *http.Request, why *Error) {
	_, err := p.current(r)
	var e *Error
	switch {
	case err == nil:
		http.Redirect(w, r, pathHome, http.StatusSeeOther)
	case errors.As(err, &e):
		p.refuseVisit(w, r, e)
	default:
		p.refuse(w, r, why)
	}
}
