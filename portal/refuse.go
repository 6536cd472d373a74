package portal

import (
	"context"
	"crypto/rand"
	_ "embed" // for the texts
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// messageBody is the body of a page with one message and one button.
type messageBody struct {
	Text         string
	Reference    string // identifies the log record for the operator; empty: none
	Action, Href string // of the button
}

// refusalText is the response for some Reasons, in refusals.json.
type refusalText struct {
	Reasons                   []Reason // empty: every Reason without a text of its own
	Status                    int
	RetryAfter                int // in seconds; zero: no Retry-After header, because waiting may not help
	Title, Text, Action, Href string
}

// The texts are fixed, and the details are only in the log. A page that tells unknown users from inactive ones would
// tell an attacker which users exist.
//
//go:embed refusals.json
var refusalsJSON []byte

// parseRefusals panics if the embedded file is wrong.
func parseRefusals() map[Reason]refusalText {
	var all []refusalText
	if err := json.Unmarshal(refusalsJSON, &all); err != nil {
		panic("portal: refusals.json: " + err.Error())
	}
	out := map[Reason]refusalText{"": all[0]}
	for _, text := range all {
		for _, reason := range text.Reasons {
			out[reason] = text
		}
	}
	return out
}

const (
	textNotFound   = "This address has no page. Check the address, or go to the portal."
	textNoRole     = "You have no such permission set in this account."
	textNoAccount  = "You have no such account."
	textNoDeepLink = "This link leads to a permission set that you don't have. Ask the person who sent it, or your " +
		"administrator."
	textManyFavorites  = "You have as many favorites as there can be. Remove one of them first."
	textOftenFavorites = "You changed your favorites too often. Wait a minute, then try again."
	textWrongMethod    = "This address doesn't accept that kind of request. Go to the portal and start again there."
	textWait           = "Another tab of this browser is finishing your sign-in. This tab continues after that."
	textBadRequest     = "The form was incomplete. Go back and try again."
)

// refuse answers with the page for an error's Reason, logs the details under a reference, and returns the reference.
func (p *Portal) refuse(w http.ResponseWriter, r *http.Request, why *Error) string {
	reference := newReference()
	p.logRefused(r.Context(), why, reference)
	text, ok := p.refusals[why.Reason]
	if !ok {
		text = p.refusals[""]
	}
	body := messageBody{text.Text, reference, text.Action, text.Href}
	if len(why.regions) > 0 {
		regions := strings.Join(why.regions, ", ")
		body.Text = strings.ReplaceAll(p.theme.Texts(r).T(body.Text), "{regions}", regions)
	}
	pg := page{Title: text.Title, Body: body}
	switch why.Reason {
	case ReasonStale, ReasonNotInUse, ReasonHandoffUser:
		if v, _ := p.current(r); v != nil { // show the session and the links to other Regions
			pg = v.page(text.Title, "", body)
		}
	}
	if text.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(text.RetryAfter))
	}
	p.render(w, r, text.Status, "message", pg)
	return reference
}

// refuseVisit is refuse for a browser that may have a session. It clears the cookie of a user without access.
func (p *Portal) refuseVisit(w http.ResponseWriter, r *http.Request, why *Error) {
	if why.noAccess() {
		p.clearCookie(w, SessionCookie)
	}
	p.refuse(w, r, why)
}

func (p *Portal) logRefused(ctx context.Context, why *Error, reference string) {
	log := p.log.WarnContext
	if why.Reason == ReasonUnavailable {
		log = p.log.ErrorContext
	}
	attrs := []any{
		"reference", reference, "reason", string(why.Reason), "rule", why.Rule, "want", why.Want,
		"got", refusal.Printable(why.Got),
	}
	if why.Err != nil {
		attrs = append(attrs, "cause", why.Err.Error())
	}
	log(ctx, "portal: refused", attrs...)
	p.auditRefused(ctx, why, reference)
}

// newReference returns a random reference, short enough to be read aloud. Its alphabet has no letters that look like
// digits.
func newReference() string {
	var b [5]byte
	rand.Read(b[:])
	s := base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(b[:])
	return fmt.Sprintf("MRD-%s-%s", s[:4], s[4:])
}

// refused is the page to which the consumer redirects after it has refused a response. The identity provider's page
// posted the response without the session's cookie; this request has it. Most such responses are replays (a double
// click, the back button, a restored tab), and the user is signed in already. Such a user is redirected home. If
// another tab is signing in, the browser waits for it first. Nothing is stored or ended here.
func (p *Portal) refused(w http.ResponseWriter, r *http.Request) {
	v, err := p.current(r)
	q := r.URL.Query()
	otherTab := slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool {
		return strings.HasPrefix(c.Name, pendingPrefix) // it has a verified sign-in
	})
	var e *Error
	switch {
	case err == nil:
		p.log.InfoContext(r.Context(), "portal: signed in already",
			"user", v.session.UserName, "reference", refusal.Printable(q.Get("reference")))
		http.Redirect(w, r, p.destination(r, pathHome), http.StatusSeeOther)
	case errors.As(err, &e):
		p.refuseVisit(w, r, e)
	case otherTab && !q.Has("waited"):
		p.oneMoment(w, r, pathRefused+"?"+url.Values{"reference": {q.Get("reference")}, "waited": {"1"}}.Encode())
	default:
		p.region.Refused(w, r)
	}
}

func (p *Portal) notFound(w http.ResponseWriter, r *http.Request) {
	p.say(w, r, http.StatusNotFound, "Not found", textNotFound)
}

func (p *Portal) badRequest(w http.ResponseWriter, r *http.Request) {
	p.say(w, r, http.StatusBadRequest, "Bad request", textBadRequest)
}

func (p *Portal) wrongMethod(w http.ResponseWriter, r *http.Request, handlers byMethod) {
	allow := slices.Sorted(maps.Keys(handlers))
	if handlers[http.MethodGet] != nil {
		allow = append(allow, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	p.say(w, r, http.StatusMethodNotAllowed, "Method not allowed", textWrongMethod)
}

// say shows a page without a reference: the log has no record of it.
func (p *Portal) say(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	body := messageBody{Text: text, Action: "Go to the portal", Href: pathHome}
	pg := page{Title: title, Body: body}
	if v, err := p.current(r); err == nil {
		pg = v.page(title, "", body)
	}
	p.render(w, r, status, "message", pg)
}
