package oktaapi

import "github.com/meridian-saml/meridian/mockidp"

// attackBody is a StandingMutation in JSON, or one that is queued.
type attackBody struct {
	ID   string `json:"id"`
	App  string `json:"app,omitempty"`
	User string `json:"user,omitempty"`
}

func (s *API) attackRoutes(api func(string, handler)) {
	api("POST /control/attack", withBody(s.queueAttack))
	api("GET /control/attacks", func(c *call) *apiError { return c.ok(s.attacksJSON()) })
	api("POST /control/attacks", withBody(s.switchAttack))
	api("DELETE /control/attacks", s.switchAttackOff)
}

func (s *API) attacksJSON() map[string]any {
	return map[string]any{"attacks": shown(s.idp.StandingMutations(), func(m mockidp.StandingMutation) attackBody { return attackBody(m) })}
}

// attackedUser is the login of a user who may be named as elsewhere in the API.
func (s *API) attackedUser(name string) (string, *apiError) {
	if name == "" {
		return "", nil
	}
	u, err := s.user(name)
	return u.Login, err
}

func (s *API) queueAttack(c *call, b attackBody) *apiError {
	login, err := s.attackedUser(b.User)
	if err != nil {
		return err
	}
	if err := s.idp.QueueMutation(b.ID, b.App, login); err != nil {
		return fromError(err, "id")
	}
	return c.ok(s.queueJSON())
}

func (s *API) switchAttack(c *call, b attackBody) *apiError {
	login, err := s.attackedUser(b.User)
	if err != nil {
		return err
	}
	if b.ID == "" {
		return invalid("id", "the ID of an attack; DELETE switches off")
	}
	if err := s.idp.SetMutation(b.ID, b.App, login); err != nil {
		return fromError(err, "id")
	}
	return c.ok(s.attacksJSON())
}

// switchAttackOff ends the one that the query names by app, user or both; an
// empty app is the one for everybody. Without either it ends all.
func (s *API) switchAttackOff(c *call) *apiError {
	q := c.r.URL.Query()
	if !q.Has("app") && !q.Has("user") {
		s.idp.ClearMutations()
		return c.noContent()
	}
	login, err := s.attackedUser(q.Get("user"))
	if err != nil {
		return err
	}
	if err := s.idp.SetMutation("", q.Get("app"), login); err != nil {
		return fromError(err, "app")
	}
	return c.noContent()
}
