package middleware

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// keptForm is a form that a user posted after the session had ended. It is in the Region's store under the key of that
// session, whose secret only this browser has. So there is at most one for each session that has been.
type keptForm struct {
	UserID string          `json:"user_id"`
	Path   string          `json:"path"`
	Fields []acs.PageField `json:"fields"`
	Until  time.Time       `json:"until"`
}

const (
	maxForm       = 32 << 10 // bytes
	maxFormFields = 1000
	formType      = "application/x-www-form-urlencoded"
	formLifetime  = 15 * time.Minute
)

// keepForm keeps the form of a request without a session, and reports whether it did. Without a session, every site
// could post a form to be sent in the user's name later. So the browser must say that its own page posted it, and show
// the cookie of a session that has ended.
func (g *Guard) keepForm(r *http.Request) bool {
	if !g.cfg.KeepForms || r.Method != http.MethodPost || !acceptsHTML(r) || !g.fromThisOrigin(r) ||
		acs.CheckNavigation(r) != nil {
		return false
	}
	key, s, err := g.kept(r)
	if err != nil || !s.Over(g.now(), g.cfg.IdleTimeout) {
		return false
	}
	fields, ok := readForm(r)
	path := acs.LocalPath(targetOf(r))
	if !ok || path == "" {
		return false
	}
	form := keptForm{UserID: s.UserID, Path: path, Fields: fields, Until: g.now().Add(formLifetime)}
	b, err := json.Marshal(form)
	if err != nil || len(b) > 2*maxForm { // it fits into a record
		return false
	}
	if _, err = g.cfg.Store.Take(r.Context(), g.formKey(key)); err == nil || errors.Is(err, acs.ErrNotFound) {
		err = g.cfg.Store.Add(r.Context(), g.formKey(key), b, form.Until)
	}
	if err != nil {
		g.cfg.Logger.ErrorContext(r.Context(), "middleware: form not kept", "cause", err)
	}
	return err == nil
}

func (g *Guard) formKey(session string) string { return "middleware." + g.hashed("form", session) }

// fromThisOrigin reports whether the browser says that a page of this origin made the request. Unlike
// http.CrossOriginProtection, it doesn't accept a request that says nothing, nor a page at http of an https host: this
// origin is that of an ACS URL.
func (g *Guard) fromThisOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := r.Header.Get("Origin")
	return slices.ContainsFunc(g.cfg.SP.ACS(), func(e saml.Endpoint) bool {
		u, err := url.Parse(e.URL)
		return err == nil && strings.EqualFold(u.Host, r.Host) && strings.EqualFold(origin, u.Scheme+"://"+u.Host)
	})
}

// readForm returns the fields of a request's form, in their order. ok is false if it is too large or no such form.
func readForm(r *http.Request) (fields []acs.PageField, ok bool) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != formType {
		return nil, false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil || len(body) > maxForm {
		return nil, false
	}
	for pair := range strings.SplitSeq(string(body), "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if errors.Join(err1, err2) != nil || !utf8.ValidString(name+value) || len(fields) == maxFormFields {
			return nil, false
		}
		fields = append(fields, acs.PageField{Name: name, Value: value})
	}
	return fields, true
}

// takeForm returns the form that was kept for the session whose cookie the browser sent, once, if a user is the one who
// posted it.
func (g *Guard) takeForm(r *http.Request, userID string) *keptForm {
	c, err := r.Cookie(g.cfg.CookieName)
	if !g.cfg.KeepForms || err != nil || !isSecret(c.Value) {
		return nil
	}
	b, err := g.cfg.Store.Take(r.Context(), g.formKey(g.hashed("session", c.Value)))
	form := new(keptForm)
	if err != nil || json.Unmarshal(b, form) != nil || form.UserID != userID || !g.now().Before(form.Until) {
		return nil
	}
	return form
}

// offer asks the user to send a form again. The user may have forgotten it.
func (g *Guard) offer(w http.ResponseWriter, r *http.Request, form *keptForm) {
	g.cfg.WritePage(w, r, acs.Page{
		Kind: acs.PageQuestion, Status: http.StatusOK, Title: "Send your form again?",
		Text: "You were signed out before you sent a form, so it has not arrived. You are signed in again.",
		Link: g.cfg.Paths.Home, LinkText: "Don't send it",
		Form: &acs.PageForm{
			Action: form.Path, Fields: form.Fields, Buttons: []acs.PageButton{{Text: "Send it"}},
			Targets: []string{"https:"}, // the answer to a form can redirect to any site
		},
	})
}
