package mockidp

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// adminView is the body of the overview.
type adminView struct {
	Now, Offset, SignIn string
	Statuses            []string
	Kinds               []FaultKind
	Attacks             []string

	QueuedUsers, QueuedErrors, QueuedAttacks []string

	Standing []adminAttack

	Faults    []faultBody
	Apps      []adminApp
	Users     []adminUser
	UserCount int
	Groups    []Group
	Keys      []adminKey
	Messages  []messageRow
}

// adminApp and adminUser are what the tables show.
type (
	adminApp  struct{ *App }
	adminUser struct{ *User }
)

// adminAttack is one that is switched on.
type adminAttack struct {
	StandingMutation
	Of string // whose answers it strikes, in words
}

func (st *state) adminAttack(m StandingMutation) adminAttack {
	of := "for everybody"
	if m.User != "" {
		of = "for " + m.User
	}
	if m.App != "" {
		of += ", at " + st.label(m.App)
	}
	return adminAttack{m, of}
}

// KindWord says what sort of app it is.
func (a adminApp) KindWord() string {
	switch {
	case a.Kind == Bookmark:
		return "Bookmark"
	case a.IdentityCenter != nil:
		return "AWS IAM Identity Center"
	case a.Profile == Entra:
		return "SAML 2.0, like Entra ID"
	}
	return "SAML 2.0"
}

// StatusWord is Okta's word for the status.
func (u adminUser) StatusWord() string {
	return strings.ReplaceAll(strings.ToLower(statusWords[u.Status]), "_", " ")
}

// queueable are the second-level codes that the page offers.
var queueable = []string{StatusAuthnFailed, StatusRequestDenied, StatusNoAuthnContext, StatusNoPassive, StatusInvalidNameIDPolicy, StatusRequestUnsupported, StatusUnknownPrincipal}

func shortStatus(st Status) string {
	last := func(s string) string { return s[strings.LastIndex(s, ":")+1:] }
	if st.SubCode == "" {
		return last(or(st.Code, StatusResponder))
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

func (st *state) label(appID string) string {
	if a, err := st.app(appID); err == nil {
		return a.Label
	}
	return appID
}

func (st *state) messageRow(m Message) messageRow {
	r := messageRow{ID: m.ID, Time: m.Time.UTC(), What: "Request", App: st.label(m.App), User: m.User, Where: m.ACS}
	switch {
	case m.Refused != nil:
		r.Outcome, r.Bad = "refused: "+string(m.Refused.Reason), true
	case m.Direction == Received:
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
	Message Message
	Lines   []line
	Pretty  string
	Body    string  // of the ACS's answer
	Odd     []Field // the form, where an attack made it another than usual
}

// odd is a form in words, unless it is as usual.
func (m Message) odd() []Field {
	f := m.Form
	if m.Direction != Sent || f.usual(m.ACS) {
		return nil
	}
	out := []Field{{"The form leads to", cut(f.URL)}, {"By", strings.TrimSpace(strings.ToUpper(or(string(f.Method), "post")) + " " + string(f.Encoding))}}
	for _, x := range f.Inputs() {
		out = append(out, Field{"Its field " + x.Name, cut(x.Value)})
	}
	return out
}

func (s *Server) adminMessage(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	m, ok := s.message(id)
	if err != nil || !ok {
		s.adminSays(w, http.StatusNotFound, "There is no such message, or it was forgotten.")
		return
	}
	v := messageView{Row: s.state.Load().messageRow(m), Message: m, Lines: explain(m.XML), Pretty: pretty(m.XML), Odd: m.odd()}
	if m.Answer != nil {
		v.Body = cut(string(m.Answer.Body))
	}
	s.renderAdmin(w, http.StatusOK, "adminmessage", adminPage{Title: "Message " + strconv.FormatInt(id, 10), Admin: true, Body: v})
}
