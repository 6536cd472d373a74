package mockidp

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"fmt"
	"hash/fnv"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
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
	out, layout := map[string]*template.Template{}, template.New("layout.html").Funcs(template.FuncMap{
		"fact": func(name, value string) Field { return Field{name, value} },
	})
	for _, name := range []string{"signin", "compose", "editor", "factor", "dashboard", "app", "post", "logout",
		"frames", "error"} {
		out[name] = template.Must(template.Must(layout.Clone()).ParseFS(embedded, "templates/layout.html",
			"templates/parts.html", "templates/"+name+".html"))
	}
	return out
}

type page struct {
	Title  string
	Org    string
	Root   string // the prefix of every path
	Assets string
	User   *User    // whose name the header shows, or nil
	Notes  []string // what every page warns of
	Body   any
	Script string // the file of the page's script, or ""

	spoil func([]byte) []byte // changes the page for a fault; may be nil
}

// The scripts of pages. scriptPage adds to pages that work without it; scriptSubmit submits the answer.
const (
	scriptPage   = "page.js"
	scriptSubmit = "submit.js"
)

// render writes a page, or a plain 500 if the template fails. It never writes a part of a page.
func (s *Server) render(w http.ResponseWriter, status int, name string, p page) {
	p.Org, p.Root, p.Assets, p.Notes = s.config.Org, s.prefix, s.prefix+pathAssets, s.Notices()
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

	idpDetails
	Key, Method, Encrypted string
	Filters                []string // the words for each Filter

	Defaults []Attribute // what an app without statements sends for the user
}

// idpDetails is what a service provider is configured with.
type idpDetails struct {
	Issuer, SignOn, Metadata, Certificate string // Certificate is in PEM
	Logout                                string // "" if the app has no single logout
	CertificateURL, Fingerprint           string // the SHA-256 of the certificate, in hexadecimal
	MetadataFile, CertificateFile         string // the names of downloads
}

func (s *Server) idpDetails(st *state, a *App) idpDetails {
	cert := st.keyFor(a).cert
	sum := sha256.Sum256(cert.Raw)
	logout := ""
	if a.LogoutURL != "" {
		logout = s.logoutURL(a)
	}
	return idpDetails{Logout: logout,
		Issuer: a.Issuer, SignOn: s.ssoURL(a), Metadata: s.metadataURL(a), Certificate: pemOf(cert),
		CertificateURL: s.prefix + certificatePath(a), MetadataFile: fileName(a, "metadata.xml"),
		CertificateFile: fileName(a, "cert.pem"),
		Fingerprint:     strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")}
}

func pemOf(cert *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

var unfileable = regexp.MustCompile(`[^A-Za-z0-9]+`)

// fileName is the name of a download: the app's label in letters, digits and dashes, and what it is.
func fileName(a *App, what string) string {
	label := strings.Trim(unfileable.ReplaceAllString(a.Label, "-"), "-")
	return cmp.Or(label[:min(len(label), 60)], "app") + "-" + what
}

func (s *Server) handleCertificate(w http.ResponseWriter, r *http.Request) *Error {
	st := s.state.Load()
	app, err := st.samlApp(r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Content-Disposition", `attachment; filename="`+fileName(app, "cert.pem")+`"`)
	_, _ = io.WriteString(w, pemOf(st.keyFor(app).cert))
	return nil
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
	s.render(w, http.StatusOK, "app", page{Title: app.Label, User: u, Script: scriptPage, Body: s.details(st, app, u)})
	return nil
}

func (s *Server) details(st *state, a *App, u *User) appDetails {
	d := appDetails{tile: s.tile(a), App: a, SAML: a.Kind == SAML, Entra: a.Profile == Entra,
		DefaultURL: a.DefaultACS().URL}
	if !d.SAML {
		return d
	}
	signer, err := st.signer(a)
	d.idpDetails, d.Key, d.Method = s.idpDetails(st, a), signer.key.id, string(signer.method)
	if err != nil {
		d.Method = err.Detail
	}
	if a.sendsDefaults() {
		d.Defaults = a.DefaultAttributes(*u)
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
	switch err.Reason {
	case ReasonRequestNotFound:
		title = "This sign-in has expired"
	case ReasonLogoutNotFound:
		title = "This sign-out has expired"
	}
	st := s.state.Load()
	_, user := s.sessionOf(r, st)
	s.render(w, err.status(), "error", page{Title: title, User: user, Body: struct {
		Status                         int
		Reason                         Reason
		Detail, Want, Got, Cause       string
		Compared, SignedIn, Assignment bool
		Back                           *backLink
		Register                       *registration
	}{err.status(), err.Reason, sentence(err.Detail), cut(err.Want), cut(err.Got), err.cause(),
		err.Want != "" || err.Got != "", user != nil, err.Reason == ReasonNotAssigned, backTo(st, err.app), err.offer}})
}

// backLink leads to an app's service provider.
type backLink struct{ URL, Label string }

// backTo returns a link to the origin of an app's default ACS: where its users start is not known to the Server. It is
// nil if there is no such app.
func backTo(st *state, appID string) *backLink {
	a, err := st.samlApp(appID)
	if err != nil || appID == "" {
		return nil
	}
	u, perr := url.Parse(a.DefaultACS().URL)
	if perr != nil || u.Host == "" {
		return nil
	}
	return &backLink{(&url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}).String(), a.Label}
}

func sentence(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:] + "."
}
