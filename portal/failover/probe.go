package failover

import (
	"context"
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

// maxBody is how much of a health endpoint's body is waited for.
const maxBody = 4 << 10

// Run probes all Regions, each at its own pace, until ctx ends; then it returns
// nil, and nothing of it is left running. Only one Run at a time: a second one
// returns an error with ReasonRunning at once.
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

// watch probes one Region until ctx ends.
func (rd *Redirector) watch(ctx context.Context, t *target) {
	for rd.probe(ctx, t) == nil {
		pause := time.NewTimer(jittered(rd.cfg.Interval))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// jittered is an interval, give or take a tenth. Nothing secret depends on it.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}

// Probe probes every Region once, all at the same time, and returns when the
// last has answered or run out of time: for tests, for a first round before
// serving, and for callers with a schedule of their own. If ctx ends first, the
// Regions that haven't answered stay what they were, and the error has
// ReasonCanceled; that a Region failed is no error. Beside a Run, its results
// count like Run's own.
func (rd *Redirector) Probe(ctx context.Context) error {
	errs := make([]error, len(rd.targets))
	var all sync.WaitGroup
	for i, t := range rd.targets {
		all.Go(func() { errs[i] = rd.probe(ctx, t) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// probe asks one Region and records the result. The error is that ctx ended:
// a probe that we broke off ourselves says nothing about the Region.
func (rd *Redirector) probe(ctx context.Context, t *target) error {
	result := rd.ask(ctx, t.Health)
	if result != nil && ctx.Err() != nil {
		return &Error{Reason: ReasonCanceled, Rule: "probe of " + t.Name, Want: "an answer before the context ended", Err: context.Cause(ctx)}
	}
	rd.record(t, result)
	return nil
}

// ask makes one probe. Nil is healthy.
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
		return rd.failed(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &Error{Reason: ReasonStatus, Rule: "health endpoint", Want: "200", Got: strconv.Itoa(resp.StatusCode)}
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody)); err != nil {
		return rd.failed(err)
	}
	return nil
}

func (rd *Redirector) failed(err error) error {
	var slow net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout() {
		return &Error{Reason: ReasonTimeout, Rule: "health endpoint", Want: "an answer within " + rd.cfg.Timeout.String(), Err: err}
	}
	return &Error{Reason: ReasonUnreachable, Rule: "health endpoint", Want: "an answer", Err: err}
}

// probeClient returns the client for probes, which follows no redirects.
func probeClient(given *http.Client) *http.Client {
	c := http.Client{}
	if given != nil {
		c = *given
	} else {
		c.Transport = &http.Transport{
			DialContext:            dial,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// dial asks no DNS server for names that mean this machine: plain http was
// accepted for them because of that.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && acs.IsLoopback(host) && net.ParseIP(host) == nil {
		address = net.JoinHostPort("localhost", port)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}
