// Package failover sends a browser to the portal of the nearest healthy Region.
//
// A [Redirector] is an http.Handler for the one address that people remember.
// It answers with 302 and Cache-Control: no-store, so that every visit is
// decided anew, and it probes the Regions to know where to send people:
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
//		Addr: ":443", Handler: rd, // the zero Server lets slow clients wait for ever
//		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
//		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
//	}
//	return server.ListenAndServeTLS(certFile, keyFile)
//
// # Where it fits
//
// It does by itself what one would otherwise put together from a DNS service's
// health checks and proximity routing (Route 53), routing controls (ARC) and a
// load balancer's redirect rule (ALB). It also goes well behind those: several
// redirectors, each in another Region, under one name whose DNS records or
// anycast route leave out a redirector that is gone. A lone redirector is a
// single point of failure for its own address; the Regions' own addresses,
// which belong among people's bookmarks, never depend on it.
//
// A redirect, unlike a DNS record, takes effect at once, and leaves every
// Region under its own host name: cookies, certificates and assertion consumer
// service URLs need nothing in common. Redirectors share no state: each probes
// for itself, and [Redirector.Set] reaches the one that it is called on.
//
// # Healthy
//
// A Region's health endpoint must answer GET with exactly 200, and the answer
// (of the body, the first 4 KiB) must arrive within [Config].Timeout. What the
// body says is not looked at. Redirects are not followed: an endpoint that
// answers with one is not healthy. So a Region whose URL is, by mistake, the
// redirector's own address is never used, instead of being a loop.
//
// UnhealthyThreshold and HealthyThreshold say how many probes in a row change what
// a Region is; only its very first one decides alone. If none can be used, people get 503
// with Retry-After and a page that says so: to send them to a Region that
// doesn't answer would only show them a worse one.
//
// # Where a browser can be sent
//
// To the origins in [Config].Regions, and nowhere else: nothing of a Location
// but, with KeepPath, a plain path and query comes from the request, and Host
// and forwarding headers are never read. Which of the Regions is nearest may
// depend on the request through [Config].Order; [ClientAddress] is one that
// goes by the browser's address.
//
// GET and HEAD are answered alike, because the AWS CLI follows a start URL with
// HEAD. Other methods get 405: a form posted here would arrive elsewhere as a
// GET without its fields. The redirect leads straight to the portal's origin,
// which is as far as that CLI follows.
package failover
