package portal

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
)

// A handoff gives a browser that is signed in at one origin, the source, a session of its own at another, the
// destination:
//
//	destination  beginHandoff: cookie with a secret, 303 to source/handoff?to=…&state=hash of the secret
//	source       handoff: the user is signed in, and to is a portal of the instance: makes a one-time
//	             code, 303 to destination/enter?code=…
//	destination  enter: takes the code, once; it must be for this origin and this browser's secret
//
// An attacker who sees the addresses can't use the code without the cookie. An attacker who has the cookie could make
// a victim follow a link to the source with the cookie's state, and would sign in as the victim if the code became
// known. So the destination drops a code that arrives in a browser that did not begin the handoff.

const codeLifetime = time.Minute

// grant is the value of a code.
type grant struct {
	To    string    `json:"to"`    // the only origin that may use it
	State string    `json:"state"` // hash of the secret in the browser's cookie
	Until time.Time `json:"until"`
	sessions.Session
}

// beginHandoff sends the browser to the source of a session for this origin.
func (p *Portal) beginHandoff(w http.ResponseWriter, r *http.Request, l place, from source, returnTo string) {
	a, err := p.newAttempt(w, r, from.region, returnTo)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.nameBrowser(w, r)
	q := url.Values{"to": {l.portal}, "state": {a.state()}, "s": {a.tag}}
	if from.region == p.cfg.Region { // the sign-in starts at the consumer's host
		if p.asksForceAuthn(r) {
			q.Set(forceQuery, "1")
		}
		if by := p.vouch(r, a.state()); by != "" {
			q.Set(vouchParameter, by)
		}
	}
	http.Redirect(w, r, from.origin+pathHandoff+"?"+q.Encode(), http.StatusSeeOther)
}

// handoff is the source's part. If there is no session to hand off, it redirects to another Region's portal without a
// code, and that portal signs the user in itself. A portal of this Region can't do that, so the sign-in starts here.
func (p *Portal) handoff(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	to, state, tag := q.Get("to"), q.Get("state"), q.Get("s")
	region := p.portalOf(to)
	if region == "" || !isState(state) || !isTag(tag) {
		const want = "the origin of an active Region's portal, a state and a tag"
		p.refuse(w, r, newError(ReasonHandoffTarget, "handoff", want, to))
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
	r = p.vouched(r, state)
	v, err := p.current(r)
	if errors.Is(err, sessions.ErrNoSession) {
		if own && !q.Has("signed-in") {
			again := url.Values{"to": {to}, "state": {state}, "s": {tag}, "signed-in": {"1"}}
			p.samlLogin(w, r, pathHandoff+"?"+again.Encode())
			return
		}
		back("")
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		var code string
		if code, e = p.putCode(r, to, state, v.session); e == nil {
			p.log.InfoContext(r.Context(), "portal: handed off", "user", v.session.UserName, "to", to)
			back(code)
			return
		}
	}
	if own {
		p.refuseVisit(w, r, e)
		return
	}
	p.logRefused(r.Context(), e, "")
	back("")
}

// putCode makes a code for a session and stores its grant.
func (p *Portal) putCode(r *http.Request, to, state string, s sessions.Session) (string, *Error) {
	now := p.now()
	most := maxCodes
	if acs.InitiatorOf(r) == acs.InitiatorPage {
		most = maxPageCodes
	}
	if !p.codes.allow(s.SignIn, most, now) {
		want := fmt.Sprintf("at most %d in %v", maxCodes, codeLifetime)
		return "", newError(ReasonHandoffOften, "codes of one sign-in", want, s.UserName)
	}
	code := newSecret()
	g := grant{To: to, State: state, Until: now.Add(codeLifetime), Session: s}
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

// attempt is a handoff that this browser began here, at the destination. It is kept only in a cookie, so unfinished
// attempts use no memory. The source sees only the hash of its secret.
type attempt struct {
	tag      string
	secret   string // 256 bits
	at       time.Time
	region   string // of the source
	returnTo string // a local path, or ""
	by       acs.Initiator
}

const (
	// attemptLifetime is as long as a sign-in at the identity provider may take.
	attemptLifetime = 15 * time.Minute
	// maxAttempts bounds the cookies of one browser. Attempts that begin at the same moment can exceed it.
	maxAttempts = 4

	attemptPrefix = "__Host-meridian-enter-"
)

type source struct{ region, origin string }

func (p *Portal) newAttempt(w http.ResponseWriter, r *http.Request, region, returnTo string) (attempt, *Error) {
	a := attempt{
		tag: randomHex(tagBytes), secret: newSecret(), at: p.now(),
		region: region, returnTo: localPath(returnTo), by: acs.InitiatorOf(r),
	}
	if others := attempts(r); len(others) >= maxAttempts {
		surplus := others[maxAttempts-1:]
		if surplus[0].by > a.by {
			want := fmt.Sprintf("at most %d, or one begun by the user", maxAttempts)
			return attempt{}, newError(ReasonTooMany, "handoffs of one browser", want, strconv.Itoa(len(others)))
		}
		for _, old := range surplus {
			p.clearCookie(w, attemptPrefix+old.tag)
		}
	}
	p.setCookie(w, attemptPrefix+a.tag, a.encode(), attemptLifetime)
	return a, nil
}

// takeAttempt returns this browser's attempt with the tag once: it clears the cookie.
func (p *Portal) takeAttempt(w http.ResponseWriter, r *http.Request, tag string) (attempt, bool) {
	all := attempts(r)
	i := slices.IndexFunc(all, func(a attempt) bool { return a.tag == tag })
	if i < 0 {
		return attempt{}, false
	}
	p.clearCookie(w, attemptPrefix+tag)
	age := p.now().Sub(all[i].at)
	return all[i], -time.Minute < age && age < attemptLifetime
}

// attempts returns the attempts in a request's cookies. Those to keep come first: the user's, newest first, then other
// sites', oldest first. So another site can't displace an attempt.
func attempts(r *http.Request) []attempt {
	var out []attempt
	for _, c := range r.Cookies() {
		if tag, ok := strings.CutPrefix(c.Name, attemptPrefix); ok && isTag(tag) {
			a := decodeAttempt(c.Value)
			a.tag = tag
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b attempt) int {
		order := cmp.Compare(a.at.Unix(), b.at.Unix())
		if a.by == acs.InitiatorUser {
			order = -order
		}
		return cmp.Or(cmp.Compare(b.by, a.by), order)
	})
	return out
}

func (a attempt) encode() string {
	text := base64.RawURLEncoding.EncodeToString
	at, by := strconv.FormatInt(a.at.Unix(), 10), strconv.Itoa(int(a.by))
	return strings.Join([]string{at, a.secret, text([]byte(a.region)), text([]byte(a.returnTo)), by}, ".")
}

// decodeAttempt returns the zero attempt, which has expired, for a malformed value.
func decodeAttempt(value string) attempt {
	parts := strings.Split(value, ".")
	if len(parts) != 5 {
		return attempt{}
	}
	unix, err := strconv.ParseInt(parts[0], 10, 64)
	region, err2 := base64.RawURLEncoding.DecodeString(parts[2])
	returnTo, err3 := base64.RawURLEncoding.DecodeString(parts[3])
	by, err4 := strconv.Atoi(parts[4])
	if cmp.Or(err, err2, err3, err4) != nil || !isSecret(parts[1]) {
		return attempt{}
	}
	return attempt{
		at: time.Unix(unix, 0), secret: parts[1], region: string(region),
		returnTo: localPath(string(returnTo)), by: acs.Initiator(by),
	}
}

// state is the hash of the secret, for the source.
func (a attempt) state() string { return hashed("portal handoff", a.secret) }

func isTag(s string) bool   { return len(s) == 2*tagBytes && isHex(s) }
func isState(s string) bool { return len(s) == 64 && isHex(s) }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

const (
	// maxCodes is how many codes of one sign-in can be valid at once. Each is written to disk and sent to every Region,
	// and a client could request any number. The limit is for each sign-in and not for each session, because each code
	// makes another session.
	maxCodes = 20
	// maxPageCodes is how many of these can be for handoffs that may have been begun by another site. Otherwise a site
	// that navigates its window to handoffs could use up all codes.
	maxPageCodes = maxCodes / 2
	// maxSessions is how many sessions of one sign-in may exist in all Regions: one for each portal that the user opens.
	maxSessions = 64
)
