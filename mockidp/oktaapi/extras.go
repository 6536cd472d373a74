package oktaapi

import (
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// extraRoutes are what a test needs and Okta has not. Their JSON is this
// package's own.
func (s *API) extraRoutes(api func(string, handler)) {
	api("POST /control/reset", func(c *call) *apiError { s.idp.Reset(); return c.noContent() })
	api("GET /control/clock", func(c *call) *apiError { return c.ok(map[string]any{"now": s.idp.Now()}) })
	api("POST /control/clock", withBody(s.setClock))
	api("GET /control/queue", func(c *call) *apiError { return c.ok(s.queueJSON()) })
	api("POST /control/queue", withBody(s.addToQueue))
	api("DELETE /control/queue", func(c *call) *apiError { s.idp.ClearQueue(); return c.noContent() })
	api("GET /control/faults", func(c *call) *apiError { return c.ok(map[string]any{"faults": faultsJSON(s.idp.Faults())}) })
	api("POST /control/faults", withBody(s.addFault))
	api("DELETE /control/faults", func(c *call) *apiError { s.idp.ClearFaults(c.r.URL.Query().Get("app")); return c.noContent() })
	api("POST /control/keys/{kid}/sign", func(c *call) *apiError {
		return c.done(s.idp.SignWith(c.r.PathValue("kid")), c.r.PathValue("kid"))
	})
	api("DELETE /control/keys/{kid}", func(c *call) *apiError {
		return c.done(s.idp.RetireKey(c.r.PathValue("kid")), c.r.PathValue("kid"))
	})
	s.messageRoutes(api)
	api("POST /control/deliver", withBody(s.deliverNew))
	s.attackRoutes(api)
}

type clockBody struct {
	Advance string `json:"advance"` // as Go writes a duration
}

func (s *API) setClock(c *call, body clockBody) *apiError {
	d, err := time.ParseDuration(body.Advance)
	if err != nil {
		return invalid("advance", `a duration such as "90m" or "-1h"`)
	}
	s.idp.Advance(d)
	return c.ok(map[string]any{"now": s.idp.Now()})
}

// statusBody is a Status in JSON.
type statusBody struct {
	App     string `json:"app"`
	Code    string `json:"code"`
	SubCode string `json:"subCode"`
	Message string `json:"message"`
}

func (s *API) queueJSON() map[string]any {
	q := s.idp.Queued()
	errors := shown(q.Errors, func(e mockidp.QueuedError) statusBody {
		return statusBody{e.App, e.Status.Code, e.Status.SubCode, e.Status.Message}
	})
	return map[string]any{"users": append([]string{}, q.Users...), "errors": errors, "attacks": append([]string{}, q.Mutations...)}
}

type queueBody struct {
	User  string      `json:"user"`
	Error *statusBody `json:"error"`
}

func (s *API) addToQueue(c *call, body queueBody) *apiError {
	var err error
	switch e := body.Error; {
	case body.User != "" && e == nil:
		u, none := s.user(body.User)
		if none != nil {
			return none
		}
		err = s.idp.QueueUser(u.Login)
	case e != nil && body.User == "":
		err = s.idp.QueueError(e.App, mockidp.Status{Code: e.Code, SubCode: e.SubCode, Message: e.Message})
	default:
		return invalid("user", "either a user or an error")
	}
	if err != nil {
		return fromError(err, "error")
	}
	return c.ok(s.queueJSON())
}

// faultBody is a Fault in JSON.
type faultBody struct {
	Kind   mockidp.FaultKind `json:"kind"`
	App    string            `json:"app,omitempty"`
	Count  int               `json:"count,omitempty"`
	Chance float64           `json:"chance,omitempty"`
	For    string            `json:"for,omitempty"`
	Status int               `json:"status,omitempty"`
}

func faultsJSON(list []mockidp.Fault) []faultBody {
	return shown(list, func(f mockidp.Fault) faultBody {
		b := faultBody{Kind: f.Kind, App: f.App, Count: f.Count, Chance: f.Chance, Status: f.Status}
		if f.For != 0 {
			b.For = f.For.String()
		}
		return b
	})
}

func (s *API) addFault(c *call, b faultBody) *apiError {
	f := mockidp.Fault{Kind: b.Kind, App: b.App, Count: b.Count, Chance: b.Chance, Status: b.Status}
	if b.For != "" {
		d, err := time.ParseDuration(b.For)
		if err != nil {
			return invalid("for", `a duration such as "3s"`)
		}
		f.For = d
	}
	if err := s.idp.Inject(f); err != nil {
		return fromError(err, "fault")
	}
	return c.ok(map[string]any{"faults": faultsJSON(s.idp.Faults())})
}

type deliverBody struct {
	App        string `json:"app"`
	User       string `json:"user"`
	RelayState string `json:"relayState"`
}

// deliverNew makes an answer as an app's tile would, and posts it without a
// browser.
func (s *API) deliverNew(c *call, body deliverBody) *apiError {
	u, none := s.user(body.User)
	if none != nil {
		return none
	}
	form, err := s.idp.IdPInitiated(body.App, u.Login, body.RelayState)
	if err != nil {
		return fromError(err, "app")
	}
	return c.ok(answerJSON(s.deliverBounded(form)))
}

// deliverBounded is Deliver with an end; what went wrong is in the answer.
func (s *API) deliverBounded(f mockidp.Form) mockidp.ACSAnswer {
	client := s.idp.OutboundClient()
	defer client.CloseIdleConnections()
	a, _ := s.idp.Deliver(client, f)
	return a
}
