package mockidp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
)

const adminAssets = "/assets/"

// adminRoutes are the page for people. They show the token once, and get a
// cookie for it that no other site's page can use.
func (s *Server) adminRoutes(mux *http.ServeMux) {
	assets, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic("mockidp: " + err.Error()) // the folder is compiled in
	}
	mux.Handle("GET "+adminAssets, http.StripPrefix(adminAssets, http.FileServerFS(assets)))
	mux.HandleFunc("POST /login", s.sameOrigin(s.adminLogin))
	mux.HandleFunc("GET /{$}", s.adminsOnly(s.adminOverview))
	mux.HandleFunc("GET /messages/{id}", s.adminsOnly(s.adminMessage))
	mux.HandleFunc("POST /actions/{action}", s.sameOrigin(s.adminsOnly(s.adminAction)))
	mux.HandleFunc("POST /logout", s.sameOrigin(func(w http.ResponseWriter, r *http.Request) {
		s.setAdminCookie(w, r, "", -1)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.adminSays(w, http.StatusNotFound, "There is no such page.")
	})
}

func (s *Server) sameOrigin(h http.HandlerFunc) http.HandlerFunc {
	check := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if check.Check(r) != nil {
			s.adminSays(w, http.StatusForbidden, "Another site's page sent this form.")
			return
		}
		h(w, r)
	}
}

// adminCookie is made from the token: it ends with it, and doesn't tell it.
// The name differs between servers, since cookies ignore ports.
func (s *Server) adminCookie() (name, value string) {
	sum := sha256.Sum256([]byte("mockidp control page\x00" + s.ControlToken()))
	return "mockidp_control_" + hex.EncodeToString(sum[:4]), hex.EncodeToString(sum[4:])
}

func (s *Server) setAdminCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	name, _ := s.adminCookie()
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
}

func (s *Server) adminsOnly(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, value := s.adminCookie()
		if c, err := r.Cookie(name); err != nil || !same(value, c.Value) {
			s.adminLoginPage(w, http.StatusUnauthorized, false)
			return
		}
		h(w, r)
	}
}

func (s *Server) adminLogin(w http.ResponseWriter, r *http.Request) {
	v, err := readForm(w, r)
	if err != nil || !same(s.ControlToken(), v.Get("token")) {
		s.adminLoginPage(w, http.StatusUnauthorized, true)
		return
	}
	_, value := s.adminCookie()
	s.setAdminCookie(w, r, value, 0)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Server) adminLoginPage(w http.ResponseWriter, status int, failed bool) {
	s.renderAdmin(w, status, "adminlogin", adminPage{Title: "Control page", Body: failed})
}

func (s *Server) adminSays(w http.ResponseWriter, status int, text string) {
	s.renderAdmin(w, status, "adminerror", adminPage{Title: "That didn't work", Body: text})
}

// adminPage is what every template of the control page sees.
type adminPage struct {
	Title, Org, Assets string
	Admin              bool // signed in: the header has its links
	Body               any
}

func (s *Server) renderAdmin(w http.ResponseWriter, status int, name string, p adminPage) {
	p.Org, p.Assets = s.config.Org, adminAssets
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "adminlayout.html", p); err != nil {
		s.config.Logger.Error("mockidp: a page failed", "page", name, "error", err)
		http.Error(w, "mockidp: a page failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// shownUsers bounds the table of users; the API has them all.
const shownUsers = 100

func (s *Server) adminOverview(w http.ResponseWriter, _ *http.Request) {
	st := s.state.Load()
	q := s.Queued()
	body := adminView{
		Now: s.now().UTC().Format("2006-01-02 15:04:05 UTC"), SignIn: s.SignInURL(), Statuses: queueable, Kinds: faultKinds,
		Attacks: s.config.Mutations, QueuedUsers: q.Users, QueuedAttacks: q.Mutations, Groups: st.allGroups(), Keys: st.adminKeys(),
		UserCount: len(st.users), Faults: faultsJSON(s.Faults()),
	}
	for _, a := range st.apps {
		body.Apps = append(body.Apps, adminApp{a})
	}
	for _, m := range s.StandingMutations() {
		body.Standing = append(body.Standing, st.adminAttack(m))
	}
	for _, u := range st.sortedUsers()[:min(shownUsers, len(st.users))] {
		body.Users = append(body.Users, adminUser{u})
	}
	if d := s.ClockOffset(); d != 0 {
		body.Offset = d.String()
	}
	for _, e := range q.Errors {
		body.QueuedErrors = append(body.QueuedErrors, st.label(e.App)+": "+shortStatus(e.Status))
	}
	list := s.Messages()
	for i := len(list) - 1; i >= 0; i-- { // the newest first
		body.Messages = append(body.Messages, st.messageRow(list[i]))
	}
	s.renderAdmin(w, http.StatusOK, "admin", adminPage{Title: "Control page", Admin: true, Body: body})
}
