package oktaapi

import (
	"encoding/pem"
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

func appPageRoutes(get, post pageRouter) {
	get("/apps", (*visit).appsPage)
	get("/new-app", func(v *visit) {
		a, f := v.newAppForm(v.r.URL.Query().Get("kind"))
		v.newApp(http.StatusOK, f, f.values(&a), nil)
	})
	post("/new-app", (*visit).createApp)
	get("/new-app-by-metadata", func(v *visit) { v.addSPPage(http.StatusOK, "") })
	post("/new-app-by-metadata", (*visit).addSP)
	app := func(route pageRouter, path string, h func(*visit, mockidp.App)) {
		route("/apps/{id}"+path, func(v *visit) {
			a, ok := v.App(v.r.PathValue("id"))
			if !ok {
				v.notFound("app")
				return
			}
			h(v, a)
		})
	}
	saml := func(h func(*visit, mockidp.App)) func(*visit, mockidp.App) {
		return func(v *visit, a mockidp.App) {
			if a.Kind != mockidp.SAML {
				v.notFound("page of a bookmark")
				return
			}
			h(v, a)
		}
	}
	app(get, "", func(v *visit, a mockidp.App) {
		f := v.appForm(a, false)
		v.appPage(http.StatusOK, a, f.view(f.version(&a), f.values(&a), nil))
	})
	app(post, "", (*visit).saveApp)
	app(post, "/status", (*visit).switchApp)
	app(get, "/assignments", func(v *visit, a mockidp.App) { v.assignmentsPage(http.StatusOK, a, "") })
	app(post, "/assignments", (*visit).assign)
	app(get, "/metadata", saml(func(v *visit, a mockidp.App) { v.metadataPage(http.StatusOK, a, "") }))
	app(post, "/metadata", saml((*visit).register))
	app(get, "/keys", saml(func(v *visit, a mockidp.App) { v.appKeysPage(http.StatusOK, a, "") }))
	app(post, "/keys", saml((*visit).changeAppKey))
	app(get, "/keys/{kid}/remove", saml(func(v *visit, a mockidp.App) {
		v.confirmKey(appPath(a)+"/keys", v.r.PathValue("kid"), "It leaves the metadata of "+a.Label+".")
	}))
	app(get, "/delete", func(v *visit, a mockidp.App) {
		v.confirm("/apps", "Delete "+a.Label+"?", confirmView{Action: appPath(a) + "/delete", Button: "Delete",
			Back: appPath(a), Text: "Its settings, assignments and own keys are lost. Sign-ins that have begun end on a page."})
	})
	app(post, "/delete", func(v *visit, a mockidp.App) {
		if err := v.idp.RemoveApp(a.ID); err != nil {
			v.fail(http.StatusConflict, sentence(plain(err)))
			return
		}
		v.to("/apps", "deleted")
	})
}

type appsView struct {
	List  listView
	Apps  []mockidp.App
	Kinds []option
}

func (v *visit) appsPage() {
	all, q := v.Apps(), v.searchText()
	list := slices.DeleteFunc(slices.Clone(all), func(a mockidp.App) bool {
		return !found(q, a.Label, a.ID, a.Audience, a.URL, a.DefaultACS().URL)
	})
	var body appsView
	body.Apps, body.List = shownPage(v, list, len(all))
	for _, k := range appKinds {
		body.Kinds = append(body.Kinds, option{k.Kind, k.Text})
	}
	v.render(http.StatusOK, "apps", page{Title: "Apps", Here: "/apps", Live: true, Body: body})
}

// newAppForm returns an app of a kind and its form. An unknown kind is the first one.
func (v *visit) newAppForm(kind string) (mockidp.App, form[mockidp.App]) {
	a := appKinds[0].zero()
	for _, k := range appKinds {
		if k.Kind == kind {
			a = k.zero()
		}
	}
	return a, v.appForm(a, true)
}

func (v *visit) newApp(status int, f form[mockidp.App], values map[string][]string, wrong problems) {
	kind := v.r.URL.Query().Get("kind")
	lead := appKinds[0].Text
	for _, k := range appKinds {
		if k.Kind == kind {
			lead = k.Text
		}
	}
	v.render(status, "new", page{Title: "New app", Here: "/apps", Body: newView{Form: f.view("", values, wrong),
		Lead: lead, Action: v.r.URL.RequestURI(), Button: "Create app", Back: "/apps"}})
}

func (v *visit) createApp() {
	a, f := v.newAppForm(v.r.URL.Query().Get("kind"))
	if f.rearranged(v.form) {
		v.newApp(http.StatusOK, f, v.form, nil)
		return
	}
	err := f.apply(&a, v.form)
	if err == nil {
		a, err = v.idp.AddApp(a)
	}
	if err != nil {
		v.newApp(http.StatusUnprocessableEntity, f, v.form, f.place(err))
		return
	}
	v.to(appPath(a), "created")
}

func (v *visit) saveApp(a mockidp.App) {
	f := v.appForm(a, false)
	if f.rearranged(v.form) {
		v.appPage(http.StatusOK, a, f.view(v.form.Get("was"), v.form, nil))
		return
	}
	current := a
	err := v.idp.UpdateApp(a.ID, func(next *mockidp.App) error {
		current = *next
		return f.change(next, v.form)
	})
	if err != nil {
		v.appPage(http.StatusUnprocessableEntity, a, f.view(f.version(&current), v.form, f.place(err)))
		return
	}
	v.to(appPath(a), "saved")
}

func (v *visit) switchApp(a mockidp.App) {
	inactive := v.form.Get("to") == "inactive"
	err := v.idp.UpdateApp(a.ID, func(a *mockidp.App) error { a.Inactive = inactive; return nil })
	switch {
	case err != nil:
		v.fail(http.StatusConflict, sentence(plain(err)))
	case inactive:
		v.to(appPath(a), "deactivated")
	default:
		v.to(appPath(a), "activated")
	}
}

// appView is the body of an app's pages.
type appView struct {
	App    mockidp.App
	Tab    string
	Action string
	SAML   bool
	Form   formView

	SignOn, Metadata, Tile string // URLs
}

func (v *visit) appHead(a mockidp.App, tab string) appView {
	out := appView{App: a, Tab: tab, Action: appPath(a), SAML: a.Kind == mockidp.SAML, Tile: v.TileURL(a.ID)}
	if out.SAML {
		out.SignOn, out.Metadata = v.idp.SSOURL(a.ID), v.idp.MetadataURL(a.ID)
	}
	return out
}

func (v *visit) appPage(status int, a mockidp.App, f formView) {
	body := v.appHead(a, "")
	body.Form = f
	v.render(status, "app", page{Title: a.Label, Here: "/apps", Body: body})
}

// metadataView is the page that registers a service provider.
type metadataView struct {
	appView
	Problem string
}

func (v *visit) metadataPage(status int, a mockidp.App, problem string) {
	v.render(status, "app_metadata", page{Title: "Metadata: " + a.Label, Here: "/apps",
		Body: metadataView{v.appHead(a, "/metadata"), problem}})
}

func (v *visit) register(a mockidp.App) {
	text := strings.TrimSpace(v.form.Get("metadata"))
	if err := v.idp.RegisterSP(a.ID, []byte(text)); err != nil {
		v.metadataPage(http.StatusUnprocessableEntity, a, sentence(plain(err)))
		return
	}
	v.to(appPath(a), "registered")
}

// addSPPage makes apps of service providers' metadata.
func (v *visit) addSPPage(status int, problem string) {
	v.render(status, "add_sp", page{Title: "New app by metadata", Here: "/apps", Body: problem})
}

func (v *visit) addSP() {
	made, err := v.idp.AddSP([]byte(strings.TrimSpace(v.form.Get("metadata"))))
	switch {
	case err != nil:
		v.addSPPage(http.StatusUnprocessableEntity, sentence(plain(err)))
	case len(made) == 1:
		v.to(appPath(made[0]), "registered")
	default:
		v.to("/apps", "registered")
	}
}

// download sends a file.
func (v *visit) download(name, kind string, content []byte) {
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = v.w.Write(content)
}

func certificatePEM(k mockidp.Key) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.Certificate.Raw})
}
