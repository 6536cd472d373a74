package federation_test

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
)

// The cacheDuration of a document, or the time left until its validUntil, decides when
// it is fetched again.
// Obligations: IIP-MD02.
func TestDocumentsSayWhenTheyAreFetchedAgain(t *testing.T) {
	soon := newPublisher(t, signed(t, aggregate(`cacheDuration="PT0.05S"`, oneIdP), trusted()))
	ends := `validUntil="` + time.Now().Add(200*time.Millisecond).UTC().Format(time.RFC3339Nano) + `"`
	ending := newPublisher(t, signed(t, aggregate(ends, oneIdP), trusted()))
	long := newPublisher(t, signed(t, aggregate(`cacheDuration="P1D"`, oneIdP), trusted()))
	never := newPublisher(t, signed(t, aggregate("", oneIdP), trusted()))
	var sources []federation.Source
	for _, p := range []*publisher{soon, ending, long, never} {
		sources = append(sources, federation.Source{URL: p.URL, Keys: pinned(), AllowPrivateAddresses: true})
	}
	f, err := federation.Open(t.Context(), federation.Config{Sources: sources, Logger: slog.New(slog.DiscardHandler),
		MinRefresh: time.Millisecond, MaxRefresh: time.Hour})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	eventually(t, func() bool { return soon.requests.Load() > 5 && ending.requests.Load() > 5 })
	assert.EqualValues(t, 1, long.requests.Load())
	assert.EqualValues(t, 1, never.requests.Load())
}

// A source that fails is tried less and less often, and one without metadata sooner.
func TestRetriesBackOff(t *testing.T) {
	cfg := federation.Config{MinRefresh: 10 * time.Minute, MaxRefresh: 8 * time.Hour}
	for loaded, want := range map[bool][]time.Duration{
		true:  {10 * time.Minute, 20 * time.Minute, 30 * time.Minute},
		false: {2 * time.Second, 4 * time.Second, 8 * time.Second},
	} {
		for i, d := range want {
			assert.Equal(t, d, federation.Retry(cfg, i+1, loaded))
		}
	}
	assert.Equal(t, cfg.MaxRefresh, federation.Retry(cfg, 1000, true))
	assert.Equal(t, cfg.MinRefresh, federation.Retry(cfg, 1000, false))
}

// The fetches of many nodes are spread over a fifth of the time.
func TestFetchesAreSpread(t *testing.T) {
	first, last := time.Hour, time.Duration(0)
	for range 1000 {
		d := federation.Jitter(time.Hour)
		first, last = min(first, d), max(last, d)
	}
	assert.GreaterOrEqual(t, first, 54*time.Minute)
	assert.LessOrEqual(t, last, 66*time.Minute)
	assert.Greater(t, last-first, 6*time.Minute)
}

// observed is what an Observer was told.
type observed struct {
	age, left time.Duration
	providers int
	reason    string
}

type observer chan observed

func (o observer) ObserveMetadata(_ string, age, left time.Duration, providers int, reason string) {
	select {
	case o <- observed{age, left, providers, reason}:
	default:
	}
}

// The Observer gets the age of the metadata in use, and the time left until its end.
func TestAgeAndTimeLeftAreObserved(t *testing.T) {
	c := &clock{}
	p := newPublisher(t, signed(t, aggregate(until(c.now().Add(10*time.Hour)), oneIdP, twoIdP), trusted()))
	seen := make(observer, 1)
	f, err := federation.Open(t.Context(), federation.Config{
		Sources: []federation.Source{{URL: p.URL, Keys: pinned(), AllowPrivateAddresses: true}}, Observer: seen,
		Now: c.now, MinRefresh: time.Millisecond, MaxRefresh: time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	first := <-seen
	require.Equal(t, observed{first.age, first.left, 2, ""}, first)
	require.Less(t, first.age, time.Minute)
	require.InDelta(t, 10*time.Hour, first.left, float64(time.Minute))

	p.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	for step, want := range []observed{
		{3 * time.Hour, 7 * time.Hour, 2, "MetadataFetch"}, {11 * time.Hour, -time.Hour, 2, "MetadataFetch"},
	} {
		c.offset.Store(int64(want.age))
		eventually(t, func() bool {
			got := <-seen
			return got.reason == want.reason && got.providers == want.providers &&
				(got.age-want.age).Abs() < time.Minute && (got.left-want.left).Abs() < time.Minute
		})
		require.WithinDuration(t, time.Now(), f.Status()[0].Fetched, time.Minute, step)
	}
}

// A document is compressed on its way.
func TestGzip(t *testing.T) {
	document := signed(t, aggregate("", oneIdP), trusted())
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "gzip", r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, document)
		_ = z.Close()
	})
	f := open(t, &clock{}, federation.Source{URL: p.URL, Keys: pinned()})
	_, err := f.IdP(oneIdP)
	require.NoError(t, err)
}

// A URL may have the metadata of one entity, and is redirected by any of these codes.
// Obligations: IIP-MD02.
func TestEntityByRedirectedURL(t *testing.T) {
	for _, code := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect} {
		target := newPublisher(t, signed(t, descriptor()(oneIdP), trusted()))
		p := newPublisher(t, "")
		p.handle(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, code) })
		f := open(t, &clock{}, federation.Source{URL: p.URL, Keys: pinned()})
		_, err := f.IdP(oneIdP)
		require.NoError(t, err, code)
	}
}

// A file with pinned keys is verified as a URL's document is, and is not rolled back.
func TestFileWithKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fed.xml")
	write := func(document string) {
		require.NoError(t, os.WriteFile(file+".new", []byte(document), 0o600))
		require.NoError(t, os.Rename(file+".new", file))
	}
	write(signed(t, published(time.Now(), oneIdP), trusted()))
	f := open(t, &clock{}, federation.Source{File: file, Keys: pinned()})
	becomes(t, f, "")
	for want, document := range map[string]string{
		"MetadataUnsigned":  published(time.Now(), oneIdP, twoIdP),
		"MetadataSignature": signed(t, published(time.Now(), oneIdP, twoIdP), another()),
		"MetadataRollback":  signed(t, published(time.Now().Add(-time.Hour), oneIdP, twoIdP), trusted()),
	} {
		write(document)
		becomes(t, f, want)
		_, err := f.IdP(oneIdP)
		require.NoError(t, err)
		_, err = f.IdP(twoIdP)
		requireReason(t, "MetadataEntity", err)
	}
}

// The skew between clocks is allowed for validUntil, of a document and of an entity.
// Obligations: IIP-G01, SDP-G01.
func TestValidUntilAllowsSkew(t *testing.T) {
	c := &clock{}
	end := c.now().Add(time.Hour)
	for name, document := range map[string]string{
		"document": aggregate(until(end), oneIdP), "entity": aggregate("", oneIdP),
	} {
		c.offset.Store(0)
		if name == "entity" {
			document = entityUntil(document, oneIdP, end)
		}
		f := openSlow(t, c, federation.Source{URL: newPublisher(t, signed(t, document, trusted())).URL, Keys: pinned()})
		c.advance(time.Hour + 170*time.Second)
		_, err := f.IdP(oneIdP)
		require.NoError(t, err, name)
		c.advance(20 * time.Second)
		_, err = f.IdP(oneIdP)
		requireReason(t, "MetadataExpired", err)
	}
}

// A source that was never read has no age, and no end.
func TestNoAgeWithoutMetadata(t *testing.T) {
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	seen := make(observer, 1)
	f, err := federation.Open(t.Context(), federation.Config{
		Sources: []federation.Source{{URL: p.URL, Keys: pinned(), AllowPrivateAddresses: true}}, Observer: seen,
		Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	require.Equal(t, observed{-1, 0, 0, "MetadataFetch"}, <-seen)
}
