package testkit

import (
	"cmp"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Page is what a Browser shows. Its markup is read with a few expressions, which
// is enough for pages that programs write for programs to read, and no more.
type Page struct {
	URL    *url.URL
	Status int
	Header http.Header
	Body   string

	navigation Navigation // that loaded it
}

// Form is a form on a page, with what is filled in already.
type Form struct {
	Action, Method string
	Fields         []Field
	Text           string // what there is to read in it
}

// Field is an input of a form.
type Field struct{ Name, Value, Type string }

var (
	formTag   = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	fieldTag  = regexp.MustCompile(`(?is)<input\b([^>]*)>`)
	linkTag   = regexp.MustCompile(`(?is)<a\b([^>]*)>(.*?)</a>`)
	attribute = regexp.MustCompile(`([a-zA-Z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')`)
	unread    = regexp.MustCompile(`(?is)<(head|script|style)\b.*?</(head|script|style)>`)
	anyTag    = regexp.MustCompile(`(?s)<[^>]*>`)
)

func attributes(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
		out[strings.ToLower(m[1])] = html.UnescapeString(m[2] + m[3])
	}
	return out
}

// Forms lists the forms on the page.
func (p *Page) Forms() []Form {
	var out []Form
	for _, m := range formTag.FindAllStringSubmatch(p.Body, -1) {
		a := attributes(m[1])
		f := Form{Action: a["action"], Method: strings.ToLower(a["method"]), Text: plain(m[2])}
		for _, in := range fieldTag.FindAllStringSubmatch(m[2], -1) {
			if a := attributes(in[1]); a["name"] != "" {
				f.Fields = append(f.Fields, Field{a["name"], a["value"], strings.ToLower(a["type"])})
			}
		}
		out = append(out, f)
	}
	return out
}

// FormWith finds the first form that has a field of that name.
func (p *Page) FormWith(name string) (Form, bool) {
	for _, f := range p.Forms() {
		if f.Values().Has(name) {
			return f, true
		}
	}
	return Form{}, false
}

// FormFor finds the first form with that action.
func (p *Page) FormFor(action string) (Form, bool) {
	for _, f := range p.Forms() {
		if f.Action == action {
			return f, true
		}
	}
	return Form{}, false
}

// Values returns what the form sends as it stands.
func (f Form) Values() url.Values {
	out := url.Values{}
	for _, in := range f.Fields {
		out.Add(in.Name, in.Value)
	}
	return out
}

// Link returns where the first link leads whose name, its label or else what can
// be read in it, has text in it.
func (p *Page) Link(text string) (string, bool) {
	for _, m := range linkTag.FindAllStringSubmatch(p.Body, -1) {
		a := attributes(m[1])
		if name := cmp.Or(a["aria-label"], plain(m[2])); strings.Contains(name, text) {
			return a["href"], true
		}
	}
	return "", false
}

// Text returns what there is to read on the page.
func (p *Page) Text() string { return plain(unread.ReplaceAllString(p.Body, " ")) }

func plain(markup string) string {
	return strings.Join(strings.Fields(html.UnescapeString(anyTag.ReplaceAllString(markup, " "))), " ")
}

// Origin returns the page's own.
func (p *Page) Origin() string { return origin(p.URL) }

// Resolve makes an address on the page absolute.
func (p *Page) Resolve(ref string) string {
	u, err := p.URL.Parse(ref)
	if err != nil {
		return ref
	}
	return u.String()
}

// Location returns where the page redirects to, absolute, or "".
func (p *Page) Location() string {
	if to, ok := p.redirect(); ok {
		return to.String()
	}
	return ""
}

// Refresh returns where the page's Refresh header leads, absolute, or "".
func (p *Page) Refresh() string {
	if _, to, ok := strings.Cut(p.Header.Get("Refresh"), "url="); ok {
		return p.Resolve(to)
	}
	return ""
}

func (p *Page) redirect() (*url.URL, bool) {
	to := p.Header.Get("Location")
	if p.Status < 300 || p.Status > 399 || to == "" {
		return nil, false
	}
	u, err := p.URL.Parse(to)
	return u, err == nil
}
