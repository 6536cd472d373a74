package saml_test

import (
	"crypto"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const goneIdP = "https://idp.gone.example"

// twoIdPs has an identity provider for each of two keys. The metadata of a third one
// has expired.
func twoIdPs(t testing.TB) *saml.Aggregate {
	t.Helper()
	named := func(uses, id, attrs string) string {
		return strings.Replace(idpMetadata(t, attrs, uses, ""), idpEntity, id, 1)
	}
	a, err := saml.ParseAggregate([]byte(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` +
		named("signing", idpEntity, "") + named("other", secondIdP, "") +
		named("signing", goneIdP, ` validUntil="2026-11-01T00:00:00Z"`) + `</md:EntitiesDescriptor>`))
	require.NoError(t, err)
	return a
}

// several makes the service provider one of several identity providers.
func several(idps saml.IdPs) func(*saml.Config) {
	return func(c *saml.Config) { c.IdP, c.IdPs = nil, idps }
}

func requestTo(t testing.TB, sp *saml.ServiceProvider, idp string) *saml.AuthnRequest {
	t.Helper()
	r, err := sp.NewAuthnRequest(saml.RequestOptions{IdP: idp})
	require.NoError(t, err)
	require.Equal(t, idp, r.Record().IdP)
	return r
}

// second is a good response of the second identity provider.
func second(d doc) doc {
	d.Issuer, d.RespIssuer, d.Key = secondIdP, secondIdP, keys().other
	return d
}

// Obligations: IIP-MD06.
func TestSeveralIdPsAnswerTheirRequests(t *testing.T) {
	sp := newSP(t, several(twoIdPs(t)))
	require.True(t, sp.HasIdPs())
	require.False(t, newSP(t).HasIdPs())
	first, other := requestTo(t, sp, idpEntity), requestTo(t, sp, secondIdP)
	want := saml.VerifyOptions{ACS: usACS, RequestIDs: []string{first.ID(), other.ID()}}
	for _, c := range []struct {
		doc     doc
		request *saml.AuthnRequest
	}{
		{doc{RequestID: first.ID()}, first},
		{doc{RequestID: first.ID(), SignResponse: true, UnsignedAssertion: true}, first},
		{second(doc{RequestID: other.ID()}), other},
		{second(doc{RequestID: other.ID(), Before: remove("./Issuer")}), other}, // Profiles 4.1.4.2: it may be absent
	} {
		a, err := sp.Verify(c.doc.base64(t), want)
		require.NoError(t, err)
		require.Equal(t, c.request.Record().IdP, a.Issuer())
		require.NoError(t, a.CheckRequest(c.request.Record()))
	}
	for _, d := range []doc{{}, second(doc{})} {
		_, err := sp.Verify(d.base64(t), unsolicited)
		require.NoError(t, err)
	}
}

// Family I of the catalogue: one identity provider can't answer for another.
// Obligations: IIP-MD06.
func TestSeveralIdPsAreKeptApart(t *testing.T) {
	sp := newSP(t, several(twoIdPs(t)), func(c *saml.Config) { decrypting(c) })
	id := requestTo(t, sp, idpEntity).ID() // the second one was not asked
	encrypted := func(d doc) doc { d.Encrypt = sealing{}.seal; return d }
	for _, c := range []struct {
		name   string
		doc    doc
		reason saml.Reason
	}{
		{"I01 the second one answers", second(doc{RequestID: id}), saml.ReasonIdP},
		{"I01 only SubjectConfirmationData names the request",
			second(doc{RequestID: id, Before: unset(top, "InResponseTo")}), saml.ReasonIdP},
		{"I01 in a signed Response", second(doc{RequestID: id, SignResponse: true, UnsignedAssertion: true}),
			saml.ReasonIdP},
		{"I01 encrypted", encrypted(second(doc{RequestID: id, SignResponse: true})), saml.ReasonIdP},
		{"I02 the second one signs as the first", doc{RequestID: id, Key: keys().other}, saml.ReasonSignature},
		{"I03 a signed Response of the first around an assertion of the second",
			doc{RequestID: id, SignResponse: true, Issuer: secondIdP, AssertionKey: keys().other}, saml.ReasonSignature},
		{"I03 whose assertion has no signature",
			doc{RequestID: id, SignResponse: true, UnsignedAssertion: true, Issuer: secondIdP}, saml.ReasonIssuer},
		{"I04 an unsigned Response of the first around an assertion of the second",
			doc{RequestID: id, Issuer: secondIdP, AssertionKey: keys().other}, saml.ReasonSignature},
		{"I04 an unsigned Response of the second around an assertion of the first",
			doc{RespIssuer: secondIdP}, saml.ReasonSignature},
		{"I12 a ciphertext of the second in a Response of the first",
			encrypted(doc{RequestID: id, SignResponse: true, Issuer: secondIdP, AssertionKey: keys().other}),
			saml.ReasonSignature},
		{"I12 whose assertion has no signature",
			encrypted(doc{RequestID: id, SignResponse: true, UnsignedAssertion: true, Issuer: secondIdP}), saml.ReasonIssuer},
		{"an unknown one", doc{RespIssuer: "https://idp.unknown.example"}, saml.ReasonMetadataEntity},
		{"F34 a look-alike", doc{RespIssuer: idpEntity + "/"}, saml.ReasonMetadataEntity},
		{"an overlong name", doc{RespIssuer: "https://" + strings.Repeat("x", 1024)}, saml.ReasonMetadataEntity},
		{"no name at all", doc{Before: func(r *etree.Element) { remove("./Issuer")(r); remove("./Assertion/Issuer")(r) }},
			saml.ReasonIssuer},
		{"an encrypted assertion without a name around it", encrypted(doc{Before: remove("./Issuer")}), saml.ReasonIssuer},
		{"one whose metadata has expired", doc{Issuer: goneIdP, RespIssuer: goneIdP}, saml.ReasonMetadataExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := sp.Verify(c.doc.base64(t),
				saml.VerifyOptions{ACS: usACS, RequestIDs: []string{id}, Unsolicited: true})
			require.Nil(t, a)
			requireReason(t, c.reason, err)
		})
	}
}

// I09, I10: what counts is the metadata at the time of the response.
func TestIdPChangesDuringTheSignIn(t *testing.T) {
	idps := replaceable{twoIdPs(t)}
	sp := newSP(t, several(&idps))
	id := requestTo(t, sp, secondIdP).ID()
	response := second(doc{RequestID: id}).base64(t)
	want := saml.VerifyOptions{ACS: usACS, RequestIDs: []string{id}}
	_, err := sp.Verify(response, want)
	require.NoError(t, err)

	only, err := saml.ParseAggregate([]byte(idpMetadata(t, "", "signing", "")))
	require.NoError(t, err)
	idps.IdPs = only
	_, err = sp.Verify(response, want)
	requireReason(t, saml.ReasonMetadataEntity, err)

	rolled, err := saml.ParseAggregate([]byte(strings.Replace(idpMetadata(t, "", "signing", ""), idpEntity, secondIdP, 1)))
	require.NoError(t, err)
	idps.IdPs = rolled
	_, err = sp.Verify(response, want)
	requireReason(t, saml.ReasonSignature, err)
}

type replaceable struct{ saml.IdPs }

// lookup is a source that returns what the test wants.
type lookup func(entityID string) (*saml.IdP, error)

func (f lookup) IdP(entityID string) (*saml.IdP, error) { return f(entityID) }

// A source's mistakes are no way in, and its errors stay as they are.
func TestIdPsSourceErrors(t *testing.T) {
	first, err := twoIdPs(t).IdP(idpEntity)
	require.NoError(t, err)
	shared := &saml.Error{Reason: saml.ReasonMetadata, Detail: "without a rule"}
	for name, c := range map[string]struct {
		idps   lookup
		reason saml.Reason
	}{
		"nothing":           {func(string) (*saml.IdP, error) { return nil, nil }, saml.ReasonMetadataEntity},
		"another one":       {func(string) (*saml.IdP, error) { return first, nil }, saml.ReasonMetadataEntity},
		"an error":          {func(string) (*saml.IdP, error) { return nil, errors.New("closed") }, saml.ReasonMetadata},
		"an error of saml":  {func(string) (*saml.IdP, error) { return nil, shared }, saml.ReasonMetadata},
		"both":              {func(string) (*saml.IdP, error) { return first, shared }, saml.ReasonMetadata},
		"an error and more": {func(string) (*saml.IdP, error) { return nil, fmt.Errorf("%w", shared) }, saml.ReasonMetadata},
	} {
		t.Run(name, func(t *testing.T) {
			sp := newSP(t, several(c.idps))
			_, err := sp.Verify(second(doc{}).base64(t), unsolicited)
			requireReason(t, c.reason, err)
			_, err = sp.NewAuthnRequest(saml.RequestOptions{IdP: secondIdP})
			requireReason(t, c.reason, err)
			require.Empty(t, shared.Rule, "a source's error is not changed")
		})
	}
}

// The source may keep the name that it is asked for, and a kept name must not keep a
// large message in memory.
func TestIdPsGetACopyOfTheName(t *testing.T) {
	var asked []string
	sp := newSP(t, several(lookup(func(entityID string) (*saml.IdP, error) {
		asked = append(asked, entityID)
		return nil, errors.New("unknown")
	})))
	large := doc{Attributes: `<saml:Attribute Name="x"><saml:AttributeValue>` + strings.Repeat("x", 1<<20) +
		`</saml:AttributeValue></saml:Attribute>`}.xml(t)
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := inUse()
	for range 16 {
		_, err := sp.VerifyXML(large, unsolicited)
		requireReason(t, saml.ReasonMetadata, err)
	}
	require.Less(t, int64(inUse())-int64(before), int64(4<<20))
	require.Len(t, asked, 16)
	require.Equal(t, idpEntity, asked[15])
}

// Responses of unauthenticated clients name identity providers, so what one costs doesn't
// depend on its metadata.
func TestEntitiesAreReadOnce(t *testing.T) {
	infos, _ := rsaKeyValues(33)
	for _, infos := range [][]string{infos[:32], infos} { // with 33 keys it is unusable
		a, err := saml.ParseAggregate(keyDescriptors(infos...))
		require.NoError(t, err)
		first, want := a.IdP(idpEntity)
		require.Equal(t, len(infos) > 32, want != nil)
		require.Less(t, testing.AllocsPerRun(10, func() { _, _ = a.IdP(idpEntity) }), 5.0)
		again, err := a.IdP(idpEntity)
		require.Same(t, first, again)
		require.Equal(t, want, err)
	}
}

func TestRequestsToSeveralIdPs(t *testing.T) {
	sp := newSP(t, several(twoIdPs(t)))
	require.NoError(t, sp.CheckRequests())
	for idp, want := range map[string]saml.Reason{
		"": saml.ReasonConfig, "https://idp.unknown.example": saml.ReasonMetadataEntity,
		goneIdP: saml.ReasonMetadataExpired, strings.Repeat("x", 2000): saml.ReasonMetadataEntity,
	} {
		_, err := sp.NewAuthnRequest(saml.RequestOptions{IdP: idp})
		requireReason(t, want, err)
	}
	only := newSP(t)
	_, err := only.NewAuthnRequest(saml.RequestOptions{IdP: idpEntity})
	require.NoError(t, err)
	_, err = only.NewAuthnRequest(saml.RequestOptions{IdP: secondIdP})
	requireReason(t, saml.ReasonMetadataEntity, err)

	for _, c := range []func(*saml.Config){
		func(c *saml.Config) { c.IdPs = twoIdPs(t) }, func(c *saml.Config) { c.IdP = nil },
	} {
		cfg := config()
		c(&cfg)
		_, err := saml.New(cfg)
		requireReason(t, saml.ReasonConfig, err)
	}
}

// A page of ours sends the browser to an identity provider's address, also by a POST. With
// an address of our own, one of several could have requests made that only our pages can.
func TestRequestsLeaveOurOrigins(t *testing.T) {
	acsURL := usACS
	at := func(url string, extra ...func(*saml.Config)) error {
		idp, err := saml.NewIdP(saml.IdPConfig{
			EntityID: secondIdP, SSO: []saml.SSOService{{Binding: saml.HTTPPost, URL: url}},
			Keys: []crypto.PublicKey{keys().other.Public()},
		})
		require.NoError(t, err)
		change := several(lookup(func(string) (*saml.IdP, error) { return idp, nil }))
		if len(extra) > 0 {
			change = func(c *saml.Config) { c.IdP = idp }
		}
		here := func(c *saml.Config) { c.ACS = []saml.Endpoint{{URL: acsURL}} }
		_, err = newSP(t, change, here).NewAuthnRequest(saml.RequestOptions{IdP: secondIdP})
		return err
	}
	ours, err := url.Parse(usACS)
	require.NoError(t, err)
	for _, host := range []string{
		ours.Host, strings.ToUpper(ours.Host), ours.Host + ":443", strings.ReplaceAll(ours.Host, "s", "\u017f"),
		strings.ReplaceAll(ours.Host, "s", "%C5%BF"), ours.Host + ":0443", ours.Host + ":", ours.Host + ":000000443",
	} {
		requireReason(t, saml.ReasonMetadata, at("https://"+host+"/delete"))
	}
	for _, host := range []string{"idp." + ours.Host, ours.Host + ":8443", "idp.example"} {
		require.NoError(t, at("https://"+host+"/sso"), host)
	}
	require.NoError(t, at("https://"+ours.Host+"/idp", nil), "the only one is the operator's choice")

	for own, same := range map[string][]string{
		"127.0.0.1": {"127.0.0.1", "127.0.0.1.", "127.1", "2130706433", "0x7f000001", "0X7F.1", "0177.0.0.1", "127.0.0.01"},
		"[::1]":     {"[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]:443"},
	} {
		acsURL = "https://" + own + "/acs"
		for _, host := range same {
			err := at("https://" + host + "/delete")
			requireReason(t, saml.ReasonMetadata, err)
		}
		for _, host := range []string{"127.0.0.2", "[::2]", own + ":8443", "127.example"} {
			require.NoError(t, at("https://"+host+"/sso"), host)
		}
	}
}

// A request ID that names no identity provider is answered by none of several.
func TestForeignRequestIDs(t *testing.T) {
	sp := newSP(t, several(twoIdPs(t)))
	id := requestTo(t, sp, idpEntity).ID()
	for _, id := range []string{"_r1", id[:len(id)-40], id[:30], "_" + id} {
		_, err := sp.Verify(doc{RequestID: id}.base64(t), saml.VerifyOptions{ACS: usACS, RequestIDs: []string{id}})
		if strings.HasSuffix(id, "-") { // both tags are there
			require.NoError(t, err)
			continue
		}
		requireReason(t, saml.ReasonIdP, err)
	}
	_, err := newSP(t).Verify(doc{RequestID: "_r1"}.base64(t), saml.VerifyOptions{ACS: usACS, RequestIDs: []string{"_r1"}})
	require.NoError(t, err, "of the only one")
}

// Explain has the rule, and goes on to the others.
func TestExplainNamesTheIdP(t *testing.T) {
	sp := newSP(t, several(twoIdPs(t)))
	report := sp.Explain(doc{}.base64(t), unsolicited)
	require.NoError(t, report.Err)
	require.Equal(t, 1, count(report, "Identity provider (Profiles 4.1.4.3)"))
	require.Equal(t, 1, count(report, "IdP metadata in force (Metadata 2.3.2)"))
	report = newSP(t).Explain(doc{}.base64(t), unsolicited)
	require.Equal(t, 0, count(report, "Identity provider (Profiles 4.1.4.3)"))
	require.Equal(t, 1, count(report, "IdP metadata in force (Metadata 2.3.2)"))
}

func count(r saml.Report, rule string) (n int) {
	for _, c := range r.Checks {
		if c.Rule == rule {
			n++
		}
	}
	return n
}
