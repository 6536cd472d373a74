package saml_test

import (
	"crypto"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// K14: a parameter can't stand for one of the binding's own.
func TestQueryNames(t *testing.T) {
	sp := newSP(t)
	var names []string
	for _, own := range []string{
		"SAMLRequest", "SAMLResponse", "SAMLart", "RelayState", "SAMLEncoding", "SigAlg", "Signature",
	} {
		names = append(names, own, strings.ToLower(own), strings.ToUpper(own), own+" ", own+"[]", own+"\x00", own+"%00",
			own+"&", own+"=x&a", "%"+own)
	}
	names = append(names, "", " ", "a b", "ä", "a#", "a;b", "a+b", strings.Repeat("a", 65))
	for _, name := range names {
		_, err := sp.NewAuthnRequest(saml.RequestOptions{Query: url.Values{"ok": {"1"}, name: {"x"}}})
		requireReason(t, saml.ReasonConfig, err)
		assert.ErrorContains(t, err, "RequestOptions.Query", name)
	}
	for _, value := range []string{
		"a\r\nSet-Cookie: x", "\x00", "\x7f", "\xff", strings.Repeat("a", 2<<10), strings.Repeat("&", 700),
	} {
		_, err := sp.NewAuthnRequest(saml.RequestOptions{Query: url.Values{"login_hint": {value}}})
		requireReason(t, saml.ReasonConfig, err)
	}
}

// K14: values are encoded, and the parameters come after the signature, which doesn't
// cover them.
func TestQueryWithRedirect(t *testing.T) {
	const hint = "alice+x@example.com&SAMLRequest=evil&Signature=evil#?=/é "
	query := url.Values{"login_hint": {hint}, "domain_hint": {"example.com"}}
	for name, sp := range map[string]*saml.ServiceProvider{
		"unsigned": newSP(t), "signed": newSP(t, signingConfig(t, keys().other)),
	} {
		r, err := sp.NewAuthnRequest(saml.RequestOptions{Query: query})
		require.NoError(t, err)
		query.Set("domain_hint", "changed later")
		location, err := r.RedirectURL("state")
		require.NoError(t, err)
		query.Set("domain_hint", "example.com")
		_, got := readRedirect(t, location)
		assert.Equal(t, []string{hint}, got["login_hint"])
		assert.Equal(t, []string{"example.com"}, got["domain_hint"])
		assert.Len(t, got["SAMLRequest"], 1)
		assert.Equal(t, "state", got.Get("RelayState"))
		before, after, ok := strings.Cut(location, "&domain_hint=example.com&login_hint=")
		require.True(t, ok)
		assert.NotContains(t, after, "&")
		if name == "unsigned" {
			continue
		}
		_, signed, _ := strings.Cut(before, "?")
		signed, encoded, ok := strings.Cut(signed, "&Signature=")
		require.True(t, ok)
		unescaped, err := url.QueryUnescape(encoded)
		require.NoError(t, err)
		signature, err := base64.StdEncoding.DecodeString(unescaped)
		require.NoError(t, err)
		assert.True(t, verifyOctets(keys().other.Public(), signed, signature))
	}
}

func TestQueryWithPost(t *testing.T) {
	sp := newSP(t)
	r, err := sp.NewAuthnRequest(saml.RequestOptions{
		Binding: saml.HTTPPost, Query: url.Values{"login_hint": {`a"&b`}},
	})
	require.NoError(t, err)
	form, err := r.PostForm("")
	require.NoError(t, err)
	assert.Equal(t, "https://idp.example/sso?login_hint=a%22%26b", form.URL)
	r, err = sp.NewAuthnRequest(saml.RequestOptions{Binding: saml.HTTPPost})
	require.NoError(t, err)
	form, err = r.PostForm("")
	require.NoError(t, err)
	assert.Equal(t, "https://idp.example/sso", form.URL)
}

// A parameter that the identity provider's URL has already can't be replaced.
func TestQueryOfTheIdentityProvider(t *testing.T) {
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: idpEntity, Keys: []crypto.PublicKey{keys().idp.Public()},
		SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso?tenant=1&%61pp=2"}},
	})
	require.NoError(t, err)
	sp := newSP(t, func(c *saml.Config) { c.IdP = idp })
	for _, name := range []string{"tenant", "Tenant", "app"} {
		_, err := sp.NewAuthnRequest(saml.RequestOptions{Query: url.Values{name: {"2"}}})
		requireReason(t, saml.ReasonConfig, err)
	}
	r, err := sp.NewAuthnRequest(saml.RequestOptions{Query: url.Values{"login_hint": {"alice"}}})
	require.NoError(t, err)
	location, err := r.RedirectURL("")
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(location, "https://idp.example/sso?tenant=1&%61pp=2&SAMLRequest="))
	assert.True(t, strings.HasSuffix(location, "&login_hint=alice"))
}
