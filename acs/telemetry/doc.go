// Package telemetry makes OpenTelemetry metrics and traces of sign-ins, logouts, metadata, stores and replication. It
// uses OpenTelemetry's API only: the program chooses the SDK and the exporters. Without a provider it does nothing.
//
//	t, err := telemetry.New(telemetry.Config{
//		MeterProvider: meters, TracerProvider: tracers, Region: "eu-central-1",
//		IdPs: map[string]string{"https://idp.example/saml": "okta"},
//	})
//	region, err := acs.NewRegion(acs.Config{Observer: t, Store: t.Store(store)}) // and the other fields
//
// A Telemetry also is the Observer of federation.Config, middleware.Config, portal.Config, replica.Config and
// audit.Config.
//
// TELEMETRY.md, in this directory, lists the metrics and what to do about them, with alert rules for Prometheus
// (alerts.yaml).
//
// # What is not there
//
// No metric and no span has a NameID, an attribute of a user or a session's ID. The number of series is bounded,
// whatever clients send: identity providers have the names of [Config].IdPs or [OtherIdP], and errors have the Reasons
// of this module.
package telemetry
