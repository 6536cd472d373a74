package oidc

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page and its style
	"encoding/base64"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// text is what a page says. It has none of the request.
type text struct{ Title, Text string }

var (
	textRefused = text{"This request can't be answered",
		"The program's request is not valid here. It may be too old, for another Region, or changed on its way. " +
			"Close this window, and run the program's sign-in command again."}
	textOften = text{"Too many requests",
		"Too many requests came from your network. Wait a minute, then run the program's sign-in command again."}
	textUnavailable = text{"Sign-in is not available right now",
		"Wait a minute, then run the program's sign-in command again."}
)

// writePage shows a page in the portal's style, without external resources. This host has no session and no style
// sheet.
func writePage(w http.ResponseWriter, status int, reference string) {
	said := textRefused
	switch status {
	case http.StatusTooManyRequests:
		said = textOften
		w.Header().Set("Retry-After", "60")
	case http.StatusServiceUnavailable:
		said = textUnavailable
		w.Header().Set("Retry-After", "10")
	}
	var b bytes.Buffer
	page := template.Must(template.New("page").Parse(pageHTML))
	if err := page.Execute(&b, struct {
		text
		Reference string
		Style     template.CSS
	}{said, reference, template.CSS(pageCSS)}); err != nil {
		panic("oidc: " + err.Error()) // the embedded file is wrong
	}
	style := sha256.Sum256([]byte(pageCSS))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+
		base64.StdEncoding.EncodeToString(style[:])+"'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	noReferrer(w)
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // fails only if the browser is gone
}
