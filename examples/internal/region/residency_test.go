package region_test

import (
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/residency"
)

// natsServer starts a NATS server with JetStream in a directory, and connects to it.
func natsServer(t *testing.T, dir string) jetstream.JetStream {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir,
		NoLog: true, NoSigs: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(hang))
	nc, err := nats.Connect(s.ClientURL(), natsstore.ConnectOptions()...)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return js
}

// Rule 72: the report of a Region agrees with its store of sign-ins, which is on a server of its own. After a sign-in
// and one that was only begun, every stream and file of the server is in the report, and nothing else; each
// record is of a known kind, and names no user.
func TestRule72TheReportAgreesWithTheStoreOfSignIns(t *testing.T) {
	dir := t.TempDir()
	js := natsServer(t, dir)
	w := newWorldWith(t, func(c *region.Config) {
		var err error
		c.Store, err = natsstore.New(t.Context(), natsstore.Config{JetStream: js, Sealer: c.Sealer})
		require.NoError(t, err)
	}, corp.Virginia)
	alice, origin := person.Person{Login: corp.Alice, IdP: w.idp.URL}, w.origins[corp.Virginia.Name]
	b := testkit.NewBrowser(t.Context())
	page, err := alice.Enter(b, origin+"/")
	require.NoError(t, err)
	require.NoError(t, alice.Sees(page, corp.Virginia, origin))
	begun, err := testkit.NewBrowser(t.Context()).Open(origin + "/") // stays at the identity provider's form
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, begun.Status)

	report, err := w.regions[corp.Virginia.Name].Report(t.Context())
	require.NoError(t, err)
	reported := map[string]bool{}
	for _, p := range report {
		if p.Kind == residency.SignIns {
			reported[strings.TrimPrefix(p.Where, "stream ")] = true
			assert.True(t, p.Region == corp.Virginia.Name && p.Key != "" && p.Kept != "", "%v", p)
		}
	}
	stored := map[string]bool{}
	kinds := map[string]int{} // of records, by the beginnings of their keys
	for info := range js.ListStreams(t.Context()).Info() {
		stored[info.Config.Name] = true
		s, err := js.Stream(t.Context(), info.Config.Name)
		require.NoError(t, err)
		with, err := s.Info(t.Context(), jetstream.WithSubjectFilter(">"))
		require.NoError(t, err)
		for subject := range with.State.Subjects {
			kind := strings.SplitAfterN(subject, ".", 3)[1]
			key := strings.TrimPrefix(subject, "meridian."+kind)
			known := ""
			for _, prefix := range []string{acs.KeyPrefixRequest, acs.KeyPrefixAssertion, "portal."} {
				if prefix = strings.ReplaceAll(prefix, ".", "_"); strings.HasPrefix(key, prefix) {
					known = prefix
				}
			}
			assert.True(t, known != "" || kind == "since.", "a record of no known kind: %s", subject)
			kinds[known]++
		}
	}
	assert.Equal(t, slices.Sorted(maps.Keys(stored)), slices.Sorted(maps.Keys(reported)))
	assert.Positive(t, kinds[strings.ReplaceAll(acs.KeyPrefixRequest, ".", "_")], "pending requests: %v", kinds)
	assert.Positive(t, kinds[strings.ReplaceAll(acs.KeyPrefixAssertion, ".", "_")], "used assertions: %v", kinds)

	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		_, rest, inStream := strings.Cut(filepath.ToSlash(path), "/streams/")
		name, _, _ := strings.Cut(rest, "/")
		assert.True(t, inStream && reported[name], "a file of no place: %s", path)
		return nil
	}))
	assert.Positive(t, files)
	search, err := sealed.NewSearch(corp.Alice)
	require.NoError(t, err)
	_, err = search.Files(dir)
	require.NoError(t, err)
	found, searched := search.Found()
	assert.Empty(t, found)
	assert.Positive(t, searched)
}
