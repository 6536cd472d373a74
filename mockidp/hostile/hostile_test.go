package hostile_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/hostile"
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
