package acs_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// benchRegion is a Region on a MemoryStore, without a log.
type benchRegion struct {
	sp      *saml.ServiceProvider
	idp     *fakeIdP
	store   *recordingStore
	handler http.Handler
}

// recordingStore remembers the last Add.
type recordingStore struct {
	*acs.MemoryStore
	key   string
	value []byte
	exp   time.Time
}

func (s *recordingStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	s.key, s.value, s.exp = key, v, exp
	return s.MemoryStore.Add(ctx, key, v, exp)
}

func newBenchRegion(b *testing.B, change func(*saml.Config)) *benchRegion {
	idp := newFakeIdP(idpID, time.Now())
	described, err := saml.NewIdP(saml.IdPConfig{
		EntityID: idpID, SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}}, Certificates: certs(idp),
	})
	require.NoError(b, err)
	cfg := saml.Config{EntityID: entityID, IdP: described, ACS: []saml.Endpoint{{URL: usACS, Region: "us-east-1"}}}
	if change != nil {
		change(&cfg)
	}
	sp, err := saml.New(cfg)
	require.NoError(b, err)
	store := &recordingStore{MemoryStore: acs.NewMemoryStore(acs.MemoryConfig{})}
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Region: "us-east-1", Store: store, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		OnLogin: func(w http.ResponseWriter, _ *http.Request, _ *acs.Login) {
			w.Header().Set("Location", "/")
			w.WriteHeader(http.StatusSeeOther)
		},
	})
	require.NoError(b, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login"})
	return &benchRegion{sp: sp, idp: idp, store: store, handler: mux}
}

// discard is a ResponseWriter that keeps only the status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// serve returns how long the handler took, and its status.
func (g *benchRegion) serve(r *http.Request) (time.Duration, int) {
	w := &discard{header: make(http.Header)}
	start := time.Now()
	g.handler.ServeHTTP(w, r)
	return time.Since(start), w.status
}

func (g *benchRegion) verify(b *testing.B, raw []byte, want saml.VerifyOptions) time.Duration {
	start := time.Now()
	if _, err := g.sp.Verify(raw, want); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// good returns a valid answer to a request, or an unsolicited one if the ID is empty.
func (g *benchRegion) good(inResponseTo string) string {
	at := time.Now()
	return g.idp.encode(answer{
		id: "response", assertionID: "assertion", issuer: idpID, to: usACS, audience: entityID, nameID: "alice@example.com",
		inResponseTo: inResponseTo, issued: at, notOnOrAfter: at.Add(time.Hour), authn: at,
	})
}

// BenchmarkSignIn measures a sign-in from the POST to OnLogin with the store in memory, and Verify of the same
// response in the same loop. "times-Verify" is their ratio. Other numbers include the setup of each sign-in.
func BenchmarkSignIn(b *testing.B) {
	g := newBenchRegion(b, nil)
	rec := httptest.NewRecorder()
	g.handler.ServeHTTP(
		rec,
		httptest.NewRequest(http.MethodGet, "https://us-east-1.signin.example/login?return_to=/reports", nil),
	)
	require.Equal(b, http.StatusSeeOther, rec.Code)
	to, err := url.Parse(rec.Header().Get("Location"))
	require.NoError(b, err)
	cookie := rec.Result().Cookies()[0]
	key, record, exp := g.store.key, g.store.value, g.store.exp

	id := strings.TrimPrefix(cookie.Name, acs.CookiePrefix)
	response := g.good(id)
	form := url.Values{"SAMLResponse": {response}, "RelayState": {to.Query().Get("RelayState")}}.Encode()
	want := saml.VerifyOptions{ACS: usACS, RequestIDs: []string{id}}
	post := func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, usACS, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookie)
		// As before the sign-in: the request is waiting, and the assertion is unused.
		_, _ = g.store.Take(b.Context(), acs.AssertionKey(idpID, "assertion"))
		_, _ = g.store.Take(b.Context(), key)
		require.NoError(b, g.store.MemoryStore.Add(b.Context(), key, record, exp))
		return r
	}
	var pair pair
	for b.Loop() {
		took, status := g.serve(post())
		if status != http.StatusSeeOther {
			b.Fatal(status)
		}
		pair.add(took, g.verify(b, []byte(response), want))
	}
	pair.report(b)
	b.ReportMetric(
		testing.AllocsPerRun(100, func() { g.serve(post()) })-testing.AllocsPerRun(100, func() { post() }),
		"allocs/sign-in",
	)
	b.ReportMetric(testing.AllocsPerRun(100, func() { g.verify(b, []byte(response), want) }), "allocs/Verify")
}

// BenchmarkLogin measures GET /login, and in the same loop Verify of a valid response and, if requests are signed,
// one private-key operation.
func BenchmarkLogin(b *testing.B) {
	for _, signed := range []bool{false, true} {
		name := map[bool]string{false: "unsigned", true: "signed"}[signed]
		b.Run(name, func(b *testing.B) {
			g := newBenchRegion(b, func(cfg *saml.Config) {
				if signed {
					idp := newFakeIdP(entityID, time.Now())
					cfg.Key, cfg.Certificate, cfg.SignRequests = idp.key, idp.cert, true
				}
			})
			raw, want := []byte(g.good("")), saml.VerifyOptions{ACS: usACS, Unsolicited: true}
			digest := sha256.Sum256(raw)
			var pair pair
			for b.Loop() {
				took, status := g.serve(
					httptest.NewRequest(http.MethodGet, "https://us-east-1.signin.example/login?return_to=/reports", nil),
				)
				if status != http.StatusSeeOther {
					b.Fatal(status)
				}
				_, _ = g.store.Take(b.Context(), g.store.key)
				beside := g.verify(b, raw, want)
				if signed {
					start := time.Now()
					if _, err := rsa.SignPKCS1v15(nil, g.idp.key, crypto.SHA256, digest[:]); err != nil {
						b.Fatal(err)
					}
					beside += time.Since(start)
				}
				pair.add(took, beside)
			}
			pair.report(b)
		})
	}
}

// pair holds the durations of two operations, measured in turns. The lower deciles are compared, because other work
// on the machine only adds time.
type pair struct{ ours, verify []time.Duration }

func (p *pair) add(ours, verify time.Duration) {
	p.ours, p.verify = append(p.ours, ours), append(p.verify, verify)
}

func (p *pair) report(b *testing.B) {
	decile := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/10].Nanoseconds())
	}
	ours, verify := decile(p.ours), decile(p.verify)
	b.ReportMetric(ours/verify, "times-Verify")
	b.ReportMetric(ours, "ns/ours")
	b.ReportMetric(verify, "ns/Verify")
}
