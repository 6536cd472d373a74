package telemetry

import (
	"cmp"
	"maps"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	nometrics "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	notraces "go.opentelemetry.io/otel/trace/noop"

	"github.com/meridian-saml/meridian/acs"
)

// Scope is the name of the meter and of the tracer.
const Scope = "github.com/meridian-saml/meridian/acs/telemetry"

// OtherIdP is the attribute saml.idp of an identity provider that isn't in [Config].IdPs, and of messages that no
// identity provider's signature covers.
const OtherIdP = "_other"

// maxIdPs bounds the series: each identity provider has some for each Reason.
const maxIdPs = 100

// Config describes a [Telemetry]. New copies it.
type Config struct {
	// MeterProvider makes the metrics. Nil: none.
	MeterProvider metric.MeterProvider
	// TracerProvider makes the spans. Nil: none.
	TracerProvider trace.TracerProvider
	// Region is the attribute cloud.region of everything. Each Region of a process needs a Telemetry of its own. Empty:
	// no such attribute.
	Region string
	// IdPs are the values of the attribute saml.idp, by entity ID. At most 100. Others are OtherIdP.
	IdPs map[string]string
	// StaleAfter is how long a value of Observe counts after its last report. It should be several times the ObserveEvery
	// of package replica. Zero: 1 min.
	StaleAfter time.Duration
	// Now is the clock of durations and ages. Nil: time.Now.
	Now func() time.Time
}

// Telemetry makes metrics and spans. It implements acs.Observer, which packages portal and middleware use too, and the
// Observer interfaces of packages federation, replica and audit. It is safe for concurrent use. A nil Telemetry does
// nothing.
type Telemetry struct {
	cfg         Config
	tracer      trace.Tracer
	instruments instruments
	metadata    metadata
	replication replication
	audits      audits
}

// New returns a Telemetry. It lasts as long as its MeterProvider. Without a provider it does nothing. The error is an
// [*Error].
func New(cfg Config) (*Telemetry, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.MeterProvider == nil && cfg.TracerProvider == nil {
		return nil, nil
	}
	cfg.IdPs = maps.Clone(cfg.IdPs)
	cfg.StaleAfter = cmp.Or(cfg.StaleAfter, time.Minute)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = nometrics.NewMeterProvider()
	}
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = notraces.NewTracerProvider()
	}
	t := &Telemetry{cfg: cfg, tracer: cfg.TracerProvider.Tracer(Scope)}
	if err := t.register(cfg.MeterProvider.Meter(Scope)); err != nil {
		return nil, &Error{Reason: ReasonInstrument, Rule: "Config.MeterProvider", Err: err}
	}
	return t, nil
}

func (c *Config) check() error {
	if len(c.IdPs) > maxIdPs {
		return badConfig("Config.IdPs", "at most "+strconv.Itoa(maxIdPs), strconv.Itoa(len(c.IdPs)))
	}
	for entityID, name := range c.IdPs {
		if name == "" || name == OtherIdP {
			return badConfig("Config.IdPs["+strconv.Quote(entityID)+"]", "a name, not "+OtherIdP, name)
		}
	}
	if c.StaleAfter < 0 {
		return badConfig("Config.StaleAfter", "0 or more", c.StaleAfter.String())
	}
	return nil
}

// The keys of attributes.
const (
	keyRegion    = attribute.Key("cloud.region")
	keyErrorType = attribute.Key("error.type")
	keyFlow      = attribute.Key("saml.flow")
	keyIdP       = attribute.Key("saml.idp")
	keyReference = attribute.Key("saml.reference") // of spans only
	keySource    = attribute.Key("metadata.source")
	keyOperation = attribute.Key("store.operation")
	keyPeer      = attribute.Key("replication.region")
)

// attributes returns cloud.region, error.type and others. Values that are empty are left out.
func (t *Telemetry) attributes(reason string, others ...attribute.KeyValue) []attribute.KeyValue {
	all := make([]attribute.KeyValue, 0, 2+len(others))
	for _, a := range append(others, keyRegion.String(t.cfg.Region), keyErrorType.String(reason)) {
		if a.Value.AsString() != "" {
			all = append(all, a)
		}
	}
	return all
}

func (t *Telemetry) idp(entityID string) attribute.KeyValue {
	return keyIdP.String(cmp.Or(t.cfg.IdPs[entityID], OtherIdP))
}

func flow(unsolicited bool) attribute.KeyValue {
	if unsolicited {
		return keyFlow.String(acs.FlowIdP)
	}
	return keyFlow.String(acs.FlowSP)
}
