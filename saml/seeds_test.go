package saml_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// vectorDocuments are the documents of testdata/vectors, as seeds for fuzzing:
// each is nearly good, and is bad in its own way. A vector that is no
// document (broken base64) or that is too big to be kept is left out.
func vectorDocuments(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, v := range vectorsOf(t, "response") {
		switch doc, err := base64.StdEncoding.DecodeString(v.body); {
		case v.one("body") == "xml":
			out = append(out, []byte(v.body))
		case v.one("body") == "posted" && err == nil:
			out = append(out, doc)
		}
	}
	require.Greater(t, len(out), 500, "a fuzz target without its seeds finds little")
	return out
}

// vectorSP is the service provider of most vectors, with the strict defaults.
func vectorSP(t testing.TB) (*saml.ServiceProvider, saml.VerifyOptions) {
	t.Helper()
	text, err := os.ReadFile("../testdata/vectors/A03-assertion.txt")
	require.NoError(t, err)
	v, err := parseVector(string(text))
	require.NoError(t, err)
	idp, err := saml.NewIdP(saml.IdPConfig{EntityID: v.one("idp"), Keys: []crypto.PublicKey{
		attackKeys()["idp-rsa.pem"].Public(), attackKeys()["idp-ecdsa.pem"].Public(),
	}})
	require.NoError(t, err)
	sp := newSP(t, func(c *saml.Config) {
		c.EntityID, c.IdP = v.one("sp"), idp
		c.ACS = []saml.Endpoint{{URL: v.one("acs"), Region: "here"}, {URL: v.one("other-acs"), Region: "there"}}
		c.DecryptionKeys = []crypto.Decrypter{attackKeys()["sp-rsa.pem"].(crypto.Decrypter)}
	})
	return sp, saml.VerifyOptions{ACS: v.one("acs"), RequestIDs: []string{v.one("request-id")}}
}

// acceptedVectors are those that vectorSP accepts, by the assertion's ID. An
// attacker can change an unsigned Response, so a vector whose Response alone is
// bad counts as what is left of it: its signed assertion in a good one. A vector
// that is accepted itself counts as it is; its Response may be signed, too.
func acceptedVectors(t testing.TB, docs [][]byte) map[string]original {
	sp, want := vectorSP(t)
	const head = `<saml2p:Response xmlns:saml2p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_around" Version="2.0" IssueInstant="2026-11-22T12:00:00Z">` +
		`<saml2p:Status><saml2p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></saml2p:Status>`
	for _, assertion := range assertions(docs) {
		docs = append(docs, []byte(head+string(assertion)+`</saml2p:Response>`))
	}
	out := make(map[string]original)
	for _, doc := range docs {
		a, err := sp.VerifyXML(doc, want)
		if err != nil {
			continue
		}
		if _, itself := out[a.ID()]; !itself {
			out[a.ID()] = original{name: a.ID(), doc: doc, values: said(a)}
		}
	}
	require.Greater(t, len(out), 50, "good vectors")
	return out
}

// assertions are the parts of documents that are encrypted in practice.
func assertions(docs [][]byte) [][]byte {
	var out [][]byte
	end := []byte("</saml2:Assertion>")
	for _, doc := range docs {
		from, to := bytes.Index(doc, []byte("<saml2:Assertion ")), bytes.LastIndex(doc, end)
		if from >= 0 && to > from {
			out = append(out, doc[from:to+len(end)])
		}
	}
	return out
}
