package oidc

import (
	"net/http"

	"github.com/meridian-saml/meridian/acs"
)

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

// writePage shows a page in the portal's theme. This host has no session and no files of the portal.
func (s *Server) writePage(w http.ResponseWriter, r *http.Request, status int, reference string) {
	said := textRefused
	switch status {
	case http.StatusTooManyRequests:
		said = textOften
		w.Header().Set("Retry-After", "60")
	case http.StatusServiceUnavailable:
		said = textUnavailable
		w.Header().Set("Retry-After", "10")
	}
	acs.SetPageHeaders(w.Header())
	noReferrer(w)
	s.cfg.Portal.RenderPage(w, r, acs.Page{
		Kind: acs.PageError, Status: status, Title: said.Title, Text: said.Text, Reference: reference,
	})
}
