package acs

import "net/http"

// CheckNavigation returns an error with ReasonNavigation unless r can be a browser's navigation of a whole window.
// A user begins a sign-in by such a navigation. Login and StartLogin call CheckNavigation before they store
// anything. Other handlers that create a record or a cookie for an unauthenticated client should call it too.
//
// It checks the Fetch Metadata headers (W3C Fetch Metadata Request Headers), which pages can't set. If
// Sec-Fetch-Mode is not navigate, r is a fetch or an image. If Sec-Fetch-Dest is not document, r is for a frame or
// an object. If Sec-Purpose is set, r is a prefetch. Another site's page can send any number of these without the
// user's knowledge. Sign-in in a frame would not work anyway: these pages and those of identity providers refuse
// to be framed, and browsers withhold cookies from frames of another site.
//
// A request without these headers is accepted. The limits of its client address apply (see Config.ClientAddr).
func CheckNavigation(r *http.Request) error {
	for _, rule := range [...]struct{ header, want string }{
		{"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}, {"Sec-Purpose", ""},
	} {
		for _, got := range r.Header.Values(rule.header) {
			if got != rule.want || rule.want == "" {
				return newError(ReasonNavigation, rule.header+" (Fetch Metadata)", "not a navigation of a window").
					compared(rule.want, got)
			}
		}
	}
	return nil
}

// Initiator is what caused a navigation, according to Fetch Metadata. Greater values are stronger evidence that
// the user wanted it.
type Initiator int

const (
	// InitiatorPage is a page of another origin, without a user's action. It is also the value for browsers
	// without Fetch Metadata.
	InitiatorPage Initiator = iota
	// InitiatorClick is a user's action on a page of another origin, such as a click on a link in a webmail page.
	// Each click allows one navigation.
	InitiatorClick
	// InitiatorUser is the user (the address bar, a bookmark, a restored window), or a page of this origin.
	InitiatorUser
)

// InitiatorOf returns the initiator of a navigation. Redirects don't change it.
func InitiatorOf(r *http.Request) Initiator {
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case site == "none", site == "same-origin":
		return InitiatorUser
	case r.Header.Get("Sec-Fetch-User") == "?1":
		return InitiatorClick
	}
	return InitiatorPage
}
