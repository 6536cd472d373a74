package oktaapi

import "github.com/meridian-saml/meridian/mockidp"

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

// attackedUser returns the login of a user, who may be named as in a path; "" is
// every user.
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

// switchAttackOff ends the attack on the app, the user or both that the query
// names; an empty app is the attack on all. Without either it ends all attacks.
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
