package mockidp_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

var pendingField = regexp.MustCompile(`name="pending" value="([0-9a-f]+)"`)

// refusedBy returns the page that refuses a request, and the key of its sign-in.
func refusedBy(t *testing.T, b *browser, idp *mockidp.Server, req string) (page, string) {
	t.Helper()
	p := b.get(asking(idp, req, "state"))
	p.contains(t, "Register this service provider")
	m := pendingField.FindStringSubmatch(p.Body)
	require.NotNil(t, m, p.Body)
	return p, m[1]
}

// A browser registers the service provider that sent it, and goes on with the sign-in it had begun.
func TestSelfRegistration(t *testing.T) {
	for name, form := range map[string]url.Values{
		"as the request says": {},
		"by metadata":         {"metadata": {spEntity(entityID, "", "")}},
	} {
		t.Run(name, func(t *testing.T) {
			idp := start(t, mockidp.Config{Key: rsaKey(), SelfRegistration: true})
			b := newBrowser(t, idp)
			acs := entityID + "/acs"
			_, key := refusedBy(t, b, idp, request(attr("AssertionConsumerServiceURL", acs)))
			form.Set("pending", key)
			answer := b.signIn(b.post(idp.URL+"/mockidp/register", form), alice, mockidp.DefaultPassword).answer(t)
			assert.Equal(t, acs, answer.URL)
			assert.Equal(t, "state", answer.RelayState)
			assert.Equal(t, entityID, text(t, decode(t, answer), "//Audience"))
			require.Len(t, idp.Apps(), 1, "no app is added")
			assert.Equal(t, entityID, idp.Apps()[0].Audience)
		})
	}
}

// A refused sign-in can't go on without a registration that settles the refusal.
func TestSelfRegistrationBypassesNothing(t *testing.T) {
	idp := start(t, mockidp.Config{Key: rsaKey(), SelfRegistration: true})
	b := newBrowser(t, idp)
	_, key := refusedBy(t, b, idp, request(attr("AssertionConsumerServiceURL", frank)))
	b.get(idp.URL+"/login/continue?pending="+key).refused(t, 404, mockidp.ReasonRequestNotFound)
	post := func(v url.Values) page { return b.post(idp.URL+"/mockidp/register", v) }
	post(url.Values{"pending": {"none"}}).refused(t, 404, mockidp.ReasonRequestNotFound)
	typed := post(url.Values{"pending": {key}, "metadata": {"<a/>"}})
	typed.refused(t, 400, mockidp.ReasonMetadata)
	typed.contains(t, "&lt;a/&gt;</textarea>") // not lost
	assert.Empty(t, idp.Apps()[0].Audience)
	other := post(url.Values{"pending": {key}, "metadata": {spEntity("https://other.example", "", "")}})
	other.refused(t, 400, mockidp.ReasonIssuer)
	other.contains(t, "in place of <code>https://other.example</code>")

	// Without a URL in the request only metadata helps.
	p, key := refusedBy(t, b, idp, request())
	assert.NotContains(t, p.Body, "as the request says")
	post(url.Values{"pending": {key}}).refused(t, 400, mockidp.ReasonMetadata)

	// Another site's page can't register anything.
	r, err := http.NewRequest(http.MethodPost, idp.URL+"/mockidp/register", strings.NewReader("pending="+key))
	require.NoError(t, err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := idp.Client().Do(r)
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, 400, res.StatusCode)

	for name, c := range map[string]mockidp.Config{
		"off":    {},
		"strict": {SelfRegistration: true, Strict: true},
		"signed": {SelfRegistration: true, Apps: []mockidp.App{{Label: "x", SignedRequests: true}}},
	} {
		c.Key = rsaKey()
		idp := start(t, c)
		p := newBrowser(t, idp).get(asking(idp, request(attr("AssertionConsumerServiceURL", frank)), ""))
		assert.NotContains(t, p.Body, "Register this service provider", name)
		if name == "off" {
			newBrowser(t, idp).post(idp.URL+"/mockidp/register", url.Values{}).refused(t, 404, mockidp.ReasonNoSuchApp)
		}
	}
}

// A browser that registers a service provider can't make the Server send requests: its SOAP address isn't taken.
func TestSelfRegistrationTakesNoSOAPAddress(t *testing.T) {
	soap := strings.Replace(spEntity(entityID, "", ""), "<md:AssertionConsumerService",
		`<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="http://10.0.0.1/"/>`+
			"<md:AssertionConsumerService", 1)
	require.Contains(t, soap, "SingleLogoutService")
	idp := start(t, mockidp.Config{Key: rsaKey(), SelfRegistration: true})
	b := newBrowser(t, idp)
	_, key := refusedBy(t, b, idp, request(attr("AssertionConsumerServiceURL", entityID+"/acs")))
	b.post(idp.URL+"/mockidp/register", url.Values{"pending": {key}, "metadata": {soap}})
	assert.Equal(t, entityID, idp.Apps()[0].Audience)
	assert.Empty(t, idp.Apps()[0].LogoutSOAPURL)
	require.NoError(t, idp.RegisterSP("", []byte(soap)), "the twin: the owner of the Server may")
	assert.Equal(t, "http://10.0.0.1/", idp.Apps()[0].LogoutSOAPURL)
}
