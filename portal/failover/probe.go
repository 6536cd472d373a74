package failover

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// statusDrained is what a Region's health endpoint says of a Region that an operator took out of rotation.
const statusDrained = "drained"

// maxBody is how much of a health endpoint's body is read.
const maxBody = 4 << 10

// Run probes all Regions, each at its own pace, until ctx ends. Then it stops its goroutines and returns nil. A second
// concurrent Run returns an error with ReasonRunning at once.
func (rd *Redirector) Run(ctx context.Context) error {
	if !rd.running.CompareAndSwap(false, true) {
		return &Error{Reason: ReasonRunning, Rule: "Run", Want: "one Run at a time", Got: "a second"}
	}
	defer rd.running.Store(false)
	var all sync.WaitGroup
	for _, t := range rd.targets {
		all.Go(func() { rd.watch(ctx, t) })
	}
	all.Wait()
	return nil
}

func (rd *Redirector) watch(ctx context.Context, t *target) {
	for rd.probe(ctx, t) == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(jittered(rd.cfg.Interval)):
		}
	}
}

// jittered varies an interval by up to a tenth. The randomness needs no security.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}

// Probe probes every Region once, concurrently, and returns when the last has answered or timed out. It is for tests,
// for a first round before serving, and for callers with their own schedule. A Region's failure is not an error. If ctx
// ends first, the Regions that haven't answered keep their state, and the error has ReasonCanceled. Probe may be called
// during Run; its results count in the same way.
func (rd *Redirector) Probe(ctx context.Context) error {
	errs := make([]error, len(rd.targets))
	var all sync.WaitGroup
	for i, t := range rd.targets {
		all.Go(func() { errs[i] = rd.probe(ctx, t) })
	}
	all.Wait()
	return cmp.Or(errs...)
}

// probe probes one Region and records the result. It returns an error only if ctx ended: a probe that was canceled
// says nothing about the Region.
func (rd *Redirector) probe(ctx context.Context, t *target) error {
	result := rd.ask(ctx, t.Health)
	if result != nil && ctx.Err() != nil {
		const want = "an answer before the context ended"
		return &Error{Reason: ReasonCanceled, Rule: "probe of " + t.Name, Want: want, Err: context.Cause(ctx)}
	}
	rd.record(t, result)
	return nil
}

// ask makes one probe. Nil means healthy.
func (rd *Redirector) ask(ctx context.Context, health string) error {
	ctx, cancel := context.WithTimeout(ctx, rd.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, health, nil)
	if err != nil {
		return &Error{Reason: ReasonUnreachable, Rule: "health endpoint", Err: err} // checked by New
	}
	req.Header.Set("User-Agent", "meridian-failover")
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := rd.client.Do(req)
	if err != nil {
		return rd.probeError(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var body struct{ Status string }
		err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&body)
		if err == nil && body.Status == statusDrained {
			return &Error{Reason: ReasonDrained, Rule: "health endpoint", Want: "200", Got: statusDrained}
		}
		return &Error{Reason: ReasonStatus, Rule: "health endpoint", Want: "200", Got: strconv.Itoa(resp.StatusCode)}
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody)); err != nil {
		return rd.probeError(err)
	}
	return nil
}

func (rd *Redirector) probeError(err error) error {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		want := "an answer within " + rd.cfg.Timeout.String()
		return &Error{Reason: ReasonTimeout, Rule: "health endpoint", Want: want, Err: err}
	}
	return &Error{Reason: ReasonUnreachable, Rule: "health endpoint", Want: "an answer", Err: err}
}

// probeClient returns the client for probes, which follows no redirects.
func probeClient(given *http.Client) *http.Client {
	c := http.Client{}
	if given != nil {
		c = *given
	} else {
		c.Transport = &http.Transport{DialContext: dial, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10}
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// dial resolves loopback names without DNS. This is why plain http is safe for them.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && acs.IsLoopback(host) && net.ParseIP(host) == nil {
		address = net.JoinHostPort("localhost", port)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}
