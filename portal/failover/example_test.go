package failover_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/meridian-saml/meridian/portal/failover"
)

// Two Regions, of which the nearest fails. A server would call Run instead of
// Probe.
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
	if err := rd.Set("us-east-1", failover.On); err != nil { // somebody knows better
		panic(err)
	}
	visit()
	// Output:
	// 302 https://us-east-1.portal.example/
	// 302 https://eu-central-1.portal.example/
	// 302 https://us-east-1.portal.example/
}

// Browsers in one network are nearer to Frankfurt. The load balancers in
// 10.0.0.0/8 append the browser's address to X-Forwarded-For.
func ExampleClientAddress() {
	order, err := failover.ClientAddress{
		Table: []failover.Near{
			{Prefix: netip.MustParsePrefix("203.0.113.0/24"), Regions: []string{"eu-central-1"}},
		},
		Header:  "X-Forwarded-For",
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}.Order()
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest("GET", "https://portal.example/", nil)
	r.RemoteAddr = "10.1.2.3:50000"
	r.Header.Set("X-Forwarded-For", "192.0.2.1, 203.0.113.9") // the browser wrote the first
	fmt.Println(order(r))
	// Output: [eu-central-1]
}
