package oktaapi

import (
	"net/http"
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
)

func appRoutes(api router) {
	api("POST /api/v1/apps", withBody((*call).createApp))
	api("GET /api/v1/apps", (*call).listApps)
	api("GET /api/v1/apps/{app}", (*call).showApp)
	api("PUT /api/v1/apps/{app}", withBody((*call).replaceApp))
	api("DELETE /api/v1/apps/{app}", (*call).deleteApp)
	api("POST /api/v1/apps/{app}/lifecycle/{transition}", (*call).appLifecycle)
	api("GET /api/v1/apps/{app}/sso/saml/metadata", (*call).appMetadata)
	api("GET /api/v1/apps/{app}/users", (*call).listAppUsers)
	api("POST /api/v1/apps/{app}/users", withBody((*call).assignUser))
	api("GET /api/v1/apps/{app}/users/{user}", (*call).showAppUser)
	api("POST /api/v1/apps/{app}/users/{user}", (*call).showAppUser) // nothing in it can change
	api("DELETE /api/v1/apps/{app}/users/{user}", (*call).unassignUser)
	api("GET /api/v1/apps/{app}/groups", (*call).listAppGroups)
	api("GET /api/v1/apps/{app}/groups/{group}", (*call).showAppGroup)
	api("PUT /api/v1/apps/{app}/groups/{group}", (*call).assignGroup)
	api("DELETE /api/v1/apps/{app}/groups/{group}", (*call).unassignGroup)
}

func (c *call) showApp() *apiError { return c.ok(c.appJSON(c.app)) }

func (c *call) createApp(body appBody) *apiError {
	a, err := body.app()
	if err == nil {
		a.Inactive = c.r.URL.Query().Get("activate") == "false"
		c.app, err = c.idp.AddApp(a)
	}
	return c.changed(err, "label", (*call).showApp)
}

// app returns a new app. Settings that Okta's JSON can't express have their zero value.
func (b *appBody) app() (mockidp.App, error) {
	var a mockidp.App
	catalogue := b.Name == mockidp.IdentityCenterName
	switch {
	case b.SignOnMode == "BOOKMARK" || b.SignOnMode == "" && b.Name == "bookmark":
		a.Kind = mockidp.Bookmark
	case b.SignOnMode != "SAML_2_0" && !(b.SignOnMode == "SAML_1_1" && catalogue):
		return a, invalid("signOnMode", "want SAML_2_0 or BOOKMARK, got "+quote(b.SignOnMode))
	case catalogue:
		a.IdentityCenter = &mockidp.IdentityCenter{}
	case b.Name != "" && b.Name != "template_saml_2_0":
		return a, invalid("name", "the catalogue has "+mockidp.IdentityCenterName+" and bookmark; other apps have no name")
	case b.Settings.SignOn == nil:
		return a, invalid("settings.signOn", "The field cannot be left blank")
	}
	err := b.into(&a)
	return a, err
}

// replaceApp keeps the assignments and the settings that Okta's JSON can't express. A client that writes an app back
// unchanged doesn't fix its key, nor an algorithm, which another key may not support.
func (c *call) replaceApp(body appBody) *apiError {
	if c.app.Kind == mockidp.SAML && body.kid() == c.signingKey(c.app.ID) {
		body.Credentials = nil
	}
	if on, was := body.Settings.SignOn, c.signOn(c.app); on != nil && c.app.SignatureMethod == "" &&
		on.SignatureAlgorithm == was.SignatureAlgorithm && on.DigestAlgorithm == was.DigestAlgorithm {
		on.SignatureAlgorithm = ""
	}
	if body.SignOnMode != "" && body.SignOnMode != signOnMode(c.app) {
		return invalid("signOnMode", "it can't change")
	}
	return c.changed(c.idp.UpdateApp(c.app.ID, body.into), "label", (*call).showApp)
}

func (c *call) deleteApp() *apiError {
	if !c.app.Inactive {
		return refuse(http.StatusForbidden, "E0000056", "Delete application forbidden.",
			"The application must be deactivated before deletion.")
	}
	return c.done(c.idp.RemoveApp(c.app.ID), c.app.ID)
}

func (c *call) appLifecycle() *apiError {
	name := c.r.PathValue("transition")
	if name != "activate" && name != "deactivate" {
		return notFound(name, "Lifecycle")
	}
	err := c.idp.UpdateApp(c.app.ID, func(a *mockidp.App) error {
		a.Inactive = name == "deactivate"
		return nil
	})
	return c.changed(err, c.app.ID, func(c *call) *apiError { return c.ok(object{}) })
}

func (c *call) listApps() *apiError {
	list := slices.DeleteFunc(c.Apps(), func(a mockidp.App) bool { return !c.hasPrefix(a.Label, oktaName(a)) })
	return searched(c, list, 200, byID, c.appFields, c.appJSON)
}

// appMetadata returns the metadata with the published keys, or with the key that the query names.
func (c *call) appMetadata() *apiError {
	if c.app.Kind != mockidp.SAML {
		return notFound(c.app.ID, "SamlMetadata")
	}
	kid := c.r.URL.Query().Get("kid")
	if _, ok := c.findKey(c.app.ID, kid); kid != "" && !ok {
		return notFound(kid, "JsonWebKey")
	}
	doc, err := c.Metadata(c.app.ID, kid)
	if err != nil {
		return fromError(err, c.app.ID)
	}
	c.w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	_, _ = c.w.Write(doc)
	return nil
}
