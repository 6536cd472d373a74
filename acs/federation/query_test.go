package federation_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/saml"
)

const client = "192.0.2.1:1234"

// queried is a query service that has these documents by name.
func queried(t testing.TB, documents map[string]string) *publisher {
	t.Helper()
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutPrefix(r.URL.Path, "/entities/")
		document, found := documents[name]
		if !ok || !found {
			http.NotFound(w, r)
			return
		}
		etag := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(document)))
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, document)
	})
	return p
}

// F31: an entity is fetched by the navigation that begins a sign-in, and not by a
// response. Its copy on disk is verified.
// Obligations: IIP-MD01, SDP-MD01.
func TestQuery(t *testing.T) {
	p := queried(t, map[string]string{oneIdP: signed(t, descriptor()(oneIdP), trusted())})
	s := federation.Source{Query: p.URL + "/", Keys: pinned(), Copy: t.TempDir()}
	f := open(t, &clock{}, s)
	_, err := f.IdP(oneIdP)
	requireReason(t, "MetadataEntity", err)
	assert.Zero(t, p.requests.Load(), "a response causes no fetch")
	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	_, err = f.IdP(oneIdP)
	require.NoError(t, err)

	// It is refreshed behind the back of those who ask.
	require.Eventually(t, func() bool {
		_, err := f.Find(t.Context(), oneIdP, client)
		return err == nil && p.requests.Load() > 2
	}, time.Minute, time.Millisecond)

	// Names that the service lacks are remembered.
	_, err = f.Find(t.Context(), twoIdP, client)
	requireReason(t, "MetadataEntity", err)
	n := p.requests.Load()
	_, err = f.Find(t.Context(), twoIdP, client)
	requireReason(t, "MetadataEntity", err)
	assert.LessOrEqual(t, p.requests.Load(), n+1, "only the first may be refreshed meanwhile")
	f.Close()

	// After a restart the copy serves, and a changed copy doesn't.
	f = open(t, &clock{}, s)
	_, err = f.IdP(oneIdP)
	require.NoError(t, err)
	f.Close()
	copies, err := filepath.Glob(filepath.Join(s.Copy, "*.xml"))
	require.NoError(t, err)
	require.Len(t, copies, 1)
	raw, err := os.ReadFile(copies[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(copies[0], []byte(strings.Replace(string(raw), "/sso/", "/evil/", 1)), 0o600))
	f = open(t, &clock{}, s)
	_, err = f.IdP(oneIdP)
	requireReason(t, "MetadataEntity", err)
}

// K08: responses that name identity providers cause no fetch, known to the service or
// not. After the navigation that begins a sign-in, the response is verified.
func TestResponsesCauseNoFetch(t *testing.T) {
	p := queried(t, map[string]string{oneIdP: signed(t, descriptor()(oneIdP), trusted())})
	f := open(t, &clock{}, federation.Source{Query: p.URL + "/", Keys: pinned()})
	const url = "https://sp.example/acs"
	sp, err := saml.New(saml.Config{EntityID: "https://sp.example", ACS: []saml.Endpoint{{URL: url}}, IdPs: f})
	require.NoError(t, err)
	verify := func(issuer string) error {
		_, err := sp.VerifyXML([]byte(`<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" `+
			`xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0" IssueInstant="2026-11-22T12:00:00Z">`+
			`<a:Issuer>`+issuer+`</a:Issuer><p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>`+
			`<a:Assertion/></p:Response>`), saml.VerifyOptions{ACS: url, Unsolicited: true})
		return err
	}
	for range 100 {
		requireReason(t, "MetadataEntity", verify(oneIdP))
	}
	_, err = sp.NewAuthnRequest(saml.RequestOptions{IdP: oneIdP})
	requireReason(t, "MetadataEntity", err)
	assert.Zero(t, p.requests.Load())

	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	requireReason(t, "Unsigned", verify(oneIdP))
	_, err = sp.NewAuthnRequest(saml.RequestOptions{IdP: oneIdP})
	require.NoError(t, err)
}

// Responses that name an entity with an invalid copy on disk don't read it again.
func TestInvalidCopyIsReadOnce(t *testing.T) {
	good, bad := signed(t, descriptor()(oneIdP), trusted()), signed(t, descriptor()(oneIdP), another())
	p := queried(t, nil)
	dir := t.TempDir()
	f := open(t, &clock{}, federation.Source{Query: p.URL + "/", Keys: pinned(), Copy: dir})
	_, err := f.IdP(oneIdP)
	requireReason(t, "MetadataEntity", err)
	sum := sha256.Sum256([]byte(oneIdP))
	path, at := filepath.Join(dir, hex.EncodeToString(sum[:])+".xml"), time.Now().Add(-time.Hour)
	write := func(document string, at time.Time) {
		require.NoError(t, os.WriteFile(path, []byte(document), 0o600))
		require.NoError(t, os.Chtimes(path, at, at))
	}
	write(bad, at)
	_, err = f.IdP(oneIdP)
	requireReason(t, "MetadataEntity", err)
	write(good, at)
	_, err = f.IdP(oneIdP)
	requireReason(t, "MetadataEntity", err)
	write(good, at.Add(time.Minute)) // as another node does
	_, err = f.IdP(oneIdP)
	require.NoError(t, err)
	assert.Zero(t, p.requests.Load())
}

// F28, and what else a service may answer.
// Obligations: IIP-MD01.
func TestQueryAnswers(t *testing.T) {
	for name, c := range map[string]struct{ document, want string }{
		"another entity": {signed(t, descriptor()(twoIdP), trusted()), "MetadataEntity"},
		"an aggregate":   {signed(t, aggregate("", oneIdP), trusted()), "MetadataEntity"},
		"two entities":   {signed(t, aggregate("", oneIdP, twoIdP), trusted()), "MetadataEntity"},
		"unsigned":       {descriptor()(oneIdP), "MetadataUnsigned"},
		"too long":       {strings.Repeat("<a/>", 300_000), "MetadataFetch"},
		"another key":    {signed(t, descriptor()(oneIdP), another()), "MetadataSignature"},
	} {
		t.Run(name, func(t *testing.T) {
			documents := map[string]string{oneIdP: c.document}
			p := queried(t, documents)
			f := open(t, &clock{}, federation.Source{Query: p.URL + "/", Keys: pinned()})
			_, err := f.Find(t.Context(), oneIdP, client)
			requireReason(t, c.want, err)
			documents[oneIdP] = signed(t, descriptor()(oneIdP), trusted())
			_, err = f.Find(t.Context(), oneIdP, client)
			require.NoError(t, err, "a failure is not remembered as a lack")
		})
	}
}

// F29: a name is one segment of the path.
// Obligations: IIP-MD01.
func TestQueryPaths(t *testing.T) {
	var paths sync.Map
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, r *http.Request) { paths.Store(r.RequestURI, true); http.NotFound(w, r) })
	f := open(t, &clock{}, federation.Source{Query: p.URL + "/mdq/", Keys: pinned()})
	for name, want := range map[string]string{
		"https://idp.example/a b": "/mdq/entities/https:%2F%2Fidp.example%2Fa%20b",
		"../../admin":             "/mdq/entities/..%2F..%2Fadmin",
		"a%2fb":                   "/mdq/entities/a%252fb",
		"a?b#c":                   "/mdq/entities/a%3Fb%23c",
		"a+b":                     "/mdq/entities/a%2Bb",
		"{sha1}0123":              "/mdq/entities/%7Bsha1%7D0123",
	} {
		_, err := f.Find(t.Context(), name, name)
		requireReason(t, "MetadataEntity", err)
		_, asked := paths.LoadAndDelete(want)
		assert.True(t, asked, "%s: %s", name, want)
	}
	for _, name := range []string{"", ".", "..", "a\nb", "a\x00b", strings.Repeat("a", 2000)} {
		_, err := f.Find(t.Context(), name, name)
		requireReason(t, "MetadataEntity", err)
	}
	paths.Range(func(path, _ any) bool { return assert.Fail(t, "asked for", path) })
}

// K08: a flood of unknown names is bounded by client, costs the service little, and
// those that are known are served.
func TestQueryFlood(t *testing.T) {
	p := queried(t, map[string]string{oneIdP: signed(t, descriptor()(oneIdP), trusted())})
	c := &clock{}
	f := open(t, c, federation.Source{Query: p.URL + "/", Keys: pinned()})
	_, err := f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	busy := 0
	for i := range 100_000 {
		_, err := f.Find(t.Context(), fmt.Sprint("https://unknown.example/", i), client)
		if strings.Contains(err.Error(), "Busy") {
			busy++
		}
		_, err = f.IdP(fmt.Sprint("https://posted.example/", i))
		requireReason(t, "MetadataEntity", err)
	}
	assert.Greater(t, busy, 99_000)
	assert.Less(t, p.requests.Load(), int64(1000))
	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	_, err = f.Find(t.Context(), "https://new.example", "192.0.2.2:1")
	requireReason(t, "MetadataEntity", err)
	c.advance(2 * time.Minute)
	_, err = f.Find(t.Context(), "https://new2.example", client)
	requireReason(t, "MetadataEntity", err)
}

// Those who ask for one name at the same time wait for one fetch; one who leaves leaves
// the others with it.
func TestQueriesAreJoined(t *testing.T) {
	var n atomic.Int64
	release := make(chan struct{})
	document := signed(t, descriptor()(oneIdP), trusted())
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		<-release
		_, _ = io.WriteString(w, document)
	})
	f, err := federation.Open(t.Context(), federation.Config{Sources: []federation.Source{
		{Query: p.URL + "/", Keys: pinned(), AllowPrivateAddresses: true}}})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			_, err := f.Find(t.Context(), oneIdP, fmt.Sprint(i))
			assert.NoError(t, err)
		})
	}
	require.Eventually(t, func() bool { return n.Load() == 1 }, time.Minute, time.Millisecond)
	close(release)
	all.Wait()
	assert.LessOrEqual(t, n.Load(), int64(2))
}

// Connections to addresses that are not public are refused.
func TestOnlyPublicAddresses(t *testing.T) {
	for _, address := range []string{"127.0.0.1:80", "[::ffff:10.0.0.1]:80", "169.254.169.254:80", "localhost:80"} {
		assert.Error(t, federation.CheckAddress(address), address)
	}
	assert.NoError(t, federation.CheckAddress("8.8.8.8:443"))
}
