package oktaapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

func (s *API) appRoutes(api func(string, handler)) {
	api("POST /api/v1/apps", withBody(s.createApp))
	api("GET /api/v1/apps", s.listApps)
	api("GET /api/v1/apps/{app}", s.withApp(func(c *call, v view, a *mockidp.App) *apiError { return c.ok(s.appJSON(c, v, a)) }))
	api("PUT /api/v1/apps/{app}", withBody(s.replaceApp))
	api("DELETE /api/v1/apps/{app}", s.withApp(s.deleteApp))
	api("POST /api/v1/apps/{app}/lifecycle/{does}", s.appLifecycle)
	api("GET /api/v1/apps/{app}/sso/saml/metadata", s.withApp(s.appMetadata))
	api("GET /api/v1/apps/{app}/users", s.withApp(s.listAppUsers))
	api("POST /api/v1/apps/{app}/users", withBody(s.assignUser))
	api("GET /api/v1/apps/{app}/users/{user}", s.showAppUser)
	api("POST /api/v1/apps/{app}/users/{user}", s.showAppUser) // nothing of it can change
	api("DELETE /api/v1/apps/{app}/users/{user}", s.withApp(s.unassignUser))
	api("GET /api/v1/apps/{app}/groups", s.withApp(s.listAppGroups))
	api("GET /api/v1/apps/{app}/groups/{group}", s.withAppGroup(s.showAppGroup))
	api("PUT /api/v1/apps/{app}/groups/{group}", s.withAppGroup(s.assignGroup))
	api("DELETE /api/v1/apps/{app}/groups/{group}", s.withAppGroup(s.unassignGroup))
}

// withApp makes a handler of one that gets the app that the path names.
func (s *API) withApp(h func(*call, view, *mockidp.App) *apiError) handler {
	return func(c *call) *apiError {
		v, id := s.view(), c.r.PathValue("app")
		a, ok := v.App(id)
		if !ok || id == "" {
			return notFound(id, "AppInstance")
		}
		return h(c, v, &a)
	}
}

// made is the answer for an app after a change.
func (s *API) made(c *call, id string) *apiError {
	v := s.view()
	a, ok := v.App(id)
	if !ok {
		return notFound(id, "AppInstance")
	}
	return c.ok(s.appJSON(c, v, &a))
}

func (s *API) createApp(c *call, body appBody) *apiError {
	a, err := body.app()
	if err == nil {
		a.Inactive = c.r.URL.Query().Get("activate") == "false"
		a, err = s.idp.AddApp(a)
	}
	if err != nil {
		return fromError(err, "label")
	}
	return s.made(c, a.ID)
}

// app is a new one. What Okta's JSON has no word for is its zero value.
func (b *appBody) app() (mockidp.App, error) {
	var a mockidp.App
	switch {
	case b.SignOnMode == "BOOKMARK" || b.SignOnMode == "" && b.Name == "bookmark":
		a.Kind = mockidp.Bookmark
	case b.SignOnMode == "SAML_2_0" || b.SignOnMode == "SAML_1_1" && b.Name == mockidp.IdentityCenterName:
		if b.Name == mockidp.IdentityCenterName {
			a.IdentityCenter = &mockidp.IdentityCenter{}
		} else if b.Name != "" && b.Name != "template_saml_2_0" {
			return a, invalid("name", "the catalogue here has "+mockidp.IdentityCenterName+" and bookmark; leave it out for an app of one's own")
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
func (s *API) replaceApp(c *call, body appBody) *apiError {
	return s.withApp(func(c *call, v view, a *mockidp.App) *apiError {
		if k := body.Credentials; k != nil && k.Signing != nil && a.Kind == mockidp.SAML && k.Signing.Kid == v.signingKey(a).ID {
			body.Credentials = nil // what was read is written back: no choice of a key
		}
		if on, shown := body.Settings.SignOn, v.signOn(a); on != nil && a.SignatureMethod == "" &&
			on.SignatureAlgorithm == shown.SignatureAlgorithm && on.DigestAlgorithm == shown.DigestAlgorithm {
			on.SignatureAlgorithm = "" // nor of an algorithm, which another key may not have
		}
		if body.SignOnMode != "" && body.SignOnMode != signOnMode(a) {
			return invalid("signOnMode", "an app can't change it")
		}
		if err := s.idp.UpdateApp(a.ID, body.into); err != nil {
			return fromError(err, "label")
		}
		return s.made(c, a.ID)
	})(c)
}

// deleteApp is for apps that were switched off.
func (s *API) deleteApp(c *call, _ view, a *mockidp.App) *apiError {
	if !a.Inactive {
		return &apiError{Status: http.StatusForbidden, Code: "E0000056", Summary: "Delete application forbidden.", Causes: []string{"The application must be deactivated before deletion."}}
	}
	return c.done(s.idp.RemoveApp(a.ID), a.ID)
}

func (s *API) appLifecycle(c *call) *apiError {
	does := c.r.PathValue("does")
	if does != "activate" && does != "deactivate" {
		return notFound(does, "Lifecycle")
	}
	return s.withApp(func(c *call, _ view, a *mockidp.App) *apiError {
		err := s.idp.UpdateApp(a.ID, func(a *mockidp.App) error { a.Inactive = does == "deactivate"; return nil })
		if err != nil {
			return fromError(err, a.ID)
		}
		return c.ok(map[string]any{})
	})(c)
}

func (s *API) listApps(c *call) *apiError {
	v := s.view()
	var list []*mockidp.App
	for _, a := range v.Apps() {
		if c.asksFor(a.Label, oktaName(&a)) {
			list = append(list, &a)
		}
	}
	slices.SortFunc(list, func(a, b *mockidp.App) int { return strings.Compare(a.ID, b.ID) }) // for the cursor
	list, err := selected(c, list, v.appFields)
	if err != nil {
		return err
	}
	return paged(c, list, 200, order[*mockidp.App]{key: func(a *mockidp.App) string { return a.ID }}, func(a *mockidp.App) map[string]any { return s.appJSON(c, v, a) })
}

// appMetadata is the metadata with the keys that are published, or with the
// one that is asked for.
func (s *API) appMetadata(c *call, v view, a *mockidp.App) *apiError {
	if a.Kind != mockidp.SAML {
		return notFound(a.ID, "SamlMetadata")
	}
	kid := c.r.URL.Query().Get("kid")
	if _, ok := v.findKey(a, kid); kid != "" && !ok {
		return notFound(kid, "JsonWebKey")
	}
	doc, err := v.Metadata(a.ID, kid)
	if err != nil {
		return fromError(err, a.ID)
	}
	c.w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	_, _ = c.w.Write(doc)
	return nil
}
