package failover_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/failover"
)

// A Region that says that it was taken out of rotation is left at the first probe, and comes back as any other does.
func TestDrainedRegionIsLeftAtOnce(t *testing.T) {
	w := &world{}
	rd := start(t, w, failover.Config{})
	probe := func(answer int) bool {
		w.say("us-east-1", func(context.Context) (int, error) { return answer, nil })
		require.NoError(t, rd.Probe(t.Context()))
		return status(t, rd, "us-east-1").Healthy
	}
	require.True(t, probe(200))
	require.True(t, probe(503), "a fault needs three")
	require.False(t, probe(drained))
	var e *failover.Error
	require.ErrorAs(t, status(t, rd, "us-east-1").LastError, &e)
	require.Equal(t, failover.ReasonDrained, e.Reason)
	require.Equal(t, frankfurt+"/", leads(rd))
	require.False(t, probe(503))
	require.False(t, probe(200))
	require.True(t, probe(200))

	require.NoError(t, rd.Set("us-east-1", failover.On))
	require.False(t, probe(drained))
	require.Equal(t, virginia+"/", leads(rd), "On counts more than what the Region says")
}

// TestHysteresis has a letter for each probe, + or -, and for the Region's state after it: H for
// healthy, u for unhealthy.
func TestHysteresis(t *testing.T) {
	for _, c := range []struct {
		name               string
		healthy, unhealthy int
		assume             bool
		probes, want       string
	}{
		{"the first decides: up", 3, 3, false, "+", "H"},
		{"the first decides: down", 3, 3, false, "-", "u"},
		{"after a bad first, in a row", 3, 2, false, "-++-+++", "uuuuuuH"},
		{"healthy until the threshold of failures", 2, 3, true, "---", "HHu"},
		{"single failures change nothing", 2, 3, false, "+--+--+---", "HHHHHHHHHu"},
		{"single successes change nothing", 2, 1, false, "+-+-++", "HuuuuH"},
		{"there and back", 2, 2, false, "+--++--", "HHuuHHu"},
		{"thresholds of 1 follow each probe", 1, 1, false, "-+-+", "uHuH"},
		{"defaults are 2 and 3", 0, 0, false, "+---++", "HHHuuH"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{}
			rd := start(t, w, failover.Config{
				HealthyThreshold: c.healthy, UnhealthyThreshold: c.unhealthy, AssumeHealthy: c.assume,
			})
			var got strings.Builder
			for _, p := range c.probes {
				if p == '+' {
					w.up("us-east-1")
				} else {
					w.down("us-east-1")
				}
				require.NoError(t, rd.Probe(t.Context()))
				s := status(t, rd, "us-east-1")
				require.Equal(t, s.Healthy, s.Usable)
				require.Equal(t, p == '+', s.LastError == nil)
				require.Equal(t, s.Healthy, leads(rd) == virginia+"/")
				if s.Healthy {
					got.WriteByte('H')
				} else {
					got.WriteByte('u')
				}
			}
			require.Equal(t, c.want, got.String())
		})
	}
}

// Only Status uses the clock. One that returns the zero time changes no decision.
func TestHysteresisIgnoresTheClock(t *testing.T) {
	w := &world{}
	rd := start(t, w, failover.Config{
		HealthyThreshold: 2, UnhealthyThreshold: 1, Now: func() time.Time { return time.Time{} },
	})
	w.down("us-east-1")
	require.NoError(t, rd.Probe(t.Context()))
	w.up("us-east-1")
	for _, healthy := range []bool{false, true} {
		require.NoError(t, rd.Probe(t.Context()))
		require.Equal(t, healthy, status(t, rd, "us-east-1").Healthy)
	}
}

func TestStatusTimes(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	made := now
	w := &world{}
	rd := start(t, w, failover.Config{UnhealthyThreshold: 2, Now: func() time.Time { return now }})
	s := status(t, rd, "us-east-1")
	require.Equal(t, failover.Status{Region: "us-east-1", URL: virginia, Since: made}, s)

	probe := func() failover.Status {
		now = now.Add(time.Second)
		require.NoError(t, rd.Probe(t.Context()))
		return status(t, rd, "us-east-1")
	}
	s = probe()
	require.Equal(t, now, s.Since)
	require.Equal(t, now, s.LastProbe)
	up := now
	w.down("us-east-1")
	s = probe()
	require.Equal(t, up, s.Since)
	require.Equal(t, now, s.LastProbe)
	requireReason(t, s.LastError, failover.ReasonUnreachable)
	require.ErrorIs(t, s.LastError, errRefused)
	require.Equal(t, now, probe().Since)
}

// patient is a timeout that is long enough for a busy machine.
const patient = time.Minute

// TestHealthyAnswers uses real connections and the redirector's own client.
func TestHealthyAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   failover.Reason // empty: healthy
	}{
		{"200", func(w http.ResponseWriter, r *http.Request) {}, ""},
		{"200 with any body", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"status":"unavailable"}`))
		}, ""},
		{"a body without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, ""},
		{"an incomplete body", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("half"))
		}, failover.ReasonUnreachable},
		{"headers without end", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 100<<10))
		}, failover.ReasonUnreachable},
		{"503", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }, failover.ReasonStatus},
		{"204", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }, failover.ReasonStatus},
		{"404", http.NotFound, failover.ReasonStatus},
		{"a redirect to a healthy page", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/health" {
				http.Redirect(w, r, "/fine", http.StatusFound)
			}
		}, failover.ReasonStatus},
		{"no answer", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, failover.ReasonTimeout},
		{"no end of the answer", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, failover.ReasonTimeout},
		{"no HTTP", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, failover.ReasonUnreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := make(chan *http.Request, 100)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked <- r
				c.answer(w, r)
			}))
			defer srv.Close()
			probe := func(timeout time.Duration) {
				t.Helper()
				rd := start(t, nil, failover.Config{Timeout: timeout, Regions: []failover.Region{{Name: "r", URL: srv.URL}}})
				require.NoError(t, rd.Probe(t.Context()))
				s := status(t, rd, "r")
				if c.want == "" {
					require.NoError(t, s.LastError)
				} else {
					requireReason(t, s.LastError, c.want)
				}
				require.Equal(t, c.want == "", s.Healthy)
			}
			if c.want == failover.ReasonTimeout {
				// A busy machine may take longer to send the request.
				for timeout := 50 * time.Millisecond; len(asked) == 0; timeout *= 2 {
					require.Less(t, timeout, time.Minute)
					probe(timeout)
				}
			} else {
				probe(patient)
				require.Len(t, asked, 1)
			}
			r := <-asked
			require.Equal(t, "GET /health", r.Method+" "+r.URL.Path)
		})
	}
}

// Names below localhost are this machine, whatever DNS says. Health may be at another host than the
// portal.
func TestLocalhostNamesAreDialledHere(t *testing.T) {
	var host, uri string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, uri = r.Host, r.RequestURI
	}))
	defer srv.Close()
	name := "us-east-1.localhost:" + srv.URL[strings.LastIndexByte(srv.URL, ':')+1:]
	region := failover.Region{Name: "r", URL: virginia, Health: "http://" + name + "/deep/health?from=failover"}
	rd := start(t, nil, failover.Config{Timeout: patient, Regions: []failover.Region{region}})
	require.NoError(t, rd.Probe(t.Context()))
	require.NoError(t, status(t, rd, "r").LastError)
	require.Equal(t, name, host)
	require.Equal(t, "/deep/health?from=failover", uri)
	require.Equal(t, virginia+"/", leads(rd))
}

// A Region whose URL is the redirector's own address causes no loop.
func TestRedirectorIsNotARegion(t *testing.T) {
	var rd *failover.Redirector
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { rd.ServeHTTP(w, r) }))
	defer srv.Close()
	rs := []failover.Region{{Name: "self", URL: srv.URL}, {Name: "us-east-1", URL: virginia, Control: failover.On}}
	rd = start(t, nil, failover.Config{Timeout: patient, Regions: rs})
	require.NoError(t, rd.Probe(t.Context()))
	require.Equal(t, virginia+"/", leads(rd))
	requireReason(t, status(t, rd, "self").LastError, failover.ReasonStatus)
}

func TestClientIsCopiedAndFollowsNoRedirects(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			http.Redirect(w, r, "/fine", http.StatusFound)
		}
	}))
	defer srv.Close()
	client := srv.Client()
	regions := []failover.Region{{Name: "r", URL: srv.URL}}
	rd, err := failover.New(failover.Config{Timeout: patient, Client: client, Regions: regions})
	require.NoError(t, err)
	require.NoError(t, rd.Probe(t.Context()))
	requireReason(t, status(t, rd, "r").LastError, failover.ReasonStatus)
	require.Nil(t, client.CheckRedirect)
}

func TestCanceledProbeChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		rd := start(t, w, failover.Config{UnhealthyThreshold: 1})
		require.NoError(t, rd.Probe(t.Context()))
		before := status(t, rd, "us-east-1")
		w.hang("us-east-1")
		w.down("eu-central-1")
		stop := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() { done <- rd.Probe(ctx) }()
		synctest.Wait() // Frankfurt has answered, Virginia hasn't
		cancel(stop)
		err := <-done
		requireReason(t, err, failover.ReasonCanceled)
		require.ErrorIs(t, err, stop)
		require.Equal(t, before, status(t, rd, "us-east-1"))
		require.False(t, status(t, rd, "eu-central-1").Healthy)
	})
}
