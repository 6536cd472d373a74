package oktaapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// published returns the certificates in an app's metadata from the API.
func (a *api) published(app, query string) []string {
	a.t.Helper()
	resp, raw := a.do("GET", "/api/v1/apps/"+app+"/sso/saml/metadata"+query, nil)
	require.Equal(a.t, 200, resp.StatusCode, "%s", raw)
	return publishedBy(a.t, raw)
}

// switchTo puts an app with another key.
func (a *api) switchTo(status int, app, kid string) object {
	a.t.Helper()
	body := a.ok(200, "GET", "/api/v1/apps/"+app, nil)
	body["credentials"] = object{"signing": object{"kid": kid}}
	return a.ok(status, "PUT", "/api/v1/apps/"+app, body)
}

func x5c(key object) string { return key["x5c"].([]any)[0].(string) }

func TestAppRollsOver(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoApps())
	keys := "/api/v1/apps/pay/credentials/keys"
	old := a.list(keys, "kid")
	require.Len(t, old, 1)
	oldKey := a.ok(200, "GET", keys+"/"+old[0], nil)
	for _, years := range []string{"", "?validityYears=1", "?validityYears=11", "?validityYears=x"} {
		a.refused(400, "E0000001", "POST", keys+"/generate"+years, nil)
	}
	a.idp.Advance(72 * time.Hour)
	made := a.ok(201, "POST", keys+"/generate?validityYears=2", nil)
	kid := text2(made["kid"])
	moment := func(name string) time.Time { return must(time.Parse(time.RFC3339, text2(made[name]))) }
	assert.WithinDuration(t, a.idp.Now().AddDate(2, 0, 0), moment("expiresAt"), time.Hour)
	assert.WithinDuration(t, a.idp.Now(), moment("created"), time.Minute)
	assert.Less(t, oldKey["created"], made["created"])
	assert.Equal(t, []any{"RSA", "sig"}, []any{made["kty"], made["use"]})
	assert.Equal(t, made, a.ok(200, "GET", keys+"/"+kid, nil))
	assert.Equal(t, []string{old[0], kid}, a.list(keys, "kid"))
	assert.Equal(t, old, a.list("/api/v1/apps/idc/credentials/keys", "kid"), "the other app's keys are unchanged")
	a.refused(404, "E0000007", "GET", "/api/v1/apps/idc/credentials/keys/"+kid, nil)
	a.refused(404, "E0000007", "GET", "/api/v1/apps/mark/credentials/keys", nil)
	a.refused(404, "E0000007", "GET", "/api/v1/apps/none/credentials/keys", nil)

	assert.Equal(t, []string{x5c(oldKey), x5c(made)}, a.published("pay", ""))
	assert.Equal(t, []string{x5c(made)}, a.published("pay", "?kid="+kid))
	a.refused(404, "E0000007", "GET", "/api/v1/apps/idc/sso/saml/metadata?kid="+kid, nil)
	assert.Equal(t, "E0000001", a.switchTo(400, "idc", kid)["errorCode"], "another app's key")
	assert.Equal(t, kid, dig(a.switchTo(200, "pay", kid), "credentials.signing.kid"))
	assert.Equal(t, []string{"Payroll"}, a.list(`/api/v1/apps?filter=credentials.signing.kid+eq+"`+kid+`"`, "label"))
	assert.Equal(t, []string{x5c(made), x5c(oldKey)}, a.published("pay", ""))
	assert.Equal(t, []string{x5c(oldKey)}, a.published("idc", ""))
	served := newBrowser(t, a.idp).get(a.idp.MetadataURL("pay"))
	assert.Equal(t, x5c(made), publishedBy(t, []byte(served.Body))[0], "at the metadata URL")
	for app, want := range map[string]object{"pay": made, "idc": oldKey} {
		form, err := a.idp.IdPInitiated(app, alice, "")
		require.NoError(t, err)
		assert.Equal(t, x5c(want), text(t, decode(t, form), "//X509Certificate"))
	}
	a.refused(400, "E0000001", "DELETE", "/control/apps/pay/keys/"+kid, nil)
	a.ok(204, "DELETE", "/control/apps/pay/keys/"+old[0], nil)
	a.refused(404, "E0000007", "DELETE", "/control/apps/pay/keys/"+old[0], nil)
	assert.Equal(t, []string{x5c(made)}, a.published("pay", ""))
}

func TestCloneKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoApps())
	keys := "/api/v1/apps/pay/credentials/keys/"
	made := a.ok(201, "POST", keys+"generate?validityYears=2", nil)
	kid := text2(made["kid"])
	a.refused(400, "E0000001", "POST", keys+kid+"/clone", nil)
	a.refused(404, "E0000007", "POST", keys+kid+"/clone?targetAid=none", nil)
	a.refused(400, "E0000001", "POST", keys+kid+"/clone?targetAid=mark", nil)
	a.refused(404, "E0000007", "POST", keys+"none/clone?targetAid=idc", nil)
	assert.Equal(t, made, a.ok(201, "POST", keys+kid+"/clone?targetAid=idc", nil))
	a.refused(400, "E0000001", "POST", keys+kid+"/clone?targetAid=idc", nil)
	assert.Equal(t, kid, dig(a.switchTo(200, "idc", kid), "credentials.signing.kid"))
	assert.Equal(t, x5c(made), a.published("idc", "")[0])
}

// Okta has no route for this: the keys of all apps.
func TestServerRollsOver(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoApps())
	old := a.list("/control/keys", "kid")
	kid := text2(a.ok(201, "POST", "/control/keys/generate?validityYears=10", nil)["kid"])
	a.refused(400, "E0000001", "POST", "/control/keys/generate", nil)
	assert.Len(t, a.published("idc", ""), 2)
	a.refused(400, "E0000001", "DELETE", "/control/keys/"+old[0], nil)
	a.ok(204, "POST", "/control/keys/"+kid+"/sign", nil)
	a.ok(204, "DELETE", "/control/keys/"+old[0], nil)
	for _, app := range []string{"idc", "pay"} {
		assert.Len(t, a.published(app, ""), 1)
		assert.Equal(t, kid, dig(a.ok(200, "GET", "/api/v1/apps/"+app, nil), "credentials.signing.kid"))
	}
}

func TestKeysAreBounded(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoApps())
	for range 18 {
		must(a.idp.AddAppKey("pay", ecdsaKey(), nil))
	}
	keys := "/api/v1/apps/pay/credentials/keys"
	last := a.ok(201, "POST", keys+"/generate?validityYears=2", nil)
	a.refused(400, "E0000001", "POST", keys+"/generate?validityYears=2", nil)
	spare := text2(a.ok(201, "POST", "/api/v1/apps/idc/credentials/keys/generate?validityYears=2", nil)["kid"])
	a.refused(400, "E0000001", "POST", "/api/v1/apps/idc/credentials/keys/"+spare+"/clone?targetAid=pay", nil)
	a.ok(204, "DELETE", "/control/apps/pay/keys/"+text2(last["kid"]), nil)
	a.ok(201, "POST", "/api/v1/apps/idc/credentials/keys/"+spare+"/clone?targetAid=pay", nil)
	assert.Len(t, a.list(keys, "kid"), 20)
}
