package testkit_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestSignInStops(t *testing.T) {
	t.Parallel()
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	b := testkit.NewBrowser(t.Context())
	_, err := b.SignIn(idp.SignInURL(), mockidp.DefaultLogin, "wrong")
	assert.ErrorContains(t, err, "asks for the password again")
	p, err := b.SignIn(idp.SignInURL(), mockidp.DefaultLogin, mockidp.DefaultPassword)
	require.NoError(t, err)
	assert.Contains(t, p.Text(), "My Apps")
	again, err := b.SignIn(idp.SignInURL(), mockidp.DefaultLogin, "wrong")
	require.NoError(t, err)
	assert.Equal(t, p.Text(), again.Text(), "nothing asks for a password")
}

func TestSignInFollowsScriptsAndRefresh(t *testing.T) {
	t.Parallel()
	b := testkit.NewBrowser(t.Context())
	var user []string
	b.Transport = testkit.Handlers{"a.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user = append(user, r.Header.Get("Sec-Fetch-User"))
		switch r.URL.Path {
		case "/":
			fmt.Fprint(w, `<form method="post" action="/acs"><input name="SAMLRequest" value="x"></form>`)
		case "/acs":
			w.Header().Set("Refresh", "0; url=/home")
		case "/ever":
			w.Header().Set("Refresh", "0; url=/ever")
		}
	})}
	p, err := b.SignIn("https://a.example/", "", "")
	require.NoError(t, err)
	assert.Equal(t, "https://a.example/home", p.URL.String())
	assert.Equal(t, []string{"?1", "", ""}, user, "a script and a Refresh are not the user")
	_, err = b.SignIn("https://a.example/ever", "", "")
	assert.ErrorContains(t, err, "doesn't end after 24 pages")
	b.Transport = testkit.Handlers{}
	_, err = b.SignIn("https://a.example/", "", "")
	assert.ErrorContains(t, err, "no handler")
}

func TestContinue(t *testing.T) {
	t.Parallel()
	b := testkit.NewBrowser(t.Context())
	b.Transport = testkit.Handlers{"a.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/signout": // the mock's page before it tells the apps
			fmt.Fprint(w, `<form action="/tell"><input type="hidden" name="go" value="1"></form>`)
		case "/tell":
			fmt.Fprint(w, `<form method="post" action="/done"><input name="SAMLRequest" value="x"></form>`)
		case "/done":
			fmt.Fprint(w, `<form method="post" action="/in"><input name="password" type="password"></form>`)
		case "/stays": // its page while an app doesn't answer
			fmt.Fprint(w, `<form action="/tell"><input type="hidden" name="go" value="1"></form>
				<form method="post" action="/skip"><input type="hidden" name="sent" value="1"></form>`)
		}
	})}
	for from, to := range map[string]string{"/signout": "/done", "/tell": "/done", "/done": "/done", "/stays": "/stays"} {
		p, err := b.Open("https://a.example" + from)
		require.NoError(t, err)
		p, err = b.Continue(p)
		require.NoError(t, err)
		assert.Equal(t, to, p.URL.Path, from)
	}
}

// The sign-in page of crewjam/saml's identity provider holds the request that it is for.
func TestSignInFillsInAFormWithARequest(t *testing.T) {
	t.Parallel()
	b := testkit.NewBrowser(t.Context())
	var got []string
	b.Transport = testkit.Handlers{"a.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			got = append(got, r.FormValue("user")+" "+r.FormValue("password")+" "+r.FormValue("SAMLRequest"))
			return
		}
		fmt.Fprint(w, `<form method="post"><input name="user"><input type="password" name="password">`+
			`<input type="hidden" name="SAMLRequest" value="x"></form>`)
	})}
	_, err := b.SignIn("https://a.example/", "alice", "secret")
	require.NoError(t, err)
	assert.Equal(t, []string{"alice secret x"}, got)
}
