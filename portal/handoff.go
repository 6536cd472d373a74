package portal

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
)

// A handoff gives a browser that is signed in at one origin, the source, a
// session of its own at another, the destination:
//
//	destination  begins: cookie with a secret, 303 to source/handoff?to=…&state=hash of the secret
//	source       handoff: is signed in, and to is a portal of the instance: makes a one-time code,
//	             303 to destination/enter?code=…
//	destination  enter: takes the code, once; it must be for this origin and this browser's secret
//
// Who sees the addresses can't use the code without the cookie. Who has the
// cookie could send its state through somebody else's browser, as a link to the
// source, and would sign in as that person if the code became known: so a code
// that comes to the destination through a browser that did not begin the
// handoff is dropped there.

// codeLifetime is how long a code is good for.
const codeLifetime = time.Minute

// A grant is what a code stands for.
type grant struct {
	To    string    `json:"to"`    // origin that alone may use it
	State string    `json:"state"` // hash of the secret in the browser's cookie
	Until time.Time `json:"until"`

	Region   string         `json:"region"` // of the source
	SignIn   string         `json:"sign_in"`
	UserID   string         `json:"user_id"`
	UserName string         `json:"user_name"`
	Proof    sessions.Proof `json:"proof,omitzero"`
	Expires  time.Time      `json:"expires"` // when the source's session ends
	Epoch    sessions.Epoch `json:"epoch,omitempty"`
}

// begins sends the browser to the source of a session for this origin.
func (p *Portal) begins(w http.ResponseWriter, r *http.Request, l place, from source, returnTo string) {
	a, err := p.newAttempt(w, r, from.region, returnTo)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.nameBrowser(w, r)
	q := url.Values{"to": {l.portal}, "state": {a.state()}, "s": {a.tag}}
	http.Redirect(w, r, from.origin+pathHandoff+"?"+q.Encode(), http.StatusSeeOther)
}

// handoff is the source's part. A portal of this Region that asks has nowhere
// else to go, so the sign-in starts here; another Region's can do that itself
// and is only told that there is nothing for it.
func (p *Portal) handoff(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	to, state, tag := q.Get("to"), q.Get("state"), q.Get("s")
	region := p.portalOf(to)
	if region == "" || !isState(state) || !isTag(tag) {
		p.refuse(w, r, &Error{Reason: ReasonHandoffTarget, Rule: "handoff", Want: "the origin of an active Region's portal, a state and a tag", Got: to})
		return
	}
	back := func(code string) {
		out := url.Values{"s": {tag}}
		if code != "" {
			out.Set("code", code)
		}
		http.Redirect(w, r, to+pathEnter+"?"+out.Encode(), http.StatusSeeOther)
	}
	own := region == p.cfg.Region
	v, err := p.current(r)
	var e *Error
	switch {
	case err == nil:
		code, err := p.putCode(r, to, state, v)
		if err == nil {
			p.cfg.Logger.InfoContext(r.Context(), "portal: handed off", "region", p.cfg.Region, "user", v.session.UserName, "to", to)
			back(code)
			return
		}
		e = err
	case errors.Is(err, sessions.ErrNoSession):
		if again := q.Has("signed-in"); own && !again {
			p.samlLogin(w, r, pathHandoff+"?"+url.Values{"to": {to}, "state": {state}, "s": {tag}, "signed-in": {"1"}}.Encode())
			return
		}
		back("")
		return
	default:
		errors.As(err, &e)
	}
	if own {
		p.refuseVisit(w, r, e)
		return
	}
	p.logRefused(r.Context(), e, "")
	back("")
}

// putCode makes a code for a session and keeps what it stands for.
func (p *Portal) putCode(r *http.Request, to, state string, v *visit) (string, *Error) {
	s := v.session
	if !p.handed.allow(s.SignIn, acs.InitiatorOf(r), p.cfg.Now()) {
		return "", &Error{Reason: ReasonHandoffOften, Rule: "codes of one sign-in", Want: fmt.Sprintf("at most %d in %v", maxCodes, codeLifetime), Got: s.UserName}
	}
	code, err := p.secret()
	if err != nil {
		return "", unavailable("making of a code", err)
	}
	g := grant{
		To: to, State: state, Until: p.cfg.Now().Add(codeLifetime), Region: p.cfg.Region,
		SignIn: s.SignIn, UserID: s.UserID, UserName: s.UserName, Proof: s.Proof, Expires: s.Expires, Epoch: s.Epoch,
	}
	b, err := json.Marshal(g)
	if err == nil {
		err = p.cfg.Codes.PutCode(r.Context(), codeKey(code), b, g.Until)
	}
	if err != nil {
		return "", unavailable("write of the code", err)
	}
	return code, nil
}

func codeKey(code string) string { return hashed("portal code", code) }
