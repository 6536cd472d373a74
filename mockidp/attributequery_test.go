package mockidp_test

import (
	"encoding/xml"
	"net/http"
	"testing"

	crewjam "github.com/crewjam/saml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// addQuerySP returns a service provider of crewjam/saml at an app with attribute queries.
func addQuerySP(t *testing.T, idp *mockidp.Server, change func(*mockidp.App)) *logoutSP {
	t.Helper()
	sp := addLogoutSP(t, idp, wiki, crewjam.HTTPPostBinding)
	updateApp(t, idp, sp.app, func(a *mockidp.App) {
		a.AttributeQueries = true
		if change != nil {
			change(a)
		}
	})
	sp.IDPMetadata = &crewjam.EntityDescriptor{}
	require.NoError(t, xml.Unmarshal(idp.Metadata(sp.app), sp.IDPMetadata))
	sp.AllowInsecureSOAPEndpoints, sp.HTTPClient = true, idp.Client()
	return sp
}

func queried(name string) crewjam.NameID {
	return crewjam.NameID{Value: name, Format: mockidp.NameIDEmail}
}

// valuesOf returns all values of an answer by name.
func valuesOf(list []crewjam.Attribute) map[string][]string {
	out := map[string][]string{}
	for _, a := range list {
		for _, v := range a.Values {
			out[a.Name] = append(out[a.Name], v.Value)
		}
	}
	return out
}

func staff() mockidp.Config {
	return mockidp.Config{Users: []mockidp.User{
		{Login: alice, FirstName: "Alice", Groups: []string{"a", "b"}},
		{Login: bob, FirstName: "Bob"}, {Login: "carol@example.com", Status: mockidp.Suspended}}}
}

func TestAttributeQuery(t *testing.T) {
	for name, change := range map[string]func(*mockidp.App){
		"both":      nil,
		"assertion": func(a *mockidp.App) { a.Sign = mockidp.SignAssertion },
		"response":  func(a *mockidp.App) { a.Sign = mockidp.SignResponse },
		"encrypted": func(a *mockidp.App) { a.Encrypt = &mockidp.Encryption{} },
	} {
		t.Run(name, func(t *testing.T) {
			idp := start(t, staff())
			sp := addQuerySP(t, idp, change)
			got, err := sp.QueryAttributes(t.Context(), queried(alice))
			require.NoError(t, private(err))
			assert.Equal(t, map[string][]string{"email": {alice}, "firstName": {"Alice"}, "groups": {"a", "b"}},
				valuesOf(got.Attributes))
			require.Len(t, got.Assertions, 1)
			assert.Empty(t, got.Assertions[0].AuthnStatements)
			assert.Empty(t, got.Assertions[0].Subject.SubjectConfirmations)

			got, err = sp.QueryAttributes(t.Context(), queried(alice), crewjam.Attribute{Name: "firstName"},
				crewjam.Attribute{Name: "groups", Values: []crewjam.AttributeValue{{Value: "b"}, {Value: "c"}}},
				crewjam.Attribute{Name: "unknown"}, crewjam.Attribute{Name: "email", NameFormat: mockidp.AttrURI})
			require.NoError(t, private(err))
			assert.Equal(t, map[string][]string{"firstName": {"Alice"}, "groups": {"b"}}, valuesOf(got.Attributes))
		})
	}
}

// A transient NameID is that of an open session.
func TestAttributeQueryBySession(t *testing.T) {
	idp := start(t, staff())
	sp := addQuerySP(t, idp, nil)
	updateApp(t, idp, sp.app, func(a *mockidp.App) {
		a.NameIDTemplate, a.NameIDFormat = "${user.firstName}", mockidp.NameIDPersistent
	})
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.TileURL(sp.app)), alice, mockidp.DefaultPassword)
	updateApp(t, idp, sp.app, func(a *mockidp.App) { a.NameIDFormat = mockidp.NameIDTransient })
	known := crewjam.NameID{Value: "Alice", Format: mockidp.NameIDPersistent}
	got, err := sp.QueryAttributes(t.Context(), known)
	require.NoError(t, private(err))
	assert.Equal(t, []string{alice}, valuesOf(got.Attributes)["email"])
	require.NoError(t, idp.EndSessions(alice))
	_, err = sp.QueryAttributes(t.Context(), known)
	require.Error(t, err)
}

func TestAttributeQueryRefused(t *testing.T) {
	idp := start(t, staff())
	for name, id := range map[string]crewjam.NameID{
		"unknown":         queried("x"),
		"format":          {Value: alice, Format: mockidp.NameIDPersistent},
		"NameQualifier":   {Value: alice, Format: mockidp.NameIDEmail, NameQualifier: "x"},
		"SPNameQualifier": {Value: alice, Format: mockidp.NameIDEmail, SPNameQualifier: "x"},
		"suspended":       queried("carol@example.com"),
	} {
		sp := addQuerySP(t, idp, nil)
		_, err := sp.QueryAttributes(t.Context(), id)
		assert.ErrorIs(t, private(err), crewjam.ErrBadStatus{Status: mockidp.StatusRequester}, name)
		assert.ErrorContains(t, private(err), mockidp.StatusUnknownPrincipal, name)
	}
	sp := addQuerySP(t, idp, func(a *mockidp.App) { a.Users, a.Groups = []string{alice}, nil })
	_, err := sp.QueryAttributes(t.Context(), queried(alice))
	require.NoError(t, private(err))
	_, err = sp.QueryAttributes(t.Context(), queried(bob))
	assert.ErrorContains(t, private(err), mockidp.StatusUnknownPrincipal, "not assigned")

	for name, c := range map[string]struct {
		why    mockidp.Reason
		change func(*crewjam.ServiceProvider)
	}{
		"unsigned": {mockidp.ReasonSignature, func(sp *crewjam.ServiceProvider) { sp.Key = nil }},
		"key":      {mockidp.ReasonSignature, func(sp *crewjam.ServiceProvider) { sp.Key = rsaKey() }},
		"Issuer":   {mockidp.ReasonIssuer, func(sp *crewjam.ServiceProvider) { sp.EntityID = "x" }},
	} {
		asks := *sp.ServiceProvider
		c.change(&asks)
		_, err := asks.QueryAttributes(t.Context(), queried(alice))
		assert.ErrorContains(t, err, "500", name)
		last := idp.Messages()[len(idp.Messages())-1]
		require.NotNil(t, last.Refused, name)
		assert.Equal(t, c.why, last.Refused.Reason, name)
	}
	updateApp(t, idp, sp.app, func(a *mockidp.App) { a.AttributeQueries = false })
	_, err = sp.QueryAttributes(t.Context(), queried(alice))
	require.ErrorContains(t, err, "500")
	resp, err := http.Get(idp.AttributesURL(sp.app))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.NotEqual(t, 200, resp.StatusCode)
	assert.NotContains(t, string(idp.Metadata(sp.app)), "AttributeAuthorityDescriptor")
}
