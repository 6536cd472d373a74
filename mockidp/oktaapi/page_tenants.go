package oktaapi

import (
	"net/http"
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
)

func tenantPageRoutes(get, post pageRouter) {
	get("/tenants", func(v *visit) { v.tenantsPage(http.StatusOK, "") })
	post("/tenants", func(v *visit) {
		idp, err := v.idp.Tenant(v.form.Get("name"))
		if err != nil {
			v.tenantsPage(http.StatusUnprocessableEntity, sentence(plain(err)))
			return
		}
		v.to(pathTenants+idp.TenantName()+"/", "created")
	})
	tenant := func(route pageRouter, h func(*visit, *mockidp.Server)) {
		route("/tenants/{name}/delete", func(v *visit) {
			list, name := v.idp.Tenants(), v.r.PathValue("name")
			i := slices.IndexFunc(list, func(t *mockidp.Server) bool { return t.TenantName() == name })
			if i < 0 {
				v.notFound("tenant")
				return
			}
			h(v, list[i])
		})
	}
	tenant(get, func(v *visit, t *mockidp.Server) {
		v.confirm("/tenants", "Delete "+t.TenantName()+"?", confirmView{Action: "/tenants/" + t.TenantName() + "/delete",
			Button: "Delete", Back: "/tenants", Text: "Its users, groups, apps, sessions and messages are lost."})
	})
	tenant(post, func(v *visit, t *mockidp.Server) { t.Close(); v.to("/tenants", "deleted") })
}

type tenantsView struct {
	Tenants []*mockidp.Server
	Problem string
}

func (v *visit) tenantsPage(status int, problem string) {
	v.render(status, "tenants", page{Title: "Tenants", Here: "/tenants", Live: true,
		Body: tenantsView{v.idp.Tenants(), problem}})
}
