package main

import (
	"context"
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	prometheusexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/meridian-saml/meridian/acs/telemetry"
)

// observed is a Telemetry, and the handler for Prometheus.
type observed struct {
	telemetry *telemetry.Telemetry
	metrics   http.Handler
}

// newObserved prints spans as JSON. In production, use an exporter of OTLP with trace.WithBatcher.
func newObserved(out io.Writer, idps map[string]string) (observed, func(), error) {
	registry := prometheus.NewRegistry()
	exporter, err := prometheusexporter.New(
		prometheusexporter.WithRegisterer(registry), prometheusexporter.WithoutScopeInfo(),
		prometheusexporter.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes))
	if err != nil {
		return observed{}, nil, err
	}
	printer, err := stdouttrace.New(stdouttrace.WithWriter(out))
	if err != nil {
		return observed{}, nil, err
	}
	meters := metric.NewMeterProvider(metric.WithReader(exporter))
	tracers := trace.NewTracerProvider(trace.WithSyncer(printer))
	stop := func() { _, _ = meters.Shutdown(context.Background()), tracers.Shutdown(context.Background()) }
	t, err := telemetry.New(telemetry.Config{
		MeterProvider: meters, TracerProvider: tracers, Region: region, IdPs: idps,
	})
	return observed{t, promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}, stop, err
}
