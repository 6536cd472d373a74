package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// readRedirect parses a request as an identity provider would.
func readRedirect(t testing.TB, location string) (*etree.Element, url.Values) {
	t.Helper()
	u, err := url.Parse(location)
	require.NoError(t, err)
	q := u.Query()
	xml, err := testkit.Inflated(q.Get("SAMLRequest"))
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(xml))
	return doc.Root(), q
}

// Obligations: IIP-SSO02, SDP-SP02, SDP-SP04, SDP-SP05, SDP-SP06, SDP-SP07.
func TestAuthnRequestDefaults(t *testing.T) {
	sp := newSP(t)
	r, err := sp.NewAuthnRequest(saml.RequestOptions{ACS: euACS})
	require.NoError(t, err)
	require.Equal(t, saml.HTTPRedirect, r.Binding())
	location, err := r.RedirectURL("a&b=ü")
	require.NoError(t, err)
	el, q := readRedirect(t, location)
	require.True(t, strings.HasPrefix(location, "https://idp.example/sso?SAMLRequest="))
	require.Equal(t, "a&b=ü", q.Get("RelayState"))
	require.Equal(t, r.ID(), el.SelectAttrValue("ID", ""))
	require.Equal(t, "2.0", el.SelectAttrValue("Version", ""))
	require.Equal(t, "2026-11-22T12:00:00Z", el.SelectAttrValue("IssueInstant", ""))
	require.Equal(t, "https://idp.example/sso", el.SelectAttrValue("Destination", ""))
	require.Equal(t, euACS, el.SelectAttrValue("AssertionConsumerServiceURL", ""))
	require.Equal(t, saml.HTTPPost, el.SelectAttrValue("ProtocolBinding", ""))
	require.Equal(t, spEntity, el.FindElement("./Issuer").Text())
	for _, absent := range []string{"AssertionConsumerServiceIndex", "ForceAuthn", "IsPassive"} {
		require.Nil(t, el.SelectAttr(absent))
	}
	require.Len(t, el.ChildElements(), 1, "no NameIDPolicy, no RequestedAuthnContext")
}

func TestAuthnRequestByIndex(t *testing.T) {
	seven, nine := uint16(7), uint16(9)
	sp := newSP(t, func(c *saml.Config) {
		c.ACSByIndex = true
		c.ACS = []saml.Endpoint{{URL: usACS, Index: &seven}, {URL: euACS, Index: &nine}}
	})
	r, err := sp.NewAuthnRequest(saml.RequestOptions{ACS: euACS})
	require.NoError(t, err)
	location, err := r.RedirectURL("")
	require.NoError(t, err)
	el, q := readRedirect(t, location)
	require.Equal(t, "9", el.SelectAttrValue("AssertionConsumerServiceIndex", ""))
	require.Nil(t, el.SelectAttr("AssertionConsumerServiceURL"))
	require.Nil(t, el.SelectAttr("ProtocolBinding"))
	require.NotContains(t, q, "RelayState")
}

// Obligations: IIP-SSO02, IIP-SP06, SDP-SP07.
func TestAuthnRequestOptions(t *testing.T) {
	r, err := newSP(t).NewAuthnRequest(saml.RequestOptions{
		ForceAuthn: true, IsPassive: true, Binding: saml.HTTPPost,
		AuthnContext: &saml.RequestedAuthnContext{ClassRefs: []string{"urn:a", "urn:b"}},
		NameIDPolicy: &saml.NameIDPolicy{Format: "urn:f", AllowCreate: true},
	})
	require.NoError(t, err)
	_, err = r.RedirectURL("")
	requireReason(t, saml.ReasonConfig, err)
	form, err := r.PostForm("rs")
	require.NoError(t, err)
	require.Equal(t, "https://idp.example/sso", form.URL)
	require.Equal(t, "rs", form.RelayState)
	xml, err := base64.StdEncoding.DecodeString(form.SAMLRequest)
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(xml))
	el := doc.Root()
	require.Equal(t, "true", el.SelectAttrValue("ForceAuthn", ""))
	require.Equal(t, "true", el.SelectAttrValue("IsPassive", ""))
	require.Equal(t, "exact", el.FindElement("./RequestedAuthnContext").SelectAttrValue("Comparison", ""))
	require.Len(t, el.FindElements("./RequestedAuthnContext/AuthnContextClassRef"), 2)
	require.Equal(t, "urn:f", el.FindElement("./NameIDPolicy").SelectAttrValue("Format", ""))
}

// Obligations: SDP-SP06.
func TestAuthnRequestRefusesInvalidOptions(t *testing.T) {
	sp := newSP(t)
	for name, o := range map[string]saml.RequestOptions{
		"unlisted ACS":      {ACS: "https://evil.example/acs"},
		"unknown binding":   {Binding: "urn:x"},
		"empty context":     {AuthnContext: &saml.RequestedAuthnContext{}},
		"comparison":        {AuthnContext: &saml.RequestedAuthnContext{ClassRefs: []string{"a"}, Comparison: "stronger"}},
		"minimum, no order": {AuthnContext: &saml.RequestedAuthnContext{ClassRefs: []string{"a"}, Comparison: saml.Minimum}},
	} {
		_, err := sp.NewAuthnRequest(o)
		requireReason(t, saml.ReasonConfig, err)
		require.NotNil(t, err, name)
	}
	r, err := sp.NewAuthnRequest(saml.RequestOptions{})
	require.NoError(t, err)
	_, err = r.RedirectURL(strings.Repeat("x", 81))
	requireReason(t, saml.ReasonConfig, err)

	expired := newSP(t, func(c *saml.Config) { c.IdP = expiredIdP() })
	_, err = expired.NewAuthnRequest(saml.RequestOptions{})
	requireReason(t, saml.ReasonMetadataExpired, err)
}

func signingConfig(t testing.TB, key crypto.Signer) func(*saml.Config) {
	return func(c *saml.Config) {
		c.Key, c.Certificate, c.SignRequests = key, certificate(t, key, now.Add(time.Hour)), true
	}
}

// Obligations: IIP-ALG02, IIP-ALG03, SDP-ALG01.
func TestRedirectSignature(t *testing.T) {
	for name, key := range map[string]crypto.Signer{
		"RSA": keys().other, "P-256": ecKey(t, elliptic.P256()), "P-384": ecKey(t, elliptic.P384()),
		"P-521": ecKey(t, elliptic.P521()),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := newSP(t, signingConfig(t, key)).NewAuthnRequest(saml.RequestOptions{})
			require.NoError(t, err)
			location, err := r.RedirectURL("state")
			require.NoError(t, err)
			_, query, _ := strings.Cut(location, "?")
			signed, encoded, ok := strings.Cut(query, "&Signature=")
			require.True(t, ok)
			require.Regexp(t, `^SAMLRequest=[^&]+&RelayState=state&SigAlg=[^&]+$`, signed)
			unescaped, err := url.QueryUnescape(encoded)
			require.NoError(t, err)
			signature, err := base64.StdEncoding.DecodeString(unescaped)
			require.NoError(t, err)
			require.True(t, verifyOctets(key.Public(), signed, signature))
			require.False(t, verifyOctets(key.Public(), signed+"x", signature))
		})
	}
}

// verifyOctets checks r‖s for ECDSA and PKCS #1 v1.5 for RSA.
func verifyOctets(public crypto.PublicKey, signed string, signature []byte) bool {
	switch public := public.(type) {
	case *rsa.PublicKey:
		sum := sha256.Sum256([]byte(signed))
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
	case *ecdsa.PublicKey:
		var sum []byte
		switch public.Curve.Params().BitSize {
		case 256:
			s := sha256.Sum256([]byte(signed))
			sum = s[:]
		case 384:
			s := sha512.Sum384([]byte(signed))
			sum = s[:]
		default:
			s := sha512.Sum512([]byte(signed))
			sum = s[:]
		}
		half := len(signature) / 2
		width := (public.Curve.Params().BitSize + 7) / 8
		return half == width &&
			ecdsa.Verify(public, sum, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
	}
	return false
}

// A request is written in canonical form, so that it can be hashed as it is. Another
// library checks that, and verifies the signature.
// Obligations: IIP-ALG01.
func TestPostSignature(t *testing.T) {
	options := map[string]saml.RequestOptions{
		"little": {Binding: saml.HTTPPost},
		"much": {Binding: saml.HTTPPost, ACS: euACS, ForceAuthn: true, IsPassive: true,
			AuthnContext: &saml.RequestedAuthnContext{ClassRefs: []string{"urn:a&<>", `urn:b"`}},
			NameIDPolicy: &saml.NameIDPolicy{Format: `urn:f"&<>`, AllowCreate: true}},
		"everything": askEverything(),
	}
	for name, o := range options {
		for kind, key := range map[string]crypto.Signer{"RSA": keys().other, "P-384": ecKey(t, elliptic.P384())} {
			t.Run(name+" "+kind, func(t *testing.T) {
				sp := newSP(t, signingConfig(t, key), member)
				r, err := sp.NewAuthnRequest(o)
				require.NoError(t, err)
				form, err := r.PostForm("")
				require.NoError(t, err)
				xml, err := base64.StdEncoding.DecodeString(form.SAMLRequest)
				require.NoError(t, err)
				doc := etree.NewDocument()
				require.NoError(t, doc.ReadFromBytes(xml))
				canonical, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(doc.Root().Copy())
				require.NoError(t, err)
				require.Equal(t, string(xml), string(canonical))
				require.Equal(t, "Signature", doc.Root().ChildElements()[1].Tag, "right after the Issuer")
				if kind != "RSA" {
					return // goxmldsig reads ECDSA signatures as ASN.1
				}
				store := &dsig.MemoryX509CertificateStore{}
				store.Roots = append(store.Roots, certificateIn(t, sp))
				ctx := dsig.NewDefaultValidationContext(store)
				ctx.Clock = dsig.NewFakeClockAt(now)
				_, err = ctx.Validate(doc.Root())
				require.NoError(t, err)
			})
		}
	}
}

// Obligations: IIP-SSO06, SDP-MD01.
func TestIdPWantsSignedRequests(t *testing.T) {
	wants, err := saml.NewIdP(
		saml.IdPConfig{EntityID: idpEntity, Keys: []crypto.PublicKey{keys().idp.Public()}, WantAuthnRequestsSigned: true,
			SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso?tenant=1"}}},
	)
	require.NoError(t, err)
	_, err = newSP(t, func(c *saml.Config) { c.IdP = wants }).NewAuthnRequest(saml.RequestOptions{})
	requireReason(t, saml.ReasonMetadata, err)
	sp := newSP(t, signingConfig(t, keys().other), func(c *saml.Config) { c.IdP = wants; c.SignRequests = false })
	r, err := sp.NewAuthnRequest(saml.RequestOptions{})
	require.NoError(t, err)
	location, err := r.RedirectURL("")
	require.NoError(t, err)
	require.Contains(t, location, "/sso?tenant=1&SAMLRequest=")
	require.Contains(t, location, "&Signature=")
}

// A request's ID begins with the tag of its ACS URL. The rest never repeats.
func TestRequestIDs(t *testing.T) {
	sp := newSP(t)
	prefixes, ids := map[string]string{}, map[string]bool{}
	for range 50 {
		for _, e := range sp.ACS() {
			r, err := sp.NewAuthnRequest(saml.RequestOptions{ACS: e.URL})
			require.NoError(t, err)
			require.Regexp(t, `^_[0-9a-f]{16}-[0-9a-f]{32}-[0-9a-f]{40}$`, r.ID())
			require.False(t, ids[r.ID()])
			ids[r.ID()] = true
			if was, ok := prefixes[r.ID()[:18]]; ok {
				require.Equal(t, was, e.URL)
			}
			prefixes[r.ID()[:18]] = e.URL
		}
	}
	require.Len(t, prefixes, 3)
}

// A response that is sent to the default URL, because its own URL is not listed at
// the identity provider, has a different Reason than other unknown requests.
func TestWrongRegion(t *testing.T) {
	sp := newSP(t)
	r, err := sp.NewAuthnRequest(saml.RequestOptions{ACS: euACS})
	require.NoError(t, err)
	for _, want := range []saml.VerifyOptions{unsolicited, {ACS: usACS, RequestIDs: []string{"_x"}}} {
		_, err = sp.Verify(doc{RequestID: r.ID()}.base64(t), want)
		requireReason(t, saml.ReasonWrongRegion, err)
		require.ErrorContains(t, err, "eu-central-1")
		require.ErrorContains(t, err, "listed in the identity provider's app")
	}
	own, err := sp.NewAuthnRequest(saml.RequestOptions{ACS: usACS})
	require.NoError(t, err)
	_, err = sp.Verify(doc{RequestID: own.ID()}.base64(t), unsolicited)
	requireReason(t, saml.ReasonInResponseTo, err)
}

// Obligations: IIP-SP07.
func TestAnswers(t *testing.T) {
	const class = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	asked := saml.RequestRecord{ID: "_r1", IdP: idpEntity, ACS: usACS, At: now}
	a, err := newSP(t).Verify(doc{RequestID: "_r1"}.base64(t), saml.VerifyOptions{ACS: usACS, RequestIDs: []string{"_r1"}})
	require.NoError(t, err)
	require.Equal(t, "_r1", a.InResponseTo())
	for name, c := range map[string]struct {
		change func(*saml.RequestRecord)
		reason saml.Reason
	}{
		"as asked":          {func(*saml.RequestRecord) {}, ""},
		"another request":   {func(q *saml.RequestRecord) { q.ID = "_r2" }, saml.ReasonInResponseTo},
		"no request":        {func(q *saml.RequestRecord) { q.ID = "" }, saml.ReasonInResponseTo},
		"D12 another IdP":   {func(q *saml.RequestRecord) { q.IdP = "https://other.example" }, saml.ReasonIdP},
		"D18 another ACS":   {func(q *saml.RequestRecord) { q.ACS = euACS }, saml.ReasonRecipient},
		"D28 fresh":         {func(q *saml.RequestRecord) { q.ForceAuthn = true }, ""},
		"D28 fresh in skew": {func(q *saml.RequestRecord) { q.ForceAuthn = true; q.At = now.Add(3 * time.Minute) }, ""},
		"D28 not fresh": {
			func(q *saml.RequestRecord) { q.ForceAuthn = true; q.At = now.Add(3*time.Minute + time.Second) }, saml.ReasonAuthn,
		},
		"D28 context": {func(q *saml.RequestRecord) {
			q.AuthnContext = &saml.RequestedAuthnContext{ClassRefs: []string{"urn:a", class}}
		}, ""},
		"D28 another context": {func(q *saml.RequestRecord) {
			q.AuthnContext = &saml.RequestedAuthnContext{ClassRefs: []string{"urn:a"}}
		}, saml.ReasonAuthn},
		"D28 weaker": {
			func(q *saml.RequestRecord) { q.AuthnContext = order("urn:strong", saml.Minimum, class) }, saml.ReasonAuthn,
		},
		"D28 strong enough": {func(q *saml.RequestRecord) { q.AuthnContext = order("urn:weak", saml.Minimum, class) }, ""},
		"D28 not better": {
			func(q *saml.RequestRecord) { q.AuthnContext = order(class, saml.Better, class) }, saml.ReasonAuthn,
		},
		"D28 maximum exceeded": {
			func(q *saml.RequestRecord) { q.AuthnContext = order("urn:weak", saml.Maximum, class) }, saml.ReasonAuthn,
		},
		"a stored order that lacks what was asked": {func(q *saml.RequestRecord) {
			q.AuthnContext = &saml.RequestedAuthnContext{
				ClassRefs: []string{"urn:mfa"}, Comparison: saml.Minimum, Order: []string{class},
			}
		}, saml.ReasonConfig},
		"no comparison that we know": {func(q *saml.RequestRecord) {
			q.AuthnContext = &saml.RequestedAuthnContext{ClassRefs: []string{class}, Comparison: "nonsense"}
		}, saml.ReasonConfig},
		"no time": {func(q *saml.RequestRecord) { q.At = time.Time{} }, saml.ReasonConfig},
		"D43 format": {
			func(q *saml.RequestRecord) { q.NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" },
			saml.ReasonNameID,
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := asked
			c.change(&q)
			raw, err := json.Marshal(q)
			require.NoError(t, err)
			var stored saml.RequestRecord
			require.NoError(t, json.Unmarshal(raw, &stored))
			if err := a.CheckRequest(stored); c.reason == "" {
				require.NoError(t, err)
			} else {
				requireReason(t, c.reason, err)
			}
		})
	}
}

func order(want string, c saml.Comparison, middle string) *saml.RequestedAuthnContext {
	return &saml.RequestedAuthnContext{
		ClassRefs:  []string{want},
		Comparison: c,
		Order:      []string{"urn:weak", middle, "urn:strong"},
	}
}
