package portal_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// arrival is the request and the cookies of a browser that returns from the identity provider.
type arrival struct {
	form    string
	cookies []*http.Cookie
}

// BenchmarkSignIn measures a whole sign-in in a Region, from the POST of the response to the
// session: two requests, the response verified, the request taken, the replay record and the
// session made, all in memory. Making the responses isn't measured, and takes longer: -benchtime
// 4000x is enough.
func BenchmarkSignIn(b *testing.B) { benchSignIn(b, nil) }

// BenchmarkSignInAudited is BenchmarkSignIn with an event on disk for each. Many browsers at a time
// share an fsync.
func BenchmarkSignInAudited(b *testing.B) {
	l, err := audit.Open(audit.Config{
		Dir: b.TempDir(), Region: "us-east-1", InsecurePlaintext: true, AccessPerHour: 1 << 30,
	})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, l.Close()) })
	b.SetParallelism(64)
	benchSignIn(b, l)
}

func benchSignIn(b *testing.B, l *audit.Log) {
	p, idp := benchPortal(b, l)
	browsers := make([]arrival, b.N)
	for i := range browsers {
		browsers[i] = comeBack(b, p, idp)
	}
	var next atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if code := finish(p, browsers[next.Add(1)-1]); code != http.StatusSeeOther {
				b.Errorf("the sign-in ended with %d", code)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sign-ins/s")
}

func benchPortal(b *testing.B, l *audit.Log) (http.Handler, *mockidp.Server) {
	b.Helper()
	idp := mockidp.New(mockidp.Config{Users: []mockidp.User{{Login: "alice@example.com"}}})
	b.Cleanup(idp.Close)
	trusted, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(b, err)
	sp, err := saml.New(saml.Config{EntityID: entityID,
		ACS: []saml.Endpoint{{URL: "https://" + virginia + acsPath, Region: "us-east-1"}}, IdP: trusted})
	require.NoError(b, err)
	metadata, err := sp.Metadata()
	require.NoError(b, err)
	require.NoError(b, idp.RegisterSP("", metadata))
	inst, err := center.New(data())
	require.NoError(b, err)
	view, err := inst.In("us-east-1")
	require.NoError(b, err)
	p, err := portal.New(portal.Config{Region: "us-east-1", SP: sp, Directory: view,
		Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler), Audit: l})
	require.NoError(b, err)
	return p, idp
}

// comeBack starts a sign-in and returns the identity provider's response.
func comeBack(b *testing.B, p http.Handler, idp *mockidp.Server) arrival {
	b.Helper()
	w := serve(p, httptest.NewRequest(http.MethodGet, "https://"+virginia+"/login", nil))
	require.Contains(b, []int{http.StatusFound, http.StatusSeeOther}, w.Code)
	form, err := idp.Answer(w.Header().Get("Location"), "alice@example.com")
	require.NoError(b, err)
	return arrival{form.Values().Encode(), w.Result().Cookies()}
}

// finish posts the response and follows the redirect to the start of the session.
func finish(p http.Handler, a arrival) int {
	post := httptest.NewRequest(http.MethodPost, "https://"+virginia+acsPath, strings.NewReader(a.form))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range a.cookies {
		post.AddCookie(c)
	}
	w := serve(p, post)
	if w.Code != http.StatusSeeOther {
		return w.Code
	}
	next := httptest.NewRequest(http.MethodGet, "https://"+virginia+w.Header().Get("Location"), nil)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge >= 0 {
			next.AddCookie(c)
		}
	}
	w = serve(p, next)
	for _, c := range w.Result().Cookies() {
		if c.Name == portal.SessionCookie {
			return w.Code
		}
	}
	return 0 // no session
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
