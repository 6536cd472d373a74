// Package failover sends a browser to the portal of the nearest healthy Region.
//
// A [Redirector] is an http.Handler for the one address that people remember. It answers with 302 and Cache-Control:
// no-store, so every visit is decided anew. It probes the Regions to know where to send people:
//
//	rd, err := failover.New(failover.Config{
//		Regions: []failover.Region{ // nearest first
//			{Name: "us-east-1", URL: "https://us-east-1.portal.example"},
//			{Name: "eu-central-1", URL: "https://eu-central-1.portal.example"},
//		},
//	})
//	if err != nil {
//		return err
//	}
//	go rd.Run(ctx)
//	server := &http.Server{
//		Addr: ":443", Handler: rd, // the zero Server has no timeouts
//		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
//		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
//	}
//	return server.ListenAndServeTLS(certFile, keyFile)
//
// # Where it fits
//
// It replaces a DNS service's health checks and proximity routing (Route 53), routing controls (ARC) and a load
// balancer's redirect rule (ALB). It also works behind those: run several redirectors in different Regions under one
// name, and let DNS or anycast leave out a redirector that is down. A single redirector is a single point of failure
// for its own address. The Regions' own addresses, which people should bookmark too, never depend on it.
//
// A redirect, unlike a DNS record, takes effect at once, and every Region keeps its own host name: cookies,
// certificates and assertion consumer service URLs need nothing in common. Redirectors share no state. Each probes for
// itself, and [Redirector.Set] changes only the one that it is called on.
//
// # Health
//
// A Region's health endpoint must answer GET with exactly 200, and the answer (of the body, the first 4 KiB) must
// arrive within [Config].Timeout. The content of the body is ignored. Redirects are not followed, and count as a
// failure. So a Region whose URL is by mistake the redirector's own address is never used, and can't cause a loop.
//
// HealthyThreshold and UnhealthyThreshold say how many probes in a row change a Region's state. Only its very first
// probe decides alone. If no Region can be used, people get 503 with Retry-After and a page that says so.
//
// # Where a browser can be sent
//
// A Location begins with an origin of [Config].Regions, always. Only with KeepPath does it take anything from the
// request: a plain path and query. Host and forwarding headers are never read. [Config].Order can choose the nearest
// Region by the request.
//
// GET and HEAD get the same answer, because the AWS CLI follows a start URL with HEAD. Other methods get 405: a
// redirected form would arrive as a GET without its fields. The redirect leads straight to the portal's origin; the
// AWS CLI follows no second one.
package failover
