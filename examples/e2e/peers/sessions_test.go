package peers_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// sessionCookie holds the key of a session in d.sessions.
const sessionCookie = "__Host-session"

// signedIn is OnLogin: it begins a session.
func (d *deployment) signedIn(w http.ResponseWriter, r *http.Request, l *acs.Login) {
	a, now := l.Assertion, time.Now()
	key := l.Region + " " + a.ID()
	session := sessions.Session{
		ID: key, SignIn: key, UserID: a.NameID().Value, Region: l.Region,
		Created: now, Seen: now, Expires: now.Add(time.Hour),
		Proof: sessions.Proof{
			Subject: d.subject(a.Issuer(), a.NameID()), SessionIndexes: []string{a.SessionIndex()}, Issued: a.IssueInstant(),
		},
	}
	ended, err := d.sessions.LoggedOut(r.Context(), session)
	if err == nil && !ended {
		err = d.sessions.Create(r.Context(), key, session)
	}
	switch {
	case ended:
		http.Error(w, "logged out before", http.StatusForbidden)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: key, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logins = append(d.logins, l)
	fmt.Fprintf(w, "%s is signed in in %s\n", a.NameID().Value, l.Region)
}

func (d *deployment) subject(idp string, n saml.NameID) sessions.Subject {
	return sessions.Subject{Provider: idp, ServiceProvider: d.sp.EntityID(), NameID: sessions.NameID(n)}
}

// endSessions is EndSessions: it ends what a LogoutRequest names.
func (d *deployment) endSessions(ctx context.Context, l *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
	_, err := d.sessions.EndSubject(ctx, sessions.Logout{
		Subject: d.subject(l.IdP(), l.NameID()), SessionIndexes: l.SessionIndexes(),
		Issued: l.IssueInstant(), NotOnOrAfter: l.NotOnOrAfter(), Until: l.NotOnOrAfter().Add(2 * time.Hour),
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = append(d.ended, l.NameID().Value)
	return saml.LogoutSuccess, err
}

// signedOut is OnLoggedOut: it says what ended.
func signedOut(w http.ResponseWriter, _ *http.Request, l *acs.LoggedOut) {
	fmt.Fprintf(w, "signed out here, and at %s: %v", l.IdP, l.Success)
}

// serveSessions adds a page that shows the user, as that of an spHost, with a button for each binding.
func (d *deployment) serveSessions(mux *http.ServeMux, region *acs.Region) {
	current := func(r *http.Request) (sessions.Session, error) {
		cookie, err := r.Cookie(sessionCookie)
		if err != nil {
			return sessions.Session{}, err
		}
		return d.sessions.Get(r.Context(), cookie.Value)
	}
	mux.HandleFunc("GET /whoami", func(w http.ResponseWriter, r *http.Request) {
		s, err := current(r)
		if err != nil {
			fmt.Fprintln(w, "signed out")
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!DOCTYPE html><title>in</title><pre>\nuser=%s\n</pre>", html.EscapeString(s.UserID))
		for name, binding := range map[string]string{"redirect": saml.HTTPRedirect, "post": saml.HTTPPost} {
			fmt.Fprintf(w, `<form method="post" action="/sign-out"><button id="%s" name="binding" value="%s">Sign out</button>`+
				"</form>\n", name, binding)
		}
	})
	mux.HandleFunc("POST /sign-out", func(w http.ResponseWriter, r *http.Request) {
		s, err := current(r)
		if err != nil {
			http.Error(w, "signed out", http.StatusUnauthorized)
			return
		}
		if acs.CheckSignOut(r) == nil {
			_ = d.sessions.EndSignIn(r.Context(), s.UserID, s.SignIn, s.Expires)
		}
		region.StartLogout(w, r, acs.LogoutOptions{
			NameID: saml.NameID(s.Proof.Subject.NameID), SessionIndexes: s.Proof.SessionIndexes, Binding: r.FormValue("binding"),
		})
	})
}
