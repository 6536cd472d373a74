package mockidp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

const realTenant = "7d2f9f1e-0000-4aaa-8bbb-1234567890ab"

// tenants returns a Config with two apps in one tenant, one in another, and one of the profile Okta.
func tenants() mockidp.Config {
	conf := entra()
	everyone := []string{mockidp.Everyone}
	conf.Apps = append(conf.Apps,
		mockidp.App{ID: "hr", Label: "People", Profile: mockidp.Entra, Audience: "https://hr.example",
			ACS: []mockidp.ACS{{URL: ireland}}, Groups: everyone},
		mockidp.App{ID: "far", Label: "Far", Profile: mockidp.Entra, Issuer: "https://sts.windows.net/" + realTenant + "/",
			ExternalKey: "11111111-2222-3333-4444-555555555555",
			Audience:    entityID, ACS: []mockidp.ACS{{URL: frank}}, Groups: everyone},
		mockidp.App{ID: "okta", Label: "Okta's", Audience: entityID, ACS: []mockidp.ACS{{URL: virginia}}, Groups: everyone})
	return conf
}

func TestEntraAddresses(t *testing.T) {
	idp := start(t, tenants())
	app, _ := idp.App("idc")
	const guid = `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`
	assert.Regexp(t, "^"+guid+"$", app.ExternalKey)
	tenant := strings.TrimSuffix(strings.TrimPrefix(app.Issuer, "https://sts.windows.net/"), "/")
	assert.Equal(t, idp.URL+"/"+tenant+"/saml2", idp.SSOURL("idc"))
	assert.Equal(t, idp.SSOURL("idc"), idp.SSOURL("hr"))
	assert.Equal(t, idp.URL+"/"+realTenant+"/saml2", idp.SSOURL("far"), "the Issuer names the tenant")
	assert.Equal(t, idp.URL+"/"+tenant+"/federationmetadata/2007-06/federationmetadata.xml?appid="+app.ExternalKey,
		idp.MetadataURL("idc"))
	assert.Equal(t, idp.URL+"/api/signin/"+app.ExternalKey+"?tenantId="+tenant, idp.TileURL("idc"))
	assert.Equal(t, idp.SSOURL("okta"), idp.TileURL("okta"))

	b := newBrowser(t, idp)
	for id, issuer := range map[string]string{"idc": app.Issuer, "hr": app.Issuer, "far": "https://sts.windows.net/" +
		realTenant + "/"} {
		for _, at := range []string{idp.MetadataURL(id),
			strings.Replace(idp.MetadataURL(id), "federationmetadata/2007-06/federationmetadata",
				"FederationMetadata/2007-06/FederationMetadata", 1)} {
			p := b.get(at)
			require.Equal(t, 200, p.Status, at)
			assert.Equal(t, string(idp.Metadata(id)), p.Body)
			doc := etree.NewDocument()
			require.NoError(t, doc.ReadFromString(p.Body))
			assert.Equal(t, issuer, doc.Root().SelectAttrValue("entityID", ""))
			services := doc.FindElements("//SingleSignOnService")
			require.Len(t, services, 2)
			for _, sso := range services {
				assert.Equal(t, idp.SSOURL(id), sso.SelectAttrValue("Location", ""))
			}
		}
	}
	own, err := idp.AddKey(ecdsaKey(), nil)
	require.NoError(t, err)
	updateApp(t, idp, "idc", func(a *mockidp.App) { a.KeyID = own.ID })
	assert.Equal(t, string(idp.Metadata("idc")), b.get(idp.MetadataURL("idc")).Body)
	whole := b.get(idp.URL + "/" + strings.ToUpper(tenant) + "/federationmetadata/2007-06/federationmetadata.xml")
	assert.Contains(t, whole.Body, `entityID="`+app.Issuer+`"`)
	assert.Equal(t, string(idp.Metadata("hr")), whole.Body, "without an app's ID the keys are the Server's")

	okta, _ := idp.App("okta")
	for _, path := range []string{
		"/app/" + app.Name + "/" + app.ExternalKey + "/sso/saml", "/app/" + app.ExternalKey + "/sso/saml/metadata", // Okta's
		"/" + realTenant + "/federationmetadata/2007-06/federationmetadata.xml?appid=" + app.ExternalKey, // another tenant's
		"/" + realTenant[1:] + "0/federationmetadata/2007-06/federationmetadata.xml",
		"/" + tenant + "/federationmetadata/2007-06/federationmetadata.xml?appid=" + okta.ExternalKey,
		"/common/saml2", "/api/signin/" + app.ExternalKey, "/api/signin/" + app.ExternalKey + "?tenantId=" +
			realTenant, "/api/signin/x?tenantId=" + tenant,
	} {
		p := b.get(idp.URL + path)
		assert.Equal(t, http.StatusNotFound, p.Status, path)
		assert.NotContains(t, p.Body, "EntityDescriptor", path)
	}
}

// The Issuer identifies the app of the tenant that a request is for.
func TestEntraFindsTheAppByIssuer(t *testing.T) {
	idp := start(t, tenants())
	for _, binding := range []string{"redirect", "post"} {
		b := newBrowser(t, idp)
		ask := func(at, xml string) page {
			if binding == "redirect" {
				return b.get(at + "?" + url.Values{"SAMLRequest": {deflated(xml)}, "RelayState": {"state"}}.Encode())
			}
			v := postForm(xml)
			v.Set("RelayState", "state")
			return b.post(at, v)
		}
		hr := strings.Replace(request(attr("Destination", idp.SSOURL("hr"))), entityID, "https://hr.example", 1)
		form := b.signIn(ask(idp.SSOURL("idc"), hr), alice, mockidp.DefaultPassword).answer(t)
		assert.Equal(t, []string{ireland, "state"}, []string{form.URL, form.RelayState})
		assert.Equal(t, "https://hr.example", text(t, decode(t, form), "//Audience"))
		assert.Equal(t, frank, ask(idp.SSOURL("idc"), request()).answer(t).URL)
		far := decode(t, ask(idp.SSOURL("far"), request()).answer(t))
		assert.Equal(t, "https://sts.windows.net/"+realTenant+"/", text(t, far, "//Issuer"),
			"the same identifier in another tenant")

		p := ask(idp.SSOURL("far"), hr)
		p.refused(t, 400, mockidp.ReasonIssuer)
		p.contains(t, "AADSTS700016")
		p.contains(t, "https://hr.example")
		ms := idp.Messages()
		last := ms[len(ms)-1]
		assert.Equal(t, []string{"", string(mockidp.ReasonIssuer)}, []string{last.App, string(last.Refused.Reason)},
			"it is recorded, for no app")
		ask(idp.SSOURL("hr"), "<x/>").refused(t, 400, mockidp.ReasonMalformed)
	}
	b := newBrowser(t, idp)
	p := b.get(idp.SSOURL("idc"))
	p.refused(t, 400, mockidp.ReasonMalformed)
	p.contains(t, "AADSTS750054")

	_, err := idp.Answer(idp.SSOURL("far")+"?"+
		url.Values{"SAMLRequest": {deflated(strings.Replace(request(), entityID, "unknown", 1))}}.Encode(), alice)
	assert.Equal(t, mockidp.ReasonIssuer, reason(t, err))
	updateApp(t, idp, "hr", func(a *mockidp.App) { a.Audience = "" })
	_, err = idp.Answer(idp.SSOURL("hr")+"?"+
		url.Values{"SAMLRequest": {deflated(strings.Replace(request(), entityID, "https://hr.example", 1))}}.Encode(), alice)
	assert.ErrorContains(t, err, "RegisterSP")
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.UpdateApp("hr", func(a *mockidp.App) error { a.Audience = entityID; return nil })),
		"a duplicate identifier")
}

// IdP-initiated sign-in begins at the tile.
func TestEntraTile(t *testing.T) {
	conf := tenants()
	conf.OddPaths = true
	idp := start(t, conf)
	b := newBrowser(t, idp)
	home := b.signIn(b.get(idp.DashboardURL()), alice, mockidp.DefaultPassword)
	u, err := url.Parse(idp.TileURL("idc"))
	require.NoError(t, err)
	assert.Contains(t, home.Body, `href="`+u.RequestURI()+`"`)
	for _, at := range []string{idp.TileURL("idc"), idp.SSOURL("idc"), idp.MetadataURL("idc")} {
		assert.True(t, strings.HasPrefix(at, idp.URL+"/"), at)
		assert.NotEqual(t, "", strings.Trim(strings.TrimPrefix(idp.URL, "http://"+u.Host), "/"),
			"the random path comes first")
	}
	form := b.get(idp.TileURL("idc")).answer(t)
	assert.Equal(t, []string{frank, "/start"}, []string{form.URL, form.RelayState})
	assert.Empty(t, attrOf(t, decode(t, form), "//SubjectConfirmationData", "InResponseTo"))
	assert.Equal(t, "/deep", b.get(idp.TileURL("idc")+"&RelayState=/deep").answer(t).RelayState)
	b.get(idp.TileURL("idc")+"&RelayState="+strings.Repeat("x", mockidp.MaxRelayState+1)).refused(t, 400,
		mockidp.ReasonRelayState)
	b.get(idp.AppURL("idc")).contains(t, idp.MetadataURL("idc"))
	other := start(t, conf)
	assert.NotEqual(t, strings.TrimPrefix(idp.MetadataURL("idc"), idp.URL),
		strings.TrimPrefix(other.MetadataURL("idc"), other.URL), "IDs are random too")
}
