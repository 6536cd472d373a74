package acs

import (
	"net/http"
	"net/url"
	"unicode"
	"unicode/utf8"
)

// maxHint bounds the value of a hint, in encoded bytes, so that several fit in a request.
const maxHint = 256

// Hints returns parameters of a request's query that a sign-in passes on to the identity provider
// (LoginOptions.Query), such as login_hint, with which many fill in the user's name. So a deep link such as
// /login?return_to=/reports&login_hint=alice@example.com names the user who should sign in:
//
//	LoginOptions: func(r *http.Request) acs.LoginOptions {
//		return acs.LoginOptions{Query: acs.Hints(r, "login_hint")}
//	},
//
// A parameter is left out if it is empty, has over 256 bytes when encoded, or has characters that aren't printable. If
// one occurs twice, all are left out. A link of any site can choose the values. So name only parameters that fill in a
// form. At Entra ID, domain_hint also selects where the user signs in: take it from your configuration.
func Hints(r *http.Request, names ...string) url.Values {
	fields, err := formFields(r.URL.RawQuery, names...)
	if err != nil {
		return nil
	}
	hints := make(url.Values)
	for name, value := range fields {
		if value != "" && len(url.QueryEscape(value)) <= maxHint && printable(value) {
			hints.Set(name, value)
		}
	}
	return hints
}

func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}
