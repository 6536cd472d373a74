package mockidp_test

import (
	"crypto/sha1" //nolint:gosec // of the SAML specification
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// artifactSP is a service provider of crewjam/saml at an app that answers by HTTP-Artifact.
type artifactSP struct {
	*logoutSP
	idp *mockidp.Server
	req string // the ID of the last request
}

func addArtifactSP(t *testing.T, idp *mockidp.Server, origin string, change func(*mockidp.App)) *artifactSP {
	t.Helper()
	sp := addLogoutSP(t, idp, origin, crewjam.HTTPPostBinding)
	updateApp(t, idp, sp.app, func(a *mockidp.App) {
		a.ResponseBinding = mockidp.ResponseArtifact
		if change != nil {
			change(a)
		}
	})
	sp.IDPMetadata = &crewjam.EntityDescriptor{}
	require.NoError(t, xml.Unmarshal(idp.Metadata(sp.app), sp.IDPMetadata))
	sp.AllowInsecureSOAPEndpoints, sp.RequireStandardArtifacts = true, true
	sp.HTTPClient = idp.Client()
	return &artifactSP{logoutSP: sp, idp: idp}
}

// ask signs alice in, and returns the artifact with the RelayState.
func (sp *artifactSP) ask(t *testing.T) mockidp.Form {
	t.Helper()
	req, err := sp.MakeAuthenticationRequest(sp.idp.SSOURL(sp.app), crewjam.HTTPRedirectBinding,
		crewjam.HTTPArtifactBinding)
	require.NoError(t, err)
	sp.req = req.ID
	f, err := sp.idp.Answer(must(req.Redirect("there & back", sp.ServiceProvider)).String(), alice)
	require.NoError(t, err)
	require.Empty(t, f.SAMLResponse)
	assert.Equal(t, "there & back", f.Values().Get("RelayState"))
	return f
}

// resolve fetches the Response of an artifact as crewjam/saml does.
func (sp *artifactSP) resolve(t *testing.T, f mockidp.Form) (*crewjam.Assertion, error) {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, sp.AcsURL.String(),
		strings.NewReader(f.Values().Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.NoError(t, r.ParseForm())
	a, err := sp.ParseResponse(r, []string{sp.req})
	if err != nil {
		return nil, private(err)
	}
	return a, nil
}

func TestArtifact(t *testing.T) {
	for name, sign := range map[string]mockidp.Signing{"both": mockidp.SignBoth, "response": mockidp.SignResponse,
		"assertion": mockidp.SignAssertion, "ArtifactResponse only": mockidp.SignArtifactResponse} {
		t.Run(name, func(t *testing.T) {
			idp := start(t, mockidp.Config{})
			sp := addArtifactSP(t, idp, wiki, func(a *mockidp.App) { a.Sign = sign })
			f := sp.ask(t)
			raw := must(base64.StdEncoding.DecodeString(f.Values().Get("SAMLart")))
			source := sha1.Sum([]byte(sp.IDPMetadata.EntityID)) //nolint:gosec // as above
			assert.Equal(t, "\x00\x04\x00\x03"+string(source[:]), string(raw[:24]))
			a, err := sp.resolve(t, f)
			require.NoError(t, err)
			assert.Equal(t, alice, a.Subject.NameID.Value)
			_, err = sp.resolve(t, f)
			require.Error(t, err, "a second time")
			last := idp.Messages()[len(idp.Messages())-2]
			require.NotNil(t, last.Refused)
			assert.Equal(t, mockidp.ReasonArtifact, last.Refused.Reason)
		})
	}
}

// An error status and an encrypted assertion are resolved, too, and a request may ask for HTTP-POST.
func TestArtifactOfOtherAnswers(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addArtifactSP(t, idp, wiki, func(a *mockidp.App) { a.Encrypt = &mockidp.Encryption{} })
	_, err := sp.resolve(t, sp.ask(t))
	require.NoError(t, err)
	require.NoError(t, idp.QueueError(sp.app, mockidp.Status{SubCode: mockidp.StatusRequestDenied}))
	_, err = sp.resolve(t, sp.ask(t))
	require.ErrorIs(t, err, crewjam.ErrBadStatus{Status: mockidp.StatusResponder})

	req := must(sp.MakeAuthenticationRequest(idp.SSOURL(sp.app), crewjam.HTTPRedirectBinding, crewjam.HTTPPostBinding))
	f, err := idp.Answer(must(req.Redirect("", sp.ServiceProvider)).String(), alice)
	require.NoError(t, err)
	assert.NotEmpty(t, f.SAMLResponse)
	updateApp(t, idp, sp.app, func(a *mockidp.App) { a.ResponseBinding = mockidp.ResponsePOST })
	req = must(sp.MakeAuthenticationRequest(idp.SSOURL(sp.app), crewjam.HTTPRedirectBinding, crewjam.HTTPArtifactBinding))
	_, err = idp.Answer(must(req.Redirect("", sp.ServiceProvider)).String(), alice)
	assert.Equal(t, mockidp.ReasonBinding, reason(t, err))
}

// The Response goes to the authenticated service provider that it was made for, until it expires. Others learn nothing,
// and don't use the artifact up.
func TestArtifactIsBound(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testing.T, *artifactSP) *artifactSP
		works  bool // afterwards, for its service provider
	}{
		"unsigned": {func(_ *testing.T, sp *artifactSP) *artifactSP { sp.SignatureMethod = ""; return sp }, true},
		"key":      {func(_ *testing.T, sp *artifactSP) *artifactSP { sp.Key = rsaKey(); return sp }, true},
		"other service provider": {func(t *testing.T, sp *artifactSP) *artifactSP {
			return addArtifactSP(t, sp.idp, mail, nil)
		}, true},
		"other at its address": {func(t *testing.T, sp *artifactSP) *artifactSP {
			other := addArtifactSP(t, sp.idp, mail, func(a *mockidp.App) { a.RequestCertificates = nil })
			other.IDPMetadata = sp.IDPMetadata
			return other
		}, true},
		"expired": {func(_ *testing.T, sp *artifactSP) *artifactSP {
			sp.idp.Advance(mockidp.ArtifactLifetime)
			return sp
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			idp := start(t, mockidp.Config{})
			sp := addArtifactSP(t, idp, wiki, nil)
			f := sp.ask(t)
			spoiled := *sp
			copied := *sp.logoutSP
			copiedSP := *sp.ServiceProvider
			copied.ServiceProvider, spoiled.logoutSP = &copiedSP, &copied
			asks := c.change(t, &spoiled)
			resolve := must(asks.MakeArtifactResolveRequest(f.Values().Get("SAMLart")))
			status, body := postSOAP(t, idp, idp.ArtifactURL(asksAt(asks, sp)), written(resolve.SoapRequest()))
			if status == 200 {
				got := etree.NewDocument()
				require.NoError(t, got.ReadFromString(body))
				response := got.FindElement("//ArtifactResponse")
				require.NotNil(t, response, body)
				assert.Equal(t, resolve.ID, response.SelectAttrValue("InResponseTo", ""))
				assert.Nil(t, got.FindElement("//Response"), "it has the message")
				assert.NotNil(t, response.SelectElement("Signature"))
			} else {
				assert.Contains(t, body, "the Issuer is not the Audience")
			}
			_, err := sp.resolve(t, f)
			assert.Equal(t, c.works, err == nil, err)
		})
	}
}

// asksAt returns the app at whose address a service provider asks.
func asksAt(asks, owner *artifactSP) string {
	if asks.IDPMetadata == owner.IDPMetadata {
		return owner.app
	}
	return asks.app
}

// The browser carries an artifact in a form, or in the query, beside what the address has.
func TestArtifactInTheBrowser(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addArtifactSP(t, idp, wiki, func(a *mockidp.App) {
		a.ResponseBinding, a.ACS = mockidp.ResponseArtifactPOST, []mockidp.ACS{{URL: wiki + "/acs?region=eu&x=%2F"}}
	})
	b := newBrowser(t, idp)
	p := b.signIn(b.get(idp.TileURL(sp.app)), alice, mockidp.DefaultPassword)
	f, ok := p.FormWith("SAMLart")
	require.True(t, ok, p.Body)
	assert.Equal(t, []string{"post", wiki + "/acs?region=eu&x=%2F"}, []string{strings.ToLower(f.Method), f.Action})
	_, both := p.FormWith("SAMLResponse")
	assert.False(t, both)

	updateApp(t, idp, sp.app, func(a *mockidp.App) { a.ResponseBinding = mockidp.ResponseArtifact })
	to := must(url.Parse(b.get(idp.TileURL(sp.app)).Header.Get("Location")))
	assert.Equal(t, []string{"eu", "/"}, []string{to.Query().Get("region"), to.Query().Get("x")})
	assert.Len(t, to.Query().Get("SAMLart"), 60)

	fresh := newBrowser(t, idp) // a redirect after the form would fail by the page's form-action
	p = fresh.signIn(fresh.get(idp.TileURL(sp.app)), alice, mockidp.DefaultPassword)
	f, ok = p.FormWith("SAMLart")
	require.True(t, ok, "%d %s", p.Status, p.Body)
	assert.Equal(t, "get", strings.ToLower(f.Method))
	assert.Equal(t, "eu", f.Values().Get("region"))
}

// An attack reaches the service provider by artifact as it is, octet for octet.
func TestArtifactOfAMutation(t *testing.T) {
	const hostile = "<!DOCTYPE a [<!ENTITY b \"c\">]>\r\n<a>&b;<![CDATA[x]]></a>"
	idp := start(t, mockidp.Config{Mutate: func(m mockidp.Mutation) (mockidp.Mutated, error) {
		if m.ID == "" {
			return mockidp.Mutated{}, nil
		}
		return mockidp.Mutated{Response: []byte(hostile)}, nil
	}})
	sp := addArtifactSP(t, idp, wiki, nil)
	require.NoError(t, idp.QueueMutation("x", sp.app, ""))
	resolve := must(sp.MakeArtifactResolveRequest(sp.ask(t).Values().Get("SAMLart")))
	_, body := postSOAP(t, idp, idp.ArtifactURL(sp.app), written(resolve.SoapRequest()))
	assert.Contains(t, body, "</saml2p:Status>"+hostile+"</saml2p:ArtifactResponse>")
}

func TestArtifactSettingsAreChecked(t *testing.T) {
	idp := start(t, mockidp.Config{})
	for name, f := range map[string]func(*mockidp.App){
		"unknown": func(a *mockidp.App) { a.ResponseBinding = 9 },
		"Entra":   func(a *mockidp.App) { a.ResponseBinding, a.Profile = mockidp.ResponseArtifact, mockidp.Entra },
		"signing": func(a *mockidp.App) { a.Sign = mockidp.SignArtifactResponse },
	} {
		assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.UpdateApp("", func(a *mockidp.App) error { f(a); return nil })),
			name)
	}
	status, body := postSOAP(t, idp, idp.ArtifactURL(""), []byte("<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/"+
		"envelope/\"><S:Body><a/></S:Body></S:Envelope>"))
	assert.Equal(t, 500, status)
	assert.Contains(t, body, "has no ArtifactResolutionService")
	assert.Less(t, mockidp.ArtifactLifetime, 2*time.Minute)
}
