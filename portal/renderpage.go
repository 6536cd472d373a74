package portal

import (
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/acs"
)

// renderOwn shows one of the portal's pages in the program's own design, by Config.RenderPage, and reports whether it
// did. The pages of a signed-in user's accounts and sessions are the portal's.
func (p *Portal) renderOwn(w http.ResponseWriter, r *http.Request, status int, pg page) bool {
	if p.cfg.RenderPage == nil {
		return false
	}
	out := acs.Page{Kind: acs.PageError, Status: status, Title: pg.Title}
	switch b := pg.Body.(type) {
	case messageBody:
		out.Text, out.Reference, out.Link, out.LinkText = b.Text, b.Reference, b.Href, b.Action
	case confirmBody:
		out.Kind, out.Text = acs.PageQuestion, b.text()
		out.Users = &acs.PageUsers{Now: b.Now.Label(), Next: b.Next.Label()}
		out.Form = &acs.PageForm{
			Action: pathContinue, Fields: []acs.PageField{{Name: "s", Value: b.Tag}}, Targets: b.Targets,
			Buttons: []acs.PageButton{
				{Name: "answer", Value: "stay", Text: "Stay signed in as " + b.Now.Label()},
				{Name: "answer", Value: "continue", Text: "Continue as " + b.Next.Label()},
			},
		}
	case signedOutBody:
		if r.URL.Path != pathSignedOut { // it asks before
			return false
		}
		out.Kind, out.Text, out.Link, out.LinkText = acs.PageSignedOut, b.text(), PathLogin, "Sign in"
		if b.Link != "" {
			out.Link, out.LinkText = b.Link, "Sign out at "+b.provider()
		}
		if b.Offer {
			out.Form = &acs.PageForm{
				Action: pathSignOutAtIdP, Targets: b.Targets,
				Buttons: []acs.PageButton{{Text: "Sign out at " + b.provider()}},
			}
		}
	default:
		return false
	}
	p.cfg.RenderPage(w, r, out)
	return true
}

// RenderPage shows a page of another host of the Region, which has no files of the portal: by Config.RenderPage, or in
// Config.Theme.
func (p *Portal) RenderPage(w http.ResponseWriter, r *http.Request, from acs.Page) {
	if p.cfg.RenderPage != nil {
		p.cfg.RenderPage(w, r, from)
		return
	}
	p.theme.RenderPage(w, r, from)
}

// renderConsumer shows a page of the Region's consumers: in the program's own design, or like the portal's pages.
func (p *Portal) renderConsumer(w http.ResponseWriter, r *http.Request, from acs.Page) {
	if p.cfg.RenderPage != nil {
		p.cfg.RenderPage(w, r, from)
		return
	}
	p.secure(w)
	p.render(w, r, from.Status, "message", page{
		Title: from.Title, Body: messageBody{from.Text, from.Reference, from.LinkText, from.Link},
	})
}

func (b confirmBody) text() string {
	return "You are signed in as " + b.Now.Label() + ". Your identity provider says that you are " + b.Next.Label() +
		". If you didn't start this sign-in, stay signed in as " + b.Now.Label() +
		". It may be an attempt to make you use another account."
}

func (b signedOutBody) provider() string {
	if b.Provider == "" {
		return "your identity provider"
	}
	return b.Provider
}

// text is what the page after a sign-out says.
func (b signedOutBody) text() string {
	out := []string{"Your session in this portal has ended."}
	if b.Everywhere {
		out[0] = "Your sessions in this portal have ended."
	}
	for _, region := range b.Behind {
		out = append(out, "Your session in "+region.Name+" ends when that Region is reached again.")
	}
	switch {
	case b.Result == resultEnded:
		out = append(out, "The one at "+b.provider()+" has ended, too.")
	case b.Result == resultPartial:
		out = append(out, "The one at "+b.provider()+" has ended. Sessions at other services may still be active: close "+
			"all windows of your browser.")
	default:
		out = append(out, "You may still be signed in at "+b.provider()+". On a shared computer, sign out there, too.")
	}
	return strings.Join(out, " ")
}
