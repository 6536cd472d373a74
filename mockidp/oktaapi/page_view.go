package oktaapi

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// shownApp and shownUser are what the tables show.
type (
	shownApp  struct{ *mockidp.App }
	shownUser struct{ mockidp.User }
)

// shownAttack is one that is switched on.
type shownAttack struct {
	mockidp.StandingMutation
	Of string // whose answers it strikes, in words
}

func (v view) shownAttack(m mockidp.StandingMutation) shownAttack {
	of := "for everybody"
	if m.User != "" {
		of = "for " + m.User
	}
	if m.App != "" {
		of += ", at " + v.label(m.App)
	}
	return shownAttack{m, of}
}

// KindWord says what sort of app it is.
func (a shownApp) KindWord() string {
	switch {
	case a.Kind == mockidp.Bookmark:
		return "Bookmark"
	case a.IdentityCenter != nil:
		return "AWS IAM Identity Center"
	case a.Profile == mockidp.Entra:
		return "SAML 2.0, like Entra ID"
	}
	return "SAML 2.0"
}

// StatusWord is Okta's word for the status.
func (u shownUser) StatusWord() string {
	return strings.ReplaceAll(strings.ToLower(statusWords[u.Status]), "_", " ")
}

// queueable are the second-level codes that the page offers.
var queueable = []string{mockidp.StatusAuthnFailed, mockidp.StatusRequestDenied, mockidp.StatusNoAuthnContext, mockidp.StatusNoPassive, mockidp.StatusInvalidNameIDPolicy, mockidp.StatusRequestUnsupported, mockidp.StatusUnknownPrincipal}

func shortStatus(st mockidp.Status) string {
	last := func(s string) string { return s[strings.LastIndex(s, ":")+1:] }
	if st.SubCode == "" {
		return last(cmp.Or(st.Code, mockidp.StatusResponder))
	}
	return last(st.SubCode)
}

// messageRow is a line of the table of messages.
type messageRow struct {
	ID                     int64
	Time                   time.Time
	What, App, User, Where string
	Outcome                string
	Bad                    bool
}

func (v view) label(appID string) string {
	if a, ok := v.App(appID); ok {
		return a.Label
	}
	return appID
}

func (v view) messageRow(m mockidp.Message) messageRow {
	r := messageRow{ID: m.ID, Time: m.Time.UTC(), What: "Request", App: v.label(m.App), User: m.User, Where: m.ACS}
	switch {
	case m.Refused != nil:
		r.Outcome, r.Bad = "refused: "+string(m.Refused.Reason), true
	case m.Direction == mockidp.Received:
		r.Outcome = "taken"
	default:
		r.What, r.Outcome = "Response", "sent"
	}
	if m.Status != nil {
		r.Outcome = "sent: " + shortStatus(*m.Status)
	}
	if a := m.Answer; a != nil {
		r.Outcome, r.Bad = "ACS answered "+strconv.Itoa(a.Status)+" "+http.StatusText(a.Status), a.Status == 0 || a.Status >= 400
		if a.Status == 0 {
			r.Outcome = "ACS didn't answer"
		}
	}
	if m.Attack != "" {
		r.What += ", attack " + m.Attack
	}
	return r
}

// messageView is the body of the page about a message.
type messageView struct {
	Row     messageRow
	Message mockidp.Message
	Lines   []line
	Pretty  string
	Body    string // of the ACS's answer
	Odd     []fact // the form, where an attack made it another than usual
}

type fact struct{ Name, Value string }

// odd is a form in words, unless it is as usual.
func odd(m mockidp.Message) []fact {
	f := m.Form
	if m.Direction != mockidp.Sent || f.URL == m.ACS && f.Fields == nil && f.Method == mockidp.POST && f.Encoding == mockidp.URLEncoded {
		return nil
	}
	out := []fact{{"The form leads to", cut(f.URL)}, {"By", strings.TrimSpace(strings.ToUpper(cmp.Or(string(f.Method), "post")) + " " + string(f.Encoding))}}
	for _, x := range f.Inputs() {
		out = append(out, fact{"Its field " + x.Name, cut(x.Value)})
	}
	return out
}

func (s *API) messagePage(w http.ResponseWriter, r *http.Request) {
	m, ok := s.message(r.PathValue("id"))
	if !ok {
		s.says(w, http.StatusNotFound, "There is no such message, or it was forgotten.")
		return
	}
	v := messageView{Row: s.view().messageRow(m), Message: m, Lines: explain(m.XML), Pretty: pretty(m.XML), Odd: odd(m)}
	if m.Answer != nil {
		v.Body = cut(string(m.Answer.Body))
	}
	s.render(w, http.StatusOK, "message", page{Title: "Message " + strconv.FormatInt(m.ID, 10), Admin: true, Body: v})
}
