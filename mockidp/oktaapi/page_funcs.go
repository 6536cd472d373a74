package oktaapi

import (
	"cmp"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// pageFuncs are the functions of the templates.
var pageFuncs = template.FuncMap{
	"kind": func(a mockidp.App) string {
		switch {
		case a.Kind == mockidp.Bookmark:
			return "Bookmark"
		case a.IdentityCenter != nil:
			return "AWS IAM Identity Center"
		case a.Profile == mockidp.Entra:
			return "SAML 2.0, like Entra ID"
		}
		return "SAML 2.0"
	},
	"status": func(u mockidp.User) string {
		if u.Status == mockidp.Deprovisioned {
			return "Deactivated"
		}
		return sentenceCase(statusWords[u.Status])
	},
	"indent": func(l line) string { return "d" + strconv.Itoa(min(l.Depth, 9)) }, // a CSS class
	"path":   url.PathEscape,
	// unit is the word after a number.
	"unit": func(n int, one, many string) string {
		if n == 1 {
			return one
		}
		return many
	},
	"last": lastPart,
	"when": func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.UTC().Format("2006-01-02 15:04 UTC")
	},
	// dict makes the argument of a template that takes several.
	"dict": func(pairs ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return out
	},
}

// sentenceCase writes a word of Okta's, such as LOCKED_OUT, as "Locked out".
func sentenceCase(word string) string {
	s := strings.ToLower(strings.ReplaceAll(word, "_", " "))
	return strings.ToUpper(s[:1]) + s[1:]
}

// compareFold orders names regardless of case.
func compareFold(a, b string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
}
