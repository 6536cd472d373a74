package telemetry_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/telemetry"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// BenchmarkResponse measures an unsolicited response, which is refused after its signature was verified: without an
// Observer, with a Telemetry without providers, and with one that makes metrics and spans.
func BenchmarkResponse(b *testing.B) {
	on, err := telemetry.New(telemetry.Config{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(metric.NewManualReader())),
		TracerProvider: trace.NewTracerProvider(), Region: "eu",
	})
	require.NoError(b, err)
	idp := mockidp.New(mockidp.Config{})
	b.Cleanup(idp.Close)
	described, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(b, err)
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example", ACS: []saml.Endpoint{{URL: acsURL}}, IdP: described,
	})
	require.NoError(b, err)
	metadata, err := sp.Metadata()
	require.NoError(b, err)
	require.NoError(b, idp.RegisterSP("", metadata))
	form, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(b, err)
	body := url.Values{"SAMLResponse": {form.SAMLResponse}}.Encode()

	for _, c := range []struct {
		name     string
		observer acs.Observer
	}{{"without", nil}, {"off", (*telemetry.Telemetry)(nil)}, {"on", on}} {
		b.Run(c.name, func(b *testing.B) {
			consumer, err := acs.New(acs.Config{
				SP: sp, ACS: acsURL, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Observer: c.observer,
				Logger: slog.New(slog.DiscardHandler), OnLogin: func(http.ResponseWriter, *http.Request, *acs.Login) {},
			})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, acsURL, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				rec := httptest.NewRecorder()
				consumer.ServeHTTP(rec, r)
				if rec.Code != http.StatusForbidden {
					b.Fatal(fmt.Sprint("status ", rec.Code))
				}
			}
		})
	}
}
