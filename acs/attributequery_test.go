package acs_test

import (
	"crypto"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// newAttributeRegion returns a Region whose identity provider answers attribute queries about whom subject says.
func newAttributeRegion(t *testing.T, subject func(asked string) string) (*world, *acs.Region) {
	t.Helper()
	var w *world
	authority := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		doc := etree.NewDocument()
		_, err := doc.ReadFrom(r.Body)
		query := doc.FindElement("./Envelope/Body/AttributeQuery")
		if !assert.NoError(t, err) || !assert.NotNil(t, query) {
			return
		}
		assert.NotNil(t, query.FindElement("./Signature"))
		rw.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(rw, `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>`+
			w.attributeAnswer(query, subject)+`</S:Body></S:Envelope>`)
	}))
	t.Cleanup(authority.Close)
	w = newWorld(t, func(c *saml.Config) {
		key := testkit.RSAKey("attributes sp")
		c.Key, c.Certificate = key, testkit.Certificate(key, time.Now())
		idp, err := saml.NewIdP(saml.IdPConfig{
			EntityID: idpID, Keys: []crypto.PublicKey{c.IdP.IdP().Certificates()[0].PublicKey},
			AttributeService: authority.URL + "/attributes",
			SSO:              []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
		})
		require.NoError(t, err)
		c.IdP = idp
	})
	cfg := w.regionConfig("us-east-1")
	cfg.SOAP.AllowPrivateAddresses = true
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	return w, region
}

func (w *world) attributeAnswer(query *etree.Element, subject func(string) string) string {
	const namespaces = `xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ` +
		`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" `
	at := ` Version="2.0" IssueInstant="` + w.clock.Now().UTC().Format(time.RFC3339) + `"`
	doc := etree.NewDocument()
	require.NoError(w.t, doc.ReadFromString(`<samlp:Response `+namespaces+`ID="_1"`+at+` InResponseTo="`+
		query.SelectAttrValue("ID", "")+`"><saml:Issuer>`+idpID+`</saml:Issuer><samlp:Status><samlp:StatusCode `+
		`Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion `+namespaces+`ID="_2"`+at+
		`><saml:Issuer>`+idpID+`</saml:Issuer><saml:Subject><saml:NameID>`+
		subject(query.FindElement("./Subject/NameID").Text())+`</saml:NameID></saml:Subject><saml:Conditions>`+
		`<saml:AudienceRestriction><saml:Audience>`+entityID+`</saml:Audience></saml:AudienceRestriction>`+
		`</saml:Conditions><saml:AttributeStatement><saml:Attribute Name="team"><saml:AttributeValue>blue`+
		`</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>`))
	out, err := etree.NewDocumentWithRoot(w.idp.sign(doc.Root())).WriteToString()
	require.NoError(w.t, err)
	return out
}

func TestQueryAttributes(t *testing.T) {
	_, region := newAttributeRegion(t, func(asked string) string { return asked })
	answer, err := region.QueryAttributes(t.Context(), saml.AttributeQueryOptions{NameID: saml.NameID{Value: "alice"}})
	require.NoError(t, err)
	assert.Equal(t, "alice", answer.NameID().Value)
	assert.Equal(t, []string{"blue"}, answer.Values("team"))
	assert.Zero(t, region.SOAPCalls())

	_, err = region.QueryAttributes(t.Context(), saml.AttributeQueryOptions{})
	require.Error(t, err)
}

// J20: an answer about another user.
func TestQueryAttributesOfAnother(t *testing.T) {
	_, region := newAttributeRegion(t, func(string) string { return "mallory" })
	answer, err := region.QueryAttributes(t.Context(), saml.AttributeQueryOptions{NameID: saml.NameID{Value: "alice"}})
	require.Nil(t, answer)
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, saml.ReasonSubject, e.Reason)
}
