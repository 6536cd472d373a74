package acs

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// setHeaders sets the headers of every HTTP response, including those that OnLogin writes. Each page sets its own
// Content-Security-Policy.
func (c *Consumer) setHeaders(h http.Header) {
	SetPageHeaders(h)
	h.Set("Cache-Control", "no-cache, no-store") // with Pragma as in Bindings 3.4.5.1 and 3.5.5.1
	h.Set("Pragma", "no-cache")
	h.Set("Referrer-Policy", "no-referrer") // no form here posts to its own origin
	if !c.cfg.InsecureAllowOpener {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
}

// message is the title and text of a page.
type message struct{ Title, Text string }

var (
	textRefused = message{"Sign-in did not work",
		"The response of your identity provider was not accepted. Try to sign in again."}
	textRefusedHere = message{"Please wait",
		"The response of your identity provider was not accepted. If you are already signed in, you will be redirected."}
	textCancelled  = message{"Sign-in was cancelled", "Your identity provider did not sign you in. You can start again."}
	textNavigation = message{"Sign-in can't start this way",
		"Sign-in needs its own window or tab. Open this address in a new one."}
	textTooMany = message{"Too many sign-ins were started",
		"Too many sign-ins were started in this browser or from your network, and not finished. " +
			"Finish one of them, or try again in a minute."}
	textUnknownIdP = message{"Your identity provider is not known here",
		"This service has no identity provider of that name. Choose another one, or tell your administrator."}
	textDiscovery = message{"No identity provider was chosen",
		"The choice was cancelled, or made too late or in another browser. You can start again."}
	textUnavailable = message{"Sign-in is not available right now", "Please try again in a minute."}
	textNotStarted  = message{"Sign-in could not be started",
		"The service is not configured correctly. Please tell your administrator."}
	textSigningIn  = message{"Signing in", "You are being sent to your identity provider."}
	textSigningOut = message{"Signing out", "You are being sent to your identity provider."}
	textNoResponse = message{"This is not a sign-in response",
		"This address is for responses of an identity provider. You can start again by signing in."}
)

// answer is the HTTP response to a user who was not signed in.
type answer struct {
	status     int
	text       message
	retryAfter time.Duration // zero: none
}

const (
	retrySoon = 10 * time.Second
	retryFull = time.Minute
)

// answers are the answers by Reason. All other Reasons have the same answer, so that the refusal of a forged
// assertion tells an attacker nothing.
var answers = map[string]answer{
	string(ReasonMethod):                 {http.StatusMethodNotAllowed, textNoResponse, 0},
	string(ReasonContentType):            {http.StatusUnsupportedMediaType, textNoResponse, 0},
	string(ReasonTooLarge):               {http.StatusRequestEntityTooLarge, textNoResponse, 0},
	string(ReasonForm):                   {http.StatusBadRequest, textNoResponse, 0},
	string(ReasonHost):                   {http.StatusMisdirectedRequest, textNoResponse, 0},
	string(ReasonStore):                  {http.StatusServiceUnavailable, textUnavailable, retrySoon},
	string(ReasonBusy):                   {http.StatusServiceUnavailable, textUnavailable, retrySoon},
	string(ReasonSOAP):                   {http.StatusServiceUnavailable, textUnavailable, retrySoon},
	string(saml.ReasonMetadata):          {http.StatusServiceUnavailable, textUnavailable, retrySoon},
	string(saml.ReasonMetadataExpired):   {http.StatusServiceUnavailable, textUnavailable, retrySoon},
	string(saml.ReasonMetadataUnsigned):  {http.StatusServiceUnavailable, textUnavailable, retrySoon},
	string(saml.ReasonMetadataSignature): {http.StatusServiceUnavailable, textUnavailable, retrySoon},
	string(saml.ReasonMetadataDuplicate): {http.StatusServiceUnavailable, textUnavailable, retrySoon},
	string(saml.ReasonMetadataEntity):    {http.StatusForbidden, textUnknownIdP, 0},
	string(ReasonDiscovery):              {http.StatusForbidden, textDiscovery, 0},
	string(ReasonFindIdP):                {http.StatusServiceUnavailable, textUnavailable, retrySoon},
	string(ReasonCancelled):              {http.StatusForbidden, textCancelled, 0},
	string(ReasonNavigation):             {http.StatusForbidden, textNavigation, 0},
	string(ReasonTooMany):                {http.StatusTooManyRequests, textTooMany, retryFull},
}

//go:embed page.html
var pageHTML string

//go:embed page.css
var style string

const script = `document.forms[0].submit()`

var (
	pages        = template.Must(template.New("").Parse(pageHTML))
	styleSource  = source("style-src", style)
	scriptSource = source("script-src", script)
)

// source allows exactly one inline style or script, by its hash (CSP 3 2.3.1).
func source(directive, text string) string {
	sum := sha256.Sum256([]byte(text))
	return directive + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// page writes the error page. It contains none of the input.
func (c *Consumer) page(w http.ResponseWriter, r *http.Request, a answer, reference string) {
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(a.retryAfter/time.Second)))
	}
	c.render(w, r, c.newPage(a, reference))
}

// writePostForm sends the browser to the identity provider with a form (Bindings 3.5.4). A script submits it.
// Without JavaScript, the user clicks a button.
func (l PageLook) writePostForm(w http.ResponseWriter, form saml.PostForm, text message, ancestors ...string) {
	l = l.orDefault()
	// Chromium applies form-action to later redirects too, and identity providers redirect to one another. So the
	// policy has https: and no origin, except one of this machine. Others come from metadata, and can have a
	// semicolon, which begins another directive.
	to := "https:"
	if u, err := url.Parse(form.URL); err == nil && u.Scheme == "http" && saml.IsLoopback(u.Hostname()) {
		to = u.Scheme + "://" + u.Host + " " + to
	}
	writePage(w, http.StatusOK, "post", ancestors, l.sources()+"; "+scriptSource+"; form-action "+to, struct {
		PageLook
		message
		saml.PostForm
		Script template.JS
	}{l, text, form, script})
}

// writePage writes a page that no site may show in a frame but the origins in ancestors.
func writePage(w http.ResponseWriter, status int, name string, ancestors []string, sources string, data any) {
	h, framed := w.Header(), "'none'"
	if len(ancestors) > 0 {
		framed = strings.Join(ancestors, " ")
	} else {
		h.Set("X-Frame-Options", "DENY")
	}
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors "+framed+"; "+sources)
	h.Set("Content-Type", "text/html; charset=utf-8")
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil { // can't happen with these templates
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
