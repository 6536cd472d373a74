package acs

import (
	"fmt"
	"html"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

// PageLook is the look of a [Page]. Its zero value is that of [WritePage]. Package theme makes others.
type PageLook struct {
	// Language and Dir are the attributes lang and dir of the page. Empty: "en", and none.
	Language, Dir string
	// Translate returns the text of a key, the English form, with its values as in package fmt. It escapes both, except
	// values of type template.HTML. Without values the key can be any text. Nil: English.
	Translate func(key string, values ...any) template.HTML
	// Name stands in the header and the title, and Logo is an image in the header, as a data URL. Empty: none.
	Name string
	Logo template.URL
	// Support is a link to help, and Notice is a key of Translate that every page shows. Empty: none.
	Support, Notice string
	// Style has rules after those of WritePage.
	Style string
}

// WritePage writes a page with this look.
func (l PageLook) WritePage(w http.ResponseWriter, p Page) {
	l = l.orDefault()
	if p.Users != nil && p.Form != nil && len(p.Form.Buttons) == 2 {
		p = l.question(p)
	}
	name, target := "error", "'none'"
	if p.Kind == PageAttributes && p.Attributes != nil {
		name = "attributes"
	}
	if p.Form != nil {
		target = strings.Join(append([]string{"'self'"}, p.Form.Targets...), " ")
	}
	writePage(w, p.Status, name, nil, l.sources()+"; form-action "+target, struct {
		PageLook
		Page
	}{l, p})
}

// sources are the directives that allow the style and the logo.
func (l PageLook) sources() string {
	out := styleSource
	if l.Style != "" {
		out = source("style-src", style+l.Style)
	}
	if l.Logo != "" {
		out += "; img-src data:"
	}
	return out
}

// question returns a question whether to continue as another user, in the look's language.
func (l PageLook) question(p Page) Page {
	p.Title = l.plain("Continue as %s?", p.Users.Next)
	p.Text = l.plain("You are signed in as %s.", p.Users.Now) + " " +
		l.plain("Your identity provider says that you are %s.", p.Users.Next) + " " +
		l.plain("If you didn't start this sign-in, stay signed in as %s. It may be an attempt to make you use another "+
			"account.", p.Users.Now)
	form := *p.Form
	form.Buttons = slices.Clone(form.Buttons)
	form.Buttons[0].Text = l.plain("Stay signed in as %s", p.Users.Now)
	form.Buttons[1].Text = l.plain("Continue as %s", p.Users.Next)
	p.Form = &form
	return p
}

func (l PageLook) plain(key string, values ...any) string {
	return html.UnescapeString(string(l.Translate(key, values...)))
}

// CSS returns the style sheet. The templates call it.
func (l PageLook) CSS() template.CSS { return template.CSS(style + l.Style) }

// T is Translate as a method, for the templates.
func (l PageLook) T(key string, values ...any) template.HTML { return l.Translate(key, values...) }

// Bdi returns a name as an element that isolates its direction of writing. The templates call it.
func (PageLook) Bdi(text string) template.HTML {
	return template.HTML("<bdi>" + html.EscapeString(text) + "</bdi>")
}

func (l PageLook) orDefault() PageLook {
	if l.Language == "" {
		l.Language = "en"
	}
	if l.Translate == nil {
		l.Translate = english
	}
	return l
}

// escapeText leaves quotes, as package html/template does in its own text.
var escapeText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func english(key string, values ...any) template.HTML {
	if len(values) == 0 {
		return template.HTML(escapeText.Replace(key))
	}
	escaped := make([]any, len(values))
	for i, v := range values {
		escaped[i] = v
		if text, ok := v.(string); ok {
			escaped[i] = html.EscapeString(text)
		}
	}
	return template.HTML(fmt.Sprintf(escapeText.Replace(key), escaped...))
}
