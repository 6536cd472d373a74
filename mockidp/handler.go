package mockidp

import (
	"io"
	"io/fs"
	"net/http"
	"net/url"
)

// The paths are Okta's where Okta's are known.
const (
	pathSignIn    = "/login/login.htm"
	pathSignOut   = "/login/signout"
	pathContinue  = "/login/continue"
	pathDashboard = "/app/UserHome"
	pathAssets    = "/mockidp/assets/"
)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, pathDashboard, http.StatusSeeOther)
	})
	mux.HandleFunc("GET "+pathSignIn, s.handleSignInPage)
	mux.HandleFunc("POST "+pathSignIn, s.ownPagesOnly(s.handleSignIn))
	mux.HandleFunc("POST "+pathSignOut, s.ownPagesOnly(s.handleSignOut))
	mux.HandleFunc("GET "+pathContinue, s.handleContinue)
	mux.HandleFunc("GET "+pathDashboard, s.handleDashboard)
	mux.HandleFunc("GET /home/bookmark/{id}", s.handleBookmark)
	mux.HandleFunc("GET /app/{name}/{key}/sso/saml", s.handleSSO)
	mux.HandleFunc("POST /app/{name}/{key}/sso/saml", s.handleSSO)
	mux.HandleFunc("GET /app/{key}/sso/saml/metadata", s.handleMetadata)
	assets, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic("mockidp: " + err.Error()) // the folder is compiled in
	}
	mux.Handle("GET "+pathAssets, http.StripPrefix(pathAssets, http.FileServerFS(assets)))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, &Error{Reason: ReasonNoSuchApp, Detail: "there is no such page"})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy("'self'"))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// policy is the Content-Security-Policy of a page; forms says where its forms
// may lead, "" anywhere.
func policy(forms string) string {
	p := "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
	if forms != "" {
		p += "; form-action " + forms
	}
	return p
}

// ownPagesOnly keeps another site's page from signing a browser in or out.
func (s *Server) ownPagesOnly(h http.HandlerFunc) http.HandlerFunc {
	check := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if err := check.Check(r); err != nil {
			s.refuse(w, r, malformed(err, "another site's page sent this form"))
			return
		}
		h(w, r)
	}
}

// readForm reads a POSTed form of at most MaxRequest bytes.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *Error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxRequest))
	if len(body) >= MaxRequest {
		return nil, tooLarge("the form")
	}
	if err != nil {
		return nil, malformed(err, "the form was cut off")
	}
	v, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, malformed(err, "the form can't be read")
	}
	return v, nil
}

func (s *Server) handleSignInPage(w http.ResponseWriter, r *http.Request) {
	if _, user := s.sessionOf(r, s.state.Load()); user != nil {
		http.Redirect(w, r, pathDashboard, http.StatusSeeOther)
		return
	}
	s.signInPage(w, r, http.StatusOK, signIn{})
}

func (s *Server) handleSignIn(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	st, key := s.state.Load(), form.Get("pending")
	page := signIn{Login: form.Get("username"), Pending: key}
	if key != "" {
		p, err := s.pending.get(key, s.now())
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		page.App, _ = st.app(p.appID)
	}
	user := st.user(page.Login)
	// One sentence for both cases, as at Okta; it gives away no logins.
	if ok := (user != nil && user.hasPassword(form.Get("password"))); !ok {
		s.config.Logger.Info("mockidp: sign-in failed", "login", cut(page.Login))
		page.Failed = true
		s.signInPage(w, r, http.StatusUnauthorized, page)
		return
	}
	sess, err := s.newSession(user)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if old, _ := s.sessionOf(r, st); old != nil {
		s.sessions.drop(old.token)
	}
	s.sessions.put(sess, sess.at)
	s.setCookie(w, sess.token, 0)
	s.config.Logger.Info("mockidp: signed in", "login", user.Login)
	next := pathDashboard
	if key != "" {
		s.pending.signedIn(key, sess.token)
		next = pathContinue + "?pending=" + url.QueryEscape(key)
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (s *Server) handleSignOut(w http.ResponseWriter, r *http.Request) {
	if sess, _ := s.sessionOf(r, s.state.Load()); sess != nil {
		s.sessions.drop(sess.token)
	}
	s.setCookie(w, "", -1)
	http.Redirect(w, r, pathSignIn, http.StatusSeeOther)
}

func (s *Server) handleDashboard(w http.ResponseWriter, r *http.Request) {
	st := s.state.Load()
	_, user := s.sessionOf(r, st)
	if user == nil {
		http.Redirect(w, r, pathSignIn, http.StatusSeeOther)
		return
	}
	s.dashboardPage(w, r, st, user)
}

func (s *Server) handleMetadata(w http.ResponseWriter, r *http.Request) {
	app := s.state.Load().byKey(r.PathValue("key"))
	if app == nil {
		s.refuse(w, r, &Error{Reason: ReasonNoSuchApp, Detail: "no app has this metadata address"})
		return
	}
	doc, err := s.metadata(app)
	if err != nil {
		s.refuse(w, r, &Error{Reason: ReasonInternal, Detail: "writing the metadata", Err: err})
		return
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml; charset=utf-8")
	_, _ = w.Write(doc)
}
