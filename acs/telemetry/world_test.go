package telemetry_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/telemetry"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

const acsURL = "https://eu.sp.example/acs"

// meters is a Telemetry whose metrics and spans a test reads.
type meters struct {
	*telemetry.Telemetry
	t      *testing.T
	clock  *testkit.Clock
	reader *metric.ManualReader
	spans  *tracetest.SpanRecorder
	traces *trace.TracerProvider
}

func newMeters(t *testing.T, idps map[string]string) *meters {
	t.Helper()
	m := &meters{
		t: t, clock: testkit.NewClock(time.Now()), reader: metric.NewManualReader(), spans: tracetest.NewSpanRecorder(),
	}
	m.traces = trace.NewTracerProvider(trace.WithSpanProcessor(m.spans))
	var err error
	m.Telemetry, err = telemetry.New(telemetry.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(m.reader)), TracerProvider: m.traces,
		Region: "eu", IdPs: idps, Now: m.clock.Now,
	})
	require.NoError(t, err)
	return m
}

// read returns the value of each series, of a histogram the count and the sum. A series is "name{key=value,…}".
func (m *meters) read() map[string]float64 {
	m.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(m.t, m.reader.Collect(context.Background(), &all))
	out := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		require.Equal(m.t, telemetry.Scope, scope.Scope.Name)
		for _, metric := range scope.Metrics {
			series := func(set attribute.Set) string {
				return metric.Name + "{" + set.Encoded(attribute.DefaultEncoder()) + "}"
			}
			switch data := metric.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					out[series(p.Attributes)] = float64(p.Value)
				}
			case metricdata.Sum[float64]:
				for _, p := range data.DataPoints {
					out[series(p.Attributes)] = p.Value
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					out[series(p.Attributes)] = p.Value
				}
			case metricdata.Histogram[float64]:
				require.Equal(m.t, "s", metric.Unit)
				for _, p := range data.DataPoints {
					out[series(p.Attributes)], out[series(p.Attributes)+" sum"] = float64(p.Count), p.Sum
				}
			default:
				require.Fail(m.t, "unknown data", "%s: %T", metric.Name, data)
			}
		}
	}
	return out
}

// named returns the series of one metric, without its name.
func (m *meters) named(name string) map[string]float64 {
	out := map[string]float64{}
	for series, v := range m.read() {
		if rest, ok := strings.CutPrefix(series, name+"{"); ok {
			out["{"+rest] = v
		}
	}
	return out
}

// world is a service provider of one Region, and a mock that can attack it.
type world struct {
	*meters
	idp     *mockidp.Server
	handler http.Handler
	slow    *slowStore
}

// slowStore advances the clock.
type slowStore struct {
	acs.Store
	clock *testkit.Clock
	took  time.Duration
	err   error // instead of an answer
}

func (s *slowStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	s.clock.Advance(s.took)
	if s.err != nil {
		return s.err
	}
	return s.Store.Add(ctx, key, v, exp)
}

func (s *slowStore) Take(ctx context.Context, key string) ([]byte, error) {
	s.clock.Advance(s.took)
	if s.err != nil {
		return nil, s.err
	}
	return s.Store.Take(ctx, key)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := mockidp.Config{}
	hostile.Arm(&c)
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	described, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	w := &world{meters: newMeters(t, map[string]string{described.EntityID(): "okta"}), idp: idp}
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example", ACS: []saml.Endpoint{{URL: acsURL, Region: "eu"}}, IdP: described,
	})
	require.NoError(t, err)
	w.slow = &slowStore{Store: acs.NewMemoryStore(acs.MemoryConfig{}), clock: w.clock}
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Region: "eu", Store: w.Store(w.slow), Observer: w.Telemetry, Logger: slog.New(slog.DiscardHandler),
		OnLogin: func(rw http.ResponseWriter, _ *http.Request, l *acs.Login) {
			fmt.Fprint(rw, l.Assertion.NameID().Value)
		},
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login"})
	w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { // as otelhttp does
		ctx, span := w.traces.Tracer("http").Start(r.Context(), r.Method+" "+r.URL.Path)
		defer span.End()
		mux.ServeHTTP(rw, r.WithContext(ctx))
	})
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, idp.RegisterSP("", metadata))
	return w
}

func (w *world) signIn() *testkit.Page {
	w.t.Helper()
	page, err := testkit.SignInHandler(w.idp, w.handler, "https://eu.sp.example/login", mockidp.DefaultLogin)
	require.NoError(w.t, err)
	return page
}

// post sends a message to the ACS URL, as any client can.
func (w *world) post(message string) int {
	r := httptest.NewRequest(http.MethodPost, acsURL, strings.NewReader(url.Values{"SAMLResponse": {message}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec.Code
}
