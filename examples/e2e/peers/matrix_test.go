package peers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// peer is a running identity provider of another vendor. It signs every client in
// as peerUser.
type peer struct {
	metadata []byte
	sign     string // what gets signed
	// signatureIDs says that its Signatures have an Id, which nothing refers to.
	signatureIDs bool
	// unsolicited is the address of the peer that begins an IdP-initiated sign-in.
	unsolicited func(entityID, relayState string) string
	// checksRequests says that it refuses a request whose signature doesn't verify.
	checksRequests bool
	// answersUnlisted says that a request which names an unlisted ACS URL is
	// answered to the default one, instead of refused.
	answersUnlisted bool
	// wantsSigned says that its metadata asks for signed requests, so that ours aren't sent without a key.
	wantsSigned bool

	mail, affiliation string // how it names these attributes

	// cipher is the algorithm that it encrypts with, to peerEncryptionKey. Empty:
	// it doesn't encrypt.
	cipher string
}

// The user's attributes at every peer. They have characters that need escaping,
// and ones of more than a byte.
const peerUser = "alice@example.com"

var peerAffiliation = []string{"staff", "R&D <Lab>", "Zürich"}

// What gets signed.
const (
	signResponse  = "response"
	signAssertion = "assertion"
	signBoth      = "both"
)

// returnTo is where users are to go after sign-in.
const returnTo = "/reports?team=a%26b&sort=%22name%22"

// checkPeer goes through every flow with an identity provider that signs in
// each of these ways. start starts one that knows these service providers.
func checkPeer(t *testing.T, signings []string, start func(t *testing.T, sign string, spMetadata [][]byte) peer) {
	for _, sign := range signings {
		t.Run("signed "+sign, func(t *testing.T) {
			byURL := deploy(t, func(*saml.Config, *acs.Config) {})
			byIndex := deploy(t, func(sp *saml.Config, r *acs.Config) {
				sp.ACSByIndex, r.Unsolicited = true, acs.Accept
				sp.SignMetadata = true
				describeFully(sp) // pysaml2 then sends only what its metadata asks for
			})
			unsigned := deploy(t, func(sp *saml.Config, _ *acs.Config) {
				sp.SignRequests, sp.Key, sp.Certificate = false, nil, nil
			})
			oneListed := deploy(t, func(*saml.Config, *acs.Config) {})
			all := []*deployment{byURL, byIndex, unsigned, oneListed}
			var metadata [][]byte
			for _, d := range all {
				metadata = append(metadata, d.metadata(t))
			}
			metadata[3] = withoutAway(t, oneListed)

			p := start(t, sign, metadata)
			for _, d := range all {
				d.trust(t, p.metadata)
			}
			checkResponses(t, p, byURL, byIndex)
			if sign == signBoth { // the binding of the request doesn't affect what is signed
				checkRequests(t, p, byURL, byIndex, unsigned, oneListed)
			}
		})
	}
}

// checkResponses checks the peer's responses.
func checkResponses(t *testing.T, p peer, byURL, byIndex *deployment) {
	for _, region := range []string{homeRegion, awayRegion} {
		t.Run(region+" by URL", func(t *testing.T) { checkSignIn(t, p, byURL, region, "/login") })
		t.Run(region+" by index", func(t *testing.T) { checkSignIn(t, p, byIndex, region, "/login") })
	}
	t.Run("IdP-initiated", func(t *testing.T) { checkUnsolicited(t, p, byIndex) })
	t.Run("IdP-initiated, unwanted", func(t *testing.T) { checkUnwanted(t, p, byURL) })
	t.Run("tampered with", func(t *testing.T) { checkTampered(t, byURL) })
	t.Run("in another Region", func(t *testing.T) { checkOtherRegion(t, byURL) })
	t.Run("twice", func(t *testing.T) { checkTwice(t, byURL) })
	if p.signatureIDs && p.sign == signBoth {
		t.Run("equal Ids of Signatures", func(t *testing.T) { checkEqualSignatureIDs(t, byURL) })
	}
}

// checkRequests checks how the peer handles requests.
func checkRequests(t *testing.T, p peer, byURL, byIndex, unsigned, oneListed *deployment) {
	for _, region := range []string{homeRegion, awayRegion} {
		t.Run(region+" by URL, in a form", func(t *testing.T) { checkSignIn(t, p, byURL, region, "/login-by-post") })
		t.Run(region+" by index, in a form", func(t *testing.T) { checkSignIn(t, p, byIndex, region, "/login-by-post") })
		if !p.wantsSigned {
			t.Run(region+" unsigned", func(t *testing.T) { checkSignIn(t, p, unsigned, region, "/login") })
		}
	}
	t.Run("not listed", func(t *testing.T) { checkUnlisted(t, p, oneListed) })
	if p.checksRequests {
		t.Run("request tampered with", func(t *testing.T) { checkRequestTampered(t, byURL) })
	}
}

// request starts a sign-in and returns the AuthnRequest on its way.
func (d *deployment) request(b *peerBrowser, region, login string) peerMessage {
	b.t.Helper()
	p := b.open(d.url[region] + login + "?return_to=" + url.QueryEscape(returnTo))
	return p.message(b.t, "SAMLRequest")
}

// response goes through a sign-in until the response is about to be posted.
func (d *deployment) response(b *peerBrowser, region string) peerMessage {
	b.t.Helper()
	return b.carry(d.request(b, region, "/login")).message(b.t, "SAMLResponse")
}

// checkSignIn signs in to a Region, and checks the whole result.
func checkSignIn(t *testing.T, p peer, d *deployment, region, login string) {
	b := newPeerBrowser(t)
	request := d.request(b, region, login)
	asked := request.request(t)
	response := b.carry(request).message(t, "SAMLResponse")
	require.Equal(t, d.acs(region), response.to, "where the identity provider sends the browser")
	checkSigned(t, p, response.response(t))
	got := d.deliver(b, response)
	require.True(t, got.verdict.Accepted, "%+v\n%s", got.verdict, response.response(t))

	a := got.login.Assertion
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, d.acs(region), got.verdict.ACS)
	assert.Equal(t, region, got.login.Region)
	assert.Equal(t, d.acs(region), a.ACS().URL)
	assert.Equal(t, asked.SelectAttrValue("ID", "none"), a.InResponseTo())
	assert.Equal(t, a.InResponseTo(), got.login.RequestID)
	assert.False(t, got.login.Unsolicited)
	assert.Equal(t, returnTo, got.login.ReturnTo)
	checkUser(t, p, d, a)

	assert.Equal(t, d.byIndex, asked.SelectAttr("AssertionConsumerServiceIndex") != nil)
	assert.Equal(t, !d.byIndex, asked.SelectAttr("AssertionConsumerServiceURL") != nil)
}

// checkSigned requires that the peer signs the expected parts, and encrypts if
// it should.
func checkSigned(t *testing.T, p peer, xml string) {
	t.Helper()
	doc, ciphers := opened(t, xml)
	for _, cipher := range ciphers {
		require.Equal(t, p.cipher, cipher)
	}
	require.Equal(t, p.cipher != "", len(ciphers) > 0, "whether it encrypts")
	var signed []string
	for _, signature := range doc.FindElements("//Signature") {
		signed = append(signed, signature.Parent().Tag)
		assert.Equal(t, p.signatureIDs, signature.SelectAttrValue("Id", "") != "")
	}
	want := map[string][]string{
		signResponse: {"Response"}, signAssertion: {"Assertion"}, signBoth: {"Response", "Assertion"},
	}
	require.Equal(t, want[p.sign], signed)
}

// checkUser checks the user in an assertion of the peer.
func checkUser(t *testing.T, p peer, d *deployment, a *saml.Assertion) {
	t.Helper()
	assert.Equal(t, d.idp.IdP().EntityID(), a.Issuer())
	assert.Equal(t, peerUser, a.NameID().Value)
	assert.Equal(t, "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", a.NameID().Format)
	assert.Equal(t, []string{peerUser}, a.Values(p.mail))
	assert.Equal(t, peerAffiliation, a.Values(p.affiliation))
	assert.NotEmpty(t, a.SessionIndex())
	assert.NotEmpty(t, a.AuthnContext())
	assert.Equal(t, strings.HasSuffix(p.cipher, "-cbc"), len(a.Warnings()) > 0, "%v", a.Warnings())
}

// checkUnsolicited begins at the identity provider. It sends users to the
// default URL, independent of its index (invariant 1). Each response is
// accepted once (invariant 7). RelayState redirects to no other origin
// (invariant 11).
func checkUnsolicited(t *testing.T, p peer, d *deployment) {
	b := newPeerBrowser(t)
	response := b.open(p.unsolicited(d.sp.EntityID(), returnTo)).message(t, "SAMLResponse")
	require.Equal(t, d.acs(homeRegion), response.to)
	got := d.deliver(b, response)
	require.True(t, got.verdict.Accepted, "%+v\n%s", got.verdict, response.response(t))
	assert.True(t, got.login.Unsolicited)
	assert.Equal(t, acs.FlowIdP, got.verdict.Flow)
	assert.Equal(t, homeRegion, got.login.Region)
	assert.Equal(t, returnTo, got.login.ReturnTo)
	assert.Empty(t, got.login.Assertion.InResponseTo())
	checkUser(t, p, d, got.login.Assertion)

	refused(t, d.deliver(b, response), acs.ReasonReplay)
	refused(t, d.deliver(newPeerBrowser(t), response), acs.ReasonReplay)

	response = b.open(p.unsolicited(d.sp.EntityID(), "https://elsewhere.example/")).message(t, "SAMLResponse")
	got = d.deliver(b, response)
	require.True(t, got.verdict.Accepted)
	assert.Empty(t, got.login.ReturnTo)
}

// checkUnwanted begins at the identity provider, with a configuration that does
// not allow that (invariant 6).
func checkUnwanted(t *testing.T, p peer, d *deployment) {
	b := newPeerBrowser(t)
	response := b.open(p.unsolicited(d.sp.EntityID(), returnTo)).message(t, "SAMLResponse")
	refused(t, d.deliver(b, response), acs.ReasonUnsolicited)
}

// checkTampered changes one letter of the NameID (invariant 3). The original
// response is still accepted afterwards.
func checkTampered(t *testing.T, d *deployment) {
	b := newPeerBrowser(t)
	response := d.response(b, homeRegion)
	xml := response.response(t)
	changed := strings.Replace(xml, ">"+peerUser+"</", ">blice@example.com</", 1)
	require.NotEqual(t, xml, changed)
	require.Less(t, strings.Index(changed, "blice@"), strings.Index(changed, "</"+nameIDTag(changed)),
		"it is the NameID that changed")
	refused(t, d.deliver(b, response.with(changed)), saml.ReasonSignature)

	require.True(t, d.deliver(b, response).verdict.Accepted)
}

// nameIDTag is the name of the NameID element, with its prefix.
func nameIDTag(xml string) string {
	before, _, _ := strings.Cut(xml, "NameID ")
	return before[strings.LastIndex(before, "<")+1:] + "NameID"
}

// checkOtherRegion brings a response for each Region to the other one, where
// the browser has a request of its own waiting (invariant 2).
func checkOtherRegion(t *testing.T, d *deployment) {
	for here, there := range map[string]string{homeRegion: awayRegion, awayRegion: homeRegion} {
		b := newPeerBrowser(t)
		d.request(b, there, "/login")
		response := d.response(b, here)
		misled := response
		misled.to = d.acs(there)
		got := d.deliver(b, misled)
		refused(t, got, saml.ReasonRecipient)
		assert.Equal(t, d.acs(there), got.verdict.ACS)
		assert.Equal(t, d.acs(there), got.verdict.Want)
		assert.Equal(t, d.acs(here), got.verdict.Got)

		require.True(t, d.deliver(b, response).verdict.Accepted, "the response is still valid")
	}
}

// checkTwice posts the answer to a request from another browser, and then a
// second time: as the browser, which has no cookie for it any more, and as a
// client that kept the cookie (invariant 6).
func checkTwice(t *testing.T, d *deployment) {
	b := newPeerBrowser(t)
	response := d.response(b, awayRegion)
	kept := b.cookies(response.to)
	require.Len(t, kept, 1)
	other := newPeerBrowser(t)
	refused(t, d.deliver(other, response), saml.ReasonInResponseTo)

	require.True(t, d.deliver(b, response).verdict.Accepted)
	require.Empty(t, b.cookies(response.to))
	refused(t, d.deliver(b, response), saml.ReasonInResponseTo)
	refused(t, d.deliver(b, response, kept...), acs.ReasonRequest)
}

// checkEqualSignatureIDs gives the Response's Signature, whose own attributes
// no signature covers, the Id of the assertion's: pysaml2 sends such when
// the assertion was encrypted in between. Nothing refers to them.
func checkEqualSignatureIDs(t *testing.T, d *deployment) {
	b := newPeerBrowser(t)
	response := d.response(b, homeRegion)
	xml := response.response(t)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(xml))
	outer := doc.FindElement("/Response/Signature").SelectAttrValue("Id", "")
	inner := doc.FindElement("/Response/Assertion/Signature").SelectAttrValue("Id", "")
	require.NotEqual(t, outer, inner)
	changed := strings.Replace(xml, ` Id="`+outer+`"`, ` Id="`+inner+`"`, 1)
	require.Equal(t, 2, strings.Count(changed, ` Id="`+inner+`"`))
	got := d.deliver(b, response.with(changed))
	require.True(t, got.verdict.Accepted, "%+v", got.verdict)
}

// checkUnlisted signs in to a Region whose URL the identity provider does not
// know. If it uses the default instead, the wrong Region receives the answer
// and refuses it (WrongRegion).
func checkUnlisted(t *testing.T, p peer, d *deployment) {
	b := newPeerBrowser(t)
	answer := b.carry(d.request(b, awayRegion, "/login"))
	response, ok := answer.find(t, "SAMLResponse")
	require.Equal(t, p.answersUnlisted, ok, "%d: %s", answer.status, answer.body)
	if ok {
		require.Equal(t, d.acs(homeRegion), response.to)
		got := d.deliver(b, response)
		refused(t, got, saml.ReasonWrongRegion)
		assert.Contains(t, got.verdict.Detail, awayRegion)
	}
	// The Region that is listed still works.
	require.True(t, d.deliver(b, d.response(b, homeRegion)).verdict.Accepted)
}

// checkRequestTampered changes the signed request to ask for the answer in another
// Region. The peer's refusal shows that it verifies the signatures of requests.
func checkRequestTampered(t *testing.T, d *deployment) {
	for _, login := range []string{"/login", "/login-by-post"} {
		b := newPeerBrowser(t)
		request := d.request(b, homeRegion, login)
		asked := request.request(t)
		if login == "/login" { // there RelayState is signed too
			_, ok := b.carry(request.set("RelayState", "another")).find(t, "SAMLResponse")
			assert.False(t, ok, "a request with another RelayState was answered")
		} else { // here it isn't, and rewriting the XML doesn't matter
			_, ok := b.carry(request.withRequest(t, asked).set("RelayState", "another")).find(t, "SAMLResponse")
			assert.True(t, ok, "what follows proves nothing")
		}
		asked.CreateAttr("AssertionConsumerServiceURL", d.acs(awayRegion))
		_, ok := b.carry(request.withRequest(t, asked)).find(t, "SAMLResponse")
		assert.False(t, ok, "%s: a changed request was answered", login)
	}
}

// refused requires that a response was refused for that Reason of package acs
// or saml.
func refused[R ~string](t *testing.T, got delivery, why R) {
	t.Helper()
	assert.False(t, got.verdict.Accepted)
	assert.Equal(t, string(why), got.verdict.Reason, "%+v", got.verdict)
	assert.GreaterOrEqual(t, got.status, 400)
	assert.Less(t, got.status, 500)
}

// withoutAway returns metadata that lacks one Region.
func withoutAway(t *testing.T, d *deployment) []byte {
	t.Helper()
	sp, err := saml.New(saml.Config{
		EntityID: d.sp.EntityID(), ACS: d.sp.ACS()[:1], IdP: d.idp,
		Key: peerSPKey().key, Certificate: peerSPKey().cert, SignRequests: true,
	})
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	return metadata
}
