package acs

import "net/http"

// CheckNavigation returns an error with ReasonNavigation unless r can be a browser's navigation of a whole
// window, which is how a user comes to a sign-in. Login and StartLogin call it before they store anything;
// a handler that makes a record or a cookie for an unauthenticated client should too.
//
// It checks the Fetch Metadata headers (W3C Fetch Metadata Request Headers), which pages can't set: with a
// Sec-Fetch-Mode other than navigate r is a fetch or an image, with a Sec-Fetch-Dest other than document a
// frame or an object, and with Sec-Purpose a prefetch. A foreign page can make any number of these unseen.
// Sign-in in a frame is refused with them, because these pages can't be framed, browsers keep cookies from
// such frames, and identity providers refuse to be framed.
//
// A client that sends none of the headers passes; its address bounds it (see Config.ClientAddr).
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

// Initiator says what made a browser navigate here, by Fetch Metadata. Greater values are better evidence
// that the user wanted it.
type Initiator int

const (
	// InitiatorPage is a page of another origin, by itself; or unknown, because the browser sends no Fetch Metadata.
	InitiatorPage Initiator = iota
	// InitiatorClick is the user on a page of another origin, such as a link in a mailbox. Such a page
	// gets one navigation for each click.
	InitiatorClick
	// InitiatorUser is the user alone (the address bar, a bookmark, a restored window) or a page of this origin.
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
