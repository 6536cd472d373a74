package failover

import (
	"cmp"
	"net/http"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/theme"
)

const defaultName = "Meridian access portal" // as package portal's

var (
	pageUnavailable = acs.Page{Kind: acs.PageError, Status: http.StatusServiceUnavailable,
		Title: "The portal can't be reached right now", LinkText: "Try again",
		Text: "No Region of the portal answers at the moment. Your account and your browser are not the cause. " +
			"Try again in a minute."}
	pageMethod = acs.Page{Kind: acs.PageError, Status: http.StatusMethodNotAllowed,
		Title: "Method not allowed", LinkText: "Go to the portal",
		Text: "This address accepts only GET and HEAD requests. What you sent was not forwarded. " +
			"Go to the portal and start again there."}
)

func (c *Config) checkTheme() error {
	c.Theme.Name = cmp.Or(c.Theme.Name, defaultName)
	look, err := theme.New(c.Theme)
	if err != nil {
		return &Error{Reason: ReasonConfig, Rule: "Config.Theme", Err: err}
	}
	if c.RenderPage == nil {
		c.RenderPage = look.RenderPage
	}
	return nil
}

// show writes a page. Its link repeats the request by GET.
func (rd *Redirector) show(w http.ResponseWriter, r *http.Request, p acs.Page) {
	p.Link = cmp.Or(acs.LocalPath(r.RequestURI), "/")
	acs.SetPageHeaders(w.Header())
	rd.cfg.RenderPage(w, r, p)
}
