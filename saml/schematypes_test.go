package saml_test

import (
	"strings"
	"testing"
	"time"

	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// Instants are xs:dateTime (XML Schema Part 2, 3.2.7) and nothing else.
func TestDateTime(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-11-22T12:00:00Z":                   noon,
		"2026-11-22T12:00:00":                    noon,
		"2026-11-22T12:00:00.5Z":                 noon.Add(time.Second / 2),
		"2026-11-22T12:00:00.123456789123456Z":   noon.Add(123456789),
		"2026-11-22T13:30:00+01:30":              noon,
		"2026-11-23T02:00:00+14:00":              noon,
		"2026-11-21T22:00:00-14:00":              noon,
		"2026-11-22T12:00:00-00:00":              noon,
		"2026-11-21T24:00:00Z":                   noon.Add(-12 * time.Hour),
		"2026-12-31T24:00:00.000Z":               time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		"2028-02-29T00:00:00Z":                   time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC),
		"9999-12-31T23:59:59.999Z":               time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
		"2026-11-22T12:00:00.000000000000000001": noon,
	} {
		got, err := saml.ParseDateTime(text)
		require.NoError(t, err, text)
		require.True(t, want.Equal(got), "%s: want %v, got %v", text, want, got)
	}
	for _, text := range []string{
		"", "Z", "T", "2026-11-22", "2026-11-22T", "2026-11-22T12:00:00,5Z", "2026-11-22T3:59:59Z",
		"2026-11-22T12:00:00+24:00",
		"2026-11-22T12:00:00+14:01", "2026-11-22T12:00:00+0100", "2026-11-22T12:00:00+01", "2026-11-22T12:00:00z",
		"2026-11-22t12:00:00Z",
		"2026-11-22 12:00:00Z", " 2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z ", "2026-11-22T12:00:00.Z",
		"2026-11-22T12:00:00. 5Z",
		"2026-11-22T12:00Z", "2026-11-22T24:00:01Z", "2026-11-22T24:00:00.1Z", "2026-11-22T25:00:00Z", "2026-11-22T12:60:00Z",
		"2026-11-22T12:00:60Z",
		"2026-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"0000-01-01T00:00:00Z", "-2026-11-22T12:00:00Z", "12026-11-22T12:00:00Z", "26-11-22T12:00:00Z", "2026-1-22T12:00:00Z",
		"+026-11-22T12:00:00Z", "2026-11-22T+1:00:00Z", "2026-11-22T12:00:00ZZ", "2026-11-22T12:00:00+-1:00",
		"٢٠٢٦-11-22T12:00:00Z",
	} {
		got, err := saml.ParseDateTime(text)
		require.Error(t, err, text)
		require.Zero(t, got)
	}
}

// What parseDateTime takes of the usual form, Go reads alike; what Go refuses of
// it, it refuses.
func FuzzDateTime(f *testing.F) {
	for _, seed := range []string{
		"2026-11-22T12:00:00Z", "2026-11-22T12:00:00.123+14:00", "2026-11-21T24:00:00Z", "2024-02-29T23:59:59-00:01",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := saml.ParseDateTime(text)
		if err != nil {
			require.Zero(t, got)
			return
		}
		require.NotContains(t, text, ",")
		zoned := text
		if !strings.HasSuffix(text, "Z") &&
			(len(text) < 6 || text[len(text)-3] != ':' || !strings.ContainsAny(text[len(text)-6:len(text)-5], "+-")) {
			zoned += "Z"
		}
		want, err := time.Parse(time.RFC3339Nano, strings.Replace(zoned, "T24:", "T00:", 1))
		require.NoError(t, err)
		if strings.Contains(text, "T24:") {
			want = want.Add(24 * time.Hour)
		}
		require.True(t, want.Equal(got), "want %v, got %v", want, got)
	})
}

func TestDuration(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"PT0S": 0, "PT1H": time.Hour, "P1D": day, "P1Y": 365 * day, "P2M": 56 * day,
		"P1Y2M3DT4H5M6.5S": 424*day + 4*time.Hour + 5*time.Minute + 6500*time.Millisecond,
		" PT1H\n":          time.Hour, "-PT1S": -time.Second, "PT0.1S": 100 * time.Millisecond,
		"P99999999999999Y": 1<<63 - 1, "P" + strings.Repeat("9", 400) + "Y": 1<<63 - 1,
		"-P" + strings.Repeat("9", 400) + "D": -(1<<63 - 1),
	} {
		got, ok := saml.ParseDuration(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "P", "PT", "1H", "P1H", "PT1D", "P1DT", "P1S", "PT1.5H", "PT1.S", "PT.5S", "P-1D", "P1D1Y", "P1Y1Y", "P 1D",
		"PT1S1S", "p1d", "P1.5D", "PT1.2.3S", "PxD", "--P1D", "+P1D",
		"P" + strings.Repeat("0", 1000) + "1D",
	} {
		_, ok := saml.ParseDuration(text)
		require.False(t, ok, text)
	}
}

func TestBooleanAndUnsignedShort(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "1": true, " true\n": true, "false": false, "0": false} {
		got, ok := saml.ParseBoolean(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "True", "TRUE", "yes", "t", "2", "tr ue"} {
		_, ok := saml.ParseBoolean(text)
		require.False(t, ok, text)
	}
}

// canonical is the exclusive canonical form of a document, by another library.
func canonical(t testing.TB, text string) string {
	t.Helper()
	form, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(parseXML(text))
	require.NoError(t, err)
	return string(form)
}

// Our metadata is in canonical form, so that it can be signed as it is, and
// says when to read it again; an end is said only where one is configured.
func TestMetadataIsCanonicalAndEndsWhereConfigured(t *testing.T) {
	for _, c := range []struct {
		cache, validity time.Duration
		want            []string
		not             string
	}{
		{0, 0, []string{`cacheDuration="PT24H"`}, "validUntil"},
		{90 * time.Minute, time.Hour, []string{`cacheDuration="PT1H30M"`, `validUntil="2026-11-22T13:00:00Z"`}, "PT24H"},
		{time.Second, 0, []string{`cacheDuration="PT1S"`}, "validUntil"},
	} {
		sp := newSP(t, signingConfig(t, keys().other), func(cfg *saml.Config) {
			cfg.MetadataCacheDuration, cfg.MetadataValidity = c.cache, c.validity
			cfg.EntityID, cfg.NameIDFormats = "https://sp.example/?a=1&b=<2>", []string{"urn:x"}
		})
		raw, err := sp.Metadata()
		require.NoError(t, err)
		for _, want := range c.want {
			require.Contains(t, string(raw), want)
		}
		require.NotContains(t, string(raw), c.not)
		_, root, _ := strings.Cut(string(raw), "?>\n")
		require.Equal(t, strings.TrimSuffix(root, "\n"), canonical(t, root), "by goxmldsig's canonicaliser")
	}
	for _, change := range []func(*saml.Config){
		func(c *saml.Config) { c.MetadataCacheDuration = -time.Second },
		func(c *saml.Config) { c.MetadataCacheDuration = time.Millisecond },
		func(c *saml.Config) { c.MetadataValidity = -time.Second },
		func(c *saml.Config) { c.MetadataValidity = time.Second + 1 },
	} {
		cfg := config()
		change(&cfg)
		_, err := saml.New(cfg)
		requireReason(t, saml.ReasonConfig, err)
	}
}
