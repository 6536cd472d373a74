package failover_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/meridian-saml/meridian/portal/failover"
)

// A sink is a ResponseWriter that costs nothing.
type sink struct{ h http.Header }

func (s sink) Header() http.Header         { return s.h }
func (s sink) Write(b []byte) (int, error) { return len(b), nil }
func (s sink) WriteHeader(int)             {}

func BenchmarkServeHTTP(b *testing.B) {
	order, err := failover.ClientAddress{Table: []failover.Near{{Prefix: netip.MustParsePrefix("192.0.2.0/24"), Regions: []string{"eu-central-1"}}}}.Order()
	if err != nil {
		b.Fatal(err)
	}
	for name, cfg := range map[string]failover.Config{
		"home":        {AssumeHealthy: true},
		"keep path":   {AssumeHealthy: true, KeepPath: true},
		"by address":  {AssumeHealthy: true, Order: order},
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
