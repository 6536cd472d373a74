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

func (s *API) messageRoutes(api func(string, handler)) {
	api("GET /control/messages", s.listMessages)
	api("DELETE /control/messages", func(c *call) *apiError { s.idp.ClearMessages(); return c.noContent() })
	api("GET /control/messages/wait", s.waitMessage)
	api("GET /control/messages/{id}", s.withMessage(func(c *call, m mockidp.Message) *apiError { return c.ok(messageJSON(m)) }))
	api("POST /control/messages/{id}/deliver", s.withMessage(func(c *call, m mockidp.Message) *apiError {
		if m.Direction != mockidp.Sent {
			return invalid("id", "a message that was sent")
		}
		return c.ok(answerJSON(s.deliverBounded(m.Form)))
	}))
	api("POST /control/messages/{id}/answer", withBody(s.noteAnswer))
}

// message finds one by its ID as a client writes it.
func (s *API) message(text string) (mockidp.Message, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	list := s.idp.Messages()
	at := slices.IndexFunc(list, func(m mockidp.Message) bool { return m.ID == id })
	if err != nil || at < 0 {
		return mockidp.Message{}, false
	}
	return list[at], true
}

// withMessage makes a handler of one that gets the message that the path names.
func (s *API) withMessage(h func(*call, mockidp.Message) *apiError) handler {
	return func(c *call) *apiError {
		if m, ok := s.message(c.r.PathValue("id")); ok {
			return h(c, m)
		}
		return notFound(c.r.PathValue("id"), "Message")
	}
}

// matcher reads what a caller wants to see: after an ID, in a direction, of an
// app, about a user, with the ACS's answer. What can match nothing is refused:
// waiting for it would look as if nothing had happened.
func (c *call) matcher() (func(mockidp.Message) bool, *apiError) {
	q := c.r.URL.Query()
	after := int64(0)
	if text := q.Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, invalid("after", "the ID of a message")
		}
	}
	for name, words := range map[string][]string{"direction": {string(mockidp.Received), string(mockidp.Sent)}, "answered": {"true", "false"}, "refused": {"true", "false"}} {
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

func (s *API) listMessages(c *call) *apiError {
	match, err := c.matcher()
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(s.idp.Messages(), func(m mockidp.Message) bool { return !match(m) })
	return c.ok(map[string]any{"messages": shown(list, messageJSON)})
}

// longestWait bounds a request that waits.
const longestWait = time.Minute

// waitMessage answers as soon as there is a message that matches, and 204 if
// there is none in time.
func (s *API) waitMessage(c *call) *apiError {
	match, err := c.matcher()
	if err != nil {
		return err
	}
	timeout := 30 * time.Second
	if text := c.r.URL.Query().Get("timeout"); text != "" {
		d, perr := time.ParseDuration(text)
		if perr != nil || d < 0 {
			return invalid("timeout", `a duration such as "10s"`)
		}
		timeout = min(d, longestWait)
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), timeout)
	defer cancel()
	m, werr := s.idp.WaitMessage(ctx, match)
	if werr != nil {
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

func (s *API) noteAnswer(c *call, b answerBody) *apiError {
	return s.withMessage(func(c *call, m mockidp.Message) *apiError {
		return c.done(s.idp.RecordAnswer(m.ID, mockidp.ACSAnswer{Status: b.Status, Location: b.Location, Body: []byte(b.Body), Err: b.Error}), "id")
	})(c)
}

func messageJSON(m mockidp.Message) map[string]any {
	out := map[string]any{"id": m.ID, "time": m.Time, "direction": m.Direction, "app": m.App, "user": m.User, "binding": m.Binding, "acs": m.ACS,
		"relayState": m.RelayState, "xml": pretty(m.XML), "base64": base64.StdEncoding.EncodeToString(m.XML), "faults": append([]mockidp.FaultKind{}, m.Faults...)}
	if m.Refused != nil {
		out["refused"] = map[string]any{"reason": m.Refused.Reason, "detail": m.Refused.Detail, "want": m.Refused.Want, "got": m.Refused.Got}
	}
	if m.Status != nil {
		out["status"] = statusBody{Code: cmp.Or(m.Status.Code, mockidp.StatusResponder), SubCode: m.Status.SubCode, Message: m.Status.Message}
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

func formJSON(f mockidp.Form) map[string]any {
	return map[string]any{"url": f.URL, "fields": f.Inputs(), "method": cmp.Or(string(f.Method), "post"), "encoding": cmp.Or(string(f.Encoding), "application/x-www-form-urlencoded")}
}

func answerJSON(a mockidp.ACSAnswer) map[string]any {
	return map[string]any{"time": a.Time, "status": a.Status, "location": a.Location, "body": string(a.Body), "error": a.Err}
}

// pretty is a message for people. Its signatures no longer hold. A deep one
// stays as it is: it would become a thousand times as long, nearly all of it
// spaces, and a stranger's request may be deep.
func pretty(raw []byte) string {
	doc := etree.NewDocument()
	if doc.ReadFromBytes(raw) != nil || doc.Root() == nil || deeper(doc.Root(), deepest) {
		return string(raw)
	}
	doc.Indent(2)
	text, err := doc.WriteToString()
	if err != nil {
		return string(raw)
	}
	return text
}

// deeper says that an element holds more than n levels of others.
func deeper(el *etree.Element, n int) bool {
	return n < 0 || slices.ContainsFunc(el.ChildElements(), func(child *etree.Element) bool { return deeper(child, n-1) })
}
