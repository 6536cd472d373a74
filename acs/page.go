package acs

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/saml"
)

// secure sets what every answer here carries. An answer that OnLogin writes
// has it too, but for the content policy, which is each page's own.
func (c *Consumer) secure(h http.Header) {
	h.Set("Cache-Control", "no-cache, no-store") // with Pragma as in Bindings 3.4.5.1 and 3.5.5.1
	h.Set("Pragma", "no-cache")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if !c.cfg.InsecureAllowOpener {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
}

// message is what a person reads: one fixed text for each kind of trouble,
// whatever its Reason was.
type message struct{ Title, Text string }

var (
	textRefused     = message{"Sign-in did not work", "The answer of your identity provider could not be accepted. Signing in again often helps."}
	textRefusedHere = message{"One moment", "This answer of your identity provider was not accepted. If you are signed in here already, you are led on."}
	textCancelled   = message{"Sign-in was cancelled", "Your identity provider did not sign you in. You can start again."}
	textNavigation  = message{"Sign-in can't start this way", "Signing in needs a window or tab of its own. Open this address yourself."}
	textTooMany     = message{"Too many sign-ins were started", "Too many sign-ins were started in this browser or from your network, and not finished. Finish one of them, or try again in a minute."}
	textUnavailable = message{"Sign-in is not available right now", "Please try again in a minute."}
	textNotStarted  = message{"Sign-in could not be started", "Something is not set up right. Trying again will hardly help; telling your administrator will."}
	textNoResponse  = message{"This is not a sign-in response", "This address takes the answers of an identity provider. You can start again by signing in."}
)

// messageFor is the text for a response that was not let in.
func messageFor(status int) message {
	switch status {
	case http.StatusForbidden:
		return textRefused
	case http.StatusServiceUnavailable:
		return textUnavailable
	}
	return textNoResponse
}

// page writes the error page. It says nothing of what came in.
func (c *Consumer) page(w http.ResponseWriter, status int, m message, reference string) {
	writePage(w, status, policy(styleSource+"; form-action 'none'"), errorPage, struct {
		message
		Style     template.CSS
		Reference string
		LoginPath string
	}{m, style, reference, c.cfg.LoginPath})
}

// writePostForm sends the browser on with a form (Bindings 3.5.4). It submits
// itself where JavaScript runs, and has a button where it doesn't.
func writePostForm(w http.ResponseWriter, form saml.PostForm) {
	to := ""
	if u, err := url.Parse(form.URL); err == nil {
		to = u.Scheme + "://" + u.Host
	}
	// Chromium applies form-action to redirects that follow, too, and identity
	// providers redirect to one another: hence https: beside the origin. What
	// this page's one form does is fixed anyhow.
	writePage(w, http.StatusOK, policy(styleSource+"; "+scriptSource+"; form-action "+to+" https:"), postPage, struct {
		message
		saml.PostForm
		Style  template.CSS
		Script template.JS
	}{message{"Signing in", "You are being sent to your identity provider."}, form, style, script})
}

func writePage(w http.ResponseWriter, status int, csp string, t *template.Template, data any) {
	h := w.Header()
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Type", "text/html; charset=utf-8")
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil { // can't happen with these templates
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func policy(sources string) string {
	return "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; " + sources
}

// source allows exactly one inline style or script, by its hash (CSP 3 2.3.1).
func source(directive, text string) string {
	sum := sha256.Sum256([]byte(text))
	return directive + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var (
	styleSource  = source("style-src", style)
	scriptSource = source("script-src", script)
)

const script = `document.forms[0].submit()`

const style = `
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:#f2f3f5;color:#16191f;
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
main{width:100%;max-width:28rem;padding:2rem;background:#fff;border:1px solid #d9dce1;border-radius:.75rem;box-shadow:0 1px 3px #0001}
h1{margin:0 0 .75rem;font-size:1.375rem;line-height:1.25}
p{margin:0 0 1rem}
a,button{display:inline-block;padding:.625rem 1.25rem;border:0;border-radius:.5rem;background:#0b57d0;color:#fff;font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
a:hover,button:hover{background:#0842a0}
a:focus-visible,button:focus-visible{outline:3px solid #16191f;outline-offset:3px}
small{display:block;margin-top:1.5rem;padding-top:1rem;border-top:1px solid #e5e7eb;color:#4b5563;font-size:.875rem}
code{font:600 .9375rem ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:#16191f;white-space:nowrap}
`

// layout is the frame of both pages.
const layout = `{{define "top"}}<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>{{.Title}}</title><style>{{.Style}}</style></head>
<body><main><h1>{{.Title}}</h1>
<p>{{.Text}}</p>
{{end}}`

var errorPage = template.Must(template.New("error").Parse(layout + `{{template "top" .}}{{with .LoginPath}}<a href="{{.}}">Sign in again</a>
{{end}}{{with .Reference}}<small>If it keeps happening, tell your administrator this reference: <code>{{.}}</code></small>
{{end}}</main></body></html>
`))

var postPage = template.Must(template.New("post").Parse(layout + `{{template "top" .}}<form method="post" action="{{.URL}}">
<input type="hidden" name="SAMLRequest" value="{{.SAMLRequest}}">
{{with .RelayState}}<input type="hidden" name="RelayState" value="{{.}}">
{{end}}<button>Continue</button>
</form></main><script>{{.Script}}</script></body></html>
`))
