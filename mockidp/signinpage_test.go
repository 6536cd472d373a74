package mockidp_test

import (
	"encoding/pem"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/hostile"
)

// A wrong password or code leads to a page with an address of its own, to which a browser can go back.
func TestFailedSignInsHaveAnAddress(t *testing.T) {
	conf := withFactor()
	idp := start(t, conf)
	b := newBrowser(t, idp)
	first := b.get(redirect(idp, request(), "s"))
	failed := b.signIn(first, alice, "wrong")
	assert.Equal(t, 401, failed.Status)
	assert.Contains(t, failed.URL.String(), "/login/login.htm?again=")
	again := b.get(failed.URL.String())
	assert.Equal(t, 401, again.Status)
	again.contains(t, "Unable to sign in")
	again.contains(t, `value="`+alice+`"`)
	factor := b.signIn(again, alice, mockidp.DefaultPassword)
	assert.Contains(t, factor.URL.String(), "/login/second-factor?factor=")
	v := factor.fields()
	v.Set("code", "0")
	wrong := b.post(idp.URL+"/login/second-factor", v)
	assert.Equal(t, 401, wrong.Status)
	b.get(wrong.URL.String()).contains(t, "The code is wrong")
	v.Set("code", "246810")
	b.post(idp.URL+"/login/second-factor", v).answer(t)
	b.get(wrong.URL.String()).refused(t, 404, mockidp.ReasonRequestNotFound) // the code was used
	b.get(idp.SignInURL()+"?again=forged").contains(t, "My Apps")
}

// The page about an expired sign-in leads to its app's service provider, where that is known.
func TestExpiredSignInsLeadBackToTheApp(t *testing.T) {
	conf := twoRegions()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	conf.Now = func() time.Time { return now }
	idp := start(t, conf)
	b := newBrowser(t, idp)
	link := `href="http://us-east-1.localhost:8711/">Go back to Identity Center – N. Virginia</a>`
	p := b.get(idp.SSOURL("idc"))
	v := p.fields()
	assert.Equal(t, "idc", v.Get("app"))
	now = now.Add(time.Hour)
	old := b.signIn(p, alice, mockidp.DefaultPassword)
	old.refused(t, 404, mockidp.ReasonRequestNotFound)
	old.contains(t, "This sign-in has expired")
	old.contains(t, link)
	b.get(idp.URL+"/login/continue?pending="+v.Get("pending")).contains(t, link)
	v.Set("pending", "forged")
	b.post(idp.URL+"/login/cancel", v).contains(t, link)
	for _, app := range []string{"mark", "http://evil.example/", ""} {
		v.Set("app", app)
		assert.NotContains(t, b.post(idp.URL+"/login/cancel", v).Body, "Go back to", app)
	}
}

// Metadata and certificate have names as downloads, and the page of the app shows what a service provider needs.
func TestDownloads(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Label = `Ä "quoted"; label/..`
	idp := start(t, conf)
	b := newBrowser(t, idp)
	metadata := b.get(idp.MetadataURL("idc"))
	assert.Equal(t, `inline; filename="quoted-label-metadata.xml"`, metadata.Header.Get("Content-Disposition"))
	cert := b.get(idp.URL + "/mockidp/certificate/idc")
	assert.Equal(t, `attachment; filename="quoted-label-cert.pem"`, cert.Header.Get("Content-Disposition"))
	block, _ := pem.Decode([]byte(cert.Body))
	require.NotNil(t, block)
	assert.Equal(t, idp.Certificate().Raw, block.Bytes)
	b.get(idp.URL+"/mockidp/certificate/mark").refused(t, 400, mockidp.ReasonNotSAML)
	b.get(idp.URL+"/mockidp/certificate/none").refused(t, 404, mockidp.ReasonNoSuchApp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	app := b.get(idp.AppURL("idc"))
	for _, want := range []string{"-----BEGIN CERTIFICATE-----", `download="quoted-label-cert.pem"`, idp.SSOURL("idc")} {
		app.contains(t, want)
	}
	assert.Regexp(t, `>([0-9A-F]{2}:){31}[0-9A-F]{2}<`, app.Body)
}

// Attacks have titles, families and references; the sign-in page lists them by family.
func TestAttacksHaveTitles(t *testing.T) {
	conf := twoRegions()
	hostile.Arm(&conf)
	idp := start(t, conf)
	all := idp.Mutations()
	require.Len(t, all, len(idp.MutationIDs()))
	for i, m := range all {
		assert.Equal(t, idp.MutationIDs()[i], m.ID)
		assert.NotEmpty(t, m.Title, m.ID)
		assert.NotEmpty(t, m.Family, m.ID)
	}
	assert.Equal(t, "A03/assertion · XSW3 (assertion)", all[slices.Index(idp.MutationIDs(), "A03/assertion")].Label())
	p := newBrowser(t, idp).get(idp.SSOURL("idc"))
	p.contains(t, `<optgroup label="Signature wrapping">`)
	p.contains(t, `<option value="A03/assertion">A03/assertion · XSW3 (assertion)</option>`)
	assert.Equal(t, "X", mockidp.MutationInfo{ID: "X"}.Label())
}

// The parameter login_hint fills in the username, with both bindings. A Subject has precedence, and a hint is not one.
func TestLoginHint(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Groups = []string{mockidp.Everyone}
	idp := start(t, conf)
	hinted := func(to, hint string) string {
		separator := "?"
		if strings.Contains(to, "?") {
			separator = "&"
		}
		return to + separator + url.Values{"login_hint": {hint}}.Encode()
	}
	username := func(p page) string {
		t.Helper()
		_, value, ok := strings.Cut(string(p.Body), `name="username" type="text" value="`)
		require.True(t, ok)
		value, _, _ = strings.Cut(value, `"`)
		return html.UnescapeString(value)
	}
	long := strings.Repeat("x", 257)
	for hint, want := range map[string]string{
		bob: bob, "nobody & \"x\"": "nobody & \"x\"", "a&SAMLRequest=b": "a&SAMLRequest=b", long[1:]: long[1:],
		long: "", "a\r\nb": "", "\xff": "", "": "",
	} {
		b := newBrowser(t, idp)
		assert.Equal(t, want, username(b.get(hinted(redirect(idp, request(), "state"), hint))))
		assert.Equal(t, want, username(b.post(hinted(idp.SSOURL("idc"), hint), postForm(request()))))
		assert.Equal(t, want, username(b.get(hinted(idp.SSOURL("idc"), hint))), "from the tile")
	}
	b := newBrowser(t, idp)
	p := b.get(hinted(redirect(idp, about(nameID(alice, "")), ""), bob))
	assert.Equal(t, alice, username(p))
	p = b.get(hinted(redirect(idp, request(), ""), bob))
	assert.Equal(t, alice, text(t, decode(t, b.signIn(p, alice, mockidp.DefaultPassword).answer(t)), "//Subject/NameID"))
	p = b.get(hinted(redirect(idp, request(attr("ForceAuthn", "true")), ""), bob))
	assert.Equal(t, bob, username(p), "not the user who is signed in")

	conf.Compose = true
	composing := start(t, conf)
	for hint, want := range map[string]string{bob: bob, "nobody": alice} {
		p = newBrowser(t, composing).get(hinted(redirect(composing, request(), ""), hint))
		assert.Equal(t, want, p.fields().Get("login"))
	}
}
