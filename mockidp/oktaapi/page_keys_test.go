package oktaapi_test

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func ecdsaPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(ecdsaKey())
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// The keys of the Server: add, sign, remove, and the certificate as a file.
func TestConsoleKeys(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Apps = append(conf.Apps, mockidp.App{ID: "wiki", Label: "Wiki", ACS: []mockidp.ACS{{URL: virginia}}})
	idp := start(t, conf)
	c := openConsole(t, idp)
	first := idp.Keys()[0].ID
	c.press("/keys", "do", "add", "years", "3").has(t, "It doesn't sign yet")
	require.Len(t, idp.Keys(), 2)
	second := idp.Keys()[1]
	assert.WithinDuration(t, time.Now().AddDate(3, 0, 0), second.Certificate.NotAfter, 48*time.Hour)
	c.press("/keys", "do", "remove", "key", first).has(t, "still signs")
	c.press("/keys", "do", "sign", "key", second.ID).has(t, "This key signs now")
	assert.Equal(t, second.Certificate, idp.Certificate())
	c.press("/keys", "do", "remove", "key", first).has(t, "Removed.")
	p := c.press("/keys", "do", "add", "years", "ten", "pem", "")
	assert.Equal(t, 422, p.Status)
	p.has(t, "1 to 30 years", `value="ten"`)
	p = c.press("/keys", "do", "add", "pem", "<key>")
	p.has(t, "Want a private key", "&lt;key&gt;")
	cert := testkit.Certificate(ecdsaKey(), time.Now())
	c.press("/keys", "do", "add", "pem", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"+
		"-----END EC PARAMETERS-----\n"+ecdsaPEM(t)+
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))).has(t, "A key was added")
	assert.Equal(t, cert, idp.Keys()[1].Certificate)
	assert.Equal(t, 422, c.press("/keys", "do", "x").Status)

	p = c.page("/keys/" + second.ID + "/certificate")
	assert.Equal(t, `attachment; filename="signing-`+second.ID[:8]+`.pem"`, p.Header.Get("Content-Disposition"))
	block, _ := pem.Decode([]byte(p.Body))
	require.NotNil(t, block)
	assert.Equal(t, second.Certificate.Raw, block.Bytes)
	assert.Equal(t, 404, c.get(c.at+"/keys/none/certificate").Status)
}

func TestConsoleAppKeys(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Apps = append(conf.Apps, mockidp.App{ID: "wiki", Label: "Wiki", ACS: []mockidp.ACS{{URL: virginia}}})
	idp := start(t, conf)
	c := openConsole(t, idp)
	const path = "/apps/wiki/keys"
	item := func(kid string) string {
		_, rest, found := strings.Cut(c.page("/keys").Body, "<code>"+kid+"</code>")
		require.True(t, found, kid)
		item, _, _ := strings.Cut(rest, "</li>")
		return item
	}
	first := idp.Keys()[0].ID
	assert.Contains(t, item(first), "<dd>all apps</dd></div><div><dt>In the metadata of</dt><dd>all apps</dd>")
	c.press(path, "do", "add", "pem", ecdsaPEM(t)).has(t, "A key was added")
	keys, err := idp.AppKeys("wiki")
	require.NoError(t, err)
	own := keys[1].ID
	assert.Contains(t, item(own), "<dd>no app</dd></div><div><dt>In the metadata of</dt><dd>Wiki</dd>")
	c.press(path, "do", "sign", "key", own).has(t, "This key signs now", "The app has chosen its key")
	assert.Contains(t, item(own), "<dd>Wiki</dd></div><div><dt>In the metadata of</dt><dd>Wiki</dd>")
	assert.Contains(t, item(first), "<dd>Identity Center – N. Virginia</dd>")
	assert.NotContains(t, item(own), "Sign with it", "it isn't the server's")
	c.press(path, "do", "copy", "key", own, "app", "idc").has(t, "A key was added")
	keys, err = idp.AppKeys("idc")
	require.NoError(t, err)
	assert.Len(t, keys, 2)
	c.page("/keys/" + own + "/certificate")
	c.press(path, "do", "follow").has(t, "signed with the server")
	p := c.page(path + "/" + own + "/remove")
	form, ok := p.FormFor(path)
	require.True(t, ok)
	c.post(c.at+path, form.Values()).has(t, "Removed.")
	c.press(path, "do", "remove", "key", own).has(t, "No signing key has the ID")
}
