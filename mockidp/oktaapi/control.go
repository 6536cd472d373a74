package oktaapi

import (
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// controlRoutes has the routes that Okta's API lacks. Okta doesn't define their JSON.
func controlRoutes(api router) {
	api("POST /control/reset", func(c *call) *apiError { c.idp.Reset(); return c.noContent() })
	api("GET /control/clock", (*call).showClock)
	api("POST /control/clock", withBody((*call).advanceClock))
	api("GET /control/queue", (*call).showQueue)
	api("POST /control/queue", withBody((*call).addToQueue))
	api("DELETE /control/queue", func(c *call) *apiError { c.idp.ClearQueue(); return c.noContent() })
	api("GET /control/faults", (*call).showFaults)
	api("POST /control/faults", withBody((*call).addFault))
	api("DELETE /control/faults", func(c *call) *apiError {
		c.idp.ClearFaults(c.r.URL.Query().Get("app"))
		return c.noContent()
	})
	api("POST /control/deliver", withBody((*call).deliverNew))
	api("POST /control/logout", withBody((*call).logoutUser))
}

func (c *call) showClock() *apiError { return c.ok(object{"now": c.idp.Now()}) }

type clockBody struct {
	Advance string `json:"advance"` // a Go duration
}

func (c *call) advanceClock(body clockBody) *apiError {
	d, err := time.ParseDuration(body.Advance)
	if err != nil {
		return invalid("advance", `a duration such as "90m" or "-1h"`)
	}
	c.idp.Advance(d)
	return c.showClock()
}

// statusBody is a QueuedError.
type statusBody struct {
	App     string `json:"app"`
	Code    string `json:"code"`
	SubCode string `json:"subCode"`
	Message string `json:"message"`
}

func (c *call) showQueue() *apiError {
	q := c.idp.Queued()
	errors := shown(q.Errors, func(e mockidp.QueuedError) statusBody {
		return statusBody{e.App, e.Status.Code, e.Status.SubCode, e.Status.Message}
	})
	return c.ok(object{
		"users": append([]string{}, q.Users...), "errors": errors, "attacks": append([]string{}, q.Mutations...),
	})
}

type queueBody struct {
	User  string      `json:"user"`
	Error *statusBody `json:"error"`
}

func (c *call) addToQueue(body queueBody) *apiError {
	var err error
	switch e := body.Error; {
	case body.User != "" && e == nil:
		u, ok := c.find(body.User)
		if !ok {
			return notFound(body.User, "User")
		}
		err = c.idp.QueueUser(u.Login)
	case e != nil && body.User == "":
		err = c.idp.QueueError(e.App, mockidp.Status{Code: e.Code, SubCode: e.SubCode, Message: e.Message})
	default:
		return invalid("user", "either a user or an error")
	}
	return c.changed(err, "error", (*call).showQueue)
}

// faultBody is a Fault.
type faultBody struct {
	Kind   mockidp.FaultKind `json:"kind"`
	App    string            `json:"app,omitempty"`
	Count  int               `json:"count,omitempty"`
	Chance float64           `json:"chance,omitempty"`
	For    string            `json:"for,omitempty"`
	Status int               `json:"status,omitempty"`

	Endpoint mockidp.Endpoint `json:"endpoint,omitempty"`
	Entity   string           `json:"entity,omitempty"`
	URL      string           `json:"url,omitempty"`
}

func faultsJSON(list []mockidp.Fault) []faultBody {
	return shown(list, func(f mockidp.Fault) faultBody {
		b := faultBody{Kind: f.Kind, App: f.App, Count: f.Count, Chance: f.Chance, Status: f.Status,
			Endpoint: f.Endpoint, Entity: f.Entity, URL: f.URL}
		if f.For != 0 {
			b.For = f.For.String()
		}
		return b
	})
}

func (c *call) showFaults() *apiError { return c.ok(object{"faults": faultsJSON(c.idp.Faults())}) }

func (c *call) addFault(b faultBody) *apiError {
	f := mockidp.Fault{Kind: b.Kind, App: b.App, Count: b.Count, Chance: b.Chance, Status: b.Status,
		Endpoint: b.Endpoint, Entity: b.Entity, URL: b.URL}
	if b.For != "" {
		d, err := time.ParseDuration(b.For)
		if err != nil {
			return invalid("for", `a duration such as "3s"`)
		}
		f.For = d
	}
	return c.changed(c.idp.Inject(f), "fault", (*call).showFaults)
}

type deliverBody struct {
	App        string `json:"app"`
	User       string `json:"user"`
	RelayState string `json:"relayState"`
}

// deliverNew makes an IdP-initiated response of an app and posts it without a browser.
func (c *call) deliverNew(body deliverBody) *apiError {
	u, ok := c.find(body.User)
	if !ok {
		return notFound(body.User, "User")
	}
	form, err := c.idp.IdPInitiated(body.App, u.Login, body.RelayState)
	if err != nil {
		return fromError(err, "app")
	}
	return c.ok(answerJSON(c.deliver(form)))
}

type logoutBody struct {
	User string `json:"user"`
}

// logoutUser ends a user's sessions, and tells the apps that take SOAP. A browser tells the others, at the URL.
func (c *call) logoutUser(body logoutBody) *apiError {
	u, ok := c.find(body.User)
	if !ok {
		return notFound(body.User, "User")
	}
	done, err := c.idp.Logout(c.r.Context(), u.Login)
	if err != nil {
		return fromError(err, "user")
	}
	told := shown(done.Told, func(t mockidp.ToldApp) object {
		return object{"app": t.App, "label": t.Label, "problem": t.Problem}
	})
	return c.ok(object{"told": told, "url": done.URL})
}

// deliver posts a form with a timeout. A failure is part of the answer.
func (s *API) deliver(f mockidp.Form) mockidp.ACSAnswer {
	client := s.idp.OutboundClient()
	defer client.CloseIdleConnections()
	a, _ := s.idp.Deliver(client, f)
	return a
}

// attackBody is a StandingMutation, or one that is queued.
type attackBody struct {
	ID   string `json:"id"`
	App  string `json:"app,omitempty"`
	User string `json:"user,omitempty"`
}

func attackRoutes(api router) {
	api("POST /control/attack", withBody((*call).queueAttack))
	api("GET /control/attacks", (*call).showAttacks)
	api("POST /control/attacks", withBody((*call).switchAttackOn))
	api("DELETE /control/attacks", (*call).switchAttackOff)
}

func (c *call) showAttacks() *apiError {
	list := shown(c.idp.StandingMutations(), func(m mockidp.StandingMutation) attackBody { return attackBody(m) })
	return c.ok(object{"attacks": list})
}

// attackedUser returns the login of a user, who may be named as in a path; "" is every user.
func (c *call) attackedUser(name string) (string, *apiError) {
	if name == "" {
		return "", nil
	}
	u, ok := c.find(name)
	if !ok {
		return "", notFound(name, "User")
	}
	return u.Login, nil
}

func (c *call) queueAttack(b attackBody) *apiError {
	login, err := c.attackedUser(b.User)
	if err != nil {
		return err
	}
	return c.changed(c.idp.QueueMutation(b.ID, b.App, login), "id", (*call).showQueue)
}

func (c *call) switchAttackOn(b attackBody) *apiError {
	login, err := c.attackedUser(b.User)
	if err != nil {
		return err
	}
	if b.ID == "" {
		return invalid("id", "the ID of an attack; DELETE switches off")
	}
	return c.changed(c.idp.SetMutation(b.ID, b.App, login), "id", (*call).showAttacks)
}

// switchAttackOff ends the attack on the app, the user or both in the query; an empty app means the attack on all.
// Without either parameter it ends all attacks.
func (c *call) switchAttackOff() *apiError {
	q := c.r.URL.Query()
	if !q.Has("app") && !q.Has("user") {
		c.idp.ClearMutations()
		return c.noContent()
	}
	login, err := c.attackedUser(q.Get("user"))
	if err != nil {
		return err
	}
	return c.done(c.idp.SetMutation("", q.Get("app"), login), "app")
}
