package telemetry_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/telemetry"
)

// The metrics of one response.
func Example() {
	reader := metric.NewManualReader() // or an exporter, such as that for Prometheus
	t, err := telemetry.New(telemetry.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)),
		Region:        "eu-central-1",
		IdPs:          map[string]string{"https://idp.example/saml": "okta"},
	})
	if err != nil {
		log.Fatal(err)
	}
	store := t.Store(acs.NewMemoryStore(acs.MemoryConfig{}))
	_ = acs.Config{Observer: t, Store: store} // and the other fields

	// What a Region does for a response that is a replay:
	ctx, end := t.ObserveResponse(context.Background())
	t.ObserveVerification(ctx)(nil)
	end(acs.Verdict{Flow: acs.FlowIdP, IdP: "https://idp.example/saml", Reason: string(acs.ReasonReplay)})

	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		log.Fatal(err)
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		if responses, ok := m.Data.(metricdata.Sum[int64]); ok {
			for _, p := range responses.DataPoints {
				fmt.Println(m.Name, p.Value)
				for _, a := range p.Attributes.ToSlice() {
					fmt.Println(" ", a.Key, a.Value.AsString())
				}
			}
		}
	}
	// Output:
	// meridian.saml.responses 1
	//   cloud.region eu-central-1
	//   error.type Replay
	//   saml.flow idp-initiated
	//   saml.idp okta
}
