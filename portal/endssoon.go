package portal

import (
	"net/http"
	"net/url"
	"time"
)

// endsSoonFrom is how long before its end a session's pages say so: at most a quarter of its life.
const endsSoonFrom = 15 * time.Minute

// endsSoon returns how long the session of a page still lasts, as text, and where the user can sign in again before it
// ends. Both are "" if it lasts longer. A new sign-in joins the earlier one, so nothing is lost by it.
func (p *Portal) endsSoon(r *http.Request, pg page) (ends, renew string) {
	left := pg.Until.Sub(p.now())
	if left > min(endsSoonFrom, pg.Until.Sub(pg.began)/4) {
		return "", ""
	}
	ends = p.theme.Texts(r).T("%d minutes", max(1, int(left/time.Minute)))
	if p.place(r).apart() { // a handoff would bring the same session
		return ends, ""
	}
	back := r.URL.RequestURI()
	if r.Method != http.MethodGet || len(back) > maxLoginReturn {
		back = pathHome
	}
	return ends, PathLogin + "?" + url.Values{"return_to": {back}}.Encode()
}
