package oktaapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// samlApp is the body of Okta's own example, which repeats the default ACS.
func samlApp() object {
	return object{
		"label": "Payroll", "signOnMode": "SAML_2_0", "visibility": object{"autoSubmitToolbar": false,
			"hide": object{"iOS": false, "web": false}},
		"settings": object{"signOn": object{
			"defaultRelayState": "/home", "ssoAcsUrl": virginia, "idpIssuer": "http://www.okta.com/${org.externalKey}",
			"audience":  "https://payroll.example",
			"recipient": virginia, "destination": "http://us-east-1.localhost:8711/elsewhere",
			"subjectNameIdTemplate": "${user.userName}",
			"subjectNameIdFormat":   mockidp.NameIDPersistent, "responseSigned": false, "assertionSigned": true,
			"signatureAlgorithm": "RSA_SHA512",
			"digestAlgorithm":    "SHA512", "honorForceAuthn": false, "authnContextClassRef": mockidp.PasswordProtectedTransport,
			"allowMultipleAcsEndpoints": true,
			"acsEndpoints": []any{object{"url": virginia, "index": 0}, object{"url": frank, "index": 1},
				object{"url": ireland, "index": 7}},
			"attributeStatements": []any{
				object{"type": "EXPRESSION", "name": "mail", "namespace": mockidp.AttrBasic,
					"values": []string{"user.email", "constant"}},
				object{"type": "GROUP", "name": "groups", "namespace": mockidp.AttrUnspecified, "filterType": "STARTS_WITH",
					"filterValue": "Eng"},
			},
		}},
	}
}

func TestSAMLApp(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	made := a.ok(200, "POST", "/api/v1/apps", samlApp())
	id := text2(made["id"])
	assert.Regexp(t, `^0oa[0-9A-Za-z]{17}$`, id)
	app, ok := a.idp.App(id)
	require.True(t, ok)
	n := func(i uint16) *uint16 { return &i }
	assert.Equal(t, []mockidp.ACS{{URL: virginia, Index: n(0)}, {URL: frank, Index: n(1)}, {URL: ireland, Index: n(7)}},
		app.ACS)
	assert.Equal(t, mockidp.SignAssertion, app.Sign)
	assert.Equal(t, mockidp.RSASHA512, app.SignatureMethod)
	assert.Empty(t, app.Recipient)
	assert.Equal(t, "http://us-east-1.localhost:8711/elsewhere", app.Destination)
	assert.True(t, app.IgnoreForceAuthn)
	assert.Equal(t, []mockidp.Attribute{{Name: "mail", NameFormat: mockidp.AttrBasic,
		Values: []string{"${user.email}", "constant"}}}, app.Attributes)
	assert.Equal(t, []mockidp.GroupAttribute{{Name: "groups", NameFormat: mockidp.AttrUnspecified,
		Filter: mockidp.StartsWith, Value: "Eng"}}, app.GroupAttributes)

	// Writing back what was read changes nothing.
	before, _ := a.idp.App(id)
	again := a.ok(200, "PUT", "/api/v1/apps/"+id, a.ok(200, "GET", "/api/v1/apps/"+id, nil))
	assert.Equal(t, made, again)
	after, _ := a.idp.App(id)
	assert.Equal(t, before, after)

	// Nor does it choose an algorithm or the group Everyone.
	require.NoError(t, a.idp.UpdateApp("idc", func(a *mockidp.App) error {
		a.GroupAttribute = &mockidp.GroupAttribute{}
		return nil
	}))
	a.ok(200, "PUT", "/api/v1/apps/idc", a.ok(200, "GET", "/api/v1/apps/idc", nil))
	key, err := a.idp.AddAppKey("idc", ecdsaKey(), nil)
	require.NoError(t, err)
	require.NoError(t, a.idp.SignAppWith("idc", key.ID))
	idc, err := a.idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, "Engineering", text(t, decode(t, idc), "//Attribute[@Name='groups']/AttributeValue"))
	assert.Len(t, decode(t, idc).FindElements("//Attribute[@Name='groups']/AttributeValue"), 1)

	// Assigned to a user, then to a group; the dashboard and the response follow.
	u, _ := a.idp.User(alice)
	given := a.ok(200, "POST", "/api/v1/apps/"+id+"/users", object{"id": u.ID, "scope": "USER",
		"credentials": object{"userName": alice}})
	assert.Equal(t, []any{"USER", alice}, []any{given["scope"], dig(given, "credentials.userName")})
	assert.Contains(t, a.list("/api/v1/users/alice/appLinks", "label"), "Payroll")
	form, err := a.idp.IdPInitiated(id, alice, "")
	require.NoError(t, err)
	assert.Equal(t, []string{virginia, "/home"}, []string{form.URL, form.RelayState})
	assert.Equal(t, alice, text(t, decode(t, form), "//Attribute[@Name='mail']/AttributeValue"))
	a.ok(204, "DELETE", "/api/v1/apps/"+id+"/users/"+u.ID, nil)
	a.refused(404, "E0000007", "GET", "/api/v1/apps/"+id+"/users/"+u.ID, nil)
	eng := a.list("/api/v1/groups?q=Eng", "id")[0]
	a.refused(404, "E0000007", "GET", "/api/v1/apps/"+id+"/groups/"+eng, nil)
	a.ok(200, "PUT", "/api/v1/apps/"+id+"/groups/"+eng, object{"priority": 0})
	assert.Equal(t, []string{eng}, a.list("/api/v1/apps/"+id+"/groups", "id"))
	assert.Equal(t, []string{"GROUP"}, a.list("/api/v1/apps/"+id+"/users", "scope"))
	assert.Contains(t, a.list(`/api/v1/apps?filter=user.id+eq+"`+u.ID+`"`, "id"), id)
	a.ok(204, "DELETE", "/api/v1/apps/"+id+"/groups/"+eng, nil)

	a.refused(403, "E0000056", "DELETE", "/api/v1/apps/"+id, nil)
	a.ok(200, "POST", "/api/v1/apps/"+id+"/lifecycle/deactivate", nil)
	assert.Equal(t, "INACTIVE", a.ok(200, "GET", "/api/v1/apps/"+id, nil)["status"])
	_, err = a.idp.IdPInitiated(id, alice, "")
	var refused *mockidp.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, mockidp.ReasonNotAssigned, refused.Reason)
	a.ok(204, "DELETE", "/api/v1/apps/"+id, nil)
	a.refused(404, "E0000007", "GET", "/api/v1/apps/"+id, nil)
}

func TestOtherApps(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	mark := a.ok(200, "POST", "/api/v1/apps", object{"name": "bookmark", "label": "Wiki", "signOnMode": "BOOKMARK",
		"settings": object{"app": object{"requestIntegration": false, "url": "https://wiki.example/"}}})
	assert.Equal(t, mark, a.ok(200, "PUT", "/api/v1/apps/"+text2(mark["id"]), mark))
	a.ok(200, "PUT", "/api/v1/apps/"+text2(mark["id"]), object{"label": "Wiki",
		"settings": object{"app": object{"url": "https://wiki.example/"}, "signOn": object{}}})
	assert.Equal(t, "https://wiki.example/", dig(mark, "settings.app.url"))
	a.refused(404, "E0000007", "GET", "/api/v1/apps/"+text2(mark["id"])+"/sso/saml/metadata", nil)
	idc := a.ok(200, "POST", "/api/v1/apps?activate=false", object{"name": "amazon_aws_sso", "label": "AWS",
		"signOnMode": "SAML_2_0",
		"settings":   object{"app": object{"acsURL": virginia, "acsURL3": frank, "entityID": entityID}}})
	assert.Equal(t, "INACTIVE", idc["status"])
	app, _ := a.idp.App(text2(idc["id"]))
	require.Len(t, app.ACS, 2)
	assert.Equal(t, []any{frank, uint16(3), entityID}, []any{app.ACS[1].URL, *app.ACS[1].Index, app.Audience})
	assert.Len(t, a.list("/api/v1/apps?limit=1", "id"), 4)
	assert.Equal(t, []string{"Wiki"}, a.list(`/api/v1/apps?filter=name+eq+"bookmark"&q=Wi`, "label"))

	for name, change := range map[string]func(o, signOn object){
		"no URL":    func(_, s object) { delete(s, "ssoAcsUrl") },
		"unsigned":  func(_, s object) { s["assertionSigned"] = false },
		"digest":    func(_, s object) { s["digestAlgorithm"] = "SHA1" },
		"algorithm": func(_, s object) { s["signatureAlgorithm"] = "DSA_SHA1" },
		"the key's": func(_, s object) { s["signatureAlgorithm"], s["digestAlgorithm"] = "RSA_SHA256", "SHA512" },
		"one index twice": func(_, s object) {
			s["acsEndpoints"] = []any{object{"url": frank, "index": 1}, object{"url": ireland, "index": 1}}
		},
		"not allowed":  func(_, s object) { s["allowMultipleAcsEndpoints"] = false },
		"no index":     func(_, s object) { s["acsEndpoints"] = []any{object{"url": frank}} },
		"filter":       func(_, s object) { s["attributeStatements"] = []any{object{"type": "GROUP", "name": "g"}} },
		"sign-on mode": func(o, _ object) { o["signOnMode"] = "OPENID_CONNECT" },
		"name":         func(o, _ object) { o["name"] = "salesforce" },
		"no label":     func(o, _ object) { delete(o, "label") },
		"certificate":  func(_, s object) { s["spCertificate"] = object{"x5c": []string{"x"}} },
		"encryption":   func(_, s object) { s["assertionEncryption"] = object{"enabled": true} },
		"encryption unknown": func(_, s object) {
			s["assertionEncryption"] = object{"enabled": true,
				"encryptionAlgorithm": "ROT13"}
		},
		"issuer": func(_, s object) { s["idpIssuer"] = "http://${x}/" },
	} {
		var o object
		require.NoError(t, json.Unmarshal(must(json.Marshal(samlApp())), &o))
		change(o, dig(o, "settings.signOn").(object))
		resp, raw := a.do("POST", "/api/v1/apps", o)
		assert.Equal(t, 400, resp.StatusCode, "%s: %s", name, raw)
	}
	assert.Len(t, a.idp.Apps(), 4)
}

// Endpoints that use all indexes leave none for the default ACS.
func TestACSIndexesUsedUp(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	var endpoints strings.Builder
	for i := range 1 << 16 {
		fmt.Fprintf(&endpoints, `{"index":%d},`, i)
	}
	body := `{"label":"x","signOnMode":"SAML_2_0","settings":{"signOn":{"ssoAcsUrl":"` + virginia + `",` +
		`"allowMultipleAcsEndpoints":true,"acsEndpoints":[` + strings.TrimSuffix(endpoints.String(), ",") + `]}}}`
	a.refused(400, "E0000001", "POST", "/api/v1/apps", body)
}

func TestControl(t *testing.T) {
	t.Parallel()
	sp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		http.Redirect(w, r, "/home", http.StatusSeeOther)
	}))
	defer sp.Close()
	conf := twoRegions()
	conf.Mutations = []string{"A1"}
	conf.Mutate = func(m mockidp.Mutation) (mockidp.Mutated, error) {
		if m.ID == "A1" {
			return mockidp.Mutated{Response: []byte("<forged/>")}, nil
		}
		return mockidp.Mutated{}, nil
	}
	a := newAPI(t, conf)
	require.NoError(t, a.idp.SetACS("idc", []mockidp.ACS{{URL: sp.URL + "/acs"}}))
	arrived := make(chan object, 1)
	go func() {
		arrived <- a.ok(200, "GET", "/control/messages/wait?answered=true&user="+alice+"&timeout=50s", nil)
	}()
	assert.Equal(t, 303.0, a.ok(200, "POST", "/control/deliver",
		object{"app": "idc", "user": "alice", "relayState": "r"})["status"])
	m := <-arrived
	assert.Equal(t, []any{"sent", "/home", "r"}, []any{m["direction"], dig(m, "answer.location"), m["relayState"]})
	assert.Contains(t, m["xml"], "\n  <saml2:Issuer")
	assert.Equal(t, 303.0, a.ok(200, "POST", "/control/messages/1/deliver", nil)["status"])
	a.ok(204, "POST", "/control/messages/1/answer", object{"status": 403})
	assert.Equal(t, 403.0, dig(a.ok(200, "GET", "/control/messages/1", nil), "answer.status"))
	a.refused(404, "E0000007", "GET", "/control/messages/9", nil)
	a.ok(204, "GET", "/control/messages/wait?after=1&timeout=1ms", nil)

	a.ok(200, "POST", "/control/attack", object{"id": "A1", "app": "idc", "user": "alice"})
	a.refused(400, "E0000001", "POST", "/control/attack", object{"id": "Z9"})
	assert.Equal(t, []any{"A1"}, a.ok(200, "GET", "/control/queue", nil)["attacks"])
	a.ok(204, "DELETE", "/control/queue", nil)
	assert.Equal(t, []any{}, a.ok(200, "GET", "/control/queue", nil)["attacks"])
	a.ok(200, "POST", "/control/attack", object{"id": "A1", "app": "idc", "user": "alice"})
	a.ok(200, "POST", "/control/deliver", object{"user": "alice"})
	m = a.ok(200, "GET", "/control/messages/2", nil)
	assert.Equal(t, []any{"<forged/>\n", "A1"}, []any{m["xml"], m["attack"]})

	a.ok(200, "POST", "/control/queue", object{"user": "alice"})
	a.ok(200, "POST", "/control/queue", object{"error": object{"app": "idc", "subCode": mockidp.StatusRequestDenied}})
	a.refused(400, "E0000001", "POST", "/control/queue", object{})
	a.refused(404, "E0000007", "POST", "/control/queue", object{"user": "nobody"})
	newBrowser(t, a.idp).get(redirect(a.idp, request(), "")) // signs Alice in, and takes the error
	ms := a.ok(200, "GET", "/control/messages?after=2&direction=sent", nil)["messages"].([]any)
	require.Len(t, ms, 1)
	assert.Equal(t, mockidp.StatusRequestDenied, dig(ms[0], "status.subCode"))

	a.ok(200, "POST", "/control/faults", object{"kind": "skew", "for": "1h", "count": 2})
	a.refused(400, "E0000001", "POST", "/control/faults", object{"kind": "typhoon"})
	redirect := object{"kind": "metadata-redirect", "endpoint": "query", "entity": "urn:x", "url": "http://10.0.0.1/"}
	shown := a.ok(200, "POST", "/control/faults", redirect)["faults"].([]any)
	assert.Equal(t, map[string]any(redirect), shown[1])
	a.refused(400, "E0000001", "POST", "/control/faults", object{"kind": "drop", "url": "http://10.0.0.1/"})
	assert.Len(t, a.idp.Faults(), 2)
	a.ok(204, "DELETE", "/control/faults", nil)
	a.ok(200, "POST", "/control/faults", object{"kind": "skew", "for": "1h", "count": 2})
	assert.Len(t, a.idp.Faults(), 1)
	a.ok(204, "DELETE", "/control/faults", nil)
	a.ok(200, "POST", "/control/clock", object{"advance": "48h"})
	a.refused(400, "E0000001", "POST", "/control/clock", object{"advance": "soon"})
	assert.WithinDuration(t, time.Now().Add(48*time.Hour), a.idp.Now(), time.Minute)
	a.ok(204, "POST", "/control/reset", nil)
	assert.Empty(t, a.idp.Messages())
	assert.WithinDuration(t, time.Now(), a.idp.Now(), time.Minute)
}

// Every body is answered, and what is accepted can be read and written back.
func FuzzBodies(f *testing.F) {
	f.Add("apps", string(must(json.Marshal(samlApp()))))
	f.Add("users", `{"profile":{"login":"c@example.com","email":"c","x":[1,true,null,"y"]},"groupIds":["00g"]}`)
	f.Add("groups", `{"profile":{"name":"Finance"}}`)
	f.Add("apps", `{"name":"amazon_aws_sso","label":"x","signOnMode":"SAML_2_0","settings":{"app":{"acsURL":"https://a.example/"}}}`)
	idp := mockidp.New(twoRegions())
	f.Cleanup(idp.Close)
	h := oktaapi.New(idp, oktaapi.Config{Token: "token"})
	send := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://localhost"+path, nil)
		r.Body = http.NoBody
		if body != "" {
			r = httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
		}
		r.Header.Set("Authorization", "SSWS token")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		if kind != "apps" && kind != "users" && kind != "groups" {
			return
		}
		idp.Reset()
		w := send("POST", "/api/v1/"+kind, body)
		var o object
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &o), "%s", w.Body)
		if w.Code != 200 {
			require.NotEmpty(t, o["errorCode"])
			require.Less(t, w.Code, 500)
			return
		}
		put := send("PUT", "/api/v1/"+kind+"/"+text2(o["id"]), w.Body.String())
		require.Equal(t, 200, put.Code, "%s\n%s", w.Body, put.Body)
	})
}

// Single logout is settings.signOn.slo, as at Okta.
func TestSingleLogoutOfAnApp(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	body := samlApp()
	dig(body, "settings.signOn").(object)["slo"] = object{"enabled": true, "issuer": "https://payroll.example",
		"logoutUrl": "https://payroll.example/slo"}
	made := a.ok(200, "POST", "/api/v1/apps", body)
	id := text2(made["id"])
	app, _ := a.idp.App(id)
	assert.Equal(t, "https://payroll.example/slo", app.LogoutURL)
	slo := dig(made, "settings.signOn.slo").(object)
	assert.Equal(t, true, slo["enabled"])
	assert.Equal(t, "https://payroll.example/slo", slo["logoutUrl"])

	a.ok(200, "PUT", "/api/v1/apps/"+id, samlApp()) // without slo it stays
	app, _ = a.idp.App(id)
	assert.Equal(t, "https://payroll.example/slo", app.LogoutURL)
	dig(body, "settings.signOn").(object)["slo"] = object{"enabled": false}
	a.ok(200, "PUT", "/api/v1/apps/"+id, body)
	app, _ = a.idp.App(id)
	assert.Empty(t, app.LogoutURL)
	dig(body, "settings.signOn").(object)["slo"] = object{"enabled": true}
	a.refused(400, "E0000001", "PUT", "/api/v1/apps/"+id, body)
}

// A logout of a user ends the sessions, and says what a browser has to do.
func TestControlLogout(t *testing.T) {
	a := newAPI(t, twoRegions())
	idp := a.idp
	require.NoError(t, idp.UpdateApp("idc", func(app *mockidp.App) error {
		app.LogoutURL, app.InsecureUnsignedLogout = virginia, true
		return nil
	}))
	b := newBrowser(t, idp)
	b.signIn(alice, mockidp.DefaultPassword)
	b.get(idp.TileURL("idc"))
	got := a.ok(200, "POST", "/control/logout", object{"user": alice})
	assert.Equal(t, []any{}, got["told"])
	b.get(got["url"].(string)).has(t, "Signing out", "Not told yet")
	b.get(idp.DashboardURL()).has(t, `name="password"`)
	a.refused(404, "E0000007", "POST", "/control/logout", object{"user": "none"})
}
