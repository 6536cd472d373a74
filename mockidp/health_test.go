package mockidp_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/mockidp"
)

func TestHealth(t *testing.T) {
	var log bytes.Buffer
	conf := twoRegions()
	conf.OddPaths, conf.Logger = true, slog.New(slog.NewTextHandler(&log, nil))
	idp := start(t, conf)
	log.Reset()
	ask := func(method, host, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://localhost"+path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		idp.Handler().ServeHTTP(w, r)
		return w
	}
	for _, host := range []string{"localhost", "192.0.2.1:8701"} {
		w := ask("GET", host, "/healthz")
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "ok\n", w.Body.String())
		assert.Empty(t, w.Result().Cookies())
		assert.Equal(t, http.StatusOK, ask("HEAD", host, "/healthz").Code)
	}
	assert.Empty(t, log.String())
	assert.Empty(t, idp.Messages())
	for _, path := range []string{"/healthz/", "/healthz/x", "/t/a/healthz"} {
		assert.Equal(t, http.StatusNotFound, ask("GET", "localhost", path).Code, path)
	}
	assert.NotEqual(t, http.StatusOK, ask("POST", "localhost", "/healthz").Code)
	assert.Equal(t, http.StatusMisdirectedRequest, ask("GET", "192.0.2.1", "/").Code)
	assert.Equal(t, http.StatusMisdirectedRequest, ask("GET", "192.0.2.1", "/healthz/").Code)
}

// A request may name the Server by a name of Config.Hosts, such as that of a container; links keep Config.BaseURL.
func TestFurtherHosts(t *testing.T) {
	conf := twoRegions()
	conf.BaseURL, conf.Hosts = "http://idp.localhost:8701", []string{"mockidp", "Idp.Corp.Test."}
	idp, err := mockidp.Open(conf)
	assert.NoError(t, err)
	for host, want := range map[string]int{
		"mockidp:8701": 200, "MOCKIDP": 200, "idp.corp.test": 200, "mockidp.evil.test": 421, "other": 421,
	} {
		for _, at := range []*mockidp.Server{idp, must(idp.Tenant("a"))} {
			r := httptest.NewRequest("GET", at.MetadataURL("idc"), nil)
			r.Host = host
			w := httptest.NewRecorder()
			idp.Handler().ServeHTTP(w, r)
			assert.Equal(t, want, w.Code, host)
			if want == 200 {
				assert.Contains(t, w.Body.String(), `Location="`+at.SSOURL("idc")+`"`)
			}
		}
	}
	for _, bad := range []string{"", "mockidp:8701", "http://mockidp", "a b", "*"} {
		conf.Hosts = []string{bad}
		_, err := mockidp.Open(conf)
		assert.Equal(t, mockidp.ReasonConfig, reason(t, err), bad)
	}
}

func TestCertificateHasFurtherHosts(t *testing.T) {
	conf := twoRegions()
	conf.Hosts = []string{"mockidp", "192.0.2.1"}
	idp := mockidp.NewUnstarted(conf)
	t.Cleanup(idp.Close)
	idp.StartTLS()
	for _, host := range conf.Hosts {
		assert.NoError(t, idp.TLSCertificate().VerifyHostname(host))
	}
}
