package acs

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/meridian-saml/meridian/saml"
)

// PageKind is what a [Page] is about. The set is closed.
type PageKind string

const (
	// PageError: something did not work, or was refused.
	PageError PageKind = "error"
	// PageAttributes: attributes of the user are missing, or can't be used. Page.Attributes is set.
	PageAttributes PageKind = "attributes"
	// PageSignedOut: the user has signed out here, and the text says what else ended.
	PageSignedOut PageKind = "signed-out"
	// PageQuestion: the user must decide. Page.Form is set.
	PageQuestion PageKind = "question"
)

// Page is a page that tells a user what happened. Packages acs, middleware and portal show their pages through
// Config.RenderPage. The form that sends the browser to the identity provider is no Page; it has Config.PageLook.
type Page struct {
	Kind PageKind
	// Status is the HTTP status to answer with.
	Status int
	// Title and Text are fixed sentences in English, without markup. Only those of a question can name users.
	Title, Text string
	// Reference is in the log, too, for the user to tell an administrator. Empty: there is none.
	Reference string
	// Link is where the user can go on, and LinkText is its text. Empty: nowhere.
	Link, LinkText string
	// Form is the answer to a question. Nil: there is none.
	Form *PageForm
	// Users are whom a question names, for its texts in another language. Nil: it names none.
	Users *PageUsers
	// Attributes is set for PageAttributes.
	Attributes *Attributes
}

// PageUsers are the users of a question whether to continue as another one. Its buttons are first the one to stay, then
// the one to continue.
type PageUsers struct{ Now, Next string }

// PageForm is a form that the browser posts to this origin. Show all of its buttons.
type PageForm struct {
	Action  string
	Fields  []PageField // hidden
	Buttons []PageButton
	// Targets are sources besides this origin to which the answer redirects, such as those of [LogoutTargets]. A
	// Content-Security-Policy needs them in form-action, since Chromium applies it to redirects.
	Targets []string
}

// PageField is a hidden field of a form.
type PageField struct{ Name, Value string }

// PageButton is a button that submits a form. Without a Name it adds no field.
type PageButton struct{ Name, Value, Text string }

// WritePage writes a page of package acs, which is what a nil Config.RenderPage does. It has no script, and no site
// can show it in a frame.
func WritePage(w http.ResponseWriter, _ *http.Request, p Page) { PageLook{}.WritePage(w, p) }

// SetPageHeaders sets the headers of a page with a form that posts to its own origin, and of the answers to it: no
// cache stores them. Referrer-Policy is same-origin, because with no-referrer a browser sends "Origin: null" with the
// form, which [CheckSignOut] refuses. [WritePage] sets the Content-Security-Policy.
func SetPageHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
}

// LogoutTargets returns the PageForm.Targets of a form whose answer is a logout at an identity provider, which sends
// the browser on to other service providers. So it is https, and no host of metadata, which could have a semicolon,
// except one of this machine.
func LogoutTargets(sp *saml.ServiceProvider, idp string) []string {
	targets := []string{"https:"}
	known, err := sp.IdP(idp)
	if err != nil {
		return targets
	}
	for _, s := range known.LogoutServices() {
		u, err := url.Parse(s.URL)
		if err != nil || u.Scheme != "http" || !saml.IsLoopback(u.Hostname()) {
			continue
		}
		if origin := "http://" + u.Host; !slices.Contains(targets, origin) {
			targets = append(targets, origin)
		}
	}
	return targets
}

// newPage returns the page of an answer.
func (c *Consumer) newPage(a answer, reference string) Page {
	p := Page{
		Kind: PageError, Status: a.status, Title: a.text.Title, Text: a.text.Text, Reference: reference,
		Link: c.cfg.LoginPath,
	}
	if p.Link != "" {
		p.LinkText = "Sign in again"
	}
	return p
}

// render shows a page. Headers against caching are set.
func (c *Consumer) render(w http.ResponseWriter, r *http.Request, p Page) { c.cfg.WritePage(w, r, p) }

// WritePage writes a page by RenderPage, or else in the look of PageLook.
func (c *Config) WritePage(w http.ResponseWriter, r *http.Request, p Page) {
	if c.RenderPage != nil {
		c.RenderPage(w, r, p)
		return
	}
	c.look(r).WritePage(w, p)
}

func (c *Config) look(r *http.Request) PageLook {
	if c.PageLook == nil {
		return PageLook{}
	}
	return c.PageLook(r)
}
