package telemetry_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp"
)

// Ages go on between two reports.
func TestMetadata(t *testing.T) {
	m := newMeters(t, nil)
	m.ObserveMetadata("federation", 10*time.Second, time.Hour, 5, "")
	m.ObserveMetadata("endless", 0, 0, 1, "")
	m.ObserveMetadata("lost", -1, 0, 0, "MetadataFetch")
	m.clock.Advance(50 * time.Second)
	federation, endless := "{cloud.region=eu,metadata.source=federation}", "{cloud.region=eu,metadata.source=endless}"
	require.Equal(t, map[string]float64{federation: 60, endless: 50}, m.named("meridian.metadata.age"))
	require.Equal(t, map[string]float64{federation: 3550}, m.named("meridian.metadata.remaining"))
	m.clock.Advance(time.Hour)
	require.Equal(t, map[string]float64{federation: -50}, m.named("meridian.metadata.remaining"))
	require.Equal(t, map[string]float64{
		federation: 1, endless: 1, "{cloud.region=eu,error.type=MetadataFetch,metadata.source=lost}": 1,
	}, m.named("meridian.metadata.refreshes"))
}

// A Telemetry is the Observer of a federation.
func TestMetadataOfAFederation(t *testing.T) {
	m := newMeters(t, nil)
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	file := filepath.Join(t.TempDir(), "idp.xml")
	require.NoError(t, os.WriteFile(file, idp.Metadata(""), 0o600))
	f, err := federation.Open(t.Context(), federation.Config{
		Sources: []federation.Source{
			{Name: "mock", File: file}, {Name: "missing", File: file + ".missing"},
		},
		Observer: m.Telemetry, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	require.Equal(t, map[string]float64{
		"{cloud.region=eu,metadata.source=mock}":                             1,
		"{cloud.region=eu,error.type=MetadataFetch,metadata.source=missing}": 1,
	}, m.named("meridian.metadata.refreshes"))
	require.Len(t, m.named("meridian.metadata.age"), 1)
}
