package mockidp

import (
	"bytes"
	"embed"
	"hash/fnv"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed templates assets
var embedded embed.FS

// Assets returns the style sheet, the icon and the script of the Server's pages, for other pages in the same style.
func Assets() fs.FS {
	assets, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic("mockidp: " + err.Error()) // the folder is compiled in
	}
	return assets
}

func parsePages() map[string]*template.Template {
	out := map[string]*template.Template{}
	for _, name := range []string{"signin", "factor", "dashboard", "app", "post", "error"} {
		out[name] = template.Must(template.ParseFS(embedded, "templates/layout.html", "templates/"+name+".html"))
	}
	return out
}

type page struct {
	Title  string
	Org    string
	Root   string // the prefix of every path
	Assets string
	User   *User // whose name the header shows, or nil
	Body   any
	Script bool // load the script that submits the form

	spoil func([]byte) []byte // changes the page for a fault; may be nil
}

// render writes a page, or a plain 500 if the template fails. It never writes a part of a page.
func (s *Server) render(w http.ResponseWriter, status int, name string, p page) {
	p.Org, p.Root, p.Assets = s.config.Org, s.prefix, s.prefix+pathAssets
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		s.config.Logger.Error("mockidp: rendering a page failed", "page", name, "error", err)
		http.Error(w, "mockidp: rendering the page failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	out := b.Bytes()
	if p.spoil != nil {
		out = p.spoil(out)
	}
	w.WriteHeader(status)
	_, _ = w.Write(out)
}

type tile struct {
	Words                       []word
	Link, About, Initials, Note string
	Label                       string
	Colour                      int
}

// word is a part of a label. A short one is kept on one line, such as "us-east-1".
type word struct {
	Text  string
	Whole bool
}

func words(label string) []word {
	var out []word
	for _, w := range strings.Fields(label) {
		if last := len(out) - 1; last >= 0 && (w == "–" || w == "—" || w == "-") {
			out[last].Text += "\u00a0" + w // no line begins with a dash
			continue
		}
		out = append(out, word{w, utf8.RuneCountInString(w) <= 16})
	}
	return out
}

// initials returns the first letters of the first two words.
func initials(label string) string {
	var out []rune
	separates := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for part := range strings.FieldsFuncSeq(label, separates) {
		if len(out) < 2 {
			out = append(out, unicode.ToUpper([]rune(part)[0]))
		}
	}
	return string(out)
}

func (s *Server) tile(a *App) tile {
	h := fnv.New32a()
	_, _ = h.Write([]byte(a.Label))
	t := tile{Words: words(a.Label), Label: a.Label, Initials: initials(a.Label), Colour: int(h.Sum32() % 6),
		About: s.prefix + appPath(a), Link: s.prefix + s.tilePath(a), Note: "SAML 2.0"}
	if a.Kind == Bookmark {
		t.Note = "Bookmark"
	}
	return t
}

// handleDashboard shows the tiles whose label contains the search text.
func (s *Server) handleDashboard(w http.ResponseWriter, r *http.Request, st *state, u *User) *Error {
	search := strings.TrimSpace(cut(r.URL.Query().Get("q")))
	var tiles []tile
	assigned := 0
	for _, a := range st.apps {
		if !a.openTo(u) {
			continue
		}
		assigned++
		if strings.Contains(strings.ToLower(a.Label), strings.ToLower(search)) {
			tiles = append(tiles, s.tile(a))
		}
	}
	s.render(w, http.StatusOK, "dashboard", page{Title: "My Apps", User: u, Body: struct {
		Tiles    []tile
		Login    string
		Search   string
		Assigned int
	}{tiles, u.Login, search, assigned}})
	return nil
}

type appDetails struct {
	tile
	App         *App
	SAML, Entra bool
	DefaultURL  string

	Metadata, SignOn, Key, Method, Encrypted string
	Filters                                  []string // the words for each Filter
}

// handleApp shows an app's settings to every user who has its tile: there are no administrators.
func (s *Server) handleApp(w http.ResponseWriter, r *http.Request, st *state, u *User) *Error {
	app, err := st.app(r.PathValue("id"))
	if err == nil && !app.openTo(u) {
		err = notAssigned(app, u)
	}
	if err != nil {
		return err
	}
	s.render(w, http.StatusOK, "app", page{Title: app.Label, User: u, Body: s.details(st, app)})
	return nil
}

func (s *Server) details(st *state, a *App) appDetails {
	d := appDetails{tile: s.tile(a), App: a, SAML: a.Kind == SAML, Entra: a.Profile == Entra,
		DefaultURL: a.DefaultACS().URL}
	if !d.SAML {
		return d
	}
	signer, err := st.signer(a)
	d.Metadata, d.SignOn, d.Key, d.Method = s.metadataURL(a), s.ssoURL(a), signer.key.id, string(signer.method)
	if err != nil {
		d.Method = err.Detail
	}
	if a.Encrypt != nil {
		d.Encrypted = strings.TrimPrefix(strings.TrimPrefix(string(a.Encrypt.Method), nsXEnc), nsXEnc11)
	}
	d.Filters = []string{AllGroups: "all groups", StartsWith: "groups that start with ", Equals: "groups equal to ",
		Contains: "groups that contain ", Regex: "groups that match "}
	return d
}

// refuse shows a page with the details of an error, which the developer of the service provider needs.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err *Error) {
	s.config.Logger.Warn("mockidp: refused", "reason", err.Reason, "path", cut(r.URL.Path), "error", err.Error())
	title := "This request can't be answered"
	switch err.status() {
	case http.StatusForbidden:
		title = "You don't have access to this app"
	case http.StatusNotFound:
		title = "Not found"
	}
	_, user := s.sessionOf(r, s.state.Load())
	s.render(w, err.status(), "error", page{Title: title, User: user, Body: struct {
		Status                         int
		Reason                         Reason
		Detail, Want, Got, Cause       string
		Compared, SignedIn, Assignment bool
	}{err.status(), err.Reason, sentence(err.Detail), cut(err.Want), cut(err.Got), err.cause(),
		err.Want != "" || err.Got != "", user != nil, err.Reason == ReasonNotAssigned}})
}

func sentence(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:] + "."
}
