package oktaapi

import (
	"maps"
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// pathTenants precedes the name of a tenant, as it does where users sign in.
const pathTenants = "/t/"

// tenantRoutes lists, makes and removes tenants (mockidp.Server.Tenant).
func tenantRoutes(api router) {
	api("GET /control/tenants", (*call).showTenants)
	api("POST /control/tenants", withBody((*call).makeTenant))
	api("DELETE /control/tenants/{tenant}", (*call).removeTenant)
}

type tenantBody struct {
	Name string `json:"name"`
}

func tenantJSON(idp *mockidp.Server) object {
	return object{"name": idp.TenantName(), "signIn": idp.SignInURL(), "dashboard": idp.DashboardURL()}
}

func (c *call) showTenants() *apiError {
	return c.ok(object{"tenants": shown(c.idp.Tenants(), tenantJSON)})
}

// makeTenant is for clients that want the addresses first. A call below /t/NAME/ makes a tenant, too.
func (c *call) makeTenant(body tenantBody) *apiError {
	idp, err := c.idp.Tenant(body.Name)
	if err != nil {
		return fromError(err, "name")
	}
	return c.ok(tenantJSON(idp))
}

func (c *call) removeTenant() *apiError {
	name := c.r.PathValue("tenant")
	for _, idp := range c.idp.Tenants() {
		if idp.TenantName() == name {
			idp.Close()
			return c.noContent()
		}
	}
	return notFound(name, "Tenant")
}

// route serves a request: below /t/NAME/ by the API of that tenant, else by the Server's own. Only a request with the
// token, or with the page's cookie, makes a tenant.
func (s *API) route(w http.ResponseWriter, r *http.Request) {
	rest, below := strings.CutPrefix(r.URL.Path, pathTenants)
	name, _, inside := strings.Cut(rest, "/")
	if !below {
		s.handler.ServeHTTP(w, r)
		return
	}
	at := s // which asks for the token
	if s.hasToken(r) || s.hasCookie(r) {
		var err error
		if at, err = s.of(name); err != nil {
			if isAPI(r.URL.Path) {
				s.serveAPI(w, r, func(*call) *apiError { return fromError(err, "tenant") })
				return
			}
			s.visit(w, r).fail(fromError(err, "tenant").Status, sentence(plain(err)))
			return
		}
	}
	if !inside {
		http.Redirect(w, r, pathTenants+name+"/", http.StatusSeeOther)
		return
	}
	http.StripPrefix(pathTenants+name, at.handler).ServeHTTP(w, r)
}

// of returns the API of a tenant.
func (s *API) of(name string) (*API, error) {
	idp, err := s.idp.Tenant(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.tenants[idp]; a != nil {
		return a, nil
	}
	live := map[*mockidp.Server]bool{}
	for _, t := range s.idp.Tenants() {
		live[t] = true
	}
	maps.DeleteFunc(s.tenants, func(t *mockidp.Server, _ *API) bool { return !live[t] })
	a := &API{idp: idp, token: s.token, logger: s.logger, pages: s.pages, prefix: pathTenants + name}
	a.handler = a.routes()
	s.tenants[idp] = a
	return a, nil
}
