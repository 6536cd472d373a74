package mockidp

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"github.com/beevik/etree"
)

func (s *Server) messageRoutes(api func(string, func(*call) *apiError)) {
	api("GET /control/messages", s.listMessages)
	api("DELETE /control/messages", func(c *call) *apiError { s.messages.reset(); return c.noContent() })
	api("GET /control/messages/wait", s.waitMessage)
	api("GET /control/messages/{id}", func(c *call) *apiError {
		return s.withMessage(c, func(m Message) *apiError { return c.ok(messageJSON(m)) })
	})
	api("POST /control/messages/{id}/deliver", func(c *call) *apiError {
		return s.withMessage(c, func(m Message) *apiError {
			if m.Direction != Sent {
				return invalid("id", "a message that was sent")
			}
			return c.ok(answerJSON(s.deliverBounded(m.Form)))
		})
	})
	api("POST /control/messages/{id}/answer", s.noteAnswer)
}

func (s *Server) message(id int64) (Message, bool) {
	list := s.Messages()
	at := slices.IndexFunc(list, func(m Message) bool { return m.ID == id })
	if at < 0 {
		return Message{}, false
	}
	return list[at], true
}

func (s *Server) withMessage(c *call, f func(Message) *apiError) *apiError {
	id, err := c.number("id")
	if err != nil {
		return err
	}
	m, ok := s.message(id)
	if !ok {
		return notFound(c.r.PathValue("id"), "Message")
	}
	return f(m)
}

// matcher reads what a caller wants to see: after an ID, in a direction, of an
// app, about a user, with the ACS's answer. What can match nothing is refused:
// waiting for it would look as if nothing had happened.
func (c *call) matcher() (func(Message) bool, *apiError) {
	q := c.r.URL.Query()
	after := int64(0)
	if text := q.Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, invalid("after", "the ID of a message")
		}
	}
	for name, words := range map[string][]string{"direction": {string(Received), string(Sent)}, "answered": {"true", "false"}, "refused": {"true", "false"}} {
		if v := q.Get(name); v != "" && !slices.Contains(words, v) {
			return nil, invalid(name, words[0]+" or "+words[1])
		}
	}
	is := func(name, v string) bool { return q.Get(name) == "" || q.Get(name) == v }
	return func(m Message) bool {
		return m.ID > after && is("direction", string(m.Direction)) && is("app", m.App) && is("user", m.User) &&
			is("answered", strconv.FormatBool(m.Answer != nil)) && is("refused", strconv.FormatBool(m.Refused != nil))
	}, nil
}

func (s *Server) listMessages(c *call) *apiError {
	match, err := c.matcher()
	if err != nil {
		return err
	}
	out := []any{}
	for _, m := range s.Messages() {
		if match(m) {
			out = append(out, messageJSON(m))
		}
	}
	return c.ok(map[string]any{"messages": out})
}

// longestWait bounds a request that waits.
const longestWait = time.Minute

// waitMessage answers as soon as there is a message that matches, and 204 if
// there is none in time.
func (s *Server) waitMessage(c *call) *apiError {
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
	m, werr := s.WaitMessage(ctx, match)
	if werr != nil {
		return c.noContent()
	}
	return c.ok(messageJSON(m))
}

func (s *Server) noteAnswer(c *call) *apiError {
	var b struct {
		Status   int    `json:"status"`
		Location string `json:"location"`
		Body     string `json:"body"`
		Error    string `json:"error"`
	}
	if err := c.read(&b, false); err != nil {
		return err
	}
	return s.withMessage(c, func(m Message) *apiError {
		return c.done(s.RecordAnswer(m.ID, ACSAnswer{Status: b.Status, Location: b.Location, Body: []byte(b.Body), Err: b.Error}), "id")
	})
}

func messageJSON(m Message) map[string]any {
	out := map[string]any{"id": m.ID, "time": m.Time, "direction": m.Direction, "app": m.App, "user": m.User, "binding": m.Binding, "acs": m.ACS,
		"relayState": m.RelayState, "xml": pretty(m.XML), "base64": base64.StdEncoding.EncodeToString(m.XML), "faults": append([]FaultKind{}, m.Faults...)}
	if m.Refused != nil {
		out["refused"] = map[string]any{"reason": m.Refused.Reason, "detail": m.Refused.Detail, "want": m.Refused.Want, "got": m.Refused.Got}
	}
	if m.Status != nil {
		out["status"] = statusBody{Code: or(m.Status.Code, StatusResponder), SubCode: m.Status.SubCode, Message: m.Status.Message}
	}
	if m.Attack != "" {
		out["attack"] = m.Attack
	}
	if m.Direction == Sent {
		out["form"] = formJSON(m.Form)
	}
	if m.Answer != nil {
		out["answer"] = answerJSON(*m.Answer)
	}
	return out
}

func formJSON(f Form) map[string]any {
	return map[string]any{"url": f.URL, "fields": f.Inputs(), "method": or(string(f.Method), "post"), "encoding": or(string(f.Encoding), "application/x-www-form-urlencoded")}
}

func answerJSON(a ACSAnswer) map[string]any {
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
