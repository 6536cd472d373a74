package mockidp_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestRefusedRequests(t *testing.T) {
	idp := start(t, twoRegions())
	good := request()
	swap := func(old, with string) string {
		require.Contains(t, good, old)
		return strings.Replace(good, old, with, 1)
	}
	m := mockidp.ReasonMalformed
	for name, c := range map[string]struct {
		xml string
		why mockidp.Reason
	}{
		"empty":              {"", m},
		"not XML":            {"hello", m},
		"cut off":            {good[:len(good)-5], m},
		"two roots":          {good + good, m},
		"text after":         {good + "x", m},
		"another element":    {`<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>`, m},
		"another namespace":  {swap("SAML:2.0:protocol", "SAML:1.0:protocol"), m},
		"no namespace":       {swap(`xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"`, ""), m},
		"DOCTYPE":            {`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + good, m},
		"instruction":        {`<?xml-stylesheet href="x"?>` + good, m},
		"instruction inside": {swap("<saml:Issuer>", "<?x y?><saml:Issuer>"), m},
		"SAML 1.1":           {swap(`Version="2.0"`, `Version="1.1"`), m},
		"no Version":         {swap(`Version="2.0"`, ""), m},
		"no ID":              {swap(`ID="id-1234"`, ""), m},
		"ID of markup":       {swap(`ID="id-1234"`, `ID="&quot;&gt;&lt;x"`), m},
		"ID too long":        {swap(`ID="id-1234"`, `ID="`+strings.Repeat("x", 257)+`"`), m},
		"ID twice":           {swap(`ID="id-1234"`, `ID="id-1234" ID="id-5678"`), m},
		"ID in a namespace":  {swap(`ID="id-1234"`, `samlp:ID="id-1234"`), m},
		"IssueInstant":       {swap(`IssueInstant="2`, `IssueInstant="x2`), m},
		"no Issuer":          {swap("<saml:Issuer>"+entityID+"</saml:Issuer>", ""), mockidp.ReasonIssuer},
		"two Issuers":        {swap("<saml:Issuer>", "<saml:Issuer>x</saml:Issuer><saml:Issuer>"), m},
		"Issuer deeper": {
			swap("<saml:Issuer>"+entityID+"</saml:Issuer>",
				"<samlp:Extensions><saml:Issuer>"+entityID+"</saml:Issuer></samlp:Extensions>"), mockidp.ReasonIssuer},
		"element in Issuer": {swap("<saml:Issuer>", "<saml:Issuer><x/>"), m},
		"comment in Issuer": {swap("<saml:Issuer>", "<saml:Issuer><!--x-->"), m},
		"too deep": {
			swap("<saml:Issuer>", strings.Repeat("<x>", 40)+strings.Repeat("</x>", 40)+"<saml:Issuer>"), m},
		"too many attributes": {swap("<saml:Issuer>", "<x "+strings.Join(many(70), " ")+"/><saml:Issuer>"), m},
		"index isn't one":     {request(attr("AssertionConsumerServiceIndex", "x")), m},
		"index is too great":  {request(attr("AssertionConsumerServiceIndex", "65536")), m},
		"index is negative":   {request(attr("AssertionConsumerServiceIndex", "-1")), m},
		"ForceAuthn":          {request(attr("ForceAuthn", "yes")), m},
		"IsPassive":           {request(attr("IsPassive", "TRUE")), m},
		"ProtocolBinding": {
			request(attr("ProtocolBinding", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact")), mockidp.ReasonBinding},
		"other Issuer":      {swap(entityID, entityID+"0"), mockidp.ReasonIssuer},
		"empty Issuer":      {swap(entityID, ""), mockidp.ReasonIssuer},
		"other Destination": {request(attr("Destination", "http://idp.localhost/sso")), mockidp.ReasonDestination},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := idp.Answer(redirect(idp, c.xml, ""), alice)
			assert.Equal(t, c.why, reason(t, err))
			assert.Zero(t, form)
			_, err = idp.AnswerPost(idp.SSOURL("idc"), postForm(c.xml), alice)
			assert.Equal(t, c.why, reason(t, err))
			b := newBrowser(t, idp)
			b.get(redirect(idp, c.xml, "")).refused(t, 400, c.why)
			b.post(idp.SSOURL("idc"), postForm(c.xml)).refused(t, 400, c.why)
		})
	}
}

func many(n int) []string {
	var out []string
	for i := range n {
		out = append(out, attr("a"+strings.Repeat("b", i), ""))
	}
	return out
}

func TestAcceptedRequests(t *testing.T) {
	idp := start(t, twoRegions())
	for name, xml := range map[string]string{
		"plain":           request(),
		"declaration":     `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + request() + "\n",
		"comment":         "<!-- hello -->" + strings.Replace(request(), "<saml:Issuer>", "<!-- x --><saml:Issuer>", 1),
		"spaced Issuer":   strings.Replace(request(), entityID, "\n  "+entityID+"\n", 1),
		"Destination":     request(attr("Destination", idp.SSOURL("idc"))),
		"binding":         request(attr("ProtocolBinding", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST")),
		"byte order mark": "\xef\xbb\xbf" + `<?xml version="1.0" encoding="UTF-8"?>` + request(),
		"milliseconds":    strings.Replace(request(), `Z" `, `.123Z" `, 1),
		"false flags":     request(attr("ForceAuthn", "false"), attr("IsPassive", "0")),
		"NameIDPolicy": strings.Replace(request(), "</samlp:", `<samlp:NameIDPolicy AllowCreate="true" Format="`+
			mockidp.NameIDUnspecified+`"/></samlp:`, 1),
		"its own ID elsewhere": strings.Replace(request(), "</samlp:",
			`<samlp:Extensions><x ID="other" xmlns="urn:x"/></samlp:Extensions></samlp:`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			form, err := idp.Answer(redirect(idp, xml, ""), alice)
			require.NoError(t, err)
			assert.Equal(t, "id-1234", decode(t, form).SelectAttrValue("InResponseTo", ""))
		})
	}
}

func TestEncodings(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	sso := idp.SSOURL("idc")
	get := func(query string) page { return b.get(sso + "?" + query) }
	plain := base64.StdEncoding.EncodeToString([]byte(request()))
	packed := deflated(request())
	trailing := base64.StdEncoding.EncodeToString(append(must(base64.StdEncoding.DecodeString(packed)), "junk"...))
	m := mockidp.ReasonMalformed
	get("SAMLRequest=%2").refused(t, 400, m)
	get("SAMLRequest=!").refused(t, 400, m)
	get("SAMLRequest=").refused(t, 400, m)
	get("SAMLRequest="+url.QueryEscape(plain)).refused(t, 400, m)
	get("SAMLRequest="+url.QueryEscape(trailing)).refused(t, 400, m)
	get("SAMLRequest="+url.QueryEscape(packed)+"&SAMLRequest="+url.QueryEscape(packed)).refused(t, 400, m)
	get("SAMLRequest="+url.QueryEscape(packed)+"&RelayState=a&RelayState=b").refused(t, 400, m)
	get("SAMLEncoding=urn:x&SAMLRequest="+url.QueryEscape(packed)).refused(t, 400, mockidp.ReasonBinding)
	get("RelayState="+strings.Repeat("r", 1025)+"&SAMLRequest="+url.QueryEscape(packed)).refused(t, 400,
		mockidp.ReasonRelayState)
	get("RelayState=%ff&SAMLRequest="+url.QueryEscape(packed)).refused(t, 400, mockidp.ReasonRelayState)
	get("RelayState=a%00b").refused(t, 400, mockidp.ReasonRelayState)
	// HTTP-POST accepts no DEFLATE stream.
	b.post(sso, url.Values{"SAMLRequest": {packed}}).refused(t, 400, m)
	b.post(sso, url.Values{"RelayState": {"x"}}).refused(t, 400, m)
	_, err := idp.Answer(sso, alice)
	assert.Equal(t, m, reason(t, err))

	ok := get("SAMLEncoding=" + url.QueryEscape("urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE") +
		"&RelayState=" + strings.Repeat("r", 1024) + "&SAMLRequest=" + url.QueryEscape(packed))
	assert.Equal(t, 200, ok.Status)
	form, err := idp.AnswerPost(sso, url.Values{"SAMLRequest": {plain[:76] + "\r\n" + plain[76:]}}, alice)
	require.NoError(t, err, "base64 may have the line breaks of RFC 2045")
	assert.Equal(t, virginia, form.URL)
}

func TestInflateBombIsRefusedCheaply(t *testing.T) {
	idp := start(t, twoRegions())
	bomb := testkit.Deflated(make([]byte, 32<<20))
	require.Less(t, len(bomb), mockidp.MaxRequest)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := idp.Answer(idp.SSOURL("idc")+"?SAMLRequest="+url.QueryEscape(bomb), alice)
	runtime.ReadMemStats(&after)
	assert.Equal(t, mockidp.ReasonTooLarge, reason(t, err))
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "32 MiB were inflated")
	newBrowser(t, idp).get(idp.SSOURL("idc")+"?SAMLRequest="+url.QueryEscape(bomb)).refused(t, 413, mockidp.ReasonTooLarge)
}

func TestOversizedBodiesAreRefused(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	big := url.Values{"SAMLRequest": {strings.Repeat("A", mockidp.MaxRequest)}, "username": {"x"}}
	b.post(idp.SSOURL("idc"), big).refused(t, 413, mockidp.ReasonTooLarge)
	b.post(idp.SignInURL(), big).refused(t, 413, mockidp.ReasonTooLarge)
	_, err := idp.AnswerPost(idp.SSOURL("idc"), url.Values{"SAMLRequest": {strings.Repeat("A", mockidp.MaxRequest+4)}},
		alice)
	assert.Equal(t, mockidp.ReasonTooLarge, reason(t, err))
	b.get(idp.SSOURL("idc")+"?SAMLRequest="+strings.Repeat("A", 2*mockidp.MaxRequest)).refused(t, 413,
		mockidp.ReasonTooLarge)
}

func TestUnknownPaths(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	app, _ := idp.App("idc")
	for _, path := range []string{"/nothing", "/app/x/y/sso/saml", "/app/x/" + app.ExternalKey + "/sso/saml",
		"/app/exk0/sso/saml/metadata",
		"/home/bookmark/none", "/home/bookmark/idc", "/login/continue", "/login/continue?pending=00"} {
		p := b.get(idp.URL + path)
		assert.Equal(t, http.StatusNotFound, p.Status, path)
		assert.NotContains(t, p.Body, "SAMLResponse")
	}
	_, err := idp.Answer(strings.Replace(redirect(idp, request(), ""), "/idc", "/x", 1)+"&x", alice)
	require.NoError(t, err)
	_, err = idp.Answer("http://elsewhere.localhost/app?SAMLRequest=x", alice)
	assert.Equal(t, mockidp.ReasonNoSuchApp, reason(t, err))
}
