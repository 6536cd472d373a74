package portal

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// Several tabs of one browser can sign in at the same time (see the package documentation). Each has a verified
// response of its own. One of them makes the session, and the others wait for its cookie. A waiting tab shows only a
// page, and later has the access of its own browser's cookies. So an attacker who knows or has set a browser's name
// gains no session. The attacker can't lock the user out either: a claim is for one user, only a verified sign-in
// writes one, and a tab whose wait fails makes the session itself.

const (
	// browserCookie is the cookie with a browser's name, 256 random bits.
	browserCookie = "__Host-meridian-browser"
	// claimLifetime is how long a browser has to send the cookie of its session.
	claimLifetime = time.Minute
	// waitTime is how long a tab waits before it looks again, and maxWaits how often. After that it ignores claims,
	// because the other tab's sign-in has failed.
	waitTime = 2 * time.Second
	maxWaits = 3
)

// nameBrowser names a browser that begins to sign in, unless it has a name. If the browser sends several requests
// before the first response, it keeps the last name. All of its sign-ins then use that name.
func (p *Portal) nameBrowser(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie(browserCookie); err != nil {
		p.setCookie(w, browserCookie, newSecret(), attemptLifetime)
	}
}

// forgetBrowser clears the cookies that signing out ends. Without the browser's name, the next sign-in doesn't wait.
func (p *Portal) forgetBrowser(w http.ResponseWriter) {
	p.clearCookie(w, SessionCookie)
	p.clearCookie(w, browserCookie)
}

type claim struct {
	outcome outcome
	keys    []string // of its records in the store
}

type outcome int

const (
	claimWon  outcome = iota
	claimLost         // another request makes it, and its cookie is on the way
	claimHome         // another request has made it, and this browser has it
)

// claim claims the right to make the browser's session, and to replace before if that isn't nil. It fails if another
// request with the same name, or with the same session to replace, was first. The caller has verified the user.
//
// A late tab that already has the first tab's session keeps it. Otherwise it would end a session that other tabs are
// about to use. This doesn't apply to an unsolicited sign-in.
func (p *Portal) claim(r *http.Request, before *visit, in pending) (claim, *Error) {
	var out claim
	if in.Waits >= maxWaits {
		return out, nil
	}
	same := before != nil && in.sameAs(before)
	for _, name := range []string{browserCookie, SessionCookie} {
		c, err := r.Cookie(name)
		if err != nil || name == browserCookie && same && in.Unsolicited {
			continue
		}
		key := claimKey(name, c.Value, in)
		err = p.cfg.Store.Add(r.Context(), key, []byte("1"), p.now().Add(claimLifetime))
		switch {
		case err == nil:
			out.keys = append(out.keys, key)
		case !errors.Is(err, acs.ErrExists):
			return claim{}, unavailable("write of the claim", err)
		case same && name == browserCookie:
			return claim{outcome: claimHome}, nil
		case before != nil && name == browserCookie:
			// The browser has changed to another session and back. The session's claim decides which request replaces it.
		default:
			return claim{outcome: claimLost}, nil
		}
	}
	return out, nil
}

// sameAs reports whether a session is of the user who signs in and, for a handoff, of the same sign-in.
func (in pending) sameAs(v *visit) bool {
	return v.user.ID == in.UserID && (!in.handedOff() || v.session.SignIn == in.SignIn)
}

// claimKey depends on the user and the handoff, because a browser may sign in as one user and then as another. A tab
// whose wait fails claims the name again. A session can only be replaced once.
func claimKey(name, value string, in pending) string {
	round := 0
	if name == browserCookie {
		round = in.Waits
	}
	claimed := hashed(name, value) + "|" + strconv.Itoa(round) + "|" + hashed(in.UserID, in.SignIn)
	return "portal." + hashed("portal claim", claimed)
}

// release removes a claim without a session, so that the user can try again at once. If that fails, the claim expires.
func (p *Portal) release(ctx context.Context, c claim) {
	for _, key := range c.keys {
		if _, err := p.cfg.Store.Take(ctx, key); err != nil && !errors.Is(err, acs.ErrNotFound) {
			p.logRefused(ctx, unavailable("removal of the claim", err), "")
		}
	}
}

// wait stores a sign-in whose claim failed until the other tab's session exists. The sign-in keeps its epoch, so a
// later revocation ends it too.
func (p *Portal) wait(w http.ResponseWriter, r *http.Request, tag string, in pending) {
	in.Waits++
	tag, refused := p.keep(w, r, cmp.Or(tag, randomHex(tagBytes)), in)
	if refused != nil {
		p.refuseSignIn(w, r, in, refused)
		return
	}
	p.oneMoment(w, r, pathContinue+"?s="+url.QueryEscape(tag))
}

// oneMoment is the page of a waiting tab. It works without JavaScript.
func (p *Portal) oneMoment(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Refresh", strconv.Itoa(int(waitTime/time.Second))+"; url="+to)
	p.render(w, r, http.StatusOK, "message", page{
		Title: "One moment",
		Body:  messageBody{Text: textWait, Action: "Continue", Href: to},
	})
}

// waited answers a sign-in whose wait has ended, if the browser has the session of another tab or has signed out. It
// reports whether it has answered.
func (p *Portal) waited(w http.ResponseWriter, r *http.Request, tag string, in pending, now *visit) bool {
	_, noName := r.Cookie(browserCookie)
	_, noSession := r.Cookie(SessionCookie)
	switch {
	case in.Waits == 0:
		return false
	case now != nil && in.sameAs(now):
		p.leave(w, r, tag, in, p.destination(r, in.ReturnTo))
	case noName != nil && noSession != nil: // it had these cookies when it began to wait
		p.leave(w, r, tag, in, pathSignedOut)
	default:
		return false
	}
	return true
}

func (p *Portal) leave(w http.ResponseWriter, r *http.Request, tag string, in pending, to string) {
	p.clearCookie(w, pendingPrefix+tag)
	p.log.InfoContext(r.Context(), "portal: another tab makes the session", "user", in.UserName)
	http.Redirect(w, r, to, http.StatusSeeOther)
}
