package testkit

import (
	"cmp"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Page is a page that a Browser loaded. Regular expressions read its markup, which is enough for pages that
// programs generate.
type Page struct {
	URL    *url.URL
	Status int
	Header http.Header
	Body   string
	// Browser is the one that loaded the page.
	Browser *Browser

	navigation Navigation // that loaded it
}

// Form is a form on a page, with the values that are filled in already.
type Form struct {
	Action, Method, Enctype string
	Fields                  []Field
	Text                    string // its readable text
}

// Field is a field of a form: an input of a type, or with the Type textarea or select.
type Field struct{ Name, Value, Type string }

var (
	formTag    = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	fieldTag   = regexp.MustCompile(`(?is)<input\b([^>]*)>|<(textarea|select)\b([^>]*)>(.*?)</(?:textarea|select)>`)
	optionTag  = regexp.MustCompile(`(?is)<option\b([^>]*)>([^<]*)`)
	checked    = regexp.MustCompile(`(?i)\s(?:checked|selected)\b`)
	linkTag    = regexp.MustCompile(`(?is)<a\b([^>]*)>(.*?)</a>`)
	attribute  = regexp.MustCompile(`([a-zA-Z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')`)
	hiddenTag  = regexp.MustCompile(`(?is)<(head|script|style)\b.*?</(head|script|style)>`)
	refreshTag = regexp.MustCompile(`(?i)<meta http-equiv="refresh"[^>]*>`)
	anyTag     = regexp.MustCompile(`(?s)<[^>]*>`)
)

func attributes(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
		out[strings.ToLower(m[1])] = html.UnescapeString(m[2] + m[3])
	}
	return out
}

// Forms returns the forms on the page.
func (p *Page) Forms() []Form {
	var out []Form
	for _, m := range formTag.FindAllStringSubmatch(p.Body, -1) {
		a := attributes(m[1])
		f := Form{Action: a["action"], Method: strings.ToLower(a["method"]), Enctype: strings.ToLower(a["enctype"]),
			Text: plainText(m[2])}
		for _, in := range fieldTag.FindAllStringSubmatch(m[2], -1) {
			if field, ok := newField(in[1], in[2], in[3], in[4]); ok {
				f.Fields = append(f.Fields, field)
			}
		}
		out = append(out, f)
	}
	return out
}

// newField returns a field that a browser submits: not a checkbox or radio button that isn't checked.
func newField(input, tag, other, content string) (Field, bool) {
	a := attributes(input + other)
	f := Field{a["name"], a["value"], strings.ToLower(a["type"])}
	switch strings.ToLower(tag) {
	case "textarea":
		f.Value, f.Type = html.UnescapeString(strings.TrimPrefix(content, "\n")), "textarea"
	case "select":
		f.Value, f.Type = selected(content), "select"
	}
	unchecked := (f.Type == "checkbox" || f.Type == "radio") && !checked.MatchString(input)
	return f, f.Name != "" && !unchecked
}

// selected returns the value of the selected option, else of the first.
func selected(content string) string {
	first := ""
	for i, o := range optionTag.FindAllStringSubmatch(content, -1) {
		value, ok := attributes(o[1])["value"]
		if !ok {
			value = plainText(o[2])
		}
		if checked.MatchString(o[1]) {
			return value
		}
		if i == 0 {
			first = value
		}
	}
	return first
}

// FormWith returns the first form that has a field of that name.
func (p *Page) FormWith(name string) (Form, bool) {
	return p.form(func(f Form) bool { return f.Values().Has(name) })
}

// FormFor returns the first form with that action.
func (p *Page) FormFor(action string) (Form, bool) {
	return p.form(func(f Form) bool { return f.Action == action })
}

func (p *Page) form(matches func(Form) bool) (Form, bool) {
	forms := p.Forms()
	if i := slices.IndexFunc(forms, matches); i >= 0 {
		return forms[i], true
	}
	return Form{}, false
}

// Values returns the values that are filled in already.
func (f Form) Values() url.Values {
	out := url.Values{}
	for _, in := range f.Fields {
		out.Add(in.Name, in.Value)
	}
	return out
}

// Link returns the target of the first link whose name contains text. The name is the aria-label, or else the
// text of the link.
func (p *Page) Link(text string) (string, bool) {
	for _, m := range linkTag.FindAllStringSubmatch(p.Body, -1) {
		a := attributes(m[1])
		if name := cmp.Or(a["aria-label"], plainText(m[2])); strings.Contains(name, text) {
			return a["href"], true
		}
	}
	return "", false
}

// Text returns the readable text of the page.
func (p *Page) Text() string { return plainText(hiddenTag.ReplaceAllString(p.Body, " ")) }

func plainText(markup string) string {
	return strings.Join(strings.Fields(html.UnescapeString(anyTag.ReplaceAllString(markup, " "))), " ")
}

// Origin returns the page's origin.
func (p *Page) Origin() string { return origin(p.URL) }

// Resolve returns an address on the page as an absolute URL.
func (p *Page) Resolve(ref string) string {
	u, err := p.URL.Parse(ref)
	if err != nil {
		return ref
	}
	return u.String()
}

// Location returns the absolute URL that the page redirects to, or "".
func (p *Page) Location() string {
	if to, ok := p.redirect(); ok {
		return to.String()
	}
	return ""
}

// Refresh returns the absolute URL of the page's Refresh header, or of its first element that stands for one, or "". A
// Browser runs no script, so that element may be in a noscript element.
func (p *Page) Refresh() string {
	value := p.Header.Get("Refresh")
	if value == "" {
		value = p.refreshElement()
	}
	if _, to, ok := strings.Cut(value, "url="); ok {
		return p.Resolve(to)
	}
	return ""
}

func (p *Page) refreshElement() string { return attributes(refreshTag.FindString(p.Body))["content"] }

func (p *Page) redirect() (*url.URL, bool) {
	to := p.Header.Get("Location")
	if p.Status < 300 || p.Status > 399 || to == "" {
		return nil, false
	}
	u, err := p.URL.Parse(to)
	return u, err == nil
}
