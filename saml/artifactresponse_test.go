package saml_test

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// requireSigned checks the signature of a message of ours with goxmldsig.
func requireSigned(t testing.TB, el *etree.Element, sp *saml.ServiceProvider) {
	t.Helper()
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{
		Roots: []*x509.Certificate{certificateIn(t, sp)},
	})
	ctx.Clock = dsig.NewFakeClockAt(now)
	_, err := ctx.Validate(el)
	require.NoError(t, err)
}

const (
	resolveID   = "_resolve1"
	successOnly = `<samlp:Status><samlp:StatusCode Value="` + statusURN + `Success"/></samlp:Status>`
)

// artifactAnswer describes the answer to an ArtifactResolve; its zero fields take the good values.
type artifactAnswer struct {
	Inside  doc      // the Response; it answers no request, unless it says so
	Instead []string // the messages instead of Inside
	Empty   bool     // no message at all
	// Sign signs the ArtifactResponse, with Key or the identity provider's.
	Sign bool
	Key  crypto.Signer
	// Before changes the ArtifactResponse before it is signed, After the envelope afterwards.
	Before func(*etree.Element)
	After  func(string) string
}

func (a artifactAnswer) xml(t testing.TB) []byte {
	t.Helper()
	el := parseXML(`<samlp:ArtifactResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ` +
		`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_answer1" Version="2.0" InResponseTo="` + resolveID +
		`" IssueInstant="` + now.Format(time.RFC3339) + `"><saml:Issuer>` + idpEntity + `</saml:Issuer>` + successOnly +
		`</samlp:ArtifactResponse>`)
	messages := a.Instead
	if messages == nil && !a.Empty {
		messages = []string{string(a.Inside.xml(t))}
	}
	for _, message := range messages {
		el.AddChild(parseXML(message))
	}
	if a.Before != nil {
		a.Before(el)
	}
	if a.Sign {
		key := a.Key
		if key == nil {
			key = keys().idp
		}
		sign(t, el, key, "", "")
	}
	envelope := string(soap(writeXML(el)).Message)
	if a.After != nil {
		envelope = a.After(envelope)
	}
	return []byte(envelope)
}

var ofArtifact = saml.ArtifactRecord{ID: resolveID, IdP: idpEntity}

// bare is a Response without a signature.
var bare = doc{UnsignedAssertion: true}

// The signature of the ArtifactResponse, the Response or the assertion is enough, H20 with and without a Destination.
func TestVerifyArtifactResponse(t *testing.T) {
	sp := newSP(t, withArtifacts(t), func(c *saml.Config) { decrypting(c) })
	solicited := requestTo(t, sp, idpEntity)
	want := saml.VerifyOptions{ACS: usACS, RequestIDs: []string{solicited.ID()}, Unsolicited: true}
	for name, a := range map[string]artifactAnswer{
		"the assertion is signed":        {},
		"the Response is signed":         {Inside: doc{UnsignedAssertion: true, SignResponse: true}},
		"the ArtifactResponse is signed": {Inside: bare, Sign: true},
		"all are signed":                 {Inside: doc{SignResponse: true}, Sign: true},
		"H20 twin: no Destination":       {Inside: doc{Before: unset(top, "Destination")}},
		"H20 twin: no Destination in a signed Response": {
			Inside: doc{SignResponse: true, Before: unset(top, "Destination")}, Sign: true},
		"it answers a request": {Inside: doc{RequestID: solicited.ID()}},
		"no Issuer in the Response": {
			Inside: doc{UnsignedAssertion: true, Before: remove("./Issuer")}, Sign: true},
		"encrypted":                          {Inside: doc{Encrypt: sealing{}.seal}},
		"encrypted without a signature":      {Inside: doc{Encrypt: sealing{}.seal, UnsignedAssertion: true}, Sign: true},
		"encrypted with CBC, signed outside": {Inside: doc{Encrypt: sealing{data: cbc256}.seal}, Sign: true},
		"another Destination around":         {Before: func(el *etree.Element) { el.CreateAttr("Destination", spEntity) }},
		"a header":                           {After: replace("<S:Header/>", `<S:Header><x xmlns="urn:x"/></S:Header>`)},
		"H13 twin: Extensions": {Before: func(el *etree.Element) {
			el.InsertChildAt(1, parseXML(`<samlp:Extensions xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><x xmlns="urn:x"/></samlp:Extensions>`))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			envelope := a.xml(t)
			got, err := sp.VerifyArtifactResponse(envelope, ofArtifact, want)
			require.NoError(t, err)
			require.Equal(t, "alice@example.com", got.NameID().Value)
			require.Equal(t, idpEntity, got.Issuer())
			report := sp.ExplainArtifactResponse(envelope, ofArtifact, want)
			require.NoError(t, report.Err)
			require.False(t, slices.ContainsFunc(report.Checks, func(c saml.Check) bool { return !c.OK }))
		})
	}
}

// Answers that are refused and that the catalogue lacks: see TestArtifactCases. Their twins are in
// TestVerifyArtifactResponse.
func TestArtifactResponsesThatAreRefused(t *testing.T) {
	change := func(attr, value string) func(*etree.Element) {
		return func(el *etree.Element) { el.CreateAttr(attr, value) }
	}
	response := string(doc{}.xml(t))
	for _, c := range []struct {
		name   string
		answer artifactAnswer
		reason saml.Reason
		config func(*saml.Config)
	}{
		{name: "the assertion's own signature is demanded", answer: artifactAnswer{Inside: bare, Sign: true},
			reason: saml.ReasonUnsigned, config: func(c *saml.Config) { c.WantAssertionsSigned = true }},
		{name: "a signature around the assertion is demanded", answer: artifactAnswer{},
			reason: saml.ReasonUnsigned, config: func(c *saml.Config) { c.WantResponsesSigned = true }},
		{name: "twin: that of the ArtifactResponse", answer: artifactAnswer{Sign: true},
			config: func(c *saml.Config) { c.WantResponsesSigned = true }},
		{name: "H13 a Response without an ArtifactResponse",
			answer: artifactAnswer{After: func(string) string { return string(soap(response).Message) }},
			reason: saml.ReasonNotResponse},
		{name: "H13 a Response without an envelope", answer: artifactAnswer{After: func(string) string { return response }},
			reason: saml.ReasonXML},
		{name: "a second assertion in the header",
			answer: artifactAnswer{After: replace("<S:Header/>", `<S:Header><saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_x"/></S:Header>`)},
			reason: saml.ReasonAssertionCount},
		{name: "Recipient is another Region's", answer: artifactAnswer{Inside: doc{Recipient: euACS, Destination: usACS}},
			reason: saml.ReasonRecipient},
		{name: "Version 1.1", answer: artifactAnswer{Before: change("Version", "1.1")}, reason: saml.ReasonVersion},
		{name: "an invalid ID", answer: artifactAnswer{Before: change("ID", "a b")}, reason: saml.ReasonID},
		{name: "the Response's ID", answer: artifactAnswer{Before: change("ID", "_resp1")}, reason: saml.ReasonID},
		{name: "of yesterday", answer: artifactAnswer{Before: change("IssueInstant", "2026-11-21T12:00:00Z")},
			reason: saml.ReasonExpired},
		{name: "of tomorrow", answer: artifactAnswer{Before: change("IssueInstant", "2026-11-23T12:00:00Z")},
			reason: saml.ReasonNotYetValid},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes := []func(*saml.Config){withArtifacts(t)}
			if c.config != nil {
				changes = append(changes, c.config)
			}
			sp, envelope := newSP(t, changes...), c.answer.xml(t)
			got, err := sp.VerifyArtifactResponse(envelope, ofArtifact, unsolicited)
			if c.reason == "" {
				require.NoError(t, err)
				return
			}
			require.Nil(t, got)
			requireReason(t, c.reason, err)
			var e *saml.Error
			require.ErrorAs(t, err, &e)
			require.NotEmpty(t, e.Rule)
			report := sp.ExplainArtifactResponse(envelope, ofArtifact, unsolicited)
			require.Nil(t, report.Assertion)
			requireReason(t, c.reason, report.Err)
			require.True(t, slices.ContainsFunc(report.Checks, func(k saml.Check) bool { return k.Reason == c.reason }))
		})
	}
}

// H17: an artifact's response can't answer a request that was made to another identity provider.
func TestArtifactForTheRequestOfAnother(t *testing.T) {
	sp := newSP(t, withArtifacts(t), several(twoIdPs(t)))
	other, own := requestTo(t, sp, secondIdP).ID(), requestTo(t, sp, idpEntity).ID()
	want := saml.VerifyOptions{ACS: usACS, RequestIDs: []string{other, own}}
	_, err := sp.VerifyArtifactResponse(artifactAnswer{Inside: doc{RequestID: other}}.xml(t), ofArtifact, want)
	requireReason(t, saml.ReasonIdP, err)
	_, err = sp.VerifyArtifactResponse(artifactAnswer{Inside: doc{RequestID: own}}.xml(t), ofArtifact, want)
	require.NoError(t, err)
}

// H12: without the signature, every value of a good answer can be changed, so an answer that is accepted after a change
// was not verified.
func TestNothingOfAnArtifactResponseIsUnverified(t *testing.T) {
	sp := newSP(t, withArtifacts(t))
	for _, a := range []artifactAnswer{{}, {Inside: doc{SignResponse: true}}, {Inside: bare, Sign: true}} {
		good := string(a.xml(t))
		for value, other := range map[string]string{
			"alice@": "admin@", `Recipient="https`: `Recipient="http`, "<saml:Audience>": "<saml:Audience>x",
			`SessionIndex="_s1`: `SessionIndex="_s2`, "12:05:00Z": "13:05:00Z",
		} {
			require.Contains(t, good, value)
			changed := strings.Replace(good, value, other, 1)
			_, err := sp.VerifyArtifactResponse([]byte(changed), ofArtifact, unsolicited)
			requireReason(t, saml.ReasonSignature, err)
		}
		unsigned := parseXML(good)
		for _, s := range unsigned.FindElements(".//Signature") {
			s.Parent().RemoveChild(s)
		}
		_, err := sp.VerifyArtifactResponse([]byte(writeXML(unsigned)), ofArtifact, unsolicited)
		requireReason(t, saml.ReasonUnsigned, err)
	}
}

func TestArtifactRecordIsChecked(t *testing.T) {
	sp := newSP(t, withArtifacts(t))
	good := artifactAnswer{}.xml(t)
	for reason, to := range map[saml.Reason]saml.ArtifactRecord{
		saml.ReasonConfig: {IdP: idpEntity}, saml.ReasonMetadataEntity: {ID: resolveID, IdP: secondIdP},
	} {
		_, err := sp.VerifyArtifactResponse(good, to, unsolicited)
		requireReason(t, reason, err)
	}
	_, err := sp.VerifyArtifactResponse(good, ofArtifact, saml.VerifyOptions{ACS: usACS})
	requireReason(t, saml.ReasonConfig, err)
	_, err = sp.VerifyXML(good, unsolicited)
	requireReason(t, saml.ReasonNotResponse, err)
	huge := []byte(fmt.Sprintf("%s%s", good, strings.Repeat(" ", 2<<20)))
	_, err = sp.VerifyArtifactResponse(huge, ofArtifact, unsolicited)
	requireReason(t, saml.ReasonLimit, err)
}
