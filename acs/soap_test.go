package acs_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

const (
	soapAnswer = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><a/></S:Body></S:Envelope>`
	soapFault  = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><S:Fault>` +
		`<faultcode>S:Client</faultcode><faultstring>no such signer</faultstring></S:Fault></S:Body></S:Envelope>`
)

func requireACSReason(t *testing.T, want acs.Reason, err error) {
	t.Helper()
	var e *acs.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, want, e.Reason, "%v", err)
}

// soapRegion returns a Region that may call loopback addresses.
func soapRegion(t *testing.T, change ...func(*acs.SOAPConfig)) *acs.Region {
	t.Helper()
	w := newWorld(t)
	cfg := w.regionConfig("us-east-1")
	cfg.SOAP.AllowPrivateAddresses = true
	for _, f := range change {
		f(&cfg.SOAP)
	}
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	return region
}

func callSOAP(t *testing.T, region *acs.Region, address string) (string, error) {
	t.Helper()
	answer, release, err := region.PostSOAP(t.Context(), idpID, "192.0.2.1", address, "<request/>")
	require.NotNil(t, release, "%v", err)
	release()
	return answer, err
}

// soapServer answers calls over TLS. It returns the setting that trusts it, too.
func soapServer(t *testing.T, h http.HandlerFunc, change ...func(*tls.Config)) (string, func(*acs.SOAPConfig)) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = new(tls.Config)
	for _, f := range change {
		f(s.TLS)
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, func(c *acs.SOAPConfig) {
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AddCert(s.Certificate())
	}
}

func writeSOAP(w http.ResponseWriter, status int, contentType, body string) {
	if contentType != "" {
		w.Header().Set("Content-Type", contentType)
	} else {
		w.Header()["Content-Type"] = nil
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func TestSOAPCall(t *testing.T) {
	key := testkit.RSAKey("soap client")
	certificate := testkit.Certificate(key, time.Now())
	address, trust := soapServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		assert.Equal(t, "<request/>", string(body))
		assert.Equal(t, http.MethodPost, r.Method)
		assert.Equal(t, "/soap?tenant=1", r.URL.RequestURI())
		assert.Equal(t, "text/xml; charset=utf-8", r.Header.Get("Content-Type"))
		assert.Equal(t, `"http://www.oasis-open.org/committees/security"`, r.Header.Get("SOAPAction"))
		assert.Equal(t, "no-cache, no-store", r.Header.Get("Cache-Control"))
		if assert.Len(t, r.TLS.PeerCertificates, 1) {
			assert.Equal(t, certificate.Raw, r.TLS.PeerCertificates[0].Raw)
		}
		writeSOAP(w, 200, "text/xml;charset=UTF-8", soapAnswer)
	}, func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert })
	region := soapRegion(t, trust, func(c *acs.SOAPConfig) {
		c.Certificate = &tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}
	})
	answer, err := callSOAP(t, region, address+"/soap?tenant=1")
	require.NoError(t, err)
	assert.Equal(t, soapAnswer, answer)
	assert.Zero(t, region.SOAPCalls())

	_, err = callSOAP(t, soapRegion(t, trust), address) // without the certificate
	requireACSReason(t, acs.ReasonSOAP, err)
	_, err = callSOAP(t, soapRegion(t), address) // with another authority
	requireACSReason(t, acs.ReasonSOAP, err)
}

// H14, J09: only a SOAP message with status 200 is an answer, and no redirect is followed.
func TestSOAPAnswersThatAreNone(t *testing.T) {
	var elsewhere atomic.Int32
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		elsewhere.Add(1)
		writeSOAP(w, 200, "text/xml", soapAnswer)
	}))
	t.Cleanup(plain.Close)
	for name, c := range map[string]struct {
		status            int
		contentType, body string
	}{
		"Fault":                {500, "text/xml", soapFault},
		"message with 500":     {500, "text/xml", soapAnswer},
		"page with 500":        {500, "text/html", "<h1>error</h1>"},
		"redirect":             {302, "text/xml", soapAnswer},
		"redirect by POST":     {307, "text/xml", soapAnswer},
		"HTML":                 {200, "text/html", soapAnswer},
		"SOAP 1.2":             {200, "application/soap+xml", soapAnswer},
		"no Content-Type":      {200, "", soapAnswer},
		"invalid Content-Type": {200, "text/xml; charset", soapAnswer},
		"no content":           {204, "text/xml", ""},
		"not found":            {404, "text/xml", soapAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			address, trust := soapServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", plain.URL)
				writeSOAP(w, c.status, c.contentType, c.body)
			})
			answer, err := callSOAP(t, soapRegion(t, trust), address+"/soap?secret")
			requireACSReason(t, acs.ReasonSOAP, err)
			assert.Empty(t, answer)
			assert.NotContains(t, err.Error(), "secret")
			assert.Equal(t, name == "Fault", strings.Contains(err.Error(), "no such signer"), "%v", err)
		})
	}
	assert.Zero(t, elsewhere.Load())
	answer, err := callSOAP(t, soapRegion(t), plain.URL) // the twin
	require.NoError(t, err)
	assert.Equal(t, soapAnswer, answer)
}

// H16: an answer that is slow, or has no end, ends the call.
func TestSOAPAnswersWithoutEnd(t *testing.T) {
	wait := func(r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server then notices that the client leaves
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // otherwise the server ends the answer correctly
	}
	for name, h := range map[string]http.HandlerFunc{
		"no header": func(_ http.ResponseWriter, r *http.Request) { wait(r) },
		"no body": func(w http.ResponseWriter, r *http.Request) {
			writeSOAP(w, 200, "text/xml", "<")
			_ = http.NewResponseController(w).Flush()
			wait(r)
		},
		"endless body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			for block := make([]byte, 64<<10); ; {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		},
		"endless header": func(w http.ResponseWriter, _ *http.Request) {
			for i := range 2000 {
				w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 100))
			}
			writeSOAP(w, 200, "text/xml", soapAnswer)
		},
	} {
		t.Run(name, func(t *testing.T) {
			address, trust := soapServer(t, h)
			timeout := time.Minute
			if strings.HasPrefix(name, "no ") {
				timeout = 100 * time.Millisecond
			}
			_, err := callSOAP(t, soapRegion(t, trust, func(c *acs.SOAPConfig) { c.Timeout = timeout }), address)
			requireACSReason(t, acs.ReasonSOAP, err)
		})
	}
}

// H16: calls to an identity provider that doesn't answer leave room for calls to others, and one client's for others'.
func TestSOAPCallsAtOnce(t *testing.T) {
	address, trust := soapServer(t, func(w http.ResponseWriter, _ *http.Request) {
		writeSOAP(w, 200, "text/xml", soapAnswer)
	})
	region := soapRegion(t, trust)
	var held []func()
	fill := func(client string) (n int) {
		for {
			_, release, err := region.PostSOAP(t.Context(), idpID, client, address, "<request/>")
			if err != nil {
				requireACSReason(t, acs.ReasonBusy, err)
				return n
			}
			held = append(held, release)
			n++
		}
	}
	one := fill("192.0.2.1")
	assert.InDelta(t, 20, one, 5)
	assert.Positive(t, fill("192.0.2.2"))
	for i := range 100 {
		fill("198.51.100." + strconv.Itoa(i))
	}
	assert.Len(t, held, 64)
	_, release, err := region.PostSOAP(t.Context(), "https://other.example", "192.0.2.1", address, "<request/>")
	require.NoError(t, err)
	release()
	for _, release := range held {
		release()
	}
	assert.Equal(t, one, fill("192.0.2.1"))
}

// H16: one client doesn't use up the connections of all calls, whatever the number of identity providers that are slow.
func TestSOAPCallsAtOnceToAll(t *testing.T) {
	region := soapRegion(t)
	held := 0
	begin := func(idp int, client string) error {
		release, err := region.BeginSOAP("https://idp-"+strconv.Itoa(idp)+".example", client)
		if err == nil {
			t.Cleanup(release)
			held++
		}
		return err
	}
	for i := range 1000 {
		if err := begin(i, "192.0.2.1"); err != nil {
			requireACSReason(t, acs.ReasonBusy, err)
			require.ErrorContains(t, err, "all identity providers")
			break
		}
	}
	one := held
	require.InDelta(t, 330, one, 30)
	require.Equal(t, one, region.SOAPCalls(), "what was refused leaves nothing")
	require.NoError(t, begin(1000, "192.0.2.2"))
	require.NoError(t, begin(0, "192.0.2.2"))
}

// H04: names that lead to addresses that are not public.
func TestSOAPAddresses(t *testing.T) {
	local := newWorld(t, func(c *saml.Config) {
		c.ACS = []saml.Endpoint{{URL: "http://us.localhost:8080/acs"}, {URL: "http://127.0.0.1:8080/acs"}}
	}).sp
	mixed := newWorld(t, func(c *saml.Config) {
		c.ACS = []saml.Endpoint{{URL: usACS}, {URL: "http://localhost:8080/acs"}}
	}).sp
	for _, c := range []struct {
		sp             *saml.ServiceProvider
		host, resolved string
		ok             bool
	}{
		{mixed, "idp.example", "93.184.216.34:443", true},
		{mixed, "idp.example", "10.0.0.1:443", false},
		{mixed, "idp.example", "[::ffff:169.254.169.254]:443", false},
		{mixed, "idp.example", "100.64.0.1:443", false},
		{mixed, "idp.example", "127.0.0.1:443", false},
		{mixed, "localhost", "127.0.0.1:443", false},
		{local, "localhost", "127.0.0.1:443", true},
		{local, "idp.localhost", "[::1]:443", true},
		{local, "127.0.0.1", "127.0.0.1:443", true},
		{local, "localhost", "10.0.0.1:443", false},
		{local, "idp.example", "127.0.0.1:443", false},
	} {
		err := acs.CheckSOAPAddress(c.sp, false, c.host, c.resolved)
		assert.Equal(t, c.ok, err == nil, "%s %s: %v", c.host, c.resolved, err)
		assert.NoError(t, acs.CheckSOAPAddress(c.sp, true, c.host, c.resolved))
	}

	address, trust := soapServer(t, func(http.ResponseWriter, *http.Request) { t.Error("was reached") })
	_, err := callSOAP(t, soapRegion(t, trust, func(c *acs.SOAPConfig) { c.AllowPrivateAddresses = false }), address)
	requireACSReason(t, acs.ReasonSOAP, err)
	assert.ErrorContains(t, err, "not public")
}

func TestSOAPNeedsTLS12(t *testing.T) {
	address, trust := soapServer(t, func(http.ResponseWriter, *http.Request) { t.Error("was reached") },
		func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })
	_, err := callSOAP(t, soapRegion(t, trust), address)
	requireACSReason(t, acs.ReasonSOAP, err)
}

func TestSOAPConfig(t *testing.T) {
	for _, timeout := range []time.Duration{-1, time.Minute + 1} {
		cfg := newWorld(t).regionConfig("us-east-1")
		cfg.SOAP.Timeout = timeout
		_, err := acs.NewRegion(cfg)
		requireACSReason(t, acs.ReasonConfig, err)
	}
}
