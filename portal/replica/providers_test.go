package replica_test

import (
	"log/slog"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/saml"
)

const (
	firstIdP  = "https://first.idp.example/saml"
	secondIdP = "https://second.idp.example/saml"
)

// second adds a second identity provider with an alice of its own.
func second(tx *center.Tx) error {
	_ = tx.PutIdentityProvider(center.IdentityProvider{EntityID: secondIdP})
	return tx.PutUser(center.User{ID: "v-1", UserName: "alice@example.com", IdentityProvider: secondIdP})
}

func adopt(tx *center.Tx) error {
	return tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: firstIdP})
}

// asserts returns the ID of the user that an identity provider asserts in a Region, or "".
func asserts(n *replica.Node, idp, userName string) string {
	u, _ := n.View().UserOf(idp, userName)
	return u.ID
}

// Invariant 18 in every Region: the list and the users of it arrive together, sessions continue, and a user who moves
// to another identity provider is signed out everywhere.
func TestInvariant18_IdentityProvidersInEveryRegion(t *testing.T) {
	t.Parallel()
	usDir, euDir := t.TempDir(), t.TempDir()
	us, eu := open(t, configOf(virginia, usDir)), open(t, configOf(frankfurt, euDir))
	mesh(t, us, eu)
	for _, id := range []string{"u-1", "u-2"} {
		signIn(t, us, id, "us-"+id)
		signIn(t, eu, id, "eu-"+id)
	}
	require.NoError(t, us.View().Update(adopt))
	eventually(t, "the list", func() bool { return len(eu.View().IdentityProviders()) == 1 })
	for _, u := range eu.Instance().Snapshot().Data().Users {
		assert.Equal(t, firstIdP, u.IdentityProvider)
	}
	require.NoError(t, us.View().Update(second))
	eventually(t, "a second alice", func() bool { return asserts(eu, secondIdP, "alice@example.com") == "v-1" })
	assert.Equal(t, "u-1", asserts(eu, firstIdP, "alice@example.com"))
	assert.Empty(t, asserts(eu, secondIdP, "bob@example.com"))
	eventually(t, "the sessions", func() bool { return alive(t, eu, "us-u-1") && alive(t, us, "eu-u-2") })

	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		g := tx.Data().Groups[0]
		g.Members = []string{"u-1"}
		_ = tx.PutGroup(g)
		return tx.PutUser(center.User{ID: "u-2", UserName: "bob@example.com", IdentityProvider: secondIdP})
	}))
	for _, n := range []*replica.Node{us, eu} {
		eventually(t, "an end", func() bool { return !alive(t, n, "us-u-2") && !alive(t, n, "eu-u-2") })
		assert.True(t, alive(t, n, "us-u-1") && alive(t, n, "eu-u-1"))
		eventually(t, "the user", func() bool { return asserts(n, secondIdP, "bob@example.com") == "u-2" })
		assert.Empty(t, asserts(n, firstIdP, "bob@example.com"))
	}
	signIn(t, eu, "u-2", "again")
	eventually(t, "the later session", func() bool { return alive(t, us, "again") })
	report, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, report.String())

	// A primary without its disk gets the users of both back, each with their identity provider.
	us.Close()
	c := configOf(virginia, t.TempDir())
	c.Seed = center.Data{}
	us = recovered(t, c, eu)
	mesh(t, us, eu)
	assert.Equal(t, "u-1", asserts(us, firstIdP, "alice@example.com"))
	assert.Equal(t, "v-1", asserts(us, secondIdP, "alice@example.com"))
	for _, id := range []string{"u-1", "u-2", "v-1"} {
		u, ok := us.View().UserByID(id)
		assert.True(t, ok && !u.Inactive, id)
	}
}

// An older version can't tell the users of two identity providers apart. It stops where the instance lists them, and
// serves again when it is upgraded.
func TestOlderVersionsStopAtIdentityProviders(t *testing.T) {
	t.Parallel()
	older, newer := build(t, baseline(t)), os.Args[0]
	usDir, euDir := t.TempDir(), t.TempDir()
	usJob := job{Dir: usDir, Listen: "127.0.0.1:0"}
	euJob := job{Region: frankfurt, Dir: euDir, Listen: "127.0.0.1:0"}
	us, eu := startOf(t, older, usJob), startOf(t, older, euJob)
	followEach(t, us, eu)
	eu.becomes(t, "replicated", "await")
	require.Equal(t, "ok", us.say(t, "session s u-1"))
	eu.becomes(t, "alive", "alive s")

	us.close(t)
	us = startOf(t, newer, usJob)
	followEach(t, us, eu)
	require.Equal(t, "u-1", us.say(t, "asserts %s alice@example.com", firstIdP), "as before")
	eu.becomes(t, "alive", "alive s")
	require.Equal(t, "ok", us.say(t, "adopt %s", firstIdP))
	require.Equal(t, "ok", us.say(t, "provider %s v-1 alice@example.com", secondIdP))
	eu.becomes(t, "refused Version", "alive s")
	assert.Equal(t, "alive", us.say(t, "alive s"))

	eu.close(t)
	eu = startOf(t, newer, euJob)
	followEach(t, us, eu)
	eu.becomes(t, "alive", "alive s")
	eu.becomes(t, "v-1", "asserts %s alice@example.com", secondIdP)
	assert.Equal(t, "u-1", eu.say(t, "asserts %s alice@example.com", firstIdP))
	require.Equal(t, "ok", eu.say(t, "session later v-1"))
	us.becomes(t, "alive", "alive later")
	agree(t, us, eu)
}

// A directory that an older version wrote is opened, a second identity provider is added as PROVIDERS.md says, and
// users of both sign in to the portal.
func TestASecondIdentityProviderIsAddedToAnOlderState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := startOf(t, build(t, baseline(t)), job{Dir: dir, Listen: "127.0.0.1:0"})
	require.Equal(t, "ok", old.say(t, "user u-7 active"))
	old.close(t)

	us := open(t, configOf(virginia, dir))
	w := newSignIns(t)
	cfg := portal.Config{Region: virginia, SP: w.one, Directory: us.View(), Sessions: us.Sessions(),
		Store: acs.NewMemoryStore(acs.MemoryConfig{}), Context: t.Context(),
		Logger: slog.New(slog.DiscardHandler)}
	p, err := portal.New(cfg)
	require.NoError(t, err)
	signedIn := func(idp *mockidp.Server, login, want string) {
		t.Helper()
		w.choice = w.entityIDs[idp]
		page, err := testkit.SignInHandler(idp, p, "https://portal.example/", login)
		require.NoError(t, err)
		if want == "" {
			assert.Equal(t, http.StatusForbidden, page.Status)
			return
		}
		assert.Equal(t, http.StatusOK, page.Status, page.Body)
		list, err := us.Sessions().List(background(t), want)
		require.NoError(t, err)
		require.NotEmpty(t, list)
		assert.Equal(t, w.entityIDs[idp], list[0].Proof.Subject.Provider)
	}
	signedIn(w.first, "u-7@example.com", "u-7")

	cfg.SP, cfg.ChooseIdP = w.several, func(*http.Request) string { return w.choice }
	_, err = portal.New(cfg)
	var e *portal.Error
	require.ErrorAs(t, err, &e)
	assert.Contains(t, e.Error(), "AdoptIdentityProvider")
	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		return tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: w.entityIDs[w.first]})
	}))
	signedIn(w.first, "alice@example.com", "u-1") // the portal of one identity provider goes on
	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		_ = tx.PutIdentityProvider(center.IdentityProvider{EntityID: w.entityIDs[w.second]})
		return tx.PutUser(center.User{ID: "v-1", UserName: "alice@example.com", IdentityProvider: w.entityIDs[w.second]})
	}))
	p, err = portal.New(cfg)
	require.NoError(t, err)
	signedIn(w.first, "alice@example.com", "u-1")
	signedIn(w.second, "alice@example.com", "v-1")
	signedIn(w.first, "u-7@example.com", "u-7")
	signedIn(w.second, "u-7@example.com", "")
}

// signIns are two identity providers, and a service provider with one and with both of them.
type signIns struct {
	first, second *mockidp.Server
	entityIDs     map[*mockidp.Server]string
	one, several  *saml.ServiceProvider
	choice        string // of the identity provider of the next sign-in
}

type idpSet map[string]*saml.IdP

func (s idpSet) IdP(entityID string) (*saml.IdP, error) { return s[entityID], nil }

func newSignIns(t *testing.T) *signIns {
	t.Helper()
	w := &signIns{entityIDs: map[*mockidp.Server]string{}}
	all := idpSet{}
	for key, at := range map[string]**mockidp.Server{"first": &w.first, "second": &w.second} {
		*at = mockidp.New(mockidp.Config{Key: testkit.RSAKey(key),
			Users: []mockidp.User{{Login: "alice@example.com"}, {Login: "u-7@example.com"}},
			Apps:  []mockidp.App{{Label: "Portal", ExternalKey: "exk" + key, Groups: []string{"Everyone"}}}})
		t.Cleanup((*at).Close)
		md, err := saml.ParseIdPMetadata((*at).Metadata(""))
		require.NoError(t, err)
		w.entityIDs[*at], all[md.EntityID()] = md.EntityID(), md
	}
	cfg := saml.Config{EntityID: "https://portal.example/saml", IdP: all[w.entityIDs[w.first]],
		ACS: []saml.Endpoint{{URL: "https://portal.example/acs", Region: virginia}}}
	var err error
	w.one, err = saml.New(cfg)
	require.NoError(t, err)
	cfg.IdP, cfg.IdPs = nil, all
	w.several, err = saml.New(cfg)
	require.NoError(t, err)
	metadata, err := w.one.Metadata()
	require.NoError(t, err)
	for _, idp := range []*mockidp.Server{w.first, w.second} {
		require.NoError(t, idp.RegisterSP("", metadata))
	}
	return w
}
