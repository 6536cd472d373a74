package saml_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const (
	idpARS     = "https://idp.example/artifact"
	idpOtherAR = "https://idp.example/artifact/seven"
)

// withArtifacts makes a configuration that takes artifacts at usACS, and whose identity provider sends them.
func withArtifacts(t testing.TB) func(*saml.Config) {
	return func(c *saml.Config) {
		signingConfig(t, keys().other)(c)
		c.ACS[0].ArtifactIndex = new(uint16(1000))
		idp, err := saml.NewIdP(saml.IdPConfig{
			EntityID: idpEntity, Keys: []crypto.PublicKey{keys().idp.Public()},
			SSO:       []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
			Artifacts: []saml.ArtifactService{{Index: 0, URL: idpARS}, {Index: 7, URL: idpOtherAR}},
		})
		require.NoError(t, err)
		c.IdP = idp
	}
}

// artifactOctets are those of an artifact of type 4.
func artifactOctets(idp string, index uint16) []byte {
	source := saml.SourceIDOf(idp)
	octets := binary.BigEndian.AppendUint16([]byte{0, 4}, index)
	return append(append(octets, source[:]...), bytes.Repeat([]byte{0xfb}, 20)...)
}

func artifactOf(idp string, index uint16) string {
	return base64.StdEncoding.EncodeToString(artifactOctets(idp, index))
}

func TestParseArtifact(t *testing.T) {
	sp := newSP(t, withArtifacts(t))
	a, err := sp.ParseArtifact(artifactOf(idpEntity, 0))
	require.NoError(t, err)
	assert.Equal(t, idpEntity, a.IdP())
	assert.Equal(t, artifactOf(idpEntity, 0), a.Value())
	assert.NotContains(t, a.String(), a.Value(), "it can still be resolved")
	assert.True(t, a.Answers(requestTo(t, sp, idpEntity).ID()))
	assert.False(t, a.Answers("_request1"))
	assert.False(t, a.Answers(""))
}

// H01 to H03, and J11: what is not an artifact of a known address is refused before anything is sent. The twin is
// accepted in TestParseArtifact.
func TestArtifactsThatAreRefused(t *testing.T) {
	sp := newSP(t, withArtifacts(t))
	good := artifactOctets(idpEntity, 0)
	encode := base64.StdEncoding.EncodeToString
	text := encode(good)
	otherType := bytes.Clone(good)
	otherType[1] = 1
	for name, c := range map[string]struct {
		artifact string
		reason   saml.Reason
	}{
		"H01 nothing":                      {"", saml.ReasonArtifactFormat},
		"H01 43 octets":                    {encode(good[:43]), saml.ReasonArtifactFormat},
		"H01 45 octets":                    {encode(append(bytes.Clone(good), 0)), saml.ReasonArtifactFormat},
		"H01 one octet":                    {encode(good[:1]), saml.ReasonArtifactFormat},
		"H01 type 0x0001":                  {encode(otherType), saml.ReasonArtifactFormat},
		"H01 no padding":                   {strings.TrimRight(text, "="), saml.ReasonArtifactFormat},
		"H01 the alphabet of URLs":         {base64.URLEncoding.EncodeToString(good), saml.ReasonArtifactFormat},
		"H01 padding with bits":            {text[:58] + "9=", saml.ReasonArtifactFormat},
		"H02 unknown SourceID":             {artifactOf(secondIdP, 0), saml.ReasonArtifactSource},
		"H02 the SourceID of a look-alike": {artifactOf(idpEntity+"/", 0), saml.ReasonArtifactSource},
		"H03 index that metadata lacks":    {artifactOf(idpEntity, 1), saml.ReasonArtifactSource},
		"H03 index in the other order":     {artifactOf(idpEntity, 7<<8), saml.ReasonArtifactSource},
		"J11 over 256 characters":          {strings.Repeat("A", 260), saml.ReasonArtifactFormat},
		"J11 a line end":                   {text[:20] + "\n" + text[20:], saml.ReasonArtifactFormat},
		"J11 a space":                      {text[:20] + " " + text[20:], saml.ReasonArtifactFormat},
		"J11 junk":                         {text[:20] + "!" + text[21:], saml.ReasonArtifactFormat},
		"J11 not ASCII":                    {text[:20] + "é" + text[22:], saml.ReasonArtifactFormat},
		"J11 more after the end":           {text + "AAAA", saml.ReasonArtifactFormat},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := sp.ParseArtifact(c.artifact)
			require.Nil(t, a)
			requireReason(t, c.reason, err)
			require.NotContains(t, err.Error(), "fb"+strings.Repeat("fb", 18), "the handle is not in the log")
		})
	}
}

// H03: an artifact is resolved at the address that its index names, and at no other.
func TestArtifactNamesItsAddress(t *testing.T) {
	sp := newSP(t, withArtifacts(t))
	for index, url := range map[uint16]string{0: idpARS, 7: idpOtherAR} {
		a, err := sp.ParseArtifact(artifactOf(idpEntity, index))
		require.NoError(t, err)
		resolve, err := sp.NewArtifactResolve(a)
		require.NoError(t, err)
		require.Equal(t, url, resolve.URL())
	}
}

// H05: a SourceID that several identity providers have selects none of them.
func TestSourceIDOfSeveral(t *testing.T) {
	ids := []string{idpEntity, secondIdP, idpEntity, goneIdP}
	found, err := saml.FindSource(ids, saml.SourceIDOf, saml.SourceIDOf(idpEntity))
	require.NoError(t, err, "the twin: one entity ID, listed twice")
	require.Equal(t, idpEntity, found)

	clash := func(id string) saml.SourceID { return saml.SourceID{byte(len(id))} }
	require.NotEqual(t, clash(idpEntity), clash(secondIdP))
	same := []string{idpEntity, strings.ToUpper(idpEntity), idpEntity, secondIdP}
	_, err = saml.FindSource(same, clash, clash(idpEntity))
	requireReason(t, saml.ReasonArtifactSource, err)
	require.ErrorContains(t, err, "several")
	found, err = saml.FindSource(same, clash, clash(secondIdP))
	require.NoError(t, err)
	require.Equal(t, secondIdP, found)
}

func TestArtifactsOfSeveralIdPs(t *testing.T) {
	described := func(entity, attrs string) string {
		metadata := idpMetadata(t, attrs, "signing", artifactAddress("SOAP", idpARS, "0"))
		return strings.Replace(metadata, idpEntity, entity, 1)
	}
	all := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + described(idpEntity, "") +
		described(secondIdP, "") + described(goneIdP, ` validUntil="2026-11-01T00:00:00Z"`) + `</md:EntitiesDescriptor>`
	idps, err := saml.ParseAggregate([]byte(all))
	require.NoError(t, err)
	sp := newSP(t, withArtifacts(t), several(idps))
	for _, id := range []string{idpEntity, secondIdP} {
		a, err := sp.ParseArtifact(artifactOf(id, 0))
		require.NoError(t, err)
		require.Equal(t, id, a.IdP())
		require.True(t, a.Answers(requestTo(t, sp, id).ID()))
	}
	first, err := sp.ParseArtifact(artifactOf(idpEntity, 0))
	require.NoError(t, err)
	require.False(t, first.Answers(requestTo(t, sp, secondIdP).ID()), "H17")

	_, err = sp.ParseArtifact(artifactOf("https://idp.unknown.example", 0))
	requireReason(t, saml.ReasonArtifactSource, err)
	_, err = sp.ParseArtifact(artifactOf(goneIdP, 0))
	requireReason(t, saml.ReasonMetadataExpired, err)

	cfg := config()
	withArtifacts(t)(&cfg)
	cfg.IdP, cfg.IdPs = nil, justIdPs{idps}
	_, err = saml.New(cfg)
	requireReason(t, saml.ReasonConfig, err)
	require.ErrorContains(t, err, "Config.ACS[0].ArtifactIndex")
}

// justIdPs hides SourceIdP.
type justIdPs struct{ saml.IdPs }

func artifactAddress(binding, location, index string) string {
	return fmt.Sprintf(`<md:ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:%s" `+
		`Location="%s" index="%s"/>`, binding, location, index)
}

// D52, H04, J09: which addresses in metadata resolve artifacts.
// Obligations: IIP-SSO06.
func TestArtifactServicesOfMetadata(t *testing.T) {
	for name, c := range map[string]struct {
		in       string
		want     []saml.ArtifactService
		warnings int
	}{
		"two": {artifactAddress("SOAP", idpOtherAR, " 7 ") + artifactAddress("SOAP", idpARS, "0"),
			[]saml.ArtifactService{{Index: 0, URL: idpARS}, {Index: 7, URL: idpOtherAR}}, 0},
		"loopback":           {artifactAddress("SOAP", "http://127.0.0.1:8080/a", "0"), []saml.ArtifactService{{URL: "http://127.0.0.1:8080/a"}}, 0},
		"SAML 1.1":           {artifactAddress("SOAP-binding", idpARS, "0"), nil, 0},
		"H04 http":           {artifactAddress("SOAP", "http://idp.example/a", "0"), nil, 1},
		"H04 file":           {artifactAddress("SOAP", "file:///etc/passwd", "0"), nil, 1},
		"H04 userinfo":       {artifactAddress("SOAP", "https://a:b@idp.example/a", "0"), nil, 1},
		"H04 private":        {artifactAddress("SOAP", "https://10.0.0.1/a", "0"), nil, 1},
		"H04 link-local":     {artifactAddress("SOAP", "https://169.254.169.254/a", "0"), nil, 1},
		"H04 mapped":         {artifactAddress("SOAP", "https://[::ffff:10.0.0.1]/a", "0"), nil, 1},
		"no Location":        {`<md:ArtifactResolutionService Binding="` + saml.SOAP + `" index="0"/>`, nil, 1},
		"no index":           {`<md:ArtifactResolutionService Binding="` + saml.SOAP + `" Location="` + idpARS + `"/>`, nil, 1},
		"an index too large": {artifactAddress("SOAP", idpARS, "65536"), nil, 1},
		"H03 an index twice": {artifactAddress("SOAP", idpARS, "0") + artifactAddress("SOAP", idpOtherAR, "0") +
			artifactAddress("SOAP", idpARS, "0") + artifactAddress("SOAP", idpARS, "1"),
			[]saml.ArtifactService{{Index: 1, URL: idpARS}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			doc := entityXML("", roleXML(t, "", c.in))
			idp, err := saml.ParseIdPMetadata([]byte(doc))
			require.NoError(t, err)
			require.Equal(t, c.want, idp.ArtifactServices())
			require.Len(t, idp.Warnings(), c.warnings, "%v", idp.Warnings())
		})
	}
	for name, s := range map[string][]saml.ArtifactService{
		"twice": {{URL: idpARS}, {URL: idpOtherAR}}, "http": {{URL: "http://idp.example/a"}},
	} {
		_, err := saml.NewIdP(saml.IdPConfig{
			EntityID: idpEntity, Keys: []crypto.PublicKey{keys().idp.Public()}, Artifacts: s,
		})
		requireReason(t, saml.ReasonMetadata, err)
		require.ErrorContains(t, err, "Artifact", name)
	}
}

// H22: an ArtifactResolve is signed, and has what the profile requires (Profiles 5.4.1).
func TestArtifactResolve(t *testing.T) {
	sp := newSP(t, withArtifacts(t))
	a, err := sp.ParseArtifact(artifactOf(idpEntity, 7))
	require.NoError(t, err)
	resolve, err := sp.NewArtifactResolve(a)
	require.NoError(t, err)
	require.Equal(t, saml.SOAP, resolve.Binding())
	require.Equal(t, saml.ArtifactRecord{ID: resolve.ID(), IdP: idpEntity}, resolve.Record())
	require.NotContains(t, resolve.String(), a.Value())

	envelope, err := resolve.Envelope()
	require.NoError(t, err)
	el := parseXML(string(envelope)).FindElement("./Body/ArtifactResolve")
	require.NotNil(t, el)
	requireSigned(t, el, sp)
	require.Equal(t, resolve.ID(), el.SelectAttrValue("ID", ""))
	require.Equal(t, idpOtherAR, el.SelectAttrValue("Destination", ""))
	require.Equal(t, spEntity, el.SelectElement("Issuer").Text())
	require.Equal(t, a.Value(), el.SelectElement("Artifact").Text())
	again, err := sp.NewArtifactResolve(a)
	require.NoError(t, err)
	require.NotEqual(t, resolve.ID(), again.ID())

	keyless := newSP(t, func(c *saml.Config) {
		withArtifacts(t)(c)
		c.ACS[0].ArtifactIndex, c.Key, c.Certificate, c.SignRequests = nil, nil, nil, false
	})
	a, err = keyless.ParseArtifact(artifactOf(idpEntity, 0))
	require.NoError(t, err)
	_, err = keyless.NewArtifactResolve(a)
	requireReason(t, saml.ReasonConfig, err)
}

// Invariant 1: an ACS URL that takes artifacts is listed again, with an index of its own, and is never the default.
func TestInvariant1_ArtifactEndpoints(t *testing.T) {
	sp := newSP(t, withArtifacts(t), func(c *saml.Config) { c.ACS[2].ArtifactIndex = new(uint16(1002)) })
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	var read struct {
		ACS []struct {
			Binding  string `xml:",attr"`
			Location string `xml:",attr"`
			Index    string `xml:"index,attr"`
			Default  string `xml:"isDefault,attr"`
		} `xml:"SPSSODescriptor>AssertionConsumerService"`
	}
	require.NoError(t, xml.Unmarshal(metadata, &read))
	var got []string
	for _, e := range read.ACS {
		binding := strings.TrimPrefix(e.Binding, "urn:oasis:names:tc:SAML:2.0:bindings:")
		got = append(got, binding+" "+e.Location+" "+e.Index+" "+e.Default)
	}
	require.Equal(t, []string{
		"HTTP-POST " + usACS + " 0 true", "HTTP-POST " + euACS + " 1 ", "HTTP-POST " + euDualACS + " 2 ",
		"HTTP-Artifact " + usACS + " 1000 ", "HTTP-Artifact " + euDualACS + " 1002 ",
	}, got)

	list := sp.ACS()
	*list[0].ArtifactIndex = 5
	require.Equal(t, uint16(1000), *sp.ACS()[0].ArtifactIndex, "a copy")
	positions := func(change func([]saml.Endpoint)) []saml.Endpoint {
		list := sp.ACS()
		for i := range list {
			list[i].Index = nil
		}
		change(list)
		return list
	}
	require.NoError(t, sp.ReplaceACS(positions(func(l []saml.Endpoint) { l[2].ArtifactIndex = nil })))
	for name, list := range map[string][]saml.Endpoint{
		"a position":               positions(func(l []saml.Endpoint) { l[1].ArtifactIndex = new(uint16(999)) }),
		"twice":                    positions(func(l []saml.Endpoint) { l[1].ArtifactIndex = new(uint16(1000)) }),
		"that of a URL that left":  positions(func(l []saml.Endpoint) { l[1].ArtifactIndex = new(uint16(1002)) }),
		"moved to another binding": explicit(sp.ACS(), 1000, 1, 2),
	} {
		err := sp.ReplaceACS(list)
		requireReason(t, saml.ReasonConfig, err)
		require.ErrorContains(t, err, "ndex", name)
	}
	require.NoError(t, sp.AppendACS(saml.Endpoint{URL: usACS + "/new"}))
	require.Equal(t, uint16(3), *sp.ACS()[3].Index)
	require.NoError(t, sp.ReplaceACS(explicit(sp.ACS(), 0, 1, 2, 3)))
	require.NoError(t, sp.AppendACS(saml.Endpoint{URL: usACS + "/newer"}))
	require.Equal(t, uint16(1003), *sp.ACS()[4].Index, "the next after all that were used")

	cfg := config()
	cfg.ACS[1].ArtifactIndex = new(uint16(1000))
	_, err = saml.New(cfg)
	requireReason(t, saml.ReasonConfig, err)
	require.ErrorContains(t, err, "Config.ACS[1].ArtifactIndex: needs Config.Key")
}

// explicit returns the list with these indexes, and without artifacts.
func explicit(list []saml.Endpoint, indexes ...uint16) []saml.Endpoint {
	for i := range list {
		list[i].Index, list[i].ArtifactIndex = new(indexes[i]), nil
	}
	return list
}

func TestRequestForAnArtifact(t *testing.T) {
	byURL := newSP(t, withArtifacts(t))
	byIndex := newSP(t, withArtifacts(t), func(c *saml.Config) { c.ACSByIndex = true })
	for name, c := range map[string]struct {
		sp      *saml.ServiceProvider
		binding string
		want    [3]string // URL, ProtocolBinding, index
	}{
		"by default":        {byURL, "", [3]string{usACS, saml.HTTPPost, ""}},
		"POST":              {byURL, saml.HTTPPost, [3]string{usACS, saml.HTTPPost, ""}},
		"artifact":          {byURL, saml.HTTPArtifact, [3]string{usACS, saml.HTTPArtifact, ""}},
		"POST by index":     {byIndex, saml.HTTPPost, [3]string{"", "", "0"}},
		"artifact by index": {byIndex, saml.HTTPArtifact, [3]string{"", "", "1000"}},
	} {
		r, err := c.sp.NewAuthnRequest(saml.RequestOptions{ResponseBinding: c.binding})
		require.NoError(t, err, name)
		sent, err := r.RedirectURL("")
		require.NoError(t, err, name)
		el, _ := readRedirect(t, sent)
		require.Equal(t, c.want, [3]string{
			el.SelectAttrValue("AssertionConsumerServiceURL", ""), el.SelectAttrValue("ProtocolBinding", ""),
			el.SelectAttrValue("AssertionConsumerServiceIndex", ""),
		}, name)
	}
	for name, o := range map[string]saml.RequestOptions{
		"a URL without artifacts": {ACS: euACS, ResponseBinding: saml.HTTPArtifact},
		"another binding":         {ResponseBinding: saml.HTTPRedirect},
	} {
		_, err := byURL.NewAuthnRequest(o)
		requireReason(t, saml.ReasonConfig, err)
		require.ErrorContains(t, err, "RequestOptions.ResponseBinding", name)
	}
}
