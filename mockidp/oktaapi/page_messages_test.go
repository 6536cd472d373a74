package oktaapi_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// The viewer explains every element and attribute of the identity provider's messages.
func TestMessageViewer(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Apps[0].Attributes = []mockidp.Attribute{{Name: "mail", Values: []string{"${user.email}"}}}
	idp := start(t, conf)
	b := openConsole(t, idp)
	at := b.at
	_, err := idp.Answer(redirect(idp, request(attr("ForceAuthn", "true"), attr("Destination", idp.SSOURL("idc")),
		attr("AssertionConsumerServiceURL", virginia)), "state"), alice)
	require.NoError(t, err)
	require.NoError(t, idp.RecordAnswer(2, mockidp.ACSAnswer{Status: 303, Location: "/home", Body: []byte("See <other>")}))
	require.NoError(t, idp.QueueError("", mockidp.Status{SubCode: mockidp.StatusRequestDenied, Message: "<no>"}))
	_, err = idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	b.get(at+"/messages/1").contains(t, "The service provider asks for a sign-in.")
	p := b.get(at + "/messages/2")
	for _, want := range []string{"Check that it is exactly the URL that received it", "Profiles 4.1.4.3", "Post it again",
		"refuse it the second time", virginia, "Check that one of them is exactly yours", "/home"} {
		p.contains(t, want)
	}
	assert.Contains(t, p.Body, "See &lt;other&gt;")
	assert.Contains(t, b.get(at+"/messages/3").Body, "&lt;no&gt;")
	for _, m := range idp.Messages() {
		assert.Empty(t, oktaapi.Unexplained(m.XML))
	}
	assert.Equal(t, 404, b.get(at+"/messages/99").Status)
	assert.Equal(t, 404, b.get(at+"/nothing").Status)
}

// The viewer explains a request with a byte order mark and a Subject.
func TestMessageViewerExplainsRequests(t *testing.T) {
	t.Parallel()
	about := strings.Replace(request(), "</saml:Issuer>",
		`</saml:Issuer><saml:Subject><saml:NameID Format="`+mockidp.NameIDEmail+`">`+bob+"</saml:NameID></saml:Subject>", 1)
	assert.Empty(t, oktaapi.Unexplained([]byte("\xef\xbb\xbf"+about)))
}

// The viewer shows the fields of a form that an attack changed.
func TestMessageViewerShowsOddForms(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) {
		return mockidp.Mutated{ACS: frank, Fields: []mockidp.Field{{Name: "SAMLResponse", Value: "<a>"},
			{Name: "x", Value: "y"}}, Method: mockidp.GET}, nil
	}
	idp := start(t, conf)
	require.NoError(t, idp.SetMutation("X1", "", ""))
	b := openConsole(t, idp)
	at := b.at
	_, err := idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	shown := b.get(at + "/messages/1")
	for _, want := range []string{"<code>X1</code>", "Form field SAMLResponse", "&lt;a&gt;", "Form field x",
		"<code>GET</code>", "<code>" + frank + "</code>"} {
		shown.contains(t, want)
	}
}

// The viewer names and explains logout messages.
func TestMessageViewerShowsLogout(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	a := &conf.Apps[0]
	a.LogoutURL, a.LogoutBinding, a.InsecureUnsignedLogout = virginia, mockidp.LogoutPOST, true
	idp := start(t, conf)
	now := time.Now().UTC().Format(time.RFC3339)
	logout := `<p:LogoutRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns="urn:oasis:names:tc:SAML:2.0:assertion"` +
		` ID="a1" Version="2.0" IssueInstant="` + now + `" NotOnOrAfter="2100-01-01T00:00:00Z"` +
		` Reason="urn:oasis:names:tc:SAML:2.0:logout:user"><Issuer>` + conf.Apps[0].Audience + `</Issuer><NameID Format="` +
		mockidp.NameIDEmail + `">` + alice + `</NameID><p:SessionIndex>1</p:SessionIndex></p:LogoutRequest>`
	newBrowser(t, idp).get(idp.LogoutURL("") + "?" + url.Values{"SAMLRequest": {deflated(logout)}}.Encode())
	require.Len(t, idp.Messages(), 2)
	list := openConsole(t, idp).page("/messages")
	list.contains(t, "Logout request")
	list.contains(t, "Logout response")
	for _, m := range idp.Messages() {
		assert.Empty(t, oktaapi.Unexplained(m.XML))
	}
}

// The viewer names and explains the messages that go by SOAP, and the parts of an artifact.
func TestMessageViewerShowsSOAP(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	a := &conf.Apps[0]
	a.LogoutSOAPURL, a.InsecureUnsignedLogout = virginia, true
	a.ResponseBinding, a.AttributeQueries = mockidp.ResponseArtifact, true
	idp := start(t, conf)
	sent, err := idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	head := func(name string) string {
		return `<p:` + name + ` xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns="urn:oasis:names:tc:SAML:2.0:assertion"` +
			` ID="` + name + `" Version="2.0" IssueInstant="` + time.Now().UTC().Format(time.RFC3339) + `" Destination="`
	}
	issuer := `"><Issuer>` + conf.Apps[0].Audience + `</Issuer>`
	for to, doc := range map[string]string{
		idp.LogoutSOAPURL(""): head("LogoutRequest") + idp.LogoutSOAPURL("") + issuer +
			`<NameID>` + alice + `</NameID></p:LogoutRequest>`,
		idp.ArtifactURL(""): head("ArtifactResolve") + idp.ArtifactURL("") + issuer + `<p:Artifact>` +
			sent.Values().Get("SAMLart") + `</p:Artifact></p:ArtifactResolve>`,
		idp.AttributesURL(""): head("AttributeQuery") + idp.AttributesURL("") + issuer + `<Subject><NameID Format="` +
			mockidp.NameIDEmail + `">` + alice + `</NameID></Subject><Attribute Name="email"><AttributeValue>x` +
			`</AttributeValue></Attribute></p:AttributeQuery>`,
	} {
		resp, err := idp.Client().Post(to, "text/xml", strings.NewReader(
			`<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>`+doc+`</S:Body></S:Envelope>`))
		require.NoError(t, err)
		resp.Body.Close()
	}
	c := openConsole(t, idp)
	list := c.page("/messages")
	for _, what := range []string{"Logout request", "Logout response", "Artifact resolution", "Artifact response",
		"Attribute query"} {
		list.contains(t, what)
	}
	for _, m := range idp.Messages() {
		assert.Empty(t, oktaapi.Unexplained(m.XML))
		p := c.page("/messages/" + strconv.FormatInt(m.ID, 10))
		if strings.HasSuffix(m.Binding, ":SOAP") {
			p.contains(t, "without the browser (Bindings 3.2)")
			assert.NotContains(t, p.Body, "Post it again")
			assert.NotContains(t, p.Body, "Form target")
		}
	}
	carried := c.page("/messages/1")
	for _, want := range []string{"SAMLart", "EndpointIndex", "SourceID", "MessageHandle", "by SOAP (Bindings 3.6)"} {
		carried.contains(t, want)
	}
	assert.Empty(t, oktaapi.Unexplained([]byte(`<LogoutRequest ID="a" Version="2.0" IssueInstant="x"><EncryptedID>`+
		`<EncryptedData Type="x"><EncryptionMethod Algorithm="x"/><KeyInfo><EncryptedKey><EncryptionMethod Algorithm="x"/>`+
		`<CipherData><CipherValue>x</CipherValue></CipherData></EncryptedKey></KeyInfo></EncryptedData></EncryptedID>`+
		`</LogoutRequest>`)))
}
