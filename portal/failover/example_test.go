package failover_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/meridian-saml/meridian/portal/failover"
)

// The nearest of two Regions fails. A server calls Run instead of Probe.
func Example() {
	healthy := true
	health := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/us-east-1" && !healthy {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer health.Close()

	rd, err := failover.New(failover.Config{
		Regions: []failover.Region{ // nearest first
			{Name: "us-east-1", URL: "https://us-east-1.portal.example", Health: health.URL + "/us-east-1"},
			{Name: "eu-central-1", URL: "https://eu-central-1.portal.example", Health: health.URL + "/eu-central-1"},
		},
		UnhealthyThreshold: 1,
	})
	if err != nil {
		panic(err)
	}
	visit := func() {
		w := httptest.NewRecorder()
		rd.ServeHTTP(w, httptest.NewRequest("GET", "https://portal.example/", nil))
		fmt.Println(w.Code, w.Header().Get("Location"))
	}
	probe := func() {
		if err := rd.Probe(context.Background()); err != nil {
			panic(err)
		}
	}

	probe()
	visit()
	healthy = false
	probe()
	visit()
	if err := rd.Set("us-east-1", failover.On); err != nil { // despite the probe
		panic(err)
	}
	visit()
	// Output:
	// 302 https://us-east-1.portal.example/
	// 302 https://eu-central-1.portal.example/
	// 302 https://us-east-1.portal.example/
}

// Clients in one network are nearer to Frankfurt. They connect directly, so the address of the
// connection is theirs.
func ExampleConfig_order() {
	near := netip.MustParsePrefix("203.0.113.0/24")
	rd, err := failover.New(failover.Config{
		Regions: []failover.Region{
			{Name: "us-east-1", URL: "https://us-east-1.portal.example"},
			{Name: "eu-central-1", URL: "https://eu-central-1.portal.example"},
		},
		AssumeHealthy: true,
		Order: func(r *http.Request) []string {
			client, err := netip.ParseAddrPort(r.RemoteAddr)
			if err == nil && near.Contains(client.Addr().Unmap()) {
				return []string{"eu-central-1"}
			}
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	for _, addr := range []string{"203.0.113.9:50000", "192.0.2.1:50000"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "https://portal.example/", nil)
		r.RemoteAddr = addr
		rd.ServeHTTP(w, r)
		fmt.Println(addr, w.Header().Get("Location"))
	}
	// Output:
	// 203.0.113.9:50000 https://eu-central-1.portal.example/
	// 192.0.2.1:50000 https://us-east-1.portal.example/
}
