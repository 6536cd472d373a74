package portal

import (
	"encoding/base32"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A messageBody is a page that says one thing.
type messageBody struct {
	Text      string
	Reference string // what the person can tell the operator; empty: none
	Action    string // what the one button says, and where it leads
	Href      string
}

// The sentences are fixed. What exactly was wrong is in the log, under the
// reference: a page that tells unknown users from inactive ones would tell
// strangers who works here.
const (
	textNoAccess    = "You don't have access to this portal. If you should have, give your administrator the reference below. To use another account, sign out at your identity provider first."
	textSessionOver = "Your sign-in at the identity provider is over. Sign in again."
	textCrossSite   = "This came from another site's page, so nothing was done."
	textUnavailable = "The portal can't check your sign-in right now. Try again in a moment."
	textNotFound    = "There is no page at this address."
	textNoRole      = "There is no such permission set among those assigned to you."
	textWrongMethod = "This address can't be used that way."
	textBadRequest  = "The form was incomplete. Go back and try again."
)

// refuse shows why nothing was done, logs the whole truth under a reference,
// and returns the reference.
func (p *Portal) refuse(w http.ResponseWriter, r *http.Request, status int, why *Error) string {
	reference := p.reference()
	log := p.cfg.Logger.WarnContext
	if why.Reason == ReasonUnavailable {
		log = p.cfg.Logger.ErrorContext
	}
	attrs := []any{"region", p.cfg.Region, "reference", reference, "reason", string(why.Reason), "rule", why.Rule, "want", why.Want, "got", printable(why.Got)}
	if why.Err != nil {
		attrs = append(attrs, "cause", why.Err.Error())
	}
	log(r.Context(), "portal: refused", attrs...)

	body, title := messageBody{Reference: reference, Action: "Sign in again", Href: PathLogin}, "You can't sign in"
	switch why.Reason {
	case ReasonSessionOver:
		body.Text = textSessionOver
	case ReasonCrossSite:
		body.Text, title = textCrossSite, "Refused"
		body.Action, body.Href = "Go to the portal", PathHome
	case ReasonUnavailable:
		body.Text, title = textUnavailable, "Not available"
		body.Action, body.Href = "Try again", PathHome
		w.Header().Set("Retry-After", "5")
	default:
		body.Text = textNoAccess
	}
	p.render(w, r, status, "message", page{Title: title, Body: body})
	return reference
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

// say shows a page that needs no reference: there is nothing to look up.
func (p *Portal) say(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	p.render(w, r, status, "message", page{Title: title, Body: messageBody{Text: text, Action: "Go to the portal", Href: PathHome}})
}
