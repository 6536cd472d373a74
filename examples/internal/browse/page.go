package browse

import (
	"cmp"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/check"
)

// Page is what a browser shows. Its markup is read with a few expressions,
// which is enough for pages that html/template wrote and for nothing else.
type Page struct {
	URL    *url.URL
	Status int
	Header http.Header
	Body   string
}

// Form is a form on a page, with what is filled in already.
type Form struct {
	Action, Method string
	Fields         []Field
	Text           string // what there is to read in it
}

// Field is an input of a form.
type Field struct{ Name, Value string }

var (
	formTag   = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	fieldTag  = regexp.MustCompile(`(?s)<input\b([^>]*)>`)
	linkTag   = regexp.MustCompile(`(?s)<a\b([^>]*)>(.*?)</a>`)
	attribute = regexp.MustCompile(`([a-zA-Z-]+)="([^"]*)"`)
	hidden    = regexp.MustCompile(`(?s)<(head|script|style)\b.*?</(head|script|style)>`)
	anyTag    = regexp.MustCompile(`(?s)<[^>]*>`)
)

func attributes(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
		out[m[1]] = html.UnescapeString(m[2])
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
				f.Fields = append(f.Fields, Field{a["name"], a["value"]})
			}
		}
		out = append(out, f)
	}
	return out
}

// FormWith finds the form that has a field of that name.
func (p *Page) FormWith(name string) (Form, bool) {
	for _, f := range p.Forms() {
		if f.Values().Has(name) {
			return f, true
		}
	}
	return Form{}, false
}

// FormFor finds the form that goes to that path.
func (p *Page) FormFor(action string) (Form, bool) {
	for _, f := range p.Forms() {
		if f.Action == action {
			return f, true
		}
	}
	return Form{}, false
}

// Values is what the form sends as it stands.
func (f Form) Values() url.Values {
	out := url.Values{}
	for _, in := range f.Fields {
		out.Add(in.Name, in.Value)
	}
	return out
}

// Link finds where the first link leads whose name, its label or else what can
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

// Text is what there is to read on the page.
func (p *Page) Text() string { return plain(hidden.ReplaceAllString(p.Body, " ")) }

func plain(markup string) string {
	return strings.Join(strings.Fields(html.UnescapeString(anyTag.ReplaceAllString(markup, " "))), " ")
}

// Origin is the page's own.
func (p *Page) Origin() string { return p.URL.Scheme + "://" + p.URL.Host }

// Resolve is an address on the page, made absolute.
func (p *Page) Resolve(ref string) string {
	u, err := p.URL.Parse(ref)
	if err != nil {
		return ref
	}
	return u.String()
}

// Says requires that the text can be read on the page.
func (p *Page) Says(text string) error {
	return check.That("the page at "+Bare(p.URL), strings.Contains(p.Text(), text), "the text "+check.Quote(text), p.Text())
}
