package acs_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

const (
	entityID = "https://us-east-1.signin.example/platform/saml/d-9067f1a2b3"
	idpID    = "https://idp.example/saml"
	usACS    = "https://us-east-1.signin.example/platform/saml/acs/4455"
	euACS    = "https://eu-central-1.signin.example/platform/saml/acs/4455"
	euDual   = "https://eu-central-1.signin.api.example/platform/saml/acs/4455"
)

func newClock() *testkit.Clock {
	return testkit.NewClock(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
}

// world is one service provider with two Regions, an identity provider, and the verdict on every response.
type world struct {
	t     *testing.T
	clock *testkit.Clock
	idp   *fakeIdP
	sp    *saml.ServiceProvider
	store acs.Store // the default store of regions
	logs  *safeBuffer
	n     atomic.Int64

	mu       sync.Mutex
	logins   []*acs.Login
	verdicts []acs.Verdict
}

// safeBuffer is a log that can be read while it is written.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newWorld(t *testing.T, change ...func(*saml.Config)) *world {
	w := &world{t: t, clock: newClock(), logs: new(safeBuffer)}
	w.idp = newFakeIdP(idpID, w.clock.Now())
	w.store = acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now})
	cfg := saml.Config{
		EntityID: entityID, Now: w.clock.Now, IdP: w.idpMetadata(),
		ACS: []saml.Endpoint{
			{URL: usACS, Region: "us-east-1"},
			{URL: euACS, Region: "eu-central-1"},
			{URL: euDual, Region: "eu-central-1", Family: saml.DualStack},
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	w.sp, err = saml.New(cfg)
	require.NoError(t, err)
	return w
}

func (w *world) idpMetadata() *saml.IdP { return w.idpNamed(idpID) }

func (w *world) idpNamed(name string) *saml.IdP {
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: name,
		SSO: []saml.SSOService{
			{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso?app=1"},
			{Binding: saml.HTTPPost, URL: "https://idp.example/sso/post"},
		},
		Certificates: certs(w.idp),
	})
	require.NoError(w.t, err)
	return idp
}

func certs(f *fakeIdP) []*x509.Certificate { return []*x509.Certificate{f.cert} }

func (w *world) regionConfig(name string) acs.Config {
	return acs.Config{
		SP: w.sp, Region: name, Store: w.store,
		OnLogin: func(rw http.ResponseWriter, r *http.Request, l *acs.Login) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.logins = append(w.logins, l)
			http.Redirect(rw, r, "/signed-in", http.StatusSeeOther)
		},
		OnVerdict: func(_ context.Context, v acs.Verdict) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.verdicts = append(w.verdicts, v)
		},
		Logger: slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// region is one node of a Region, mounted.
func (w *world) region(name string, change ...func(*acs.Config)) http.Handler {
	w.t.Helper()
	cfg := w.regionConfig(name)
	for _, c := range change {
		c(&cfg)
	}
	region, err := acs.NewRegion(cfg)
	require.NoError(w.t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	return mux
}

func accept(cfg *acs.Config)  { cfg.Unsolicited = acs.Accept }
func restart(cfg *acs.Config) { cfg.Unsolicited = acs.Restart }

// good returns a valid answer.
func (w *world) good(to, inResponseTo string) answer {
	n, now := w.n.Add(1), w.clock.Now()
	return answer{
		id: fmt.Sprintf("response-%d", n), assertionID: fmt.Sprintf("assertion-%d", n), issuer: idpID,
		to: to, audience: entityID, nameID: "alice@example.com", inResponseTo: inResponseTo,
		issued: now, notOnOrAfter: now.Add(5 * time.Minute), authn: now,
	}
}

func (w *world) loginCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.logins)
}

func (w *world) lastLogin() *acs.Login {
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NotEmpty(w.t, w.logins)
	return w.logins[len(w.logins)-1]
}

func (w *world) lastVerdict() acs.Verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NotEmpty(w.t, w.verdicts)
	return w.verdicts[len(w.verdicts)-1]
}

// accepted and refused check the answer, the verdict and the logins.
func (w *world) accepted(rec *httptest.ResponseRecorder) *acs.Login {
	w.t.Helper()
	require.Equal(w.t, http.StatusSeeOther, rec.Code, "%+v", w.lastVerdict())
	require.Equal(w.t, "/signed-in", rec.Header().Get("Location"))
	v := w.lastVerdict()
	require.True(w.t, v.Accepted)
	require.Empty(w.t, v.Reason)
	return w.lastLogin()
}

func (w *world) refused(rec *httptest.ResponseRecorder, status int, reason any) acs.Verdict {
	w.t.Helper()
	v := w.lastVerdict()
	require.Equal(w.t, fmt.Sprint(reason), v.Reason, "%+v", v)
	require.Equal(w.t, status, rec.Code, "%+v", v)
	require.False(w.t, v.Accepted)
	return v
}

// brokenStore fails as configured.
type brokenStore struct {
	acs.Store
	add, take atomic.Bool
}

var errBroken = errors.New("connection lost")

func (s *brokenStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if s.add.Load() {
		return errBroken
	}
	return s.Store.Add(ctx, key, v, exp)
}

func (s *brokenStore) Take(ctx context.Context, key string) ([]byte, error) {
	if s.take.Load() {
		return nil, errBroken
	}
	return s.Store.Take(ctx, key)
}

// concurrently runs f in goroutines that start together.
func concurrently(n int, f func(i int)) {
	var wait sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wait.Add(1)
		go func() {
			defer wait.Done()
			<-start
			f(i)
		}()
	}
	close(start)
	wait.Wait()
}
