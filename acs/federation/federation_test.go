package federation_test

import (
	"compress/gzip"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/saml"
)

func asError[E error](err error, to *E) bool { return errors.As(err, to) }

// A signed aggregate is read, asked for again only if it changed, and what it
// changes to is used.
// Obligations: IIP-MD02, SDP-MD01.
func TestRefresh(t *testing.T) {
	c := &clock{}
	var version, whole atomic.Int64
	p := newPublisher(t, "")
	documents := []string{signed(t, aggregate("", oneIdP), trusted()), signed(t, aggregate("", oneIdP, twoIdP), trusted())}
	p.handle(func(w http.ResponseWriter, r *http.Request) {
		etag := []string{`"a"`, `"b"`}[version.Load()]
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		assert.Contains(t, r.Header.Get("Accept"), "application/samlmetadata+xml")
		whole.Add(1)
		w.Header().Set("ETag", etag)
		_, _ = io.WriteString(w, documents[version.Load()])
	})
	f := open(t, c, federation.Source{URL: p.URL, Keys: pinned()})
	_, err := f.IdP(oneIdP)
	require.NoError(t, err)
	_, err = f.IdP(twoIdP)
	requireReason(t, "MetadataEntity", err)
	source, err := f.Source(oneIdP)
	require.NoError(t, err)
	require.Equal(t, oneIdP, source.IdP().EntityID())

	before := p.requests.Load()
	require.Eventually(t, func() bool { return p.requests.Load() > before+5 }, time.Minute, time.Millisecond)
	assert.EqualValues(t, 1, whole.Load(), "an unchanged document is not sent again")
	version.Store(1)
	require.Eventually(t, func() bool { _, err := f.IdP(twoIdP); return err == nil }, time.Minute, time.Millisecond)
	assert.Equal(t, []string{oneIdP, twoIdP}, f.EntityIDs())
	f.Close()
	_, err = f.IdP(twoIdP)
	require.NoError(t, err)
}

// What is refused leaves what is in use (F01, F02, F12, F14, F15, F18, F20).
// Obligations: IIP-MD03, IIP-MD04, SDP-MD02, SDP-MD03.
func TestTheLastGoodDocumentServes(t *testing.T) {
	good := signed(t, aggregate(until(time.Now().Add(48*time.Hour)), oneIdP), trusted())
	for name, c := range map[string]struct {
		bad  http.HandlerFunc
		want string
	}{
		"F01 unsigned": {serve(aggregate(until(time.Now().Add(49*time.Hour)), oneIdP)), "MetadataUnsigned"},
		"F02 another key": {serve(signed(t, aggregate(until(time.Now().Add(49*time.Hour)), oneIdP), another())),
			"MetadataSignature"},
		"F12 over": {serve(signed(t, aggregate(until(time.Now().Add(-time.Hour)), oneIdP), trusted())),
			"MetadataExpired"},
		"F14 without end": {serve(signed(t, aggregate("", oneIdP), trusted())), "MetadataValidity"},
		"F15 thirty years": {serve(signed(t, aggregate(until(time.Now().AddDate(30, 0, 0)), oneIdP), trusted())),
			"MetadataValidity"},
		"F18 cut": {serve(good[:len(good)/2]), "Metadata"},
		"F18 aborted": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			panic(http.ErrAbortHandler)
		}, "MetadataFetch"},
		"F18 dripping": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}, "MetadataFetch"},
		"F20 HTML":    {serve("<html><body>Sign in</body></html>"), "Metadata"},
		"F20 nothing": {serve(""), "Metadata"},
		"an error": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
			"MetadataFetch"},
		"gone": {http.NotFound, "MetadataFetch"},
		"F30 304": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
			"MetadataFetch"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPublisher(t, good)
			f := open(t, &clock{}, federation.Source{URL: p.URL, Keys: pinned(), MaxValidity: 28 * 24 * time.Hour})
			_, err := f.IdP(oneIdP)
			require.NoError(t, err, "the twin")
			p.handle(c.bad)
			becomes(t, f, c.want)
			_, err = f.IdP(oneIdP)
			require.NoError(t, err)
			p.publish(good)
			becomes(t, f, "")
		})
	}
}

func serve(document string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, document) }
}

// F16: an older document is refused, after a restart too, until an operator resets.
func TestRollback(t *testing.T) {
	day := time.Now().Truncate(24 * time.Hour)
	for name, version := range map[string]func(days int) string{
		"by publication": func(days int) string { return published(day.AddDate(0, 0, days-10), oneIdP) },
		"by validUntil":  func(days int) string { return aggregate(until(day.AddDate(0, 0, days)), oneIdP) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPublisher(t, signed(t, version(5), trusted()))
			s := federation.Source{Name: "fed", URL: p.URL, Keys: pinned(), Copy: filepath.Join(t.TempDir(), "fed.xml")}
			f := open(t, &clock{}, s)
			p.publish(signed(t, version(4), trusted()))
			becomes(t, f, "MetadataRollback")
			f.Close()
			f = open(t, &clock{}, s)
			becomes(t, f, "MetadataRollback")
			_, err := f.IdP(oneIdP)
			require.NoError(t, err)
			require.NoError(t, f.Reset(t.Context(), "fed"))
			becomes(t, f, "")
			p.publish(signed(t, version(6), trusted()))
			becomes(t, f, "")
		})
	}
}

// F13, F17: a document that is repeated until its end is then refused, and so is an
// entity whose own end has come.
// Obligations: IIP-MD04.
func TestExpiry(t *testing.T) {
	c := &clock{}
	document := aggregate(until(c.now().Add(24*time.Hour)), oneIdP, twoIdP)
	document = strings.Replace(document, `entityID="`+twoIdP+`"`, `entityID="`+twoIdP+`" `+until(c.now().Add(time.Hour)), 1)
	p := newPublisher(t, signed(t, document, trusted()))
	f := open(t, c, federation.Source{URL: p.URL, Keys: pinned()})
	_, err := f.IdP(twoIdP)
	require.NoError(t, err)
	c.advance(2 * time.Hour)
	_, err = f.IdP(twoIdP)
	requireReason(t, "MetadataExpired", err)
	_, err = f.IdP(oneIdP)
	require.NoError(t, err)
	c.advance(23 * time.Hour)
	_, err = f.IdP(oneIdP)
	requireReason(t, "MetadataExpired", err)
	becomes(t, f, "MetadataExpired")
}

// F10, F32: keys of one source say nothing about another, and the first source that has
// an entity ID decides.
// Obligations: IIP-MD03.
func TestSourcesAreApart(t *testing.T) {
	first := newPublisher(t, signed(t, aggregate("", oneIdP), trusted()))
	second := newPublisher(t, signed(t, aggregate("", oneIdP, twoIdP), trusted()))
	keys := pinned()[:0:0]
	f := open(t, &clock{}, federation.Source{URL: first.URL, Keys: pinned()},
		federation.Source{URL: second.URL, Keys: append(keys, another().Public())})
	requireReason(t, "MetadataSignature", f.Status()[1].Err)
	_, err := f.IdP(twoIdP)
	requireReason(t, "MetadataEntity", err)

	third := newPublisher(t, signed(t, strings.ReplaceAll(aggregate("", oneIdP, twoIdP), "/sso/", "/other/"), another()))
	f = open(t, &clock{}, federation.Source{URL: first.URL, Keys: pinned()},
		federation.Source{URL: third.URL, Keys: append(keys, another().Public())})
	idp, err := f.IdP(oneIdP)
	require.NoError(t, err)
	alone := open(t, &clock{}, federation.Source{URL: first.URL, Keys: pinned()})
	same, err := alone.IdP(oneIdP)
	require.NoError(t, err)
	assert.Equal(t, same.SSOServices(), idp.SSOServices())
	_, err = f.IdP(twoIdP)
	require.NoError(t, err)
}

// F31: a copy that was changed on disk is not believed, and one that is good serves
// while the source is away.
func TestTheCopyIsVerified(t *testing.T) {
	p := newPublisher(t, signed(t, aggregate("", oneIdP), trusted()))
	s := federation.Source{URL: p.URL, Keys: pinned(), Copy: filepath.Join(t.TempDir(), "fed.xml")}
	open(t, &clock{}, s).Close()
	p.handle(http.NotFound)
	f := open(t, &clock{}, s)
	_, err := f.IdP(oneIdP)
	require.NoError(t, err)
	f.Close()

	raw, err := os.ReadFile(s.Copy)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(s.Copy, []byte(strings.Replace(string(raw), oneIdP, twoIdP, 1)), 0o600))
	f = open(t, &clock{}, s)
	for _, id := range []string{oneIdP, twoIdP} {
		_, err = f.IdP(id)
		requireReason(t, "MetadataEntity", err)
	}
}

// F19: a gzip bomb is refused at a bounded cost.
func TestGzipBomb(t *testing.T) {
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		blank := make([]byte, 1<<20)
		for range 1 << 10 {
			if _, err := z.Write(blank); err != nil {
				return
			}
		}
		_ = z.Close()
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := federation.Open(t.Context(), federation.Config{Sources: []federation.Source{{URL: p.URL, Keys: pinned(),
		AllowPrivateAddresses: true}}})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	runtime.ReadMemStats(&after)
	requireReason(t, "MetadataFetch", f.Status()[0].Err)
	assert.Less(t, after.Sys-before.Sys, uint64(512<<20))
}

// F25: redirects stay in their scheme and end, and lead to no address that is not
// allowed.
func TestRedirects(t *testing.T) {
	good := newPublisher(t, signed(t, aggregate("", oneIdP), trusted()))
	p := newPublisher(t, "")
	for to, want := range map[string]string{
		good.URL: "", strings.Replace(good.URL, "//", "//user:secret@",
			1): "MetadataFetch", p.URL: "MetadataFetch", "file:///etc/passwd": "MetadataFetch",
		"https://127.0.0.1:1/": "MetadataFetch",
	} {
		p.handle(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) })
		f := open(t, &clock{}, federation.Source{URL: p.URL, Keys: pinned()})
		if want == "" {
			require.NoError(t, f.Status()[0].Err, to)
		} else {
			requireReason(t, want, f.Status()[0].Err)
		}
		f.Close()
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)

	reached := false
	private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	t.Cleanup(private.Close)
	f, err := federation.Open(t.Context(), federation.Config{Sources: []federation.Source{{URL: private.URL,
		Keys: pinned()}}})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	requireReason(t, "MetadataFetch", f.Status()[0].Err)
	assert.ErrorContains(t, f.Status()[0].Err, "is not public, and AllowPrivateAddresses is not set")
	assert.False(t, reached)
}

// Files of a directory are read when they change; one that is broken hurts no other, and
// an entity ID that two files have is refused.
func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".new"), []byte(text), 0o600))
		require.NoError(t, os.Rename(filepath.Join(dir, name+".new"), filepath.Join(dir, name)))
	}
	write("one.xml", descriptor()(oneIdP))
	write("broken.xml", "<")
	write("notes.txt", "not metadata")
	f := open(t, &clock{}, federation.Source{Dir: dir})
	_, err := f.IdP(oneIdP)
	require.NoError(t, err)
	becomes(t, f, "Metadata")
	write("broken.xml", descriptor()(twoIdP))
	becomes(t, f, "")
	_, err = f.IdP(twoIdP)
	require.NoError(t, err)
	write("third.xml", descriptor()(twoIdP))
	require.Eventually(t, func() bool { _, err := f.IdP(twoIdP); return err != nil }, time.Minute, time.Millisecond)
	_, err = f.IdP(oneIdP)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, "third.xml")))
	require.Eventually(t, func() bool { _, err := f.IdP(twoIdP); return err == nil }, time.Minute, time.Millisecond)
}

// A service provider follows what is published, and refuses responses of an identity
// provider that left (I09).
// Obligations: SDP-MD01.
func TestSourceFollowsWhatIsPublished(t *testing.T) {
	p := newPublisher(t, signed(t, aggregate("", oneIdP), trusted()))
	f := open(t, &clock{}, federation.Source{URL: p.URL, Keys: pinned()})
	source, err := f.Source(oneIdP)
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: "https://sp.example", ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}},
		IdP: source})
	require.NoError(t, err)
	response := []byte("PHNhbWxwOlJlc3BvbnNlLz4=")
	verdict := func() string {
		_, err := sp.Verify(response, saml.VerifyOptions{ACS: "https://sp.example/acs", Unsolicited: true})
		return err.Error()
	}
	assert.NotContains(t, verdict(), "validUntil")
	before := source.IdP()
	p.publish(signed(t, aggregate(until(time.Now().Add(time.Hour)), oneIdP), trusted()))
	require.Eventually(t, func() bool { return source.IdP() != before }, time.Minute, time.Millisecond)
	p.publish(signed(t, aggregate("", twoIdP), trusted()))
	require.Eventually(t, func() bool { return strings.Contains(verdict(), "validUntil") }, time.Minute, time.Millisecond)
}

// Descriptions has each identity provider once, and Version changes with them.
func TestDescriptions(t *testing.T) {
	documents := []string{signed(t, aggregate("", oneIdP), trusted()), signed(t, aggregate("", twoIdP), trusted())}
	var published atomic.Int64
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, r *http.Request) {
		n := published.Load()
		etag := fmt.Sprintf(`"%d"`, n)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", etag)
		_, _ = io.WriteString(w, documents[n])
	})
	second := filepath.Join(t.TempDir(), "second.xml")
	require.NoError(t, os.WriteFile(second, []byte(aggregate("", oneIdP, twoIdP)), 0o600))
	f := open(t, &clock{}, federation.Source{URL: p.URL, Keys: pinned()}, federation.Source{File: second})
	names := func() (ids []string) {
		for d := range f.Descriptions() {
			ids = append(ids, d.EntityID)
		}
		return ids
	}
	require.Equal(t, []string{oneIdP, twoIdP}, names())
	for range f.Descriptions() {
		break
	}
	before, requests := f.Version(), p.requests.Load()
	require.Eventually(t, func() bool { return p.requests.Load() > requests+3 }, time.Minute, time.Millisecond)
	require.Equal(t, before, f.Version(), "an unchanged document")
	published.Store(1)
	require.Eventually(t, func() bool { return f.Version() != before }, time.Minute, time.Millisecond)
	require.Equal(t, []string{twoIdP, oneIdP}, names())
}

// Each identity provider has the policy that is given for its entity ID.
func TestPolicy(t *testing.T) {
	p := newPublisher(t, signed(t, aggregate("", oneIdP, twoIdP), trusted()))
	var asked atomic.Int64
	f, err := federation.Open(t.Context(), federation.Config{
		Sources: []federation.Source{{URL: p.URL, Keys: pinned(), AllowPrivateAddresses: true}},
		Policy: func(entityID string) saml.IdPPolicy {
			asked.Add(1)
			if entityID == oneIdP {
				return saml.IdPPolicy{Skew: -1}
			}
			return saml.IdPPolicy{RefuseUnsolicited: true}
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	defer f.Close()
	for range 3 {
		_, err = f.IdP(oneIdP)
		requireReason(t, "Config", err)
		_, err = f.IdP(twoIdP)
		require.NoError(t, err)
	}
	assert.EqualValues(t, 2, asked.Load())
}

// Obligations: SDP-MD02.
func TestConfig(t *testing.T) {
	for name, c := range map[string]federation.Config{
		"no source":  {},
		"no place":   {Sources: []federation.Source{{}}},
		"two places": {Sources: []federation.Source{{URL: "https://a.example", File: "a"}}},
		"no key":     {Sources: []federation.Source{{URL: "https://a.example"}}},
		"both": {Sources: []federation.Source{{URL: "https://a.example", Keys: pinned(),
			InsecureUnverified: true}}},
		"unverified http": {Sources: []federation.Source{{URL: "http://a.example", InsecureUnverified: true}}},
		"unverified copy": {Sources: []federation.Source{{URL: "https://a.example", InsecureUnverified: true,
			Copy: "a"}}},
		"another scheme":        {Sources: []federation.Source{{URL: "file:///a", Keys: pinned()}}},
		"a query without slash": {Sources: []federation.Source{{Query: "https://a.example/q", Keys: pinned()}}},
		"a copy of a file":      {Sources: []federation.Source{{File: "a", Copy: "b"}}},
		"the same name":         {Sources: []federation.Source{{File: "a"}, {File: "a"}}},
		"negative":              {Sources: []federation.Source{{File: "a"}}, Timeout: -1},
		"skew":                  {Sources: []federation.Source{{File: "a"}}, Skew: time.Hour},
		"max below min":         {Sources: []federation.Source{{File: "a"}}, MaxRefresh: time.Second},
		"the same copy": {Sources: []federation.Source{
			{URL: "https://a.example", Keys: pinned(), Copy: "a"}, {URL: "https://b.example", Keys: pinned(), Copy: "./a"}}},
		"a source behind a query": {Sources: []federation.Source{
			{Query: "https://a.example/", Keys: pinned()}, {File: "a"}}},
		"no key of a kind": {Sources: []federation.Source{{File: "a", Keys: []crypto.PublicKey{trusted()}}}},
		"a nil key": {Sources: []federation.Source{{File: "a",
			Keys: []crypto.PublicKey{(*rsa.PublicKey)(nil)}}}},
		"user info in the place": {Sources: []federation.Source{{URL: "https://u:p@a.example", Keys: pinned()}}},
	} {
		f, err := federation.Open(t.Context(), c)
		requireReason(t, "Config", err)
		require.Nil(t, f, name)
		require.NotContains(t, err.Error(), "u:p")
	}
}
