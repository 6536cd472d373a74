package oktaapi

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

func messagePageRoutes(get, post pageRouter) {
	get("/messages", (*visit).messagesPage)
	get("/messages/{id}", func(v *visit) { v.messagePage(http.StatusOK, "") })
	post("/messages/{id}/deliver", func(v *visit) {
		id := v.r.PathValue("id")
		if err := v.replay(id); err != nil {
			v.messagePage(http.StatusUnprocessableEntity, sentence(plain(err)))
			return
		}
		v.to("/messages/"+id, "posted")
	})
	get("/clear-messages", func(v *visit) {
		v.confirm("/messages", "Clear the messages?", confirmView{Action: "/clear-messages", Button: "Clear",
			Back: "/messages", Text: "All messages are removed."})
	})
	post("/clear-messages", func(v *visit) { v.idp.ClearMessages(); v.to("/messages", "cleared") })
}

// replay posts a message again, without a browser.
func (s *API) replay(id string) error {
	m, ok := s.findMessage(id)
	if !ok || m.Direction != mockidp.Sent || m.Form.URL == "" {
		return &mockidp.Error{Reason: mockidp.ReasonNoSuchMessage, Detail: "no message with this ID was sent by a browser"}
	}
	s.deliver(m.Form)
	return nil
}

type messagesView struct {
	List     listView
	Messages []messageRow
}

func (v *visit) messagesPage() {
	rows, q := shown(v.idp.Messages(), v.messageRow), v.searchText()
	slices.Reverse(rows) // newest first
	matching := slices.DeleteFunc(slices.Clone(rows), func(r messageRow) bool {
		return !found(q, r.What, r.App, r.User, r.Outcome)
	})
	var body messagesView
	body.Messages, body.List = shownPage(v, matching, len(rows))
	v.render(http.StatusOK, "messages", page{Title: "Messages", Here: "/messages", Live: true, Body: body})
}

// shortStatus returns the last part of a status code.
func shortStatus(st mockidp.Status) string {
	return lastPart(cmp.Or(st.SubCode, st.Code, mockidp.StatusResponder))
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
	if what, ok := otherWords[rootName(m.XML)]; ok {
		r.What = what
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
	How     string // the binding in words
	Pretty  string
	Body    string // of the ACS's answer
	Odd     []fact // the form, if an attack changed it
}

type fact struct{ Name, Value string }

// oddForm describes a form, unless it is the usual one.
func oddForm(m mockidp.Message) []fact {
	f := m.Form
	usual := f.URL == m.ACS && f.Fields == nil && f.Method == mockidp.POST && f.Encoding == mockidp.URLEncoded
	if m.Direction != mockidp.Sent || usual || f.URL == "" { // by SOAP there is no form
		return nil
	}
	by := strings.ToUpper(cmp.Or(string(f.Method), "post")) + " " + string(f.Encoding)
	out := []fact{{"Form target", cut(f.URL)}, {"Form method", strings.TrimSpace(by)}}
	for _, x := range f.Inputs() {
		out = append(out, fact{"Form field " + x.Name, cut(x.Value)})
	}
	return out
}

func (v *visit) messagePage(status int, problem string) {
	m, ok := v.findMessage(v.r.PathValue("id"))
	if !ok {
		v.fail(http.StatusNotFound, "There is no such message, or it was dropped.")
		return
	}
	body := messageView{
		Row: v.messageRow(m), Message: m, Lines: explained(m), Pretty: indented(m.XML), Odd: oddForm(m),
		How: bindingWords[lastPart(m.Binding)],
	}
	if m.Answer != nil {
		body.Body = cut(string(m.Answer.Body))
	}
	v.render(status, "message", page{Title: "Message " + strconv.FormatInt(m.ID, 10), Here: "/messages", Problem: problem,
		Body: body})
}

// otherWords name the messages that aren't requests for a sign-in or responses to them.
var otherWords = map[string]string{"LogoutRequest": "Logout request", "LogoutResponse": "Logout response",
	"ArtifactResolve": "Artifact resolution", "ArtifactResponse": "Artifact response",
	"AttributeQuery": "Attribute query"}

// rootName returns the name of a document's element, or "".
func rootName(doc []byte) string {
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		switch t, err := d.RawToken(); t := t.(type) {
		case xml.StartElement:
			return t.Name.Local
		default:
			if err != nil {
				return ""
			}
		}
	}
}
