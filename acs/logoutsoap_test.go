package acs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// soapLogout is a Region whose identity provider has logout by SOAP only, and answers as a test says.
type soapLogout struct {
	*world
	answer func(request *etree.Element) string // the body of the envelope
	asked  []string                            // NameIDs of verified requests
}

func newSOAPLogout(t *testing.T, answer func(request *etree.Element) string) (*soapLogout, *acs.Region) {
	t.Helper()
	l := &soapLogout{answer: answer}
	idp := httptest.NewServer(l)
	t.Cleanup(idp.Close)
	l.world = newLogoutMessages(t, []saml.LogoutService{{Binding: saml.SOAP, URL: idp.URL + "/slo"}},
		saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"})
	cfg := l.regionConfig("us-east-1")
	cfg.EndSessions, cfg.SOAP.AllowPrivateAddresses = endNothing, true
	cfg.OnLoggedOut = nil
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	return l, region
}

func (l *soapLogout) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	doc := etree.NewDocument()
	_, err := doc.ReadFrom(r.Body)
	request := doc.FindElement("./Envelope/Body/LogoutRequest")
	if !assert.NoError(l.t, err) || !assert.NotNil(l.t, request) {
		return
	}
	assert.NotNil(l.t, request.FindElement("./Signature"))
	l.asked = append(l.asked, request.FindElement("./NameID").Text())
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = io.WriteString(w, `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>`+
		l.answer(request)+`</S:Body></S:Envelope>`)
}

// response returns a LogoutResponse, which change changes before it is signed. sign is false: it isn't.
func (l *soapLogout) response(request *etree.Element, sign bool, change func(*etree.Element)) string {
	doc := etree.NewDocument()
	require.NoError(l.t, doc.ReadFromString(`<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" `+
		`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_2" Version="2.0" IssueInstant="`+
		l.clock.Now().UTC().Format(time.RFC3339)+`" InResponseTo="`+request.SelectAttrValue("ID", "")+`">`+
		`<saml:Issuer>`+idpID+`</saml:Issuer><samlp:Status><samlp:StatusCode `+
		`Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:LogoutResponse>`))
	root := doc.Root()
	if change != nil {
		change(root)
	}
	if sign {
		root = l.idp.sign(root)
	}
	out, err := etree.NewDocumentWithRoot(root).WriteToString()
	require.NoError(l.t, err)
	return out
}

func signOutBySOAP(region *acs.Region, binding string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	region.StartLogout(rec, httptest.NewRequest(http.MethodPost, usLogout, nil), acs.LogoutOptions{
		NameID: saml.NameID{Value: "alice@example.com"}, SessionIndexes: []string{"s1"}, Binding: binding,
	})
	return rec
}

// Where the identity provider has logout by SOAP only, the Region asks it, and the browser goes nowhere.
func TestStartLogoutBySOAP(t *testing.T) {
	for _, binding := range []string{"", saml.SOAP} {
		l, region := newSOAPLogout(t, nil)
		l.answer = func(request *etree.Element) string { return l.response(request, true, nil) }
		rec := signOutBySOAP(region, binding)
		assert.Equal(t, http.StatusOK, rec.Code)
		assert.Contains(t, rec.Body.String(), "Your sessions here and at your identity provider have ended.")
		assert.Equal(t, []string{"alice@example.com"}, l.asked)
		assert.Empty(t, rec.Result().Cookies())
		assert.Contains(t, l.logs.String(), "saml logout answered")
		assert.Zero(t, region.SOAPCalls())
	}
}

func TestPartialLogoutBySOAPIsTold(t *testing.T) {
	l, region := newSOAPLogout(t, nil)
	l.answer = func(request *etree.Element) string {
		return l.response(request, true, func(r *etree.Element) {
			r.FindElement("./Status/StatusCode").CreateElement("samlp:StatusCode").
				CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:PartialLogout")
		})
	}
	assert.Contains(t, signOutBySOAP(region, "").Body.String(), "Sessions at other services may still be active")
}

// Answers that aren't the identity provider's to this request change nothing but what the user is told (G34). The twin
// is TestStartLogoutBySOAP.
func TestLogoutAnswersBySOAPThatAreRefused(t *testing.T) {
	set := func(name, value string) func(*etree.Element) {
		return func(r *etree.Element) { r.CreateAttr(name, value) }
	}
	for name, c := range map[string]struct {
		answer func(l *soapLogout, request *etree.Element) string
		reason string
	}{
		"unsigned": {func(l *soapLogout, r *etree.Element) string { return l.response(r, false, nil) }, "Unsigned"},
		"changed after signing": {func(l *soapLogout, r *etree.Element) string {
			return strings.Replace(l.response(r, true, nil), `ID="_2"`, `ID="_2" Consent="x"`, 1)
		}, "Signature"},
		"another request": {func(l *soapLogout, r *etree.Element) string {
			id := r.SelectAttrValue("ID", "")
			return l.response(r, true, set("InResponseTo", id[:len(id)-1]+"x"))
		}, "InResponseTo"},
		"no request": {func(l *soapLogout, r *etree.Element) string {
			return l.response(r, true, func(r *etree.Element) { r.RemoveAttr("InResponseTo") })
		}, "InResponseTo"},
		"another issuer": {func(l *soapLogout, r *etree.Element) string {
			return l.response(r, true, func(r *etree.Element) { r.FindElement("./Issuer").SetText("https://other.example") })
		}, "Issuer"},
		"another Destination": {func(l *soapLogout, r *etree.Element) string {
			return l.response(r, true, set("Destination", euLogout))
		}, "Destination"},
		"old": {func(l *soapLogout, r *etree.Element) string {
			return l.response(r, true, set("IssueInstant", "2026-01-01T00:00:00Z"))
		}, "Expired"},
		"another message": {func(l *soapLogout, r *etree.Element) string {
			return l.response(r, true, func(r *etree.Element) { r.Tag = "LogoutRequest" })
		}, "NotLogout"},
		"Fault":           {func(*soapLogout, *etree.Element) string { return `<S:Fault/>` }, "SOAP"},
		"H15 instruction": {func(*soapLogout, *etree.Element) string { return `<?x y?>` }, "XML"},
		"no message":      {func(*soapLogout, *etree.Element) string { return "" }, "XML"},
	} {
		t.Run(name, func(t *testing.T) {
			l, region := newSOAPLogout(t, nil)
			l.answer = func(request *etree.Element) string { return c.answer(l, request) }
			rec := signOutBySOAP(region, "")
			assert.Equal(t, http.StatusOK, rec.Code)
			assert.Contains(t, rec.Body.String(), "could not be told")
			assert.Contains(t, l.logs.String(), `"reason":"`+c.reason+`"`)
			assert.Len(t, l.asked, 1)
		})
	}
}

// G34: the identity provider is down. The session here ended before, and the user is told. Obligations: SDP-SP34.
func TestLogoutBySOAPWithoutAnIdP(t *testing.T) {
	l := newLogoutMessages(t, []saml.LogoutService{{Binding: saml.SOAP, URL: "http://127.0.0.1:1/slo"}},
		saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"})
	var result *acs.LoggedOut
	cfg := l.regionConfig("us-east-1")
	cfg.EndSessions, cfg.SOAP.AllowPrivateAddresses = endNothing, true
	cfg.OnLoggedOut = func(_ http.ResponseWriter, _ *http.Request, l *acs.LoggedOut) { result = l }
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	signOutBySOAP(region, "")
	require.NotNil(t, result)
	assert.False(t, result.Success || result.Partial)
	requireACSReason(t, acs.ReasonSOAP, result.Err)
}

// An answer that was given by SOAP counts only in its call: posted by a browser, it ends nothing.
func TestLogoutAnswerBySOAPBelongsToItsCall(t *testing.T) {
	var answer string
	l, region := newSOAPLogout(t, nil)
	l.answer = func(request *etree.Element) string {
		answer = l.response(request, true, func(r *etree.Element) { r.CreateAttr("Destination", usLogout) })
		return answer
	}
	require.Contains(t, signOutBySOAP(region, "").Body.String(), "have ended", l.logs)
	r := httptest.NewRequest(http.MethodPost, usLogout, strings.NewReader(
		`<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>`+answer+`</S:Body></S:Envelope>`))
	r.Header.Set("Content-Type", "text/xml")
	rec := httptest.NewRecorder()
	region.Logout(rec, r)
	assert.Equal(t, http.StatusInternalServerError, rec.Code, "a SOAP Fault")
}
