package mockidp_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// Deliver sends the form as a browser does, with the cookies of the client's jar, and records the last answer.
func TestDeliverPostsLikeABrowser(t *testing.T) {
	var seen []string
	sp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie := "none"
		if c, err := r.Cookie("binding"); err == nil {
			cookie = c.Value
		}
		seen = append(seen, r.Method+" "+r.URL.Path+" "+r.FormValue("RelayState")+" "+cookie)
		http.SetCookie(w, &http.Cookie{Name: "binding", Value: "second", Path: "/"})
		http.Redirect(w, r, "/home", http.StatusSeeOther)
	}))
	defer sp.Close()
	idp := start(t, twoRegions())
	require.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: sp.URL + "/acs"}}))
	form, err := idp.IdPInitiated("idc", alice, "there")
	require.NoError(t, err)
	at := must(url.Parse(sp.URL))
	jar := must(cookiejar.New(nil))
	jar.SetCookies(at, []*http.Cookie{{Name: "binding", Value: "first"}})
	c := &http.Client{Jar: jar}
	for range 2 {
		a, err := idp.Deliver(c, form)
		require.NoError(t, err)
		assert.Equal(t, []any{303, "/home"}, []any{a.Status, a.Location})
	}
	assert.Equal(t, []string{"POST /acs there first", "POST /acs there second"}, seen, "and the redirect isn't followed")
	assert.Nil(t, c.CheckRedirect, "the client is unchanged")
	_, err = idp.Deliver(nil, form)
	require.NoError(t, err)
	assert.Equal(t, "POST /acs there none", seen[2], "a new client has no cookies")
}

// A form that can't be sent is an error, and the message records it.
func TestUndeliverableForms(t *testing.T) {
	idp := start(t, twoRegions())
	sp := httptest.NewServer(http.NotFoundHandler())
	require.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: sp.URL}}))
	good, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	for name, f := range map[string]mockidp.Form{
		"no URL":         {SAMLResponse: "x"},
		"broken URL":     {URL: "http://[::1", SAMLResponse: "x"},
		"broken for GET": {URL: "http://[::1", SAMLResponse: "x", Method: mockidp.GET},
		"scheme":         {URL: "javascript:alert(1)", SAMLResponse: "x"},
	} {
		a, err := idp.Deliver(nil, f)
		require.Error(t, err, name)
		assert.NotEmpty(t, a.Err, name)
		assert.False(t, a.Time.IsZero(), name)
	}
	assert.Nil(t, idp.Messages()[0].Answer, "no delivery was of this message")
	a, err := idp.Deliver(nil, good)
	require.NoError(t, err)
	assert.Equal(t, 404, a.Status)
	sp.Close()
	a, err = idp.Deliver(nil, good)
	require.Error(t, err)
	assert.Equal(t, a, *idp.Messages()[0].Answer)
	assert.Zero(t, a.Status)
}

// Values holds the fields of a form.
func TestFormInputs(t *testing.T) {
	f := mockidp.Form{SAMLResponse: "a"}
	assert.Equal(t, []mockidp.Field{{Name: "SAMLResponse", Value: "a"}}, f.Inputs())
	f.RelayState = "s"
	assert.Equal(t, []mockidp.Field{{Name: "SAMLResponse", Value: "a"}, {Name: "RelayState", Value: "s"}}, f.Inputs())
	f.Fields = []mockidp.Field{{Name: "x", Value: "1"}, {Name: "x", Value: "2"}}
	assert.Equal(t, f.Fields, f.Inputs(), "instead")
	assert.Equal(t, url.Values{"x": {"1", "2"}}, f.Values())
	f.Fields = []mockidp.Field{}
	assert.Empty(t, f.Values(), "none at all")
}
