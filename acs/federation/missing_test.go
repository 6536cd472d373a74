package federation_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/saml"
)

// entityUntil gives an entity of a document its own end.
func entityUntil(document, entityID string, end time.Time) string {
	name := `entityID="` + entityID + `"`
	return strings.Replace(document, name, name+" "+until(end), 1)
}

// Status 404 isn't signed: it doesn't end the use of verified metadata before its
// validUntil, and the log has it. What has no end, or only TLS protects, is removed.
func TestUnsignedAbsenceEndsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		ends, unverified bool
		kept             bool
	}{
		"with an end":    {ends: true, kept: true},
		"without an end": {},
		"unverified":     {ends: true, unverified: true},
	} {
		t.Run(name, func(t *testing.T) {
			now := &clock{}
			document := descriptor()(oneIdP)
			if c.ends {
				document = entityUntil(document, oneIdP, now.now().Add(24*time.Hour))
			}
			p := queried(t, map[string]string{oneIdP: signed(t, document, trusted())})
			s := federation.Source{Query: p.URL + "/", Keys: pinned(), Copy: t.TempDir()}
			if c.unverified {
				s.Keys, s.Copy, s.InsecureUnverified = nil, "", true
			}
			f := openSlow(t, now, s)
			_, err := f.Find(t.Context(), oneIdP, client)
			require.NoError(t, err)
			p.handle(http.NotFound)
			now.advance(9 * time.Hour)
			_, err = f.Find(t.Context(), oneIdP, client)
			require.NoError(t, err, "it is refreshed meanwhile")
			if !c.kept {
				eventually(t, func() bool { _, err := f.IdP(oneIdP); return err != nil })
				return
			}
			becomes(t, f, "MetadataFetch")
			assert.ErrorContains(t, f.Status()[0].Err, "404")
			_, err = f.IdP(oneIdP)
			require.NoError(t, err)
			copies, err := filepath.Glob(filepath.Join(s.Copy, "*.xml"))
			require.NoError(t, err)
			require.Len(t, copies, 1)

			now.advance(24 * time.Hour)
			_, err = f.Find(t.Context(), oneIdP, client)
			requireReason(t, "MetadataEntity", err)
			copies, err = filepath.Glob(filepath.Join(s.Copy, "*.xml"))
			require.NoError(t, err)
			require.Empty(t, copies)
		})
	}
}

// A sign-in with an entity whose metadata expired is refused for that, and the cause says
// why the service has not replaced it.
func TestExpiredEntityOfAServiceThatFails(t *testing.T) {
	c := &clock{}
	lasting := func(d time.Duration) string {
		return signed(t, entityUntil(descriptor()(oneIdP), oneIdP, c.now().Add(d)), trusted())
	}
	p := queried(t, map[string]string{oneIdP: lasting(time.Hour)})
	f := openSlow(t, c, federation.Source{Query: p.URL + "/", Keys: pinned()})
	_, err := f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	c.advance(2 * time.Hour)
	_, err = f.IdP(oneIdP)
	requireReason(t, "MetadataExpired", err)

	p.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	find := func(cause federation.Reason) {
		t.Helper()
		_, err := f.Find(t.Context(), oneIdP, client)
		var expired *saml.Error
		require.ErrorAs(t, err, &expired)
		require.Equal(t, saml.ReasonMetadataExpired, expired.Reason)
		var why *federation.Error
		require.ErrorAs(t, err, &why)
		require.Equal(t, cause, why.Reason, "%v", err)
	}
	for range 20 {
		find(federation.ReasonFetch)
	}
	find(federation.ReasonBusy)
	_, err = f.Find(t.Context(), twoIdP, "192.0.2.2")
	requireReason(t, "MetadataFetch", err) // it was never known

	c.advance(2 * time.Minute)
	next := lasting(time.Hour)
	p.publish(next)
	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
}

// A signed answer that the entity is no identity provider any more removes it.
func TestSignedAbsenceEndsTheUse(t *testing.T) {
	c := &clock{}
	end := c.now().Add(24 * time.Hour)
	documents := map[string]string{oneIdP: signed(t, entityUntil(descriptor()(oneIdP), oneIdP, end), trusted())}
	f := openSlow(t, c, federation.Source{Query: queried(t, documents).URL + "/", Keys: pinned()})
	_, err := f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	sp := strings.ReplaceAll(descriptor()(oneIdP), "IDPSSODescriptor", "SPSSODescriptor")
	documents[oneIdP] = signed(t, entityUntil(sp, oneIdP, end.Add(time.Hour)), trusted())
	c.advance(9 * time.Hour)
	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	eventually(t, func() bool { _, err := f.IdP(oneIdP); return err != nil })
}

// F16 for a query service: an entity is not rolled back, after a restart neither, until
// an operator resets the source.
func TestQueryRollback(t *testing.T) {
	c := &clock{}
	version := func(hours int) string {
		end := c.now().Add(time.Duration(hours) * time.Hour)
		return signed(t, entityUntil(descriptor()(oneIdP), oneIdP, end), trusted())
	}
	documents := map[string]string{oneIdP: version(48)}
	p := queried(t, documents)
	s := federation.Source{Name: "q", Query: p.URL + "/", Keys: pinned(), Copy: t.TempDir()}
	f := openSlow(t, c, s)
	_, err := f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	older, newer := version(47), version(49)
	documents[oneIdP] = older
	for restart := range 2 {
		c.advance(9 * time.Hour)
		if restart == 1 {
			f.Close()
			f = openSlow(t, c, s)
		}
		_, err = f.Find(t.Context(), oneIdP, client)
		require.NoError(t, err)
		becomes(t, f, "MetadataRollback")
	}
	require.NoError(t, f.Reset(t.Context(), "q"))
	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	becomes(t, f, "")
	documents[oneIdP] = newer
	c.advance(9 * time.Hour)
	n := p.requests.Load()
	_, err = f.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	eventually(t, func() bool { return p.requests.Load() > n })
	becomes(t, f, "")
}

// One node of a Region fetches, and the others use its copy: an unknown entity, and one
// whose metadata in memory has expired.
// Obligations: IIP-MD01.
func TestNodesShareCopies(t *testing.T) {
	c := &clock{}
	version := func(hours int) string {
		end := c.now().Add(time.Duration(hours) * time.Hour)
		return signed(t, entityUntil(descriptor()(oneIdP), oneIdP, end), trusted())
	}
	documents := map[string]string{oneIdP: version(1)}
	p := queried(t, documents)
	s := federation.Source{Query: p.URL + "/", Keys: pinned(), Copy: t.TempDir()}
	first, other := openSlow(t, c, s), openSlow(t, c, s)
	_, err := other.IdP(oneIdP)
	requireReason(t, "MetadataEntity", err)
	_, err = first.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	old, err := other.IdP(oneIdP)
	require.NoError(t, err)

	documents[oneIdP] = version(100)
	c.advance(2 * time.Hour)
	_, err = other.IdP(oneIdP)
	requireReason(t, "MetadataExpired", err)
	_, err = first.Find(t.Context(), oneIdP, client)
	require.NoError(t, err)
	n := p.requests.Load()
	renewed, err := other.IdP(oneIdP)
	require.NoError(t, err)
	require.True(t, renewed.ValidUntil().After(old.ValidUntil()))
	require.Equal(t, n, p.requests.Load(), "the other node fetched nothing")
}

// F32: a source that was never loaded doesn't stop sign-ins at the identity providers of
// later ones. Once it was, later ones don't replace it, also when it expires or fails.
func TestSourceThatWasNeverLoaded(t *testing.T) {
	c := &clock{}
	first := newPublisher(t, "")
	first.handle(http.NotFound)
	second := newPublisher(t, signed(t, aggregate("", oneIdP, twoIdP), trusted()))
	var log bytes.Buffer
	f, err := federation.Open(t.Context(), federation.Config{
		Sources: []federation.Source{
			{Name: "first", URL: first.URL, Keys: pinned(), AllowPrivateAddresses: true},
			{Name: "second", URL: second.URL, Keys: pinned(), AllowPrivateAddresses: true},
		},
		Now: c.now, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	for _, id := range []string{oneIdP, twoIdP} {
		_, err = f.IdP(id)
		require.NoError(t, err)
	}
	requireReason(t, "MetadataFetch", f.Status()[0].Err)
	require.Contains(t, log.String(), "source=first reason=MetadataFetch")

	first.publish(signed(t, aggregate(until(c.now().Add(time.Hour)), oneIdP), trusted()))
	require.NoError(t, f.Reset(t.Context(), "first"))
	c.advance(2 * time.Hour)
	_, err = f.IdP(oneIdP)
	requireReason(t, "MetadataExpired", err)
	_, err = f.IdP(twoIdP)
	require.NoError(t, err)
}

// The slow names of a few clients leave room for others, and the networks of one IPv6
// site count together.
func TestSlowQueriesOfManyAddresses(t *testing.T) {
	for name, address := range map[string]string{
		"addresses": "192.0.2.%d:1", "networks of one site": "[2001:db8:0:%x::1]:1",
	} {
		t.Run(name, func(t *testing.T) {
			document := signed(t, descriptor()(oneIdP), trusted())
			p := newPublisher(t, "")
			p.handle(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "slow") {
					<-r.Context().Done()
					return
				}
				_, _ = w.Write([]byte(document))
			})
			f := openSlow(t, &clock{}, federation.Source{Query: p.URL + "/", Keys: pinned()})
			type result struct{ err error }
			results := make(chan result, 500)
			for i := range 10 {
				for j := range 20 {
					go func() {
						_, err := f.Find(t.Context(), fmt.Sprintf("https://slow.example/%d/%d", i, j), fmt.Sprintf(address, i))
						results <- result{err}
					}()
				}
			}
			running := 0
			eventually(t, func() bool { // those that are refused return at once
				running = int(p.requests.Load())
				return running > 0 && len(results) == 200-running
			})
			require.Less(t, running, 25)
			_, err := f.Find(t.Context(), oneIdP, "198.51.100.1:1")
			require.NoError(t, err)
			f.Close()
		})
	}
}
