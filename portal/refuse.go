package portal

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// A messageBody is a page that says one thing.
type messageBody struct {
	Text      string
	Reference string // what the person can tell the operator; empty: none
	button
}

// A button is what the one button says, and where it leads.
type button struct{ Action, Href string }

var (
	signInAgain = button{"Sign in again", PathLogin}
	signIn      = button{"Sign in", PathLogin}
	tryAgain    = button{"Try again", pathHome}
	goHome      = button{"Go to the portal", pathHome}
	stayAsIs    = button{"Stay signed in", pathHome}
)

// A refusalText is what a refusal's page says.
type refusalText struct {
	title, text string
	button      button
}

// The sentences are fixed. What exactly was wrong is in the log, under the
// reference: a page that tells unknown users from inactive ones would tell
// an attacker who works here.
var (
	noAccess    = refusalText{"You can't sign in", "You don't have access to this portal. If you should have, give your administrator the reference below. To use another account, sign out at your identity provider first.", signInAgain}
	notFinished = refusalText{"The sign-in was not finished", "This sign-in can't be continued: it was finished already, took too long, or began in another browser. If it happens again, check that your browser accepts cookies from this site.", signIn}

	refusalTexts = map[Reason]refusalText{
		ReasonSessionOver:    {"You can't sign in", "Your sign-in at the identity provider is over. Sign in again.", signInAgain},
		ReasonRevoked:        {"You were signed out", "Your sign-in was ended, by you or by an administrator, while it was being made. Sign in again.", signInAgain},
		ReasonCrossSite:      {"Refused", "This came from another site's page, so nothing was done.", goHome},
		ReasonNavigation:     {"Refused", "This can't be done in a frame, or ahead of time. Open the portal in a window or tab of its own.", goHome},
		ReasonHandoffTarget:  {"Refused", "This link does not lead to a portal of this organization, so nothing was done.", goHome},
		ReasonUnavailable:    {"Not available", "The portal can't check your sign-in right now. Try again in a moment.", tryAgain},
		ReasonStale:          {"Not available in this Region", "This Region has not heard from %s for longer than your administrator allows, so it can't tell whether your session was ended there. Nothing is wrong with your account. Use the portal of another Region, or try again in a moment.", tryAgain},
		ReasonNotInUse:       {"Not available in this Region", "This Region is being added or was taken out, so nobody can sign in here. Nothing is wrong with your account. Use the portal of another Region.", tryAgain},
		ReasonNotPending:     notFinished,
		ReasonHandoffBrowser: notFinished,
		ReasonHandoffCode:    notFinished,
		ReasonHandoffBinding: notFinished,
		ReasonHandoffUser:    {"You are signed in as somebody else", "You are signed in here as somebody else than in the portal that you come from, and stay that. To change over, sign out here first.", stayAsIs},
		ReasonHandoffOften:   {"Too often", "You opened other portals too often within a minute. Wait a minute, then try again.", tryAgain},
		ReasonTooMany:        {"Too many sign-ins were started", "Too many sign-ins were started in this browser and not finished. Finish one of them, or start again here.", signInAgain},
		ReasonSessions:       {"Too many sessions", "This sign-in has as many sessions as it may. End some that you don't need, or sign out and in again.", signInAgain},
	}
)

const (
	textNotFound    = "There is no page at this address."
	textNoRole      = "There is no such permission set among those assigned to you."
	textWrongMethod = "This address can't be used that way."
	textWait        = "Another tab of this browser is finishing your sign-in. This one goes on when that is done."
	textBadRequest  = "The form was incomplete. Go back and try again."
)

// refuse shows why nothing was done, logs the whole truth under a reference,
// and returns the reference.
func (p *Portal) refuse(w http.ResponseWriter, r *http.Request, why *Error) string {
	reference := p.reference()
	p.logRefused(r.Context(), why, reference)
	pg := refusalPage(why, reference)
	switch why.Reason {
	case ReasonStale, ReasonNotInUse, ReasonHandoffUser:
		// Somebody whose session is real, and who can go to another Region.
		if v, _ := p.current(r); v != nil {
			pg = v.page(pg.Title, "", pg.Body)
		}
	}
	status, again := why.Reason.status()
	if again > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(again/time.Second)))
	}
	p.render(w, r, status, "message", pg)
	return reference
}

// status is how HTTP says it, and after how long to try again. Zero: nobody
// knows that it would help.
func (r Reason) status() (status int, again time.Duration) {
	switch r {
	case ReasonUnavailable, ReasonStale, ReasonNotInUse:
		return http.StatusServiceUnavailable, 5 * time.Second
	case ReasonHandoffOften:
		return http.StatusTooManyRequests, codeLifetime
	case ReasonTooMany, ReasonSessions:
		return http.StatusTooManyRequests, 0
	case ReasonHandoffUser:
		return http.StatusConflict, 0
	case ReasonHandoffTarget:
		return http.StatusBadRequest, 0
	}
	return http.StatusForbidden, 0
}

// refuseVisit is refuse for somebody who has a session. Who has no access any
// more needs no cookie for it.
func (p *Portal) refuseVisit(w http.ResponseWriter, r *http.Request, why *Error) {
	if why.noAccess() {
		p.clearCookie(w, SessionCookie)
	}
	p.refuse(w, r, why)
}

func (p *Portal) logRefused(ctx context.Context, why *Error, reference string) {
	log := p.cfg.Logger.WarnContext
	if why.Reason == ReasonUnavailable {
		log = p.cfg.Logger.ErrorContext
	}
	attrs := []any{"region", p.cfg.Region, "reference", reference, "reason", string(why.Reason), "rule", why.Rule, "want", why.Want, "got", refusal.Printable(why.Got)}
	if why.Err != nil {
		attrs = append(attrs, "cause", why.Err.Error())
	}
	log(ctx, "portal: refused", attrs...)
}

// refusalPage is the page for a refusal.
func refusalPage(why *Error, reference string) page {
	says, ok := refusalTexts[why.Reason]
	if !ok {
		says = noAccess
	}
	if why.Reason == ReasonStale {
		says.text = fmt.Sprintf(says.text, strings.Join(why.regions, " and "))
	}
	return page{Title: says.title, Body: messageBody{says.text, reference, says.button}}
}

// readable has no letters that are taken for digits.
const readable = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// reference is short enough to read out, and means nothing but itself.
func (p *Portal) reference() string {
	b := make([]byte, 5)
	if _, err := io.ReadFull(p.cfg.Rand, b); err != nil {
		return "none"
	}
	s := base32.NewEncoding(readable).EncodeToString(b)
	return "MRD-" + s[:4] + "-" + s[4:]
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

// say shows a page that needs no reference: there is nothing to look up. Who
// is signed in stays visibly so.
func (p *Portal) say(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	body := messageBody{Text: text, button: goHome}
	pg := page{Title: title, Body: body}
	if v, err := p.current(r); err == nil {
		pg = v.page(title, "", body)
	}
	p.render(w, r, status, "message", pg)
}
