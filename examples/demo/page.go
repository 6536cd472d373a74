package main

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// page is what a browser shows. Its markup is read with a few expressions,
// which is enough for pages that html/template wrote and for nothing else.
type page struct {
	url    *url.URL
	status int
	header http.Header
	body   string
}

// form is a form on a page, with what is filled in already.
type form struct {
	action, method string
	fields         []field
}

type field struct{ name, value string }

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

// forms lists the forms on the page.
func (p *page) forms() []form {
	var out []form
	for _, m := range formTag.FindAllStringSubmatch(p.body, -1) {
		a := attributes(m[1])
		f := form{action: a["action"], method: strings.ToLower(a["method"])}
		for _, in := range fieldTag.FindAllStringSubmatch(m[2], -1) {
			if a := attributes(in[1]); a["name"] != "" {
				f.fields = append(f.fields, field{a["name"], a["value"]})
			}
		}
		out = append(out, f)
	}
	return out
}

// formWith finds the form that has a field of that name.
func (p *page) formWith(name string) (form, bool) {
	for _, f := range p.forms() {
		if f.values().Has(name) {
			return f, true
		}
	}
	return form{}, false
}

// formFor finds the form that goes to that path.
func (p *page) formFor(action string) (form, bool) {
	for _, f := range p.forms() {
		if f.action == action {
			return f, true
		}
	}
	return form{}, false
}

func (f form) values() url.Values {
	out := url.Values{}
	for _, in := range f.fields {
		out.Add(in.name, in.value)
	}
	return out
}

// link finds where the first link leads whose text has text in it.
func (p *page) link(text string) (string, bool) {
	for _, m := range linkTag.FindAllStringSubmatch(p.body, -1) {
		if strings.Contains(plain(m[2]), text) {
			return attributes(m[1])["href"], true
		}
	}
	return "", false
}

// text is what there is to read on the page.
func (p *page) text() string { return plain(hidden.ReplaceAllString(p.body, " ")) }

func plain(markup string) string {
	return strings.Join(strings.Fields(html.UnescapeString(anyTag.ReplaceAllString(markup, " "))), " ")
}

// origin is the page's own.
func (p *page) origin() string { return p.url.Scheme + "://" + p.url.Host }

// resolve is an address on the page, made absolute.
func (p *page) resolve(ref string) string {
	u, err := p.url.Parse(ref)
	if err != nil {
		return ref
	}
	return u.String()
}

// says requires that the text can be read on the page.
func (p *page) says(text string) error {
	return holds("the page at "+bare(p.url), strings.Contains(p.text(), text), "the text "+quote(text), p.text())
}
