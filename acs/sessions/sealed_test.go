package sessions_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
	"github.com/meridian-saml/meridian/portal/keys"
)

func newSealer(t *testing.T) *keys.Sealer {
	t.Helper()
	r, err := keys.CreateRing(keys.RingConfig{Path: filepath.Join(t.TempDir(), "keys"), Region: "us-east-1",
		Key: make([]byte, 32)})
	require.NoError(t, err)
	k, err := r.Create(keys.KeyConfig{Policy: keys.Allow("sessions")})
	require.NoError(t, err)
	s, err := keys.NewSealer(keys.Config{Key: r.Use(k.ID, "sessions"), Instance: "one"})
	require.NoError(t, err)
	return s
}

func TestSealedRecordStoreKeepsTheContract(t *testing.T) {
	sessionstest.Run(t, func(t *testing.T) []sessionstest.Region {
		r, sealer := newRecords(), newSealer(t)
		open := func(name string) sessions.Store {
			return sessions.NewRecordStore(sessions.RecordConfig{Sealer: sealer, Records: r, Region: name})
		}
		return []sessionstest.Region{
			{Name: "us-east-1", Store: open("us-east-1")}, {Name: "eu-central-1", Store: open("eu-central-1")},
		}
	}, sessionstest.Options{})
}

// A record names its user in its own place only, and only to those who have the key.
func TestRecordsAreSealed(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	r, sealer := newRecords(), newSealer(t)
	s := sessions.NewRecordStore(sessions.RecordConfig{Sealer: sealer, Records: r})
	for _, id := range []string{"one", "two"} {
		require.NoError(t, s.Create(ctx, "key-"+id, sessions.Session{ID: id, SignIn: "s-" + id, UserID: "quokka",
			UserName: "quokka@example.com", Created: now, Seen: now, Expires: now.Add(time.Hour)}))
	}
	require.NoError(t, s.EndSignIn(ctx, "quokka", "s-three", now.Add(time.Hour)))
	var session []string
	for key, record := range r.all {
		assert.NotContains(t, string(record.Value)+key, "quokka")
		if strings.HasPrefix(key, "session.") {
			session = append(session, key)
		}
	}
	require.Len(t, session, 2)
	_, err := s.Get(ctx, "key-one")
	require.NoError(t, err)
	r.all[session[0]], r.all[session[1]] = r.all[session[1]], r.all[session[0]]
	_, err = s.Get(ctx, "key-one")
	var e *keys.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, keys.ReasonInvalidCiphertext, e.Reason, "another session's record")
}

func TestPlainRecordsAreAcceptedInAnUpgradeOnly(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	r, sealer := newRecords(), newSealer(t)
	plain := sessions.NewRecordStore(sessions.RecordConfig{InsecurePlaintext: true, Records: r})
	require.NoError(t, plain.RevokeUser(ctx, "u-1"))
	require.NoError(t, plain.Create(ctx, "key", sessions.Session{ID: "one", UserID: "u-2", Created: now, Seen: now,
		Expires: now.Add(time.Hour)}))
	sealed := sessions.NewRecordStore(sessions.RecordConfig{Sealer: sealer, Records: r})
	_, err := sealed.Get(ctx, "key")
	require.ErrorIs(t, err, sessions.ErrNoSession)
	upgrade := sessions.NewRecordStore(sessions.RecordConfig{Sealer: sealer, Records: r, InsecureOpenPlaintext: true})
	_, err = upgrade.Get(ctx, "key")
	require.NoError(t, err)
	e, err := upgrade.Epoch(ctx, "u-1")
	require.NoError(t, err)
	require.Equal(t, sessions.Epoch{"": 1}, e)
	require.NoError(t, upgrade.Touch(ctx, "key", now.Add(time.Minute)))
	got, err := upgrade.Get(ctx, "key")
	require.NoError(t, err)
	require.Equal(t, now.Add(time.Minute).Unix(), got.Seen.Unix())
	for key, record := range r.all { // a write has sealed it
		if strings.HasPrefix(key, "session.") {
			assert.NotContains(t, string(record.Value), "u-2")
		}
	}
	list, err := upgrade.List(ctx, "u-2")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NoError(t, upgrade.End(ctx, "key"))
	_, err = upgrade.Get(ctx, "key")
	require.ErrorIs(t, err, sessions.ErrNoSession)

	// An epoch lives forever: it is there after the upgrade too, and a later one ends what it ended.
	e, err = sealed.Epoch(ctx, "u-1")
	require.NoError(t, err)
	require.Equal(t, sessions.Epoch{"": 1}, e)
	require.NoError(t, upgrade.RevokeUser(ctx, "u-1"))
	e, err = sealed.Epoch(ctx, "u-1")
	require.NoError(t, err)
	require.Equal(t, sessions.Epoch{"": 2}, e)
}

// A client that can read the database, and knows a user, can't find the user's records.
func TestNamesOfSealedRecordsAreKeyed(t *testing.T) {
	ctx, now, sealer := t.Context(), time.Now(), newSealer(t)
	session := sessions.Session{ID: "one", UserID: "quokka", Created: now, Seen: now, Expires: now.Add(time.Hour)}
	plain, r, other := newRecords(), newRecords(), newRecords()
	for _, in := range []*memRecords{plain, r, other} {
		cfg := sessions.RecordConfig{Records: in, Sealer: sealer}
		if in == plain {
			cfg.Sealer, cfg.InsecurePlaintext = nil, true
		}
		s := sessions.NewRecordStore(cfg)
		require.NoError(t, s.Create(ctx, "key", session))
		require.NoError(t, s.RevokeUser(ctx, "another"))
	}
	for key := range r.all {
		assert.NotContains(t, plain.all, key, "guessed by its hash")
		if key != "names.key" {
			assert.NotContains(t, other.all, key, "guessed from another database")
		}
	}
	_, err := sessions.NewRecordStore(sessions.RecordConfig{Records: r, Sealer: sealer}).Get(ctx, "key")
	require.NoError(t, err)
	r.all["names.key"] = sessions.Record{Value: make([]byte, 32), Version: r.all["names.key"].Version}
	_, err = sessions.NewRecordStore(sessions.RecordConfig{Records: r, Sealer: sealer}).Get(ctx, "key")
	require.ErrorContains(t, err, "not sealed", "a client that can write makes no names")
}

// If the record of the key is lost, a node that knows it writes it again. One that doesn't may be first, and writes
// another key. Then all sessions have ended, at every node.
func TestTheKeyOfTheNamesIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, r, sealer := t.Context(), newRecords(), newSealer(t)
		node := func() *sessions.RecordStore {
			return sessions.NewRecordStore(sessions.RecordConfig{Records: r, Sealer: sealer})
		}
		first := node()
		require.NoError(t, first.Create(ctx, "key", sessions.Session{ID: "one", UserID: "u", Created: time.Now(),
			Seen: time.Now(), Expires: time.Now().Add(time.Hour)}))
		delete(r.all, "names.key")
		time.Sleep(time.Minute)
		_, err := first.Get(ctx, "key")
		require.NoError(t, err)
		_, err = node().Get(ctx, "key")
		require.NoError(t, err)

		delete(r.all, "names.key")
		second := node()
		require.NoError(t, second.RevokeUser(ctx, "u"))
		time.Sleep(time.Minute)
		for _, n := range []*sessions.RecordStore{first, second, node()} {
			_, err = n.Get(ctx, "key")
			require.ErrorIs(t, err, sessions.ErrNoSession)
		}
	})
}

// Many nodes that begin at the same time agree on the key of the names.
func TestNodesAgreeOnTheNames(t *testing.T) {
	r, sealer, now := newRecords(), newSealer(t), time.Now()
	var all sync.WaitGroup
	nodes := make([]*sessions.RecordStore, 8)
	for i := range nodes {
		nodes[i] = sessions.NewRecordStore(sessions.RecordConfig{Records: r, Sealer: sealer})
		all.Go(func() {
			id := fmt.Sprint(i)
			assert.NoError(t, nodes[i].Create(context.Background(), id, sessions.Session{ID: id, UserID: "u", Created: now,
				Seen: now, Expires: now.Add(time.Hour)}))
		})
	}
	all.Wait()
	for _, n := range nodes {
		list, err := n.List(t.Context(), "u")
		require.NoError(t, err)
		assert.Len(t, list, len(nodes))
	}
}

func TestARecordStoreSealsOrSaysThatItDoesNot(t *testing.T) {
	r := newRecords()
	assert.Panics(t, func() { sessions.NewRecordStore(sessions.RecordConfig{Records: r}) })
	assert.Panics(t, func() {
		sessions.NewRecordStore(sessions.RecordConfig{Records: r, Sealer: newSealer(t), InsecurePlaintext: true})
	})
	assert.NotPanics(t, func() { sessions.NewRecordStore(sessions.RecordConfig{Records: r, Sealer: newSealer(t)}) })
}
