package saml_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// FuzzSOAPEnvelope fuzzes what is around a signed message: whatever it is, the message that is accepted is the one
// that was signed. The same input as an answer with the HTTP status 500 has an error with ReasonSOAP, or none.
func FuzzSOAPEnvelope(f *testing.F) {
	const open, end = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/">`, `</S:Body></S:Envelope>`
	const unknown = `<S:Header><h:a xmlns:h="urn:a" S:mustUnderstand="1"/></S:Header>`
	signed := request(f, keys().idp)
	for _, s := range [][2]string{
		{open + `<S:Body>`, end}, {open + `<S:Header/><S:Body>`, end}, {open + unknown + `<S:Body>`, end},
		{open + `<S:Body>` + signed, end}, {open + `<S:Body><S:Fault><faultcode>S:Server</faultcode>`, `</S:Fault>` + end},
		{`<?xml version="1.0"?><!-- a -->` + open + `<S:Body>`, end + `<!-- b -->`}, {`<!DOCTYPE a>` + open + `<S:Body>`, end},
		{strings.Replace(open, "schemas.xmlsoap.org/soap/envelope/", "www.w3.org/2003/05/soap-envelope", 1) + `<S:Body>`, end},
		{"", ""}, {open + `<S:Body><samlp:Extensions xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">`, `</samlp:Extensions>` + end},
	} {
		f.Add(s[0], s[1])
	}
	sp := newSP(f, withLogout(f))
	f.Fuzz(func(t *testing.T, before, after string) {
		envelope := []byte(before + signed + after)
		r, err := sp.VerifyLogoutRequest(saml.LogoutMessage{Binding: saml.SOAP, Message: envelope})
		var e *saml.Error
		if err != nil {
			require.Nil(t, r)
			require.True(t, errors.As(err, &e))
			require.NotEmpty(t, e.Reason)
		} else {
			require.Equal(t, "_l1", r.ID())
			require.Equal(t, "alice@example.com", r.NameID().Value)
			require.Equal(t, []string{"s1", "s2"}, r.SessionIndexes())
		}
		if fault := sp.SOAPFault(envelope); fault != nil {
			require.True(t, errors.As(fault, &e))
			require.Equal(t, saml.ReasonSOAP, e.Reason)
			require.Error(t, err, "a Fault is no message")
		}
	})
}

// FuzzVerifyAttributeAnswer fuzzes the answer to an attribute query: what is accepted was signed for this query, about
// the user who was asked about, and an error returns nothing.
func FuzzVerifyAttributeAnswer(f *testing.F) {
	sp := newSP(f, withAttributes(f), func(c *saml.Config) { c.Rand = zeros{} }) // so that each process has the same ID
	q := attributeQuery(f, sp)
	about := func(name string) doc {
		return attributeAnswer(q, func(response *etree.Element) {
			response.FindElement("./Assertion/Subject/NameID").SetText(name)
		})
	}
	signed, both, unsigned := about(alice.Value), about(alice.Value), about(alice.Value)
	signed.SignResponse, signed.UnsignedAssertion = true, true
	both.SignResponse = true
	unsigned.UnsignedAssertion = true
	for _, d := range []doc{attributeAnswer(q), signed, both, unsigned, about("mallory@example.com"), {}} {
		f.Add(envelopeOf(d.xml(f)))
	}
	f.Add([]byte("<a/>"))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		answer, err := sp.VerifyAttributeAnswer(envelope, q.Record())
		if err != nil {
			require.Nil(t, answer)
			var e *saml.Error
			require.True(t, errors.As(err, &e))
			require.NotEmpty(t, e.Reason)
			return
		}
		require.Equal(t, alice.Value, answer.NameID().Value)
		require.Equal(t, idpEntity, answer.Issuer())
		require.Equal(t, "alice@example.com", answer.Attributes()[0].Values[0].Text)
		again, err := sp.VerifyAttributeAnswer(envelope, q.Record())
		require.NoError(t, err)
		require.Equal(t, answer, again)
	})
}
