package portal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// Several tabs of one browser can sign in at the same time (see the package doc).
// Each proves the user by itself; one of them makes the session, and the others
// wait for its cookie. Nothing about that lets anyone in. A tab that has lost gets a page and, later,
// what the cookies of its own browser are good for. So an attacker who knows or
// has planted a name gets no session by it, and can't keep the user out: claims
// are by user, only a proved sign-in writes one, and a tab that waited in vain
// makes the session itself.

// browserCookie names a browser that begins to sign in, by 256 random bits.
const browserCookie = "__Host-meridian-browser"

const (
	// claimLifetime is how long a browser has to bring the cookie of its session.
	claimLifetime = time.Minute
	// waitTime is how long a tab waits before it looks again, and maxWaits how
	// often. After that no claim counts: what others began has come to nothing.
	waitTime = 2 * time.Second
	maxWaits = 3
)

// nameBrowser gives a browser that begins to sign in a name, if it has none.
// Browsers that ask several times before the first answer keep the last name,
// long before the first sign-in is through. The sign-in itself needs no name,
// so it doesn't fail for want of one.
func (p *Portal) nameBrowser(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie(browserCookie); err == nil {
		return
	}
	if name, err := p.secret(); err == nil {
		p.setCookie(w, browserCookie, name, attemptLifetime)
	}
}

// forgetBrowser takes back what signing out ends. The name goes too, so that
// to sign in again begins afresh.
func (p *Portal) forgetBrowser(w http.ResponseWriter) {
	p.clearCookie(w, SessionCookie)
	p.clearCookie(w, browserCookie)
}

// A claim is what became of a request that wants to make its browser's session.
type claim struct {
	outcome outcome
	keys    []string // of its records in the store
}

type outcome int

const (
	claimWon  outcome = iota
	claimLost         // another request makes it, and its cookie is on the way
	claimHome         // another one has made it, and this browser has it
)

// claim asks for the right to make the browser's session, in place of before if
// that isn't nil. Another request of the same browser was first if it began with
// the same name, or with the same session: one can be replaced only once. The
// caller has proved the user.
//
// Tabs that come late see the session of the first. They leave it alone, or each
// would end the one that others are about to use. A tile doesn't begin here, so it
// isn't one of those tabs.
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
		err = p.cfg.Store.Add(r.Context(), key, []byte("1"), p.cfg.Now().Add(claimLifetime))
		switch {
		case err == nil:
			out.keys = append(out.keys, key)
		case !errors.Is(err, acs.ErrExists):
			return claim{}, unavailable("write of the claim", err)
		case same && name == browserCookie:
			return claim{outcome: claimHome}, nil
		case before != nil && name == browserCookie:
			// The browser has gone over to something else and back. Which
			// request replaces that is decided by the session.
		default:
			return claim{outcome: claimLost}, nil
		}
	}
	return out, nil
}

// sameAs says whether the session is what this would make: one of the same user,
// and of the same sign-in where a handoff brought that.
func (in pending) sameAs(v *visit) bool {
	return v.user.ID == in.UserID && (in.SignIn == "" || v.session.SignIn == in.SignIn)
}

// claimKey is by user and handoff, because one browser may sign in as one user
// and then as another. A name is claimed anew by those who waited in vain; a session that
// was replaced stays that.
func claimKey(name, value string, in pending) string {
	round := "0"
	if name == browserCookie {
		round = strconv.Itoa(in.Waits)
	}
	return "portal." + hashed("portal claim", hashed(name, value)+"|"+round+"|"+hashed(in.UserID, in.SignIn))
}

// release gives a claim back that came to nothing, so that the user can try
// again at once. If the store doesn't take it, the claim ends by itself.
func (p *Portal) release(ctx context.Context, c claim) {
	for _, key := range c.keys {
		if _, err := p.cfg.Store.Take(ctx, key); err != nil && !errors.Is(err, acs.ErrNotFound) {
			p.logRefused(ctx, unavailable("removal of the claim", err), "")
		}
	}
}

// wait keeps a sign-in that has lost until the session of the one that won is
// there. The sign-in stays what it is: what was revoked since it was proved ends
// it too.
func (p *Portal) wait(w http.ResponseWriter, r *http.Request, tag string, in pending) {
	in.Waits++
	tag, refused := p.keep(w, r, tag, in)
	if refused != nil {
		p.refuseSignIn(w, r, in, refused)
		return
	}
	p.oneMoment(w, r, pathContinue+"?s="+url.QueryEscape(tag))
}

// oneMoment is the page of a tab that waits. It works without JavaScript.
func (p *Portal) oneMoment(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Refresh", strconv.Itoa(int(waitTime/time.Second))+"; url="+to)
	p.render(w, r, http.StatusOK, "message", page{
		Title: "One moment",
		Body:  messageBody{Text: textWait, button: button{"Continue", to}},
	})
}

// othersContinue says whether another tab of the browser has proved the user
// and is about to have a session.
func othersContinue(r *http.Request) bool {
	return slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool { return strings.HasPrefix(c.Name, pendingPrefix) })
}

// waited says whether a sign-in that has waited is over, and answers then: the
// browser has the session of another tab, or has signed out since.
func (p *Portal) waited(w http.ResponseWriter, r *http.Request, tag string, in pending, now *visit) bool {
	_, noName := r.Cookie(browserCookie)
	_, noSession := r.Cookie(SessionCookie)
	switch {
	case in.Waits == 0:
		return false
	case now != nil && in.sameAs(now):
		p.leave(w, r, tag, in, p.destination(r, in.ReturnTo))
	case noName != nil && noSession != nil: // it had one of them when it began to wait
		p.leave(w, r, tag, in, pathSignedOut)
	default:
		return false
	}
	return true
}

// leave drops a sign-in and leads to what another tab of the browser did.
func (p *Portal) leave(w http.ResponseWriter, r *http.Request, tag string, in pending, to string) {
	p.clearCookie(w, pendingCookie(tag))
	p.cfg.Logger.InfoContext(r.Context(), "portal: left to another tab", "region", p.cfg.Region, "user", in.UserName)
	http.Redirect(w, r, to, http.StatusSeeOther)
}
