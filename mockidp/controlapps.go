package mockidp

import (
	"net/http"
	"slices"
	"strings"
)

func (s *Server) appRoutes(api func(string, func(*call) *apiError)) {
	api("POST /api/v1/apps", s.createApp)
	api("GET /api/v1/apps", s.listApps)
	api("GET /api/v1/apps/{app}", func(c *call) *apiError {
		return s.withApp(c, func(st *state, a *App) *apiError { return c.ok(s.appJSON(c, st, a)) })
	})
	api("PUT /api/v1/apps/{app}", s.replaceApp)
	api("DELETE /api/v1/apps/{app}", s.deleteApp)
	api("POST /api/v1/apps/{app}/lifecycle/{does}", s.appLifecycle)
	api("GET /api/v1/apps/{app}/sso/saml/metadata", s.appMetadata)
	api("GET /api/v1/apps/{app}/users", s.listAppUsers)
	api("POST /api/v1/apps/{app}/users", s.assignUser)
	api("GET /api/v1/apps/{app}/users/{user}", s.showAppUser)
	api("POST /api/v1/apps/{app}/users/{user}", s.showAppUser) // nothing of it can change
	api("DELETE /api/v1/apps/{app}/users/{user}", s.unassignUser)
	api("GET /api/v1/apps/{app}/groups", s.listAppGroups)
	api("GET /api/v1/apps/{app}/groups/{group}", func(c *call) *apiError { return s.appGroup(c, nil) })
	api("PUT /api/v1/apps/{app}/groups/{group}", func(c *call) *apiError { in := true; return s.appGroup(c, &in) })
	api("DELETE /api/v1/apps/{app}/groups/{group}", func(c *call) *apiError { in := false; return s.appGroup(c, &in) })
}

func (s *Server) withApp(c *call, f func(*state, *App) *apiError) *apiError {
	st, id := s.state.Load(), c.r.PathValue("app")
	a, err := st.app(id)
	if err != nil || id == "" {
		return notFound(id, "AppInstance")
	}
	return f(st, a)
}

// made is the answer for an app after a change.
func (s *Server) made(c *call, id string) *apiError {
	st := s.state.Load()
	a, err := st.app(id)
	if err != nil {
		return notFound(id, "AppInstance")
	}
	return c.ok(s.appJSON(c, st, a))
}

func (s *Server) createApp(c *call) *apiError {
	var body appBody
	if err := c.read(&body, false); err != nil {
		return err
	}
	a, err := body.app()
	if err != nil {
		return err
	}
	a.Inactive = c.r.URL.Query().Get("activate") == "false"
	made, aerr := s.AddApp(a)
	if aerr != nil {
		return fromError(aerr, "label")
	}
	return s.made(c, made.ID)
}

// app is a new one. What Okta's JSON has no word for is its zero value.
func (b *appBody) app() (App, *apiError) {
	var a App
	switch {
	case b.SignOnMode == "BOOKMARK" || b.SignOnMode == "" && b.Name == "bookmark":
		a.Kind = Bookmark
	case b.SignOnMode == "SAML_2_0" || b.SignOnMode == "SAML_1_1" && b.Name == IdentityCenterName:
		if b.Name == IdentityCenterName {
			a.IdentityCenter = &IdentityCenter{}
		} else if b.Name != "" && b.Name != "template_saml_2_0" {
			return a, invalid("name", "the catalogue here has "+IdentityCenterName+" and bookmark; leave it out for an app of one's own")
		}
		if a.IdentityCenter == nil && b.Settings.SignOn == nil {
			return a, invalid("settings.signOn", "The field cannot be left blank")
		}
	default:
		return a, invalid("signOnMode", "SAML_2_0 or BOOKMARK, got "+quote(b.SignOnMode))
	}
	return a, b.into(&a)
}

// replaceApp keeps the assignments, and what Okta's JSON has no word for.
func (s *Server) replaceApp(c *call) *apiError {
	var body appBody
	if err := c.read(&body, false); err != nil {
		return err
	}
	return s.withApp(c, func(st *state, a *App) *apiError {
		if k := body.Credentials; k != nil && k.Signing != nil && a.Kind == SAML && k.Signing.Kid == st.keyFor(a).id {
			body.Credentials = nil // what was read is written back: no choice of a key
		}
		if on, shown := body.Settings.SignOn, st.signOn(a); on != nil && a.SignatureMethod == "" &&
			on.SignatureAlgorithm == shown.SignatureAlgorithm && on.DigestAlgorithm == shown.DigestAlgorithm {
			on.SignatureAlgorithm = "" // nor of an algorithm, which another key may not have
		}
		if body.SignOnMode != "" && body.SignOnMode != a.signOnMode() {
			return invalid("signOnMode", "an app can't change it")
		}
		err := s.UpdateApp(a.ID, func(a *App) error {
			if err := body.into(a); err != nil {
				return err
			}
			return nil
		})
		if err != nil {
			return fromError(err, "label")
		}
		return s.made(c, a.ID)
	})
}

// deleteApp is for apps that were switched off.
func (s *Server) deleteApp(c *call) *apiError {
	return s.withApp(c, func(_ *state, a *App) *apiError {
		if !a.Inactive {
			return &apiError{Status: http.StatusForbidden, Code: "E0000056", Summary: "Delete application forbidden.", Causes: []string{"The application must be deactivated before deletion."}}
		}
		return c.done(s.RemoveApp(a.ID), a.ID)
	})
}

func (s *Server) appLifecycle(c *call) *apiError {
	does := c.r.PathValue("does")
	if does != "activate" && does != "deactivate" {
		return notFound(does, "Lifecycle")
	}
	return s.withApp(c, func(_ *state, a *App) *apiError {
		err := s.UpdateApp(a.ID, func(a *App) error { a.Inactive = does == "deactivate"; return nil })
		if err != nil {
			return fromError(err, a.ID)
		}
		return c.ok(map[string]any{})
	})
}

func (s *Server) listApps(c *call) *apiError {
	st, q := s.state.Load(), strings.ToLower(c.r.URL.Query().Get("q"))
	var list []*App
	for _, a := range st.apps {
		if strings.HasPrefix(strings.ToLower(a.Label), q) || strings.HasPrefix(a.oktaName(), q) {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b *App) int { return strings.Compare(a.ID, b.ID) }) // for the cursor
	list, err := selected(c, list, st.appFields)
	if err != nil {
		return err
	}
	return paged(c, list, 200, order[*App]{key: func(a *App) string { return a.ID }}, func(a *App) map[string]any { return s.appJSON(c, st, a) })
}

// appMetadata is the metadata with the keys that are published, or with the
// one that is asked for.
func (s *Server) appMetadata(c *call) *apiError {
	return s.withApp(c, func(st *state, a *App) *apiError {
		if a.Kind != SAML {
			return notFound(a.ID, "SamlMetadata")
		}
		doc, err := s.metadata(st, a)
		if kid := c.r.URL.Query().Get("kid"); kid != "" {
			k := findKey(st.ring(a), kid)
			if k == nil {
				return notFound(kid, "JsonWebKey")
			}
			doc, err = s.metadataOf(a, []*signingKey{k})
		}
		if err != nil {
			return fromError(err, a.ID)
		}
		c.w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		_, _ = c.w.Write(doc)
		return nil
	})
}
