package saml_test

import (
	"crypto"
	"crypto/elliptic"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/saml"
)

// Obligations: SDP-G04, SDP-MD06, SDP-MD07, SDP-SP09.
func TestNewRefusesBadConfig(t *testing.T) {
	index := func(i uint16) *uint16 { return &i }
	for name, c := range map[string]struct {
		change func(*saml.Config)
		field  string
	}{
		"no entity ID":        {func(c *saml.Config) { c.EntityID = "" }, "Config.EntityID"},
		"overlong entity ID":  {func(c *saml.Config) { c.EntityID = strings.Repeat("x", 257) }, "Config.EntityID"},
		"entity ID of no XML": {func(c *saml.Config) { c.EntityID = "a\x00b" }, "Config.EntityID"},
		"no ACS":              {func(c *saml.Config) { c.ACS = nil }, "Config.ACS"},
		"metadata signed without key": {
			func(c *saml.Config) { c.SignMetadata = true }, "Config.SignMetadata",
		},
		"no IdP":    {func(c *saml.Config) { c.IdP = nil }, "Config.IdP"},
		"URL twice": {func(c *saml.Config) { c.ACS[1].URL = usACS }, "Config.ACS[1].URL"},
		"index twice": {
			func(c *saml.Config) { c.ACS[0].Index, c.ACS[1].Index, c.ACS[2].Index = index(1), index(1), index(2) },
			"Config.ACS[1].Index",
		},
		"indexes of one only": {func(c *saml.Config) { c.ACS[1].Index = index(1) }, "Config.ACS[1].Index"},
		"plain http":          {func(c *saml.Config) { c.ACS[0].URL = "http://sp.example/acs" }, "Config.ACS[0].URL"},
		"relative URL":        {func(c *saml.Config) { c.ACS[0].URL = "/acs" }, "Config.ACS[0].URL"},
		"another scheme":      {func(c *saml.Config) { c.ACS[0].URL = "javascript:alert(1)" }, "Config.ACS[0].URL"},
		"user information":    {func(c *saml.Config) { c.ACS[0].URL = "https://a@sp.example/acs" }, "Config.ACS[0].URL"},
		"fragment":            {func(c *saml.Config) { c.ACS[0].URL = "https://sp.example/acs#" }, "Config.ACS[0].URL"},
		"look-alike of localhost": {
			func(c *saml.Config) { c.ACS[0].URL = "http://localhost.example/acs" }, "Config.ACS[0].URL",
		},
		"discovery response": {
			func(c *saml.Config) { c.DiscoveryResponses = []string{"https://sp.example/idp", "/idp"} },
			"Config.DiscoveryResponses[1]",
		},
		"request initiator": {
			func(c *saml.Config) { c.RequestInitiators = []string{"javascript:alert(1)"} }, "Config.RequestInitiators[0]",
		},
		"skew":                    {func(c *saml.Config) { c.Skew = 6 * time.Minute }, "Config.Skew"},
		"negative MaxAge":         {func(c *saml.Config) { c.MaxAge = -1 }, "Config.MaxAge"},
		"negative limit":          {func(c *saml.Config) { c.Limits.Depth = -1 }, "Config.Limits.Depth"},
		"signing without key":     {func(c *saml.Config) { c.SignRequests = true }, "Config.SignRequests"},
		"key without certificate": {func(c *saml.Config) { c.Key = keys().idp }, "Config.Certificate"},
		"another key's certificate": {func(c *saml.Config) {
			c.Key, c.Certificate = keys().idp, certificate(t, keys().other, now)
		}, "Config.Certificate"},
		"weak key": {
			func(c *saml.Config) { c.Key, c.Certificate = keys().weak, certificate(t, keys().weak, now) }, "Config.Key",
		},
		"unusual curve": {
			func(c *saml.Config) { k := ecKey(t, elliptic.P224()); c.Key, c.Certificate = k, certificate(t, k, now) },
			"Config.Key",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			c.change(&cfg)
			_, err := saml.New(cfg)
			var e *saml.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.field, e.Rule)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestLoopbackMayBePlainHTTP(t *testing.T) {
	for _, host := range []string{"localhost", "us-east-1.localhost:8711", "127.0.0.1:1", "[::1]:1", "127.9.9.9"} {
		newSP(t, func(c *saml.Config) { c.ACS = []saml.Endpoint{{URL: "http://" + host + "/acs"}} })
	}
}

// acsOf reads the endpoints from metadata, as an identity provider would.
func acsOf(t testing.TB, sp *saml.ServiceProvider) []*etree.Element {
	t.Helper()
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(metadata))
	return doc.FindElements("//AssertionConsumerService")
}

// Invariant 1: the list is ordered, and its first element is the default,
// whatever its index; it alone has isDefault="true".
func TestInvariant1_FirstIsDefault(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(rt, "n")
		explicit := rapid.Bool().Draw(rt, "explicit")
		indexes := rapid.SliceOfNDistinct(rapid.Uint16(), n, n, rapid.ID[uint16]).Draw(rt, "indexes")
		var list []saml.Endpoint
		for i := range n {
			e := saml.Endpoint{URL: fmt.Sprintf("https://r%d.example/acs", i), Region: fmt.Sprintf("r%d", i)}
			if explicit {
				e.Index = &indexes[i]
			}
			list = append(list, e)
		}
		sp := newSP(t, func(c *saml.Config) { c.ACS = list })
		for i, el := range acsOf(t, sp) {
			want := fmt.Sprint(i)
			if explicit {
				want = fmt.Sprint(indexes[i])
			}
			require.Equal(t, list[i].URL, el.SelectAttrValue("Location", ""))
			require.Equal(t, want, el.SelectAttrValue("index", ""))
			require.Equal(t, i == 0, el.SelectAttrValue("isDefault", "absent") == "true")
			require.Equal(t, i != 0, el.SelectAttr("isDefault") == nil)
			require.Equal(t, saml.HTTPPost, el.SelectAttrValue("Binding", ""))
		}
		r, err := sp.NewAuthnRequest(saml.RequestOptions{})
		require.NoError(t, err)
		require.Equal(t, list[0].URL, r.Record().ACS)
	})
}

func TestInvariant1_ReplacingTheDefaultIsExplicit(t *testing.T) {
	sp := newSP(t)
	list := sp.ACS()
	swapped := []saml.Endpoint{{URL: euACS, Region: "eu-central-1"}, {URL: usACS, Region: "us-east-1"}}
	requireReason(t, saml.ReasonConfig, sp.ReplaceACS(swapped))
	require.Equal(t, list, sp.ACS(), "a refused list changes nothing")
	require.NoError(t, sp.ReplaceDefaultACS(swapped))
	require.Equal(t, euACS, sp.ACS()[0].URL)
}

func TestInvariant1_IndexesAreNeverReused(t *testing.T) {
	one, two, three := uint16(1), uint16(2), uint16(3)
	sp := newSP(t, func(c *saml.Config) { c.ACS = []saml.Endpoint{{URL: usACS, Index: &one}, {URL: euACS, Index: &two}} })
	require.NoError(t, sp.ReplaceACS([]saml.Endpoint{{URL: usACS, Index: &one}}))
	requireReason(
		t,
		saml.ReasonConfig,
		sp.ReplaceACS([]saml.Endpoint{{URL: usACS, Index: &one}, {URL: euDualACS, Index: &two}}),
	)
	require.NoError(
		t,
		sp.ReplaceACS([]saml.Endpoint{{URL: usACS, Index: &one}, {URL: euDualACS, Index: &three}, {URL: euACS, Index: &two}}),
	)
}

// Appending keeps every index, whether they are given or counted.
func TestInvariant1_AppendingKeepsIndexes(t *testing.T) {
	indexes := func(sp *saml.ServiceProvider) (out []uint16) {
		for _, e := range sp.ACS() {
			out = append(out, *e.Index)
		}
		return out
	}
	sp := newSP(t, func(c *saml.Config) { c.ACS = []saml.Endpoint{{URL: usACS}} })
	require.NoError(t, sp.AppendACS(saml.Endpoint{URL: euACS, Region: "eu-central-1"}, saml.Endpoint{URL: euDualACS}))
	require.Equal(t, []uint16{0, 1, 2}, indexes(sp))
	require.Equal(t, "eu-central-1", sp.ACS()[1].Region)
	requireReason(t, saml.ReasonConfig, sp.AppendACS(saml.Endpoint{URL: euACS})) // listed already
	requireReason(t, saml.ReasonConfig, sp.AppendACS(saml.Endpoint{URL: "ftp://sp.example/acs"}))
	require.Len(t, sp.ACS(), 3)

	two, seven, last := uint16(2), uint16(7), uint16(65535)
	sp = newSP(t, func(c *saml.Config) { c.ACS = []saml.Endpoint{{URL: usACS, Index: &two}, {URL: euACS, Index: &seven}} })
	require.NoError(t, sp.ReplaceACS([]saml.Endpoint{{URL: usACS, Index: &two}}))
	require.NoError(t, sp.AppendACS(saml.Endpoint{URL: euDualACS}))
	require.Equal(t, []uint16{2, 8}, indexes(sp), "7 stood for another URL")
	requireReason(t, saml.ReasonConfig, sp.AppendACS(saml.Endpoint{URL: "https://other.example/acs", Index: &seven}))
	require.NoError(t, sp.AppendACS(saml.Endpoint{URL: euACS, Index: &seven}), "which may come back")
	require.NoError(t, sp.AppendACS(saml.Endpoint{URL: "https://last.example/acs", Index: &last}))
	requireReason(t, saml.ReasonConfig, sp.AppendACS(saml.Endpoint{URL: "https://more.example/acs"})) // no index is left
}

// An index keeps its meaning when a list with explicit indexes follows one
// without, or the other way round.
func TestInvariant1_IndexesKeepTheirMeaning(t *testing.T) {
	zero, one := uint16(0), uint16(1)
	a, b, c := saml.Endpoint{URL: usACS}, saml.Endpoint{URL: euACS}, saml.Endpoint{URL: euDualACS}
	with := func(e saml.Endpoint, i *uint16) saml.Endpoint { e.Index = i; return e }
	explicit, positional := []saml.Endpoint{with(a, &zero), with(b, &one)}, []saml.Endpoint{a, b}

	sp := newSP(t, func(cfg *saml.Config) { cfg.ACS = explicit })
	requireReason(t, saml.ReasonConfig, sp.ReplaceACS([]saml.Endpoint{a, c}))
	require.NoError(t, sp.ReplaceACS(positional))
	sp = newSP(t, func(cfg *saml.Config) { cfg.ACS = positional })
	requireReason(t, saml.ReasonConfig, sp.ReplaceACS([]saml.Endpoint{with(a, &zero), with(c, &one)}))
	require.NoError(t, sp.ReplaceACS(sp.ACS()), "a list may be read, changed and put back")
}

// Invariant 12: a constructed value doesn't change when the caller changes the
// arguments or the results.
func TestInvariant12_ConfigIsCopied(t *testing.T) {
	cfg := config()
	cfg.NameIDFormats = []string{"urn:a"}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	before, err := sp.Metadata()
	require.NoError(t, err)
	cfg.ACS[0].URL, cfg.NameIDFormats[0] = "https://evil.example/acs", "urn:b"
	*sp.ACS()[0].Index = 77
	sp.ACS()[0].URL = "https://evil.example/acs"
	after, err := sp.Metadata()
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}

// Invariant 12: replaced whole, while verifications are under way.
func TestInvariant12_ReplacedAtomically(t *testing.T) {
	good := config().IdP.IdP()
	source := saml.NewSwappableIdP(good)
	sp := newSP(t, func(c *saml.Config) { c.IdP = source })
	raw := doc{}.base64(t)
	other, err := saml.NewIdP(
		saml.IdPConfig{EntityID: "https://other.example", Keys: []crypto.PublicKey{keys().other.Public()}},
	)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		list := sp.ACS()
		for range 200 {
			source.Replace(other)
			_ = sp.ReplaceACS(list[:1])
			source.Replace(good)
			_ = sp.ReplaceACS(list)
		}
	}()
	for range 100 {
		if _, err := sp.Verify(raw, unsolicited); err != nil {
			// The old or the new whole: never the old name with the new keys.
			requireReason(t, saml.ReasonSignature, err)
		}
	}
	<-done
	_, err = sp.Verify(raw, unsolicited)
	require.NoError(t, err)
}
