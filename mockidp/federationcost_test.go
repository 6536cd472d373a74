package mockidp_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// measured is an answer of which only the status, the length and the headers are kept.
type measured struct {
	header       http.Header
	status, size int
}

func (c *measured) Header() http.Header { return c.header }
func (c *measured) WriteHeader(s int)   { c.status = s }
func (c *measured) Write(b []byte) (int, error) {
	c.size += len(b)
	return len(b), nil
}

func measure(idp *mockidp.Server, u string, header ...string) *measured {
	r := httptest.NewRequest(http.MethodGet, u, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	c := &measured{header: http.Header{}}
	idp.Handler().ServeHTTP(c, r)
	return c
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// An aggregate of 10,000 entities is made once, also if several clients ask at once. Faulty documents share its
// memory, and answers to queries are bounded.
func TestFederationIsMadeOnce(t *testing.T) {
	idp := federated(t, 10_000)
	before := heap()
	etags := make([]string, 8)
	var clients sync.WaitGroup
	for i := range etags {
		clients.Go(func() { etags[i] = measure(idp, idp.FederationURL()).header.Get("ETag") })
	}
	clients.Wait()
	whole := measure(idp, idp.FederationURL())
	for _, etag := range etags {
		assert.Equal(t, whole.header.Get("ETag"), etag)
	}
	assert.Greater(t, whole.size, 20<<20)

	var was, is runtime.MemStats
	runtime.ReadMemStats(&was)
	for range 100 {
		measure(idp, idp.FederationURL())
	}
	runtime.ReadMemStats(&is)
	assert.Less(t, int(is.TotalAlloc-was.TotalAlloc), 10<<20, "a request copies nothing")

	for _, kind := range mockidp.FaultKinds() {
		switch kind {
		case mockidp.MetadataOld, mockidp.MetadataExpired, mockidp.MetadataUnsigned, mockidp.MetadataTampered,
			mockidp.MetadataOtherKey, mockidp.MetadataIdPKey, mockidp.MetadataNoValidUntil,
			mockidp.MetadataLongValidity, mockidp.MetadataBroken, mockidp.MetadataDuplicate:
			require.NoError(t, idp.Inject(mockidp.Fault{Kind: kind, Count: 1}))
			c := measure(idp, idp.FederationURL())
			assert.Greater(t, c.size, 20<<20, kind)
			assert.NotEqual(t, whole.header.Get("ETag"), c.header.Get("ETag"), kind)
		}
	}
	for i := range 3000 {
		measure(idp, queryURL(idp, idp.FederationQueryURL()+strconv.Itoa(i)))
	}
	zipped := measure(idp, idp.FederationURL(), "Accept-Encoding", "gzip")
	assert.Less(t, zipped.size, whole.size/5)
	assert.Less(t, heap()-before, whole.size*3/2)
	runtime.KeepAlive(idp)
}

func BenchmarkFederation(b *testing.B) {
	for b.Loop() {
		federation := mockidp.Federation{Entities: 10_000, Key: testkit.RSAKey("federation")}
		idp := mockidp.New(mockidp.Config{Federation: federation})
		b.SetBytes(int64(measure(idp, idp.FederationURL()).size))
		idp.Close()
	}
}
