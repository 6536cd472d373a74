package failover_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/failover"
)

const (
	virginia  = "https://us-east-1.portal.example"
	frankfurt = "https://eu-central-1.portal.example"
	tokyo     = "https://ap-northeast-1.portal.example"
)

func regions() []failover.Region {
	return []failover.Region{
		{Name: "us-east-1", URL: virginia},
		{Name: "eu-central-1", URL: frankfurt},
		{Name: "ap-northeast-1", URL: tokyo},
	}
}

var errRefused = errors.New("connection refused")

// world is a fake network of the Regions' health endpoints.
type world struct {
	mu     sync.Mutex
	answer map[string]func(context.Context) (int, error) // status by host; missing: 200
	asked  map[string]int
}

func (w *world) say(region string, answer func(context.Context) (int, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.answer == nil {
		w.answer = make(map[string]func(context.Context) (int, error))
	}
	w.answer[region+".portal.example"] = answer
}

// drained stands for the answer of a Region that is out of rotation.
const drained = 1503

func (w *world) up(region string) {
	w.say(region, func(context.Context) (int, error) { return 200, nil })
}

func (w *world) down(region string) {
	w.say(region, func(context.Context) (int, error) { return 0, errRefused })
}

// hang never answers.
func (w *world) hang(region string) {
	w.say(region, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
}

func (w *world) times(region string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[region+".portal.example"]
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if w.asked == nil {
		w.asked = make(map[string]int)
	}
	w.asked[r.URL.Host]++
	answer := w.answer[r.URL.Host]
	w.mu.Unlock()
	status := 200
	if answer != nil {
		var err error
		if status, err = answer(r.Context()); err != nil {
			return nil, err
		}
	}
	body := io.NopCloser(strings.NewReader(`{"status":"ok"}`))
	if status == drained {
		status, body = 503, io.NopCloser(strings.NewReader(`{"status":"drained"}`+"\n"))
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: body, Request: r}, nil
}

// start makes a Redirector that probes w. It logs nothing unless cfg has a Logger.
func start(t testing.TB, w *world, cfg failover.Config) *failover.Redirector {
	t.Helper()
	if cfg.Regions == nil {
		cfg.Regions = regions()
	}
	if w != nil {
		cfg.Client = &http.Client{Transport: w}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	rd, err := failover.New(cfg)
	require.NoError(t, err)
	return rd
}

func get(h http.Handler, method, target string) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w.Result()
}

// leads returns where a browser is sent, or "".
func leads(rd *failover.Redirector) string {
	return get(rd, "GET", "https://portal.example/").Header.Get("Location")
}

func status(t testing.TB, rd *failover.Redirector, region string) failover.Status {
	t.Helper()
	for _, s := range rd.Status() {
		if s.Region == region {
			return s
		}
	}
	t.Fatalf("no status of %s", region)
	return failover.Status{}
}

func requireReason(t testing.TB, err error, want failover.Reason) {
	t.Helper()
	var e *failover.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, want, e.Reason, err.Error())
	require.True(t, strings.HasPrefix(err.Error(), "failover: "+string(want)+": "), err.Error())
}
