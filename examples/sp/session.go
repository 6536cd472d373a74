package main

import (
	"html/template"
	"net/http"

	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/saml"
)

// user is what the program needs of an assertion. Add fields for your own attributes. For a user without one that is
// required, package acs has a page.
type user struct {
	Login string `saml:",nameid,required"`
	Name  string `saml:"displayName"`
}

type users struct{ *saml.Decoder[user] }

func newUsers() (users, error) {
	d, err := saml.NewDecoder[user](saml.DecoderConfig{
		Names: []saml.Names{saml.LDAPNames(), saml.MicrosoftNames(), saml.OktaNames()},
	})
	return users{d}, err
}

// admit refuses a user whose attributes the page can't show.
func (u users) admit(a *saml.Assertion) (middleware.User, error) {
	_, err := u.Decode(a)
	return middleware.User{}, err
}

var home = template.Must(template.New("home").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Service provider</title></head>
<body>{{if .}}<p>Signed in as <strong>{{.Login}}</strong>{{with .Name}} ({{.}}){{end}}</p>
<form method="post" action="/sign-out"><button>Sign out</button></form>
{{else}}<p>Not signed in. <a href="/login">Sign in</a></p>
{{end}}</body></html>
`))

// page shows the signed-in user. A page for signed-in users alone would be behind Guard.Require.
func (u users) page(w http.ResponseWriter, r *http.Request) {
	var who *user
	if s := middleware.From(r.Context()); s != nil {
		decoded, err := middleware.Decode(s, u.Decoder)
		if err != nil {
			http.Error(w, "The session can't be read.", http.StatusInternalServerError)
			return
		}
		who = &decoded
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	_ = home.Execute(w, who)
}
