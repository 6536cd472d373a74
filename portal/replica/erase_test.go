package replica_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// What was removed or replaced of users is soon gone from the files of every Region,
// however small the instance is, and also if the primary was restarted in between.
func TestRemovedUsersAreErasedFromFiles(t *testing.T) {
	t.Parallel()
	for what, users := range map[string]int{"small": 0, "large": 12_000} {
		usDir, euDir := t.TempDir(), t.TempDir()
		start := func(after time.Duration) *replica.Node {
			c := configOf(virginia, usDir)
			c.EraseAfter = after
			for i := range users {
				c.Seed.Users = append(c.Seed.Users,
					center.User{ID: userName(i), UserName: userName(i), DisplayName: "A name that makes it longer than it was"})
			}
			return open(t, c)
		}
		us := start(time.Hour)
		eu := open(t, configOf(frankfurt, euDir))
		mesh(t, us, eu)
		gone := func(texts ...string) func() bool {
			return func() bool {
				for _, text := range texts {
					if len(found(t, usDir, text))+len(found(t, euDir, text)) > 0 {
						time.Sleep(20 * time.Millisecond) // it reads all files
						return false
					}
				}
				return true
			}
		}
		require.NoError(t, us.View().Update(func(tx *center.Tx) error {
			return errors.Join(tx.RemoveUser("u-2"), tx.PutUser(center.User{ID: "u-1", UserName: "alicia@example.com"}))
		}))
		r, err := replica.Check(background(t), us, eu)
		require.NoError(t, err, r.String())
		assert.NotEmpty(t, found(t, usDir, "bob@example.com"), what)
		assert.NotEmpty(t, found(t, euDir, "bob@example.com"), what)
		us.Close()
		us = start(50 * time.Millisecond)
		mesh(t, us, eu)
		eventually(t, what+": no trace after a restart", gone("bob@example.com", "alice@example.com"))
		require.NoError(t, us.View().Update(putUser(center.User{ID: "u-1", UserName: "alison@example.com"})))
		eventually(t, what+": no trace", gone("alicia@example.com"))
		r, err = replica.Check(background(t), us, eu)
		require.NoError(t, err, r.String())
		us.Close()
		eu.Close()
		us, eu = start(time.Hour), open(t, configOf(frankfurt, euDir))
		for _, n := range []*replica.Node{us, eu} {
			_, alison := n.View().User("alison@example.com")
			assert.True(t, alison, what)
			assert.Len(t, n.View().Snapshot().Data().Users, users+1, what)
		}
		us.Close()
		eu.Close()
	}
}

// So are the sessions of removed users, in every Region, when they have expired.
func TestSessionsOfRemovedUsersAreErasedFromFiles(t *testing.T) {
	t.Parallel()
	dirs := map[string]string{virginia: t.TempDir(), frankfurt: t.TempDir()}
	start := func(region string) *replica.Node {
		c := configOf(region, dirs[region])
		c.MaxSession, c.Skew, c.EraseAfter = 2*time.Second, time.Second, 50*time.Millisecond
		return open(t, c)
	}
	us, eu := start(virginia), start(frankfurt)
	mesh(t, us, eu)
	for _, n := range []*replica.Node{us, eu} {
		s := at(n, session("u-2", "s-"+n.Region(), nil))
		s.UserName, s.Expires = "bob@example.com", time.Now().Add(2*time.Second)
		require.NoError(t, n.Sessions().Create(background(t), "key-"+s.ID, s))
	}
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-2") }))
	for region, dir := range dirs {
		eventually(t, "no trace in "+region, func() bool {
			left := found(t, dir, "bob@example.com")
			if len(left) > 0 {
				time.Sleep(50 * time.Millisecond) // it reads all files
			}
			return len(left) == 0
		})
	}
}
