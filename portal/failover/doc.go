// Package failover sends a browser to the portal of the nearest healthy Region.
//
// A [Redirector] is an http.Handler for the one address that users remember. It answers with 302 and Cache-Control:
// no-store, so it chooses a Region for every visit. It probes the Regions to find the healthy ones:
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
// name, and let DNS or anycast remove a redirector that is down. A single redirector is a single point of failure for
// its own address. The Regions' own addresses don't depend on it. Users should bookmark one of them too.
//
// A redirect, unlike a DNS record, takes effect at once. Every Region keeps its own host name, so Regions need not
// share cookies, certificates or assertion consumer service URLs. Redirectors share no state. Each has its own probes,
// and [Redirector.Set] changes only its own redirector.
//
// # Health
//
// A Region's health endpoint must answer GET with exactly 200. The header and the first 4 KiB of the body must arrive
// within [Config].Timeout. The content of the body is ignored. A redirect is not followed and counts as a failure. So
// if a Region's URL is by mistake the redirector's own address, the Region is never used and can't cause a loop.
//
// A Region that answers 503 with {"status":"drained"} was taken out of rotation by an operator, in its portal. It is
// left at the first such probe, and used again after HealthyThreshold successes. Until then it is used as a Region that
// fails is: only with [On]. If all Regions are drained or fail, no user is sent anywhere, so keep one in.
//
// HealthyThreshold and UnhealthyThreshold are the numbers of consecutive probes that change a Region's state. The first
// probe of a Region sets its state alone. If no Region is usable, the answer is 503 with Retry-After and an error page,
// in [Config].Theme and in the browser's language.
//
// # Where a browser can be sent
//
// A Location always begins with an origin of [Config].Regions. With KeepPath it also has the request's path and query,
// if they are plain. Host and forwarding headers are never read. [Config].Order can choose the nearest Region by the
// request.
//
// GET and HEAD get the same answer, because the AWS CLI follows a start URL with HEAD. Other methods are answered with
// 405: a redirected form would arrive as a GET without its fields. The redirect leads directly to the portal's origin,
// because the AWS CLI follows only one.
package failover
