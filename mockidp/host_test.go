package mockidp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// Requests for other host names are refused before the rest of them is read (DNS rebinding).
func TestAcceptedHosts(t *testing.T) {
	conf := twoRegions()
	conf.BaseURL = "https://Idp.Corp.test:8443"
	idp, err := mockidp.Open(conf)
	require.NoError(t, err)
	status := func(h http.Handler, host string) int {
		r := httptest.NewRequest("GET", "http://localhost/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for host, own := range map[string]bool{
		"idp.corp.test": true, "IDP.corp.test:443": true, "idp.corp.test.": true, "sub.example.com": true,
		"rebound.evil.test": false, "idp.corp.test.evil.test": false, "evil-idp.corp.test": false, "corp.test": false,
		"192.0.2.1": false, "localhost.evil.test": false, "evilexample.com": false, "": false,
	} {
		assert.Equal(t, own, status(idp.Handler(), host) != http.StatusMisdirectedRequest, host)
	}
	for _, host := range []string{"localhost", "127.0.0.1:8701", "[::1]:8701", "us-east-1.localhost:9"} {
		assert.NotEqual(t, http.StatusMisdirectedRequest, status(idp.Handler(), host), host)
	}
}

func TestSignInByDNSRebinding(t *testing.T) {
	idp := start(t, twoRegions())
	v := url.Values{"username": {alice}, "password": {mockidp.DefaultPassword}}
	r := must(http.NewRequest("POST", idp.SignInURL(), strings.NewReader(v.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Host = "rebound.evil.test"
	r.Header.Set("Origin", "http://rebound.evil.test")
	resp, err := idp.Client().Do(r)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode)
	assert.Empty(t, resp.Cookies())
}
