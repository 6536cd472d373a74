package telemetry_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/meridian-saml/meridian/mockidp"
)

// ended returns the spans that ended, by name, as "parent > name".
func (m *meters) ended() map[string][]trace.ReadOnlySpan {
	names, out := map[oteltrace.SpanID]string{}, map[string][]trace.ReadOnlySpan{}
	for _, s := range m.spans.Ended() {
		names[s.SpanContext().SpanID()] = s.Name()
	}
	for _, s := range m.spans.Ended() {
		name := names[s.Parent().SpanID()] + " > " + s.Name()
		out[name] = append(out[name], s)
	}
	return out
}

func TestSpans(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	got := w.ended()
	require.Len(t, got[" > POST /acs"], 1)
	for _, name := range []string{
		"GET /login > store.add", "POST /acs > saml.consume", "saml.consume > saml.verify", "saml.consume > store.take",
		"saml.consume > store.add",
	} {
		require.Len(t, got[name], 1, "%s of %v", name, got)
		span := got[name][0]
		require.Equal(t, oteltrace.SpanKindInternal, span.SpanKind())
		require.Equal(t, codes.Unset, span.Status().Code)
		assert.NotContains(t, fmt.Sprint(span.Attributes(), span.Events(), span.Status()), mockidp.DefaultLogin)
		for _, a := range span.Attributes() {
			key := string(a.Key)
			assert.False(t, strings.HasPrefix(key, "user.") || strings.HasPrefix(key, "enduser.") || key == "session.id", key)
		}
	}
	consumed := fmt.Sprint(got["POST /acs > saml.consume"][0].Attributes())
	assert.Contains(t, consumed, "MRD-")
	assert.Contains(t, consumed, "okta")
}

// A refusal is the client's error. A store that can't answer is the service's.
func TestSpansOfRefusals(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, http.StatusForbidden, w.post("PHg+"))
	for _, name := range []string{"POST /acs > saml.consume", "saml.consume > saml.verify"} {
		require.Len(t, w.ended()[name], 1)
		span := w.ended()[name][0]
		require.Contains(t, fmt.Sprint(span.Attributes()), "NotResponse")
		require.Equal(t, codes.Unset, span.Status().Code)
	}
	_, end := w.ObserveResponse(t.Context())
	end(verdictOf("Store"))
	failed := w.ended()[" > saml.consume"][0]
	require.Equal(t, trace.Status{Code: codes.Error, Description: "Store"}, failed.Status())
}

// A probe of the store makes no trace of its own.
func TestNoTraceOfProbes(t *testing.T) {
	w := newWorld(t)
	_, _ = w.Store(w.slow).Take(t.Context(), "probe")
	require.Empty(t, w.ended())
	require.Len(t, w.named("meridian.store.operation.duration"), 2)
}
