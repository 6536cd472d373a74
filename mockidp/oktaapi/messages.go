package oktaapi

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/meridian-saml/meridian/mockidp"
)

func messageRoutes(api router) {
	api("GET /control/messages", (*call).listMessages)
	api("DELETE /control/messages", func(c *call) *apiError { c.idp.ClearMessages(); return c.noContent() })
	api("GET /control/messages/wait", (*call).waitMessage)
	api("GET /control/messages/{message}", func(c *call) *apiError { return c.ok(messageJSON(c.message)) })
	api("POST /control/messages/{message}/deliver", func(c *call) *apiError {
		if c.message.Direction != mockidp.Sent {
			return invalid("id", "a message that was sent")
		}
		return c.ok(answerJSON(c.deliver(c.message.Form)))
	})
	api("POST /control/messages/{message}/answer", withBody(func(c *call, b answerBody) *apiError {
		a := mockidp.ACSAnswer{Status: b.Status, Location: b.Location, Body: []byte(b.Body), Err: b.Error}
		return c.done(c.idp.RecordAnswer(c.message.ID, a), "id")
	}))
}

// findMessage returns the message with an ID as a client writes it.
func (s *API) findMessage(text string) (mockidp.Message, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	list := s.idp.Messages()
	i := slices.IndexFunc(list, func(m mockidp.Message) bool { return m.ID == id })
	if err != nil || i < 0 {
		return mockidp.Message{}, false
	}
	return list[i], true
}

// matcher reads the query: messages after an ID, in a direction, of an app, about a user, with or without an answer
// or a refusal. A value that can't match is refused, because a client would otherwise wait in vain.
func (c *call) matcher() (func(mockidp.Message) bool, *apiError) {
	q := c.r.URL.Query()
	after, err := strconv.ParseInt(cmp.Or(q.Get("after"), "0"), 10, 64)
	if err != nil {
		return nil, invalid("after", "the ID of a message")
	}
	for name, words := range map[string][]string{
		"direction": {string(mockidp.Received), string(mockidp.Sent)},
		"answered":  {"true", "false"}, "refused": {"true", "false"},
	} {
		if v := q.Get(name); v != "" && !slices.Contains(words, v) {
			return nil, invalid(name, words[0]+" or "+words[1])
		}
	}
	is := func(name, v string) bool { return q.Get(name) == "" || q.Get(name) == v }
	return func(m mockidp.Message) bool {
		return m.ID > after && is("direction", string(m.Direction)) && is("app", m.App) && is("user", m.User) &&
			is("answered", strconv.FormatBool(m.Answer != nil)) && is("refused", strconv.FormatBool(m.Refused != nil))
	}, nil
}

func (c *call) listMessages() *apiError {
	match, err := c.matcher()
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(c.idp.Messages(), func(m mockidp.Message) bool { return !match(m) })
	return c.ok(object{"messages": shown(list, messageJSON)})
}

// maxWait bounds a request that waits.
const maxWait = time.Minute

// waitMessage answers as soon as there is a message that matches, and with 204 after the timeout.
func (c *call) waitMessage() *apiError {
	match, invalidQuery := c.matcher()
	if invalidQuery != nil {
		return invalidQuery
	}
	timeout, err := time.ParseDuration(cmp.Or(c.r.URL.Query().Get("timeout"), "30s"))
	if err != nil || timeout < 0 {
		return invalid("timeout", `a duration such as "10s"`)
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), min(timeout, maxWait))
	defer cancel()
	m, err := c.idp.WaitMessage(ctx, match)
	if err != nil {
		return c.noContent()
	}
	return c.ok(messageJSON(m))
}

type answerBody struct {
	Status   int    `json:"status"`
	Location string `json:"location"`
	Body     string `json:"body"`
	Error    string `json:"error"`
}

func messageJSON(m mockidp.Message) object {
	out := object{
		"id": m.ID, "time": m.Time, "direction": m.Direction, "app": m.App, "user": m.User, "binding": m.Binding,
		"acs": m.ACS, "relayState": m.RelayState, "xml": indented(m.XML),
		"base64": base64.StdEncoding.EncodeToString(m.XML), "faults": append([]mockidp.FaultKind{}, m.Faults...),
	}
	if e := m.Refused; e != nil {
		out["refused"] = object{"reason": e.Reason, "detail": e.Detail, "want": e.Want, "got": e.Got}
	}
	if st := m.Status; st != nil {
		code := cmp.Or(st.Code, mockidp.StatusResponder)
		out["status"] = statusBody{Code: code, SubCode: st.SubCode, Message: st.Message}
	}
	if m.Edited {
		out["edited"] = true
	}
	if m.Attack != "" {
		out["attack"] = m.Attack
	}
	if m.Direction == mockidp.Sent {
		out["form"] = formJSON(m.Form)
	}
	if m.Answer != nil {
		out["answer"] = answerJSON(*m.Answer)
	}
	return out
}

func formJSON(f mockidp.Form) object {
	return object{"url": f.URL, "fields": f.Inputs(), "method": cmp.Or(string(f.Method), "post"),
		"encoding": cmp.Or(string(f.Encoding), "application/x-www-form-urlencoded")}
}

func answerJSON(a mockidp.ACSAnswer) object {
	return object{"time": a.Time, "status": a.Status, "location": a.Location, "body": string(a.Body), "error": a.Err}
}

// indented returns a message for display; its signatures no longer verify. A deeply nested one is returned unchanged:
// indentation would make it a thousand times as long, and unauthenticated clients can send one.
func indented(raw []byte) string {
	doc := etree.NewDocument()
	if doc.ReadFromBytes(raw) != nil || doc.Root() == nil || deeper(doc.Root(), maxDepth) {
		return string(raw)
	}
	doc.Indent(2)
	text, err := doc.WriteToString()
	if err != nil {
		return string(raw)
	}
	return text
}

// deeper reports whether an element has more than n levels of descendants.
func deeper(el *etree.Element, n int) bool {
	return n < 0 || slices.ContainsFunc(el.ChildElements(), func(child *etree.Element) bool { return deeper(child, n-1) })
}
