package federation_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
)

// A client is an address, whatever its port, and in IPv6 a network of 64 bits.
func TestClientIsAnAddress(t *testing.T) {
	for _, address := range []string{"192.0.2.1:%d", "[2001:db8::%d]:1", "2001:db8::%d", "[::ffff:192.0.2.1]:%d"} {
		f := openSlow(t, &clock{}, federation.Source{Query: queried(t, nil).URL + "/", Keys: pinned()})
		var err error
		for i := range 21 {
			_, err = f.Find(t.Context(), fmt.Sprint("https://unknown.example/", i), fmt.Sprintf(address, i+1))
		}
		requireReason(t, "Busy", err)
	}
}

// Those of one network who ask for the same entity cause one fetch, and count once.
func TestJoinedQueriesCountOnce(t *testing.T) {
	release := make(chan struct{})
	document := signed(t, descriptor()(oneIdP), trusted())
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, _ *http.Request) { <-release; _, _ = io.WriteString(w, document) })
	f := openSlow(t, &clock{}, federation.Source{Query: p.URL + "/", Keys: pinned()})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := f.Find(t.Context(), oneIdP, client)
			assert.NoError(t, err)
		})
	}
	time.Sleep(100 * time.Millisecond)
	close(release)
	all.Wait()
}

// Close waits for what is fetched, and nothing is fetched after it.
func TestNothingIsFetchedAfterClose(t *testing.T) {
	c := &clock{}
	p := queried(t, map[string]string{oneIdP: signed(t, descriptor()(oneIdP), trusted())})
	f := openSlow(t, c, federation.Source{Query: p.URL + "/", Keys: pinned()})
	_, err := f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	c.advance(9 * time.Hour) // so that each Find refreshes
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			_, _ = f.Find(t.Context(), oneIdP, client)
			_, _ = f.Find(t.Context(), fmt.Sprint("https://unknown.example/", i), client)
		})
	}
	f.Close()
	n := p.requests.Load()
	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	_, err = f.Find(t.Context(), twoIdP, "192.0.2.9")
	requireReason(t, "Closed", err)
	all.Wait()
	assert.Equal(t, n, p.requests.Load())
}

// A service that fails is asked for a known entity once in MinRefresh, whatever clients do.
func TestFailedRefreshIsNotRepeatedByClients(t *testing.T) {
	c := &clock{}
	p := queried(t, map[string]string{oneIdP: signed(t, descriptor()(oneIdP), trusted())})
	f := openSlow(t, c, federation.Source{Query: p.URL + "/", Keys: pinned()})
	_, err := f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	p.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	c.advance(9 * time.Hour)
	for range 50 {
		_, err := f.Find(t.Context(), oneIdP, client)
		require.NoError(t, err)
		time.Sleep(2 * time.Millisecond)
	}
	assert.EqualValues(t, 2, p.requests.Load())
	c.advance(2 * time.Hour)
	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	eventually(t, func() bool { return p.requests.Load() == 3 })
}

// A query service that has a service provider of that name leaves it to the next source.
// Obligations: IIP-MD01.
func TestQueryAnswersWithAServiceProvider(t *testing.T) {
	sp := strings.ReplaceAll(descriptor()(oneIdP), "IDPSSODescriptor", "SPSSODescriptor")
	first := queried(t, map[string]string{oneIdP: signed(t, sp, trusted())})
	second := queried(t, map[string]string{oneIdP: signed(t, descriptor()(oneIdP), trusted())})
	f, err := federation.Open(t.Context(), federation.Config{Logger: slog.New(slog.DiscardHandler),
		Sources: []federation.Source{
			{Query: first.URL + "/", Keys: pinned(), AllowPrivateAddresses: true},
			{Query: second.URL + "/", Keys: pinned(), AllowPrivateAddresses: true}}})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
}

type reports chan string

func (r reports) ObserveMetadata(_ string, _, _ time.Duration, providers int, reason string) {
	r <- fmt.Sprint(providers, reason)
}

// A query service that fails is seen in the Status and by the Observer.
func TestQueryIsObserved(t *testing.T) {
	p := queried(t, map[string]string{oneIdP: signed(t, descriptor()(oneIdP), trusted())})
	seen := make(reports, 10)
	f, err := federation.Open(t.Context(), federation.Config{Logger: slog.New(slog.DiscardHandler), Observer: seen,
		Sources: []federation.Source{{Query: p.URL + "/", Keys: pinned(), AllowPrivateAddresses: true}}})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	assert.Equal(t, "1", <-seen)
	_, err = f.Find(t.Context(), twoIdP, client)
	requireReason(t, "MetadataEntity", err)
	assert.Equal(t, "1", <-seen)
	p.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	_, err = f.Find(t.Context(), "https://idp.three.example", client)
	requireReason(t, "MetadataFetch", err)
	assert.Equal(t, "1MetadataFetch", <-seen)
	requireReason(t, "MetadataFetch", f.Status()[0].Err)
	assert.Equal(t, 1, f.Status()[0].Providers)
}
