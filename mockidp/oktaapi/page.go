package oktaapi

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
)

const pathAssets = "/assets/"

//go:embed templates assets
var embedded embed.FS

// parsePages makes one template set a page, from files that are compiled in.
func parsePages() map[string]*template.Template {
	out := map[string]*template.Template{}
	for _, name := range []string{"login", "overview", "message", "error"} {
		out[name] = template.Must(template.New(name).Option("missingkey=error").ParseFS(embedded, "templates/layout.html", "templates/"+name+".html"))
	}
	return out
}

// pageRoutes are the page for people. They show the token once, and get a
// cookie for it that no other site's page can use.
func (s *API) pageRoutes(mux *http.ServeMux) {
	mux.Handle("GET "+pathAssets, http.StripPrefix(pathAssets, http.FileServerFS(mockidp.Assets())))
	mux.Handle("GET "+pathAssets+"admin.css", http.FileServerFS(embedded))
	mux.HandleFunc("POST /login", s.sameOrigin(s.login))
	mux.HandleFunc("GET /{$}", s.signedIn(s.overview))
	mux.HandleFunc("GET /messages/{id}", s.signedIn(s.messagePage))
	mux.HandleFunc("POST /actions/{action}", s.sameOrigin(s.signedIn(s.action)))
	mux.HandleFunc("POST /logout", s.sameOrigin(func(w http.ResponseWriter, r *http.Request) {
		s.setCookie(w, r, "", -1)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.says(w, http.StatusNotFound, "There is no such page.")
	})
}

func (s *API) sameOrigin(h http.HandlerFunc) http.HandlerFunc {
	check := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if check.Check(r) != nil {
			s.says(w, http.StatusForbidden, "Another site's page sent this form.")
			return
		}
		h(w, r)
	}
}

// cookie is made from the token: it ends with it, and doesn't tell it.
// The name differs between servers, since cookies ignore ports.
func (s *API) cookie() (name, value string) {
	sum := sha256.Sum256([]byte("mockidp control page\x00" + s.token))
	return "mockidp_control_" + hex.EncodeToString(sum[:4]), hex.EncodeToString(sum[4:])
}

func (s *API) setCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	name, _ := s.cookie()
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
}

func (s *API) signedIn(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, value := s.cookie()
		if c, err := r.Cookie(name); err != nil || !same(value, c.Value) {
			s.loginPage(w, http.StatusUnauthorized, false)
			return
		}
		h(w, r)
	}
}

func (s *API) login(w http.ResponseWriter, r *http.Request) {
	v, err := readForm(w, r)
	if err != nil || !same(s.token, v.Get("token")) {
		s.loginPage(w, http.StatusUnauthorized, true)
		return
	}
	_, value := s.cookie()
	s.setCookie(w, r, value, 0)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *API) loginPage(w http.ResponseWriter, status int, failed bool) {
	s.render(w, status, "login", page{Title: "Control page", Body: failed})
}

func (s *API) says(w http.ResponseWriter, status int, text string) {
	s.render(w, status, "error", page{Title: "That didn't work", Body: text})
}

// page is what every template of the control page sees.
type page struct {
	Title, Org, Assets string
	Admin              bool // signed in: the header has its links
	Body               any
}

func (s *API) render(w http.ResponseWriter, status int, name string, p page) {
	p.Org, p.Assets = s.idp.Org(), pathAssets
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		s.logger.Error("oktaapi: a page failed", "page", name, "error", err)
		http.Error(w, "oktaapi: a page failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// maxShownUsers bounds the table of users; the API has them all.
const maxShownUsers = 100

func (s *API) overview(w http.ResponseWriter, _ *http.Request) {
	v := s.view()
	q, users, offset := s.idp.Queued(), v.Users(), ""
	if d := s.idp.ClockOffset(); d != 0 {
		offset = d.String()
	}
	messages := shown(s.idp.Messages(), v.messageRow)
	slices.Reverse(messages) // the newest first
	s.render(w, http.StatusOK, "overview", page{Title: "Control page", Admin: true, Body: map[string]any{
		"Now": s.idp.Now().UTC().Format("2006-01-02 15:04:05 UTC"), "Offset": offset, "SignIn": s.idp.SignInURL(),
		"Statuses": queueable, "Kinds": mockidp.FaultKinds(), "Attacks": s.idp.MutationIDs(), "Standing": shown(s.idp.StandingMutations(), v.shownAttack),
		"QueuedUsers": q.Users, "QueuedAttacks": q.Mutations,
		"QueuedErrors": shown(q.Errors, func(e mockidp.QueuedError) string { return v.label(e.App) + ": " + shortStatus(e.Status) }),
		"Faults":       faultsJSON(s.idp.Faults()),
		"Apps":         shown(v.Apps(), func(a mockidp.App) shownApp { return shownApp{&a} }),
		"Users":        shown(users[:min(maxShownUsers, len(users))], func(u mockidp.User) shownUser { return shownUser{u} }),
		"UserCount":    len(users), "Groups": v.allGroups(), "Keys": v.shownKeys(), "Messages": messages,
	}})
}

// readForm reads a POSTed form of at most maxForm bytes.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	return r.PostForm, err
}

const maxForm = 64 << 10
