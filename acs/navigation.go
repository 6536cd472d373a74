package acs

import "net/http"

// CheckNavigation returns an error with ReasonNavigation unless r can be a
// browser's navigation of a whole window, which is how a user comes to a
// sign-in. Login and StartLogin call it before they store anything; a handler
// that makes a record or a cookie of its own for an unauthenticated client
// should too.
//
// It goes by the Fetch Metadata headers (W3C Fetch Metadata Request Headers),
// which pages can't set: Sec-Fetch-Mode other than navigate is a fetch or an
// image, Sec-Fetch-Dest other than document is a frame or an object, and
// Sec-Purpose is a page loaded before the user asks for it. A foreign page can
// make any number of these without the user seeing one. Sign-in in a frame is
// refused with them, on purpose: the pages here can't be framed, browsers keep
// cookies from such frames, and identity providers refuse to be framed.
//
// A client that sends none of the headers, an old browser or a program, passes:
// it is bounded by its address (see Config.ClientAddr).
func CheckNavigation(r *http.Request) error {
	for _, rule := range [...]struct{ header, want string }{
		{"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}, {"Sec-Purpose", ""},
	} {
		for _, got := range r.Header.Values(rule.header) {
			if got != rule.want || rule.want == "" {
				return &Error{Reason: ReasonNavigation, Rule: rule.header + " (Fetch Metadata)", Detail: "not a navigation that the user sees", Want: rule.want, Got: got}
			}
		}
	}
	return nil
}

// Initiator says what made a browser navigate here, by Fetch Metadata. Greater
// values are better evidence that the user wanted it.
type Initiator int

const (
	// InitiatorPage is a page of another origin, by itself; or unknown, because
	// the browser sends no Fetch Metadata.
	InitiatorPage Initiator = iota
	// InitiatorClick is the user on a page of another origin: a link in a
	// mailbox, say. Such a page gets one navigation for each click.
	InitiatorClick
	// InitiatorUser is the user alone (the address bar, a bookmark, a restored
	// window) or a page of this origin.
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
