package saml_test

import (
	"crypto"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const (
	idpAttributes = "https://idp.example/attributes"
	emailFormat   = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
)

var alice = saml.NameID{Value: "alice@example.com", Format: emailFormat}

// withAttributes makes a configuration whose identity provider answers attribute queries.
func withAttributes(t testing.TB) func(*saml.Config) {
	return func(c *saml.Config) {
		signingConfig(t, keys().other)(c)
		idp, err := saml.NewIdP(saml.IdPConfig{
			EntityID: idpEntity, Keys: []crypto.PublicKey{keys().idp.Public()}, AttributeService: idpAttributes,
			SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
		})
		require.NoError(t, err)
		c.IdP = idp
	}
}

func attributeQuery(t testing.TB, sp *saml.ServiceProvider) *saml.AttributeQuery {
	t.Helper()
	q, err := sp.NewAttributeQuery(saml.AttributeQueryOptions{NameID: alice})
	require.NoError(t, err)
	return q
}

// attributeAnswer is a good answer to a query, which change changes before it is signed.
func attributeAnswer(q *saml.AttributeQuery, change ...func(response *etree.Element)) doc {
	return doc{
		RespRequestID: q.ID(),
		Attributes: `<saml:Attribute Name="mail"><saml:AttributeValue>alice@example.com</saml:AttributeValue>` +
			`</saml:Attribute>`,
		Before: func(response *etree.Element) {
			response.RemoveAttr("Destination")
			a := response.SelectElement("Assertion")
			a.RemoveChild(a.SelectElement("AuthnStatement"))
			subject := a.SelectElement("Subject")
			subject.RemoveChild(subject.SelectElement("SubjectConfirmation"))
			for _, f := range change {
				f(response)
			}
		},
	}
}

func envelopeOf(xml []byte) []byte { return soap(string(xml)).Message }

func TestAttributeQuery(t *testing.T) {
	sp := newSP(t, withAttributes(t))
	q, err := sp.NewAttributeQuery(saml.AttributeQueryOptions{
		NameID: saml.NameID{Value: "alice", Format: emailFormat, NameQualifier: idpEntity, SPProvidedID: "a&b"},
		Attributes: []saml.QueriedAttribute{
			{Name: "urn:oid:0.9.2342.19200300.100.1.3", NameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"},
			{Name: "groups"},
		},
	})
	require.NoError(t, err)
	assert.Equal(t, idpAttributes, q.URL())
	assert.Equal(t, saml.SOAP, q.Binding())
	assert.NotContains(t, q.String(), "alice")
	envelope, err := q.Envelope()
	require.NoError(t, err)

	tree := etree.NewDocument()
	require.NoError(t, tree.ReadFromBytes(envelope))
	el := tree.FindElement("./Envelope/Body/AttributeQuery")
	require.NotNil(t, el)
	requireSigned(t, el, sp)

	var read crewjam.AttributeQuery
	raw, err := etree.NewDocumentWithRoot(el.Copy()).WriteToBytes()
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(raw, &read))
	assert.Equal(t, q.ID(), read.ID)
	assert.Equal(t, idpAttributes, read.Destination)
	assert.Equal(t, spEntity, read.Issuer.Value)
	require.NotNil(t, read.Subject)
	assert.Equal(t, "alice", read.Subject.NameID.Value)
	assert.Equal(t, emailFormat, read.Subject.NameID.Format)
	assert.Equal(t, idpEntity, read.Subject.NameID.NameQualifier)
	require.Len(t, read.Attributes, 2)
	assert.Equal(t, "urn:oid:0.9.2342.19200300.100.1.3", read.Attributes[0].Name)
	assert.Equal(t, "groups", read.Attributes[1].Name)
}

func TestAttributeQueryConfig(t *testing.T) {
	sp := newSP(t, withAttributes(t))
	many := make([]saml.QueriedAttribute, 101)
	for i := range many {
		many[i].Name = fmt.Sprint(i)
	}
	for name, o := range map[string]saml.AttributeQueryOptions{
		"no NameID":         {},
		"blank NameID":      {NameID: saml.NameID{Value: " "}},
		"control character": {NameID: saml.NameID{Value: "a\x00"}},
		"no Name":           {NameID: alice, Attributes: []saml.QueriedAttribute{{}}},
		"twice":             {NameID: alice, Attributes: []saml.QueriedAttribute{{Name: "a"}, {Name: "a"}}},
		"too many":          {NameID: alice, Attributes: many},
	} {
		_, err := sp.NewAttributeQuery(o)
		require.Error(t, err, name)
		requireReason(t, saml.ReasonConfig, err)
	}
	_, err := newSP(t).NewAttributeQuery(saml.AttributeQueryOptions{NameID: alice})
	requireReason(t, saml.ReasonConfig, err) // no key
	_, err = newSP(t, withLogout(t)).NewAttributeQuery(saml.AttributeQueryOptions{NameID: alice})
	requireReason(t, saml.ReasonMetadata, err) // no attribute authority
	_, err = sp.NewAttributeQuery(saml.AttributeQueryOptions{NameID: alice, IdP: "https://other.example"})
	require.Error(t, err)
	_, err = sp.VerifyAttributeAnswer(nil, saml.AttributeQueryRecord{})
	requireReason(t, saml.ReasonConfig, err)
}

func TestVerifyAttributeAnswer(t *testing.T) {
	sp := newSP(t, withAttributes(t))
	q := attributeQuery(t, sp)
	both, outer := attributeAnswer(q), attributeAnswer(q)
	both.SignResponse, outer.SignResponse, outer.UnsignedAssertion = true, true, true
	for name, d := range map[string]doc{
		"signed assertion": attributeAnswer(q), "both": both, "signed Response": outer,
		"InResponseTo in the assertion": attributeAnswer(q, confirmedFor(q.ID())),
		"defaults of the NameID": attributeAnswer(q, func(r *etree.Element) {
			n := r.FindElement("./Assertion/Subject/NameID")
			n.CreateAttr("NameQualifier", idpEntity)
			n.CreateAttr("SPNameQualifier", spEntity)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			a, err := sp.VerifyAttributeAnswer(envelopeOf(d.xml(t)), q.Record())
			require.NoError(t, err)
			assert.Equal(t, "_asrt1", a.ID())
			assert.Equal(t, idpEntity, a.Issuer())
			assert.Equal(t, alice.Value, a.NameID().Value)
			assert.Equal(t, "alice@example.com", a.Value("mail"))
			assert.Len(t, a.Attributes(), 1)
			assert.Equal(t, now.Add(5*time.Minute), a.NotOnOrAfter())
			assert.NotContains(t, fmt.Sprintf("%+v %#v", *a, a), "alice")
			type user struct {
				Mail string `saml:"mail,required"`
			}
			decoder, err := saml.NewDecoder[user](saml.DecoderConfig{})
			require.NoError(t, err)
			into, err := decoder.DecodeAnswer(a)
			require.NoError(t, err)
			assert.Equal(t, "alice@example.com", into.Mail)
		})
	}
}

// confirmedFor gives the subject a confirmation for the answer to a request.
func confirmedFor(id string) func(*etree.Element) {
	return func(r *etree.Element) {
		c := r.FindElement("./Assertion/Subject").CreateElement("saml:SubjectConfirmation")
		c.CreateAttr("Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches")
		c.CreateElement("saml:SubjectConfirmationData").CreateAttr("InResponseTo", id)
	}
}

// J20, and the rules that answers share with sign-ins. The twins are in TestVerifyAttributeAnswer.
func TestAttributeAnswersThatAreRefused(t *testing.T) {
	sp := newSP(t, withAttributes(t))
	q := attributeQuery(t, sp)
	good := string(attributeAnswer(q).xml(t))
	nameID := func(attr, value string) func(*etree.Element) {
		return func(r *etree.Element) { r.FindElement("./Assertion/Subject/NameID").CreateAttr(attr, value) }
	}
	with := func(change func(*doc)) string {
		d := attributeAnswer(q)
		change(&d)
		return string(d.xml(t))
	}
	changed := func(f func(*etree.Element)) string { return string(attributeAnswer(q, f).xml(t)) }
	for name, c := range map[string]struct {
		answer string
		reason saml.Reason
	}{
		"J20 another subject": {changed(func(r *etree.Element) {
			r.FindElement("./Assertion/Subject/NameID").SetText("mallory@example.com")
		}), saml.ReasonSubject},
		"J20 another Format": {
			changed(nameID("Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified")), saml.ReasonSubject,
		},
		"J20 another NameQualifier": {changed(nameID("NameQualifier", "https://other.example")), saml.ReasonSubject},
		"J20 another SPProvidedID":  {changed(nameID("SPProvidedID", "x")), saml.ReasonSubject},
		"J20 no subject": {changed(func(r *etree.Element) {
			a := r.SelectElement("Assertion")
			a.RemoveChild(a.SelectElement("Subject"))
		}), saml.ReasonNameID},
		"J20 another audience": {with(func(d *doc) {
			d.Audience = strings.Replace(oneAudience, spEntity, "https://other.example", 1)
		}), saml.ReasonAudience},
		"J20 no audience": {with(func(d *doc) { d.Audience = "<saml:OneTimeUse/>" }), saml.ReasonAudience},
		"J20 unsigned":    {with(func(d *doc) { d.UnsignedAssertion = true }), saml.ReasonUnsigned},
		"J20 another query": {with(func(d *doc) {
			d.RespRequestID = attributeQuery(t, sp).ID()
		}), saml.ReasonInResponseTo},
		"J20 no query": {changed(func(r *etree.Element) { r.RemoveAttr("InResponseTo") }), saml.ReasonInResponseTo},
		"J20 another query in the assertion": {
			changed(confirmedFor("_other")), saml.ReasonInResponseTo,
		},
		"J20 a sign-in's assertion": {string(doc{RespRequestID: q.ID()}.xml(t)), saml.ReasonAuthn},
		"another key":               {with(func(d *doc) { d.Key = keys().other }), saml.ReasonSignature},
		"another issuer":            {with(func(d *doc) { d.Issuer = "https://other.example" }), saml.ReasonIssuer},
		"bad outer signature": {with(func(d *doc) {
			d.SignResponse, d.After = true, replace(`Version="2.0"`, `Version="2.0" Consent="x"`)
		}), saml.ReasonSignature},
		"expired": {with(func(d *doc) { d.Issued = now.Add(-time.Hour) }), saml.ReasonExpired},
		"not yet": {with(func(d *doc) { d.Issued = now.Add(time.Hour) }), saml.ReasonNotYetValid},
		"status": {changed(func(r *etree.Element) {
			r.FindElement("./Status/StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Requester")
		}), saml.ReasonStatus},
		"no assertion": {changed(func(r *etree.Element) {
			r.RemoveChild(r.SelectElement("Assertion"))
		}), saml.ReasonAssertionCount},
		"two assertions": {changed(func(r *etree.Element) {
			second := r.SelectElement("Assertion").Copy()
			second.CreateAttr("ID", "_asrt2")
			r.AddChild(second)
		}), saml.ReasonAssertionCount},
		"another message": {strings.Replace(good, "samlp:Response", "samlp:ArtifactResponse", 2), saml.ReasonNotResponse},
		"two messages":    {`<a xmlns=""/>` + good, saml.ReasonXML},
		"no message":      {"", saml.ReasonXML},
		"a Fault":         {"<S:Fault/>", saml.ReasonSOAP},
		"an instruction":  {"<?a b?>" + good, saml.ReasonXML},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := sp.VerifyAttributeAnswer(envelopeOf([]byte(c.answer)), q.Record())
			require.Nil(t, a)
			requireReason(t, c.reason, err)
		})
	}
	_, err := sp.VerifyAttributeAnswer(envelopeOf([]byte(good)), q.Record())
	require.NoError(t, err)
	_, err = sp.VerifyAttributeAnswer([]byte("<!DOCTYPE a>"+string(envelopeOf([]byte(good)))), q.Record())
	requireReason(t, saml.ReasonXML, err)
	_, err = sp.VerifyAttributeAnswer([]byte(good), q.Record()) // not in an envelope
	requireReason(t, saml.ReasonXML, err)
}

// J20: the answer to an attribute query signs no user in, neither as it is nor taken out of its envelope.
func TestAttributeAnswerIsNoSignIn(t *testing.T) {
	sp := newSP(t, withAttributes(t))
	q := attributeQuery(t, sp)
	answer := attributeAnswer(q).xml(t)
	for _, want := range []saml.VerifyOptions{
		unsolicited, {ACS: usACS, RequestIDs: []string{q.ID()}, Unsolicited: true},
	} {
		_, err := sp.VerifyXML(envelopeOf(answer), want)
		requireReason(t, saml.ReasonNotResponse, err)
		_, err = sp.VerifyXML(answer, want)
		requireReason(t, saml.ReasonSubjectConfirmation, err)
	}
	_, err := sp.VerifyXML(doc{}.xml(t), unsolicited) // the twin
	require.NoError(t, err)
}

// The attribute authority has keys of its own. They verify no sign-in, and those of sign-ins no answer.
// Obligations: IIP-SSO06.
func TestAttributeAuthorityOfMetadata(t *testing.T) {
	role := func(location, use string) string {
		descriptor := idpMetadata(t, "", use, "")
		_, key, _ := strings.Cut(descriptor, "<md:KeyDescriptor")
		key, _, _ = strings.Cut(key, "</md:KeyDescriptor>")
		return `<md:AttributeAuthorityDescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
			`<md:KeyDescriptor` + key + `</md:KeyDescriptor>` +
			`<md:AttributeService Binding="urn:oasis:names:tc:SAML:1.0:bindings:SOAP-binding" Location="https://a.example"/>` +
			`<md:AttributeService Binding="` + saml.SOAP + `" Location="` + location + `"/></md:AttributeAuthorityDescriptor>`
	}
	read := func(role string) *saml.IdP {
		all := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + strings.Replace(
			idpMetadata(t, "", "signing", ""), "</md:EntityDescriptor>", role+"</md:EntityDescriptor>", 1) +
			`</md:EntitiesDescriptor>`
		aggregate, err := saml.ParseAggregate([]byte(all))
		require.NoError(t, err)
		idp, err := aggregate.IdP(idpEntity)
		require.NoError(t, err)
		return idp
	}
	idp := read(role(idpAttributes, "other"))
	require.Equal(t, idpAttributes, idp.AttributeService())
	require.Empty(t, idp.Warnings())
	sp := newSP(t, withAttributes(t), func(c *saml.Config) { c.IdP = idp })
	q := attributeQuery(t, sp)
	require.Equal(t, idpAttributes, q.URL())
	answer := attributeAnswer(q)
	_, err := sp.VerifyAttributeAnswer(envelopeOf(answer.xml(t)), q.Record())
	requireReason(t, saml.ReasonSignature, err)
	answer = attributeAnswer(q)
	answer.Key = keys().other
	_, err = sp.VerifyAttributeAnswer(envelopeOf(answer.xml(t)), q.Record())
	require.NoError(t, err)
	_, err = sp.VerifyXML(doc{}.xml(t), unsolicited)
	require.NoError(t, err)
	_, err = sp.VerifyXML(doc{Key: keys().other}.xml(t), unsolicited)
	requireReason(t, saml.ReasonSignature, err)

	for name, bad := range map[string]string{
		"H04 private address": role("https://10.0.0.1/", "other"),
		"H04 http":            role("http://idp.example/", "other"),
		"no signing key":      role(idpAttributes, "encryption"),
		"broken validUntil":   strings.Replace(role(idpAttributes, "other"), " protocol", ` validUntil="x" protocol`, 1),
	} {
		idp := read(bad)
		assert.Empty(t, idp.AttributeService(), name)
		assert.NotEmpty(t, idp.Warnings(), name)
		assert.NotEmpty(t, idp.SSOServices(), "the sign-in is not affected")
	}
	expired := read(strings.Replace(role(idpAttributes, "other"), " protocol",
		` validUntil="2020-01-01T00:00:00Z" protocol`, 1))
	_, err = newSP(t, withAttributes(t), func(c *saml.Config) { c.IdP = expired }).
		NewAttributeQuery(saml.AttributeQueryOptions{NameID: alice})
	requireReason(t, saml.ReasonMetadataExpired, err)
}
