package oktaapi

// attackBody is a StandingMutation in JSON, or one that is queued.
type attackBody struct {
	ID   string `json:"id"`
	App  string `json:"app,omitempty"`
	User string `json:"user,omitempty"`
}

func (s *API) attackRoutes(api func(string, func(*call) *apiError)) {
	api("POST /control/attack", s.queueAttack)
	api("GET /control/attacks", func(c *call) *apiError { return c.ok(s.attacksJSON()) })
	api("POST /control/attacks", s.switchAttack)
	api("DELETE /control/attacks", s.switchAttackOff)
}

func (s *API) attacksJSON() map[string]any {
	out := []attackBody{}
	for _, m := range s.idp.StandingMutations() {
		out = append(out, attackBody(m))
	}
	return map[string]any{"attacks": out}
}

// readAttack reads one whose user may be named as elsewhere in the API.
func (s *API) readAttack(c *call) (attackBody, *apiError) {
	var b attackBody
	if err := c.read(&b, false); err != nil {
		return b, err
	}
	login, err := s.attackedUser(b.User)
	b.User = login
	return b, err
}

func (s *API) attackedUser(name string) (string, *apiError) {
	if name == "" {
		return "", nil
	}
	u, err := s.user(name)
	return u.Login, err
}

func (s *API) queueAttack(c *call) *apiError {
	b, err := s.readAttack(c)
	if err != nil {
		return err
	}
	if err := s.idp.QueueMutation(b.ID, b.App, b.User); err != nil {
		return fromError(err, "id")
	}
	return c.ok(s.queueJSON())
}

func (s *API) switchAttack(c *call) *apiError {
	b, err := s.readAttack(c)
	if err != nil {
		return err
	}
	if b.ID == "" {
		return invalid("id", "the ID of an attack; DELETE switches off")
	}
	if err := s.idp.SetMutation(b.ID, b.App, b.User); err != nil {
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
