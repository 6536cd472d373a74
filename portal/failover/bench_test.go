package failover_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/meridian-saml/meridian/portal/failover"
)

// sink is a ResponseWriter that discards everything.
type sink struct{ h http.Header }

func (s sink) Header() http.Header         { return s.h }
func (s sink) Write(b []byte) (int, error) { return len(b), nil }
func (s sink) WriteHeader(int)             {}

func BenchmarkServeHTTP(b *testing.B) {
	order := func(*http.Request) []string { return []string{"eu-central-1"} }
	for name, cfg := range map[string]failover.Config{
		"home":        {AssumeHealthy: true},
		"keep path":   {AssumeHealthy: true, KeepPath: true},
		"by order":    {AssumeHealthy: true, Order: order},
		"unavailable": {},
	} {
		b.Run(name, func(b *testing.B) {
			rd := start(b, nil, cfg)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				r := httptest.NewRequest("GET", "https://portal.example/applications?a=b", nil)
				w := sink{make(http.Header)}
				for pb.Next() {
					rd.ServeHTTP(w, r)
				}
			})
		})
	}
}
