package portal

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// refused is where a browser goes on to whose response the consumer refused.
// The response came from the identity provider's page, so the session's cookie
// did not come with it; it comes here. Most often it is a second arrival of a
// user who is signed in: a double click, the back button, a restored tab. They
// are led home, after a moment if another tab is signing in right now: it may be
// one of more tabs than a browser can have waiting. Nothing is taken, stored or ended here, and what the consumer
// logged stays.
func (p *Portal) refused(w http.ResponseWriter, r *http.Request) {
	v, err := p.current(r)
	var e *Error
	switch {
	case err == nil:
		p.cfg.Logger.InfoContext(r.Context(), "portal: signed in already", "region", p.cfg.Region, "user", v.session.UserName, "reference", refusal.Printable(r.URL.Query().Get("reference")))
		http.Redirect(w, r, p.destination(r, pathHome), http.StatusSeeOther)
	case errors.As(err, &e):
		p.refuseVisit(w, r, e)
	case othersContinue(r) && !r.URL.Query().Has("waited"):
		p.oneMoment(w, r, pathRefused+"?"+url.Values{"reference": {r.URL.Query().Get("reference")}, "waited": {"1"}}.Encode())
	default:
		w.Header().Del("Content-Security-Policy") // the page has its own
		p.region.Refused(w, r)
	}
}
