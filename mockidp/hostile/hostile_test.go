package hostile_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// Every offered attack can be made, unless the app lacks something that it
// needs.
func TestArm(t *testing.T) {
	var c mockidp.Config
	hostile.Arm(&c)
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	require.NoError(t, idp.UpdateApp("", func(a *mockidp.App) error {
		a.Audience, a.ACS = "sp", []mockidp.ACS{{URL: "http://sp.localhost/acs"}, {URL: "http://sp.localhost/acs2"}}
		return nil
	}))
	subject := func() string {
		form, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
		require.NoError(t, err)
		xml, err := base64.StdEncoding.DecodeString(form.SAMLResponse)
		require.NoError(t, err)
		return string(xml)
	}
	assert.NotContains(t, subject(), "admin@example.com", "nothing is switched on")
	require.NoError(t, idp.SetMutation("A03/assertion", "", ""))
	assert.Contains(t, subject(), "admin@example.com")
	require.NoError(t, idp.SetMutation("", "", ""))

	made := 0
	for _, e := range run.List() {
		if idp.QueueMutation(e.ID, "", "") != nil {
			continue
		}
		_, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
		if err == nil {
			made++
		} else {
			assert.True(t, strings.Contains(err.Error(), e.ID) || strings.Contains(err.Error(), "no other request"), err)
		}
	}
	assert.Greater(t, made, 500)
	assert.Error(t, idp.QueueMutation("D01/same-browser", "", ""), "no page can send it")
}

// The browser of testkit delivers the attacks that change the form, in place of the page's script. None makes another
// user of the one who signed in.
func TestFormsAreDelivered(t *testing.T) {
	t.Parallel()
	c := mockidp.Config{}
	hostile.Arm(&c)
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	sp := serviceProvider(idp)
	n := 0
	for _, id := range idp.MutationIDs() {
		form := slices.Contains([]string{"D44", "D46", "D48", "D50"}, id[:3])
		if !form {
			continue
		}
		n++
		require.NoError(t, idp.QueueMutation(id, "", ""))
		page, err := testkit.SignInHandler(idp, sp, "https://sp.example/login", mockidp.DefaultLogin)
		require.NoError(t, err, id)
		assert.Equal(t, "sp.example", page.URL.Host, id)
		assert.NotContains(t, page.Body, "Hello, admin", id)
		if strings.HasPrefix(id, "D48") {
			assert.GreaterOrEqual(t, page.Status, 400, id)
		}
		m := idp.Messages()
		assert.Equal(t, id, m[len(m)-1].Attack)
	}
	assert.Greater(t, n, 20)
}
