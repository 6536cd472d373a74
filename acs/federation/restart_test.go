package federation_test

import (
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

// openSlow opens one source that is refreshed at most once an hour.
func openSlow(t testing.TB, c *clock, s federation.Source) *federation.Federation {
	t.Helper()
	s.AllowPrivateAddresses = true
	f, err := federation.Open(t.Context(), federation.Config{Sources: []federation.Source{s}, Now: c.now,
		MinRefresh: time.Hour, PollFiles: 500 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

func eventually(t testing.TB, f func() bool) {
	t.Helper()
	require.Eventually(t, f, 20*time.Second, time.Millisecond)
}

// A process that is restarted often still refreshes: a copy is as old as its file.
func TestCopyHasTheAgeOfItsFile(t *testing.T) {
	p := newPublisher(t, signed(t, aggregate("", oneIdP), trusted()))
	s := federation.Source{URL: p.URL, Keys: pinned(), Copy: filepath.Join(t.TempDir(), "fed.xml")}
	openSlow(t, &clock{}, s).Close()
	old := time.Now().Add(-10 * time.Hour)
	require.NoError(t, os.Chtimes(s.Copy, old, old))
	release := make(chan struct{})
	document := signed(t, aggregate("", oneIdP, twoIdP), trusted())
	p.handle(func(w http.ResponseWriter, _ *http.Request) { <-release; _, _ = io.WriteString(w, document) })
	f := openSlow(t, &clock{}, s)
	assert.WithinDuration(t, old, f.Status()[0].Fetched, time.Second)
	close(release)
	eventually(t, func() bool { _, err := f.IdP(twoIdP); return err == nil })
}

// F16: a copy that expired while the process was down is not used, but an older document is
// still refused.
func TestExpiredCopyPreventsRollback(t *testing.T) {
	c := &clock{}
	version := func(created, ends time.Duration) string {
		return signed(t, publishedUntil(c.now().Add(created), c.now().Add(ends), oneIdP), trusted())
	}
	p := newPublisher(t, version(-time.Hour, time.Hour))
	s := federation.Source{URL: p.URL, Keys: pinned(), Copy: filepath.Join(t.TempDir(), "fed.xml")}
	open(t, c, s).Close()
	p.publish(version(-2*time.Hour, 48*time.Hour))
	c.advance(2 * time.Hour)
	f := open(t, c, s)
	becomes(t, f, "MetadataRollback")
	_, err := f.IdP(oneIdP)
	requireReason(t, "MetadataExpired", err)
}

// While a source is reset, what it had stays in use.
func TestResetInterruptsNothing(t *testing.T) {
	p := newPublisher(t, signed(t, aggregate("", oneIdP), trusted()))
	f := openSlow(t, &clock{}, federation.Source{Name: "fed", URL: p.URL, Keys: pinned()})
	asked, release := make(chan struct{}), make(chan struct{})
	p.handle(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("If-None-Match"))
		close(asked)
		<-release
		w.WriteHeader(http.StatusBadGateway)
	})
	done := make(chan error)
	go func() { done <- f.Reset(t.Context(), "fed") }()
	<-asked
	_, err := f.IdP(oneIdP)
	close(release)
	requireReason(t, "MetadataFetch", <-done)
	require.NoError(t, err)
	_, err = f.IdP(oneIdP)
	require.NoError(t, err)
}

// Reset of a query service removes its copies, and no other file.
func TestResetRemovesOnlyCopies(t *testing.T) {
	p := queried(t, map[string]string{oneIdP: signed(t, descriptor()(oneIdP), trusted())})
	dir := filepath.Join(t.TempDir(), "[copies]")
	require.NoError(t, os.Mkdir(dir, 0o700))
	f := openSlow(t, &clock{}, federation.Source{Name: "q", Query: p.URL + "/", Keys: pinned(), Copy: dir})
	_, err := f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "operator.xml"), nil, 0o600))
	require.NoError(t, f.Reset(t.Context(), "q"))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, "operator.xml", left[0].Name())
}

// A file that is replaced by a broken one of another name is gone.
func TestFileIsReplacedByABrokenOne(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "one.xml"), []byte(descriptor()(oneIdP)), 0o600))
	f := openSlow(t, &clock{}, federation.Source{Dir: dir})
	_, err := f.IdP(oneIdP)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, "one.xml")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "two.xml"), []byte("<"), 0o600))
	eventually(t, func() bool { _, err := f.IdP(oneIdP); return err != nil })
}

// The end of a file's document is reported, although the file did not change.
func TestFileExpires(t *testing.T) {
	c := &clock{}
	file := filepath.Join(t.TempDir(), "fed.xml")
	require.NoError(t, os.WriteFile(file, []byte(aggregate(until(c.now().Add(time.Hour)), oneIdP)), 0o600))
	f := open(t, c, federation.Source{File: file})
	becomes(t, f, "")
	c.advance(2 * time.Hour)
	becomes(t, f, "MetadataExpired")
}

// A source that was never loaded is tried again soon.
func TestFirstLoadIsRetriedSoon(t *testing.T) {
	p := newPublisher(t, "")
	f := openSlow(t, &clock{}, federation.Source{URL: p.URL, Keys: pinned()})
	p.publish(signed(t, aggregate("", oneIdP), trusted()))
	eventually(t, func() bool { _, err := f.IdP(oneIdP); return err == nil })
}

// A validUntil that is more than a century ahead doesn't overflow.
func TestRefreshOfADistantEnd(t *testing.T) {
	p := newPublisher(t, signed(t, aggregate(until(time.Now().AddDate(120, 0, 0)), oneIdP), trusted()))
	f, err := federation.Open(t.Context(), federation.Config{Sources: []federation.Source{
		{URL: p.URL, Keys: pinned(), AllowPrivateAddresses: true}}, MinRefresh: time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	time.Sleep(200 * time.Millisecond)
	assert.EqualValues(t, 1, p.requests.Load())
}
