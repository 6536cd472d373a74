package center_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal/center"
)

// An update checks only what it touches. This test compares it with center.New, which checks everything: both must
// accept the same states, refuse the others for a Reason that New knows, too, and answer alike.
func TestUpdatesCheckAsMuchAsNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		written := &lastCommit{}
		inst, err := center.NewJournaled(writable(), written)
		require.NoError(t, err)
		v, err := inst.In("us-east-1")
		require.NoError(t, err)
		for range rapid.IntRange(1, 12).Draw(t, "updates") {
			before := inst.Snapshot()
			records := before.Records()
			var made center.Data
			err := v.Update(func(tx *center.Tx) error {
				for range rapid.IntRange(1, 4).Draw(t, "changes") {
					if err := change(t, tx); err != nil {
						return err
					}
				}
				made = tx.Data()
				return nil
			})
			require.Equal(t, records, before.Records(), "a snapshot never changes")
			if made.Regions == nil { // a method of Tx refused
				require.Error(t, err)
				continue
			}
			whole, wantErr := center.New(made)
			if e, ok := errors.AsType[*center.Error](err); ok && e.Reason == center.ReasonTwoUpdates {
				require.Same(t, before, inst.Snapshot())
				continue
			}
			require.Equal(t, wantErr == nil, err == nil, "New: %v, Update: %v", wantErr, err)
			if err != nil {
				require.Same(t, before, inst.Snapshot())
				continue
			}
			require.Empty(t, center.Diff(whole.Snapshot(), inst.Snapshot()))
			if before == inst.Snapshot() {
				continue // there was nothing to write
			}
			require.Equal(t, center.Diff(before, inst.Snapshot()), written.changes)
			alike(t, whole.Snapshot(), inst.Snapshot())
			viaRecords(t, before, inst.Snapshot())
		}
	})
}

// A lastCommit is a Journal that knows the changes of the last update.
type lastCommit struct{ changes []center.Record }

func (j *lastCommit) Commit(_ string, _ center.Actor, changes []center.Record) error {
	j.changes = changes
	return nil
}

// alike compares what two snapshots answer.
func alike(t assert.TestingT, want, got *center.Snapshot) {
	assert.Equal(t, want.Data(), got.Data())
	assert.Equal(t, want.Regions(), got.Regions())
	assert.Equal(t, slices.Collect(want.Users("u-2")), slices.Collect(got.Users("u-2")))
	assert.Equal(t, slices.Collect(want.Groups("")), slices.Collect(got.Groups("")))
	for _, id := range append(ids, "carol@example.com") {
		assert.Equal(t, want.Accounts(id), got.Accounts(id))
		assert.Equal(t, want.Applications(id), got.Applications(id))
		w, wantOK := want.UserByID(id)
		g, gotOK := got.UserByID(id)
		assert.Equal(t, wantOK, gotOK)
		assert.Equal(t, w, g)
	}
	for _, name := range names {
		for _, provider := range []string{"", firstIdP, secondIdP} {
			w, wantOK := want.UserOf(provider, name)
			g, gotOK := got.UserOf(provider, name)
			assert.Equal(t, wantOK, gotOK)
			assert.Equal(t, w, g)
		}
		w, wantOK := want.User(name)
		g, gotOK := got.User(name)
		assert.Equal(t, wantOK, gotOK)
		assert.Equal(t, w, g)
	}
}

// viaRecords makes the same change of another instance, by Apply.
func viaRecords(t require.TestingT, before, after *center.Snapshot) {
	inst, err := center.New(before.Data())
	require.NoError(t, err)
	require.NoError(t, inst.Apply(center.Diff(before, after)))
	require.Equal(t, after.Records(), inst.Snapshot().Records())
}

// Few of each, so that they meet.
var (
	ids       = []string{"u-1", "u-2", "u-3", "g-1", "g-2", "g-3"}
	names     = []string{"alice@example.com", "bob@example.com", "x\u200by", " bad"}
	accounts  = []string{"111111111111", "222222222222", "333333333333", "444444444444"}
	sets      = []string{"ReadOnly", "Admin", "Deploy", "New", "a/b"}
	providers = []string{"", "", "", firstIdP, secondIdP}
)

func change(t *rapid.T, tx *center.Tx) error {
	pick := func(of []string) string { return rapid.SampledFrom(of).Draw(t, "one") }
	principal := func() center.Principal {
		p := center.Principal{Type: center.PrincipalUser, ID: pick(ids[:4])}
		if rapid.Bool().Draw(t, "group") {
			p = center.Principal{Type: center.PrincipalGroup, ID: pick(ids[2:])}
		}
		return p
	}
	assignment := func() center.Assignment {
		return center.Assignment{Principal: principal(), AccountID: pick(accounts), PermissionSet: pick(sets)}
	}
	some := func(of []string) []string {
		return rapid.SliceOfN(rapid.SampledFrom(of), 0, 3).Draw(t, "some")
	}
	region := func() center.Region {
		r := center.Region{Name: pick([]string{"us-east-1", "eu-central-1", "ap-south-1", "eu-west-1"})}
		if rapid.Bool().Draw(t, "url") {
			r.PortalURLs = []string{pick([]string{"https://a.example", "https://b.example", "http://bad.example"})}
		}
		return r
	}
	changes := []func() error{
		func() error {
			return tx.PutUser(center.User{ID: pick(ids[:4]), UserName: pick(names),
				Inactive: rapid.Bool().Draw(t, "inactive"), IdentityProvider: pick(providers)})
		},
		func() error { return tx.RemoveUser(pick(ids)) },
		func() error {
			return tx.PutGroup(center.Group{ID: pick(ids[2:]), Name: pick(names), Members: some(ids),
				IdentityProvider: pick(providers)})
		},
		func() error { return tx.RemoveGroup(pick(ids)) },
		func() error { return tx.PutPermissionSet(center.PermissionSet{Name: pick(sets)}) },
		func() error { return tx.RemovePermissionSet(pick(sets)) },
		func() error { return tx.PutAccount(center.Account{ID: pick(accounts), Name: "name"}) },
		func() error { return tx.RemoveAccount(pick(accounts)) },
		func() error { return tx.Assign(assignment()) },
		func() error {
			all := tx.Data().Assignments
			if len(all) == 0 {
				return nil
			}
			return tx.Unassign(all[rapid.IntRange(0, len(all)-1).Draw(t, "which")])
		},
		func() error {
			return tx.PutApplication(center.Application{
				ID: pick([]string{"Wiki", "New"}), Name: pick(names), URL: "https://wiki.example", Region: "us-east-1",
				AssignedTo: []center.Principal{principal(), principal()},
			})
		},
		func() error { return tx.RemoveApplication("Wiki") },
		func() error { return tx.PutRegion(region()) },
		func() error { return tx.RemoveRegion(pick([]string{"eu-central-1", "ap-south-1"})) },
		func() error { return tx.PutIdentityProvider(center.IdentityProvider{EntityID: pick(providers[3:])}) },
		func() error { return tx.RemoveIdentityProvider(pick(providers[3:])) },
		func() error { return tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: firstIdP}) },
	}
	return changes[rapid.IntRange(0, len(changes)-1).Draw(t, fmt.Sprintf("of %d", len(changes)))]()
}
