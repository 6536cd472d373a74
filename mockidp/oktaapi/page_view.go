package oktaapi

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// maxShownUsers is the number of users that the page lists. The API lists all.
const maxShownUsers = 100

// queueable lists the second-level status codes that the page offers.
var queueable = []string{
	mockidp.StatusAuthnFailed, mockidp.StatusRequestDenied, mockidp.StatusNoAuthnContext, mockidp.StatusNoPassive,
	mockidp.StatusInvalidNameIDPolicy, mockidp.StatusRequestUnsupported, mockidp.StatusUnknownPrincipal,
}

func (s *API) overview(w http.ResponseWriter, _ *http.Request) {
	v := s.view()
	q, users, offset := s.idp.Queued(), v.Users(), ""
	groups := v.allGroups()
	slices.SortFunc(groups, func(a, b mockidp.Group) int { return strings.Compare(a.Name, b.Name) })
	if d := s.idp.ClockOffset(); d != 0 {
		offset = d.String()
	}
	messages := shown(s.idp.Messages(), v.messageRow)
	slices.Reverse(messages) // newest first
	s.render(w, http.StatusOK, "overview", page{Title: "Control page", Admin: true, Body: map[string]any{
		"Now": s.idp.Now().UTC().Format("2006-01-02 15:04:05 UTC"), "Offset": offset, "SignIn": s.idp.SignInURL(),
		"Statuses": queueable, "Kinds": mockidp.FaultKinds(), "Attacks": s.idp.MutationIDs(),
		"Standing": shown(s.idp.StandingMutations(), v.shownAttack), "QueuedUsers": q.Users, "QueuedAttacks": q.Mutations,
		"QueuedErrors": shown(q.Errors, func(e mockidp.QueuedError) string {
			return v.label(e.App) + ": " + shortStatus(e.Status)
		}),
		"Faults":    faultsJSON(s.idp.Faults()),
		"Apps":      v.Apps(),
		"Users":     users[:min(maxShownUsers, len(users))],
		"UserCount": len(users), "Groups": groups, "Keys": v.shownKeys(), "Messages": messages,
	}})
}

// pageFuncs are the functions of the templates.
var pageFuncs = template.FuncMap{
	"kind": func(a mockidp.App) string {
		switch {
		case a.Kind == mockidp.Bookmark:
			return "Bookmark"
		case a.IdentityCenter != nil:
			return "AWS IAM Identity Center"
		case a.Profile == mockidp.Entra:
			return "SAML 2.0, like Entra ID"
		}
		return "SAML 2.0"
	},
	"status": func(u mockidp.User) string {
		return strings.ReplaceAll(strings.ToLower(statusWords[u.Status]), "_", " ")
	},
	"indent": func(l line) string { return "d" + strconv.Itoa(min(l.Depth, 9)) }, // a CSS class
}

// shownAttack is an attack that is switched on.
type shownAttack struct {
	mockidp.StandingMutation
	Of string // the users and the app whose responses it changes
}

func (v view) shownAttack(m mockidp.StandingMutation) shownAttack {
	of := "for " + cmp.Or(m.User, "all users")
	if m.App != "" {
		of += ", at " + v.label(m.App)
	}
	return shownAttack{m, of}
}

// shownKey is a key, the apps that it signs for, and those whose metadata has it.
type shownKey struct {
	ID, SignsFor, In string
	Until            time.Time
}

// shownKeys returns the Server's keys, then those of single apps.
func (v view) shownKeys() []shownKey {
	apps := slices.DeleteFunc(v.Apps(), func(a mockidp.App) bool { return a.Kind != mockidp.SAML })
	all := v.Keys()
	for _, a := range apps {
		for _, k := range v.keys(a.ID) {
			if !slices.ContainsFunc(all, func(other mockidp.Key) bool { return other.ID == k.ID }) {
				all = append(all, k)
			}
		}
	}
	return shown(all, func(k mockidp.Key) shownKey {
		signs := func(a mockidp.App) bool { return v.signingKey(a.ID) == k.ID }
		in := func(a mockidp.App) bool { _, ok := v.findKey(a.ID, k.ID); return ok || signs(a) }
		return shownKey{ID: k.ID, SignsFor: labels(apps, signs), In: labels(apps, in), Until: k.Certificate.NotAfter}
	})
}

// labels names the apps that a condition holds for.
func labels(apps []mockidp.App, holds func(mockidp.App) bool) string {
	var out []string
	for _, a := range apps {
		if holds(a) {
			out = append(out, a.Label)
		}
	}
	switch len(out) {
	case 0:
		return "no app"
	case len(apps):
		return "all apps"
	}
	return strings.Join(out, ", ")
}

// shortStatus returns the last part of a status code.
func shortStatus(st mockidp.Status) string {
	code := cmp.Or(st.SubCode, st.Code, mockidp.StatusResponder)
	return code[strings.LastIndex(code, ":")+1:]
}

func (v view) label(appID string) string {
	if a, ok := v.App(appID); ok {
		return a.Label
	}
	return appID
}

// messageRow is a row of the table of messages.
type messageRow struct {
	ID              int64
	Time            time.Time
	What, App, User string
	Outcome         string
	Bad             bool
}

func (v view) messageRow(m mockidp.Message) messageRow {
	r := messageRow{ID: m.ID, Time: m.Time.UTC(), What: "Request", App: v.label(m.App), User: m.User}
	switch {
	case m.Refused != nil:
		r.Outcome, r.Bad = "refused: "+string(m.Refused.Reason), true
	case m.Direction == mockidp.Received:
		r.Outcome = "accepted"
	default:
		r.What, r.Outcome = "Response", "sent"
	}
	if m.Status != nil {
		r.Outcome = "sent: " + shortStatus(*m.Status)
	}
	if a := m.Answer; a != nil {
		r.Outcome, r.Bad = "ACS answered "+strconv.Itoa(a.Status)+" "+http.StatusText(a.Status), a.Status == 0 ||
			a.Status >= 400
		if a.Status == 0 {
			r.Outcome = "ACS didn't answer"
		}
	}
	if m.Edited {
		r.What += ", edited"
	}
	if m.Attack != "" {
		r.What += ", attack " + m.Attack
	}
	return r
}

// messageView is the body of a message's page.
type messageView struct {
	Row     messageRow
	Message mockidp.Message
	Lines   []line
	Pretty  string
	Body    string // of the ACS's answer
	Odd     []fact // the form, if an attack changed it
}

type fact struct{ Name, Value string }

// oddForm describes a form, unless it is the usual one.
func oddForm(m mockidp.Message) []fact {
	f := m.Form
	usual := f.URL == m.ACS && f.Fields == nil && f.Method == mockidp.POST && f.Encoding == mockidp.URLEncoded
	if m.Direction != mockidp.Sent || usual {
		return nil
	}
	by := strings.ToUpper(cmp.Or(string(f.Method), "post")) + " " + string(f.Encoding)
	out := []fact{{"Form target", cut(f.URL)}, {"Form method", strings.TrimSpace(by)}}
	for _, x := range f.Inputs() {
		out = append(out, fact{"Form field " + x.Name, cut(x.Value)})
	}
	return out
}

func (s *API) messagePage(w http.ResponseWriter, r *http.Request) {
	m, ok := s.findMessage(r.PathValue("id"))
	if !ok {
		s.errorPage(w, http.StatusNotFound, "There is no such message, or it was dropped.")
		return
	}
	v := messageView{
		Row: s.view().messageRow(m), Message: m, Lines: explain(m.XML), Pretty: indented(m.XML), Odd: oddForm(m),
	}
	if m.Answer != nil {
		v.Body = cut(string(m.Answer.Body))
	}
	s.render(w, http.StatusOK, "message", page{Title: "Message " + strconv.FormatInt(m.ID, 10), Admin: true, Body: v})
}
