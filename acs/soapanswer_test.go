package acs_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// soapAnswers is a Region that takes LogoutRequests by SOAP.
type soapAnswers struct {
	*world
	h     http.Handler
	ended int
	fail  error // of EndSessions
}

func newSOAPAnswers(t *testing.T, offered bool, change func(*acs.Config)) *soapAnswers {
	t.Helper()
	w := &soapAnswers{world: changedLogoutMessages(t, byPost, func(c *saml.Config) {
		c.Logout, c.LogoutSOAP = []saml.LogoutEndpoint{{URL: usLogout, Region: "us-east-1"}}, offered
	})}
	w.h = w.region("us-east-1", func(c *acs.Config) {
		c.EndSessions = func(context.Context, *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
			w.ended++
			return saml.LogoutSuccess, w.fail
		}
		if change != nil {
			change(c)
		}
	})
	return w
}

// request returns a signed LogoutRequest.
func (w *soapAnswers) request(attrs, content string) string {
	message, err := base64.StdEncoding.DecodeString(w.signedLogout("LogoutRequest", attrs, content))
	require.NoError(w.t, err)
	return string(message)
}

func (w *soapAnswers) send(body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, usLogout, strings.NewReader(
		`<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>`+body+`</S:Body></S:Envelope>`))
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	return serve(w.h, r)
}

// status returns the status of a signed LogoutResponse to the request, without its prefix.
func (w *soapAnswers) status(rec *httptest.ResponseRecorder) string {
	w.t.Helper()
	require.Equal(w.t, http.StatusOK, rec.Code, w.logs)
	require.Equal(w.t, "text/xml; charset=utf-8", rec.Header().Get("Content-Type"))
	require.Equal(w.t, "no-cache, no-store", rec.Header().Get("Cache-Control"))
	doc := etree.NewDocument()
	require.NoError(w.t, doc.ReadFromBytes(rec.Body.Bytes()))
	el := doc.FindElement("./Envelope/Body/LogoutResponse")
	require.NotNil(w.t, el)
	require.NotNil(w.t, el.FindElement("./Signature"))
	require.Equal(w.t, "_1", el.SelectAttrValue("InResponseTo", ""))
	value := el.FindElement("./Status/StatusCode").SelectAttrValue("Value", "")
	return strings.TrimPrefix(value, "urn:oasis:names:tc:SAML:2.0:status:")
}

const alice = "<saml:NameID>alice</saml:NameID>"

// faultAnswer is all that a Fault says, but for its reference.
var faultAnswer = regexp.MustCompile(`^<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` +
	`<soap:Fault><faultcode>soap:(Client|Server)</faultcode><faultstring>(The message was not accepted|` +
	`The service is not available right now)\. Reference: (MRD-[A-Z0-9]{4}-[A-Z0-9]{4})</faultstring></soap:Fault>` +
	`</soap:Body></soap:Envelope>$`)

// fault returns the code of a Fault, and checks that the log has its reference.
func (w *soapAnswers) fault(rec *httptest.ResponseRecorder) string {
	w.t.Helper()
	require.Equal(w.t, http.StatusInternalServerError, rec.Code)
	require.Equal(w.t, "text/xml; charset=utf-8", rec.Header().Get("Content-Type"))
	require.Equal(w.t, "no-cache, no-store", rec.Header().Get("Cache-Control"))
	said := faultAnswer.FindStringSubmatch(rec.Body.String())
	require.NotNil(w.t, said, rec.Body)
	require.Contains(w.t, w.logs.String(), said[3])
	return said[1]
}

// A request that can't be attributed to an identity provider gets a Fault, which says the same for every Reason.
func TestFaultsForRefusedSOAP(t *testing.T) {
	for name, row := range map[string]struct {
		body   func(w *soapAnswers) string
		reason string
	}{
		"unsigned": {func(w *soapAnswers) string {
			return regexp.MustCompile(`(?s)<ds:Signature.*</ds:Signature>`).ReplaceAllString(w.request("", alice), "")
		}, "Unsigned"},
		"changed after signing": {func(w *soapAnswers) string {
			return strings.Replace(w.request("", alice), "alice", "mallory", 1)
		}, "Signature"},
		"another issuer": {func(w *soapAnswers) string {
			return strings.Replace(w.request("", alice), idpID, "https://other.example", 1)
		}, "Issuer"},
		"a LogoutResponse": {func(w *soapAnswers) string {
			return strings.ReplaceAll(w.request("", alice), "LogoutRequest", "LogoutResponse")
		}, "NotLogout"},
		"two messages": {func(*soapAnswers) string { return "<a/><b/>" }, "XML"},
		"no message":   {func(*soapAnswers) string { return "" }, "XML"},
		"a Fault":      {func(*soapAnswers) string { return `<S:Fault/>` }, "SOAP"},
		"not XML":      {func(*soapAnswers) string { return "<" }, "XML"},
		"too large":    {func(*soapAnswers) string { return strings.Repeat(" ", 1<<20) }, "TooLarge"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSOAPAnswers(t, true, func(c *acs.Config) { c.MaxBody = 1 << 19 })
			assert.Equal(t, "Client", w.fault(w.send(row.body(w))))
			assert.Contains(t, w.logs.String(), `"reason":"`+row.reason+`"`)
			assert.Zero(t, w.ended)
		})
	}
	t.Run("SOAP is not offered", func(t *testing.T) {
		w := newSOAPAnswers(t, false, nil)
		assert.Equal(t, "Client", w.fault(w.send(w.request("", alice))))
	})
	t.Run("no room", func(t *testing.T) {
		w := newSOAPAnswers(t, true, func(c *acs.Config) { c.MaxBody, c.MaxBodies = 1<<19, 4<<19 })
		half := w.halfSent()
		for i := 0; ; i++ {
			if held, _ := half.post(w.h, fmt.Sprintf("192.0.2.%d:1", i), 1<<18); !held {
				break
			}
		}
		rec := w.send(strings.Repeat(" ", 400<<10))
		assert.Equal(t, "Server", w.fault(rec))
		assert.NotEmpty(t, rec.Header().Get("Retry-After"))
	})
}

// A request whose signature verified gets a LogoutResponse, whatever else is wrong with it.
func TestLogoutResponsesForRefusedSOAP(t *testing.T) {
	for name, row := range map[string]struct {
		attrs, content string
		reason         string
	}{
		"expired":       {`NotOnOrAfter="2020-01-01T00:00:00Z"`, alice, "Expired"},
		"no identifier": {"", "", "NameID"},
		"two":           {"", alice + alice, "NameID"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSOAPAnswers(t, true, nil)
			assert.Equal(t, "Requester", w.status(w.send(w.request(row.attrs, row.content))))
			assert.Contains(t, w.logs.String(), `"reason":"`+row.reason+`"`)
			assert.Zero(t, w.ended)
		})
	}
	t.Run("accepted, then a replay", func(t *testing.T) {
		w := newSOAPAnswers(t, true, nil)
		request := w.request("", alice)
		assert.Equal(t, "Success", w.status(w.send(request)))
		assert.Equal(t, "Requester", w.status(w.send(request)))
		assert.Contains(t, w.logs.String(), `"reason":"Replay"`)
		assert.Equal(t, 1, w.ended)
	})
	t.Run("sessions can't be ended", func(t *testing.T) {
		w := newSOAPAnswers(t, true, nil)
		w.fail = errors.New("down")
		assert.Equal(t, "Responder", w.status(w.send(w.request("", alice))))
		assert.Contains(t, w.logs.String(), `"reason":"EndSessions"`)
	})
}
