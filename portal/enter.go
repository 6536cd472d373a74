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

// enter is the destination's part of a handoff: it turns a code into a session of this origin. After an invalid code it
// starts a sign-in without other Regions. If that is what failed, it shows an error page. So there is no redirect loop.
func (p *Portal) enter(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a, ok := p.takeAttempt(w, r, q.Get("s"))
	code := q.Get("code")
	if !ok {
		p.dropCode(r.Context(), code)
		const want = "a handoff that this browser began recently"
		p.notBegun(w, r, newError(ReasonHandoffBrowser, "cookie of the handoff", want, ""))
		return
	}
	if code == "" && a.region != p.cfg.Region {
		p.log.InfoContext(r.Context(), "portal: no session to hand off", "from", a.region)
		p.plainLogin(w, r, a.returnTo)
		return
	}
	s, why := p.redeem(r, a, code)
	var got outcome
	if why == nil {
		s.ID = randomHex(nameBytes)
		got, why = p.admit(w, r, s, a.region)
	}
	switch {
	case why == nil && got == claimLost:
		p.wait(w, r, "", pending{
			Session: s, SessionEnd: s.Expires, ReturnTo: a.returnTo, Until: p.now().Add(pendingLifetime),
		})
	case why == nil:
		p.log.InfoContext(r.Context(), "portal: entered", "user", s.UserName, "from", a.region)
		http.Redirect(w, r, cmp.Or(a.returnTo, pathHome), http.StatusSeeOther)
	case why.noAccess() || why.Reason == ReasonHandoffUser || why.Reason == ReasonSessions ||
		why.Reason == ReasonAudit:
		p.refuse(w, r, why) // a sign-in would refuse the user too, or replace the other user without asking
	case a.region == p.cfg.Region: // this Region's consumer is the only source
		p.refuseVisit(w, r, why)
	default:
		p.logRefused(r.Context(), why, "")
		p.plainLogin(w, r, a.returnTo)
	}
}

// redeem takes a code, checks its grant, and returns the session to make.
func (p *Portal) redeem(r *http.Request, a attempt, code string) (sessions.Session, *Error) {
	g, from, why := p.takeGrant(r.Context(), code)
	if why != nil {
		return sessions.Session{}, why
	}
	l := p.place(r)
	switch {
	case !p.now().Before(g.Until):
		why = newError(ReasonHandoffCode, "lifetime of the code", "a code that has not expired", "")
	case l.portal == "" || g.To != l.portal:
		why = newError(ReasonHandoffBinding, "origin that the code is for", l.portal, g.To)
	case subtle.ConstantTimeCompare([]byte(g.State), []byte(a.state())) != 1:
		why = newError(ReasonHandoffBinding, "state of the handoff", "the one that this browser began", "")
	case from != "" && g.Region != from:
		why = newError(ReasonHandoffBinding, "Region that the code came from", from, g.Region)
	case g.Region != a.region:
		why = newError(ReasonHandoffBinding, "Region that was asked", a.region, g.Region)
	case !p.activeRegion(g.Region):
		why = newError(ReasonHandoffBinding, "Region that was asked", "an active Region of the instance", g.Region)
	case g.SignIn == "":
		why = newError(ReasonHandoffCode, "grant of the code", "a sign-in", "")
	default:
		if _, why = p.userOfSession(g.Session); why != nil {
			why.Got = cmp.Or(why.Got, g.UserName)
		}
	}
	if why != nil {
		return sessions.Session{}, why
	}
	g.Proof = g.Proof.Bounded()
	return g.Session, nil // replace sets the other fields
}

// takeGrant takes a code's grant, and returns the Region that put it. It may wait for a code that is on its way here;
// Codes bounds how many requests do.
func (p *Portal) takeGrant(ctx context.Context, code string) (g grant, from string, why *Error) {
	none := newError(ReasonHandoffCode, "code of the handoff", "an unused code that has not expired", "")
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

// dropCode removes a code that arrived in a browser that did not begin the handoff. Otherwise an attacker who began it,
// and has the cookie, could use the code until it expires. It doesn't wait for a code that is still on its way here,
// because unauthenticated clients could abuse that.
func (p *Portal) dropCode(ctx context.Context, code string) {
	if !isSecret(code) {
		return
	}
	if err := p.cfg.Codes.DropCode(ctx, codeKey(code)); err != nil {
		p.logRefused(ctx, unavailable("removal of the code", err), "")
	}
}

// admit begins the session and replaces an earlier one of the same user. It doesn't replace another user's session: an
// attacker who can set cookies or addresses in a browser must not choose its user. If another tab of this browser has
// begun a session or is about to, admit begins none.
func (p *Portal) admit(w http.ResponseWriter, r *http.Request, s sessions.Session, from string) (outcome, *Error) {
	before, err := p.current(r)
	if why := lookupError(err); why != nil {
		return claimWon, why
	}
	if before != nil && before.user.ID != s.UserID {
		return claimWon, otherUser(before, s.UserName)
	}
	if before == nil || before.session.SignIn != s.SignIn {
		if why := p.checkSessions(r.Context(), s); why != nil {
			return claimWon, why
		}
	}
	claimed, why := p.claim(r, before, pending{Session: s})
	if why != nil || claimed.outcome != claimWon {
		return claimed.outcome, why
	}
	if why := p.replace(w, r, before, s, sessionEvent(pending{Session: s}, from)); why != nil {
		p.release(r.Context(), claimed)
		return claimWon, why
	}
	return claimWon, nil
}

func otherUser(now *visit, next string) *Error {
	return newError(ReasonHandoffUser, "user of the browser's session", now.session.UserName, next)
}

// checkSessions bounds the sessions of one sign-in: each could be handed off again. Concurrent handoffs can exceed the
// bound by at most the number of valid codes.
func (p *Portal) checkSessions(ctx context.Context, s sessions.Session) *Error {
	n, why := p.countSessions(ctx, s, false)
	if why == nil && n >= maxSessions {
		want := fmt.Sprintf("at most %d", maxSessions)
		why = newError(ReasonSessions, "sessions of one sign-in", want, s.UserName)
	}
	return why
}

// countSessions returns how many sessions of s's sign-in programs have, or browsers.
func (p *Portal) countSessions(ctx context.Context, s sessions.Session, programs bool) (n int, why *Error) {
	all, err := p.cfg.Sessions.List(ctx, s.UserID)
	if err != nil {
		return 0, unavailable("list of the sessions", err)
	}
	now := p.now()
	for _, other := range all {
		if other.SignIn == s.SignIn && (other.Client != "") == programs && !other.Over(now, p.cfg.IdleTimeout) {
			n++
		}
	}
	return n, nil
}

// notBegun answers a request for a sign-in that this browser did not begin, or that is finished. It starts no sign-in,
// because a browser without cookies would get into a redirect loop.
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
