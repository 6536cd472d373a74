package merge_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

const aListed = `{"entityId":"a"}`

func personOf(provider string) string {
	return fmt.Sprintf(`{"id":"u-1","userName":"n","identityProvider":%q,"active":true}`, provider)
}

// A user who is moved to another identity provider keeps no session that the first one vouched for. One who is
// given to the first one, because a second one is about to be added, keeps them.
func TestAMoveToAnotherIdentityProviderEndsSessions(t *testing.T) {
	for _, c := range []struct {
		before, after string
		ends          bool
	}{{"a", "b", true}, {"a", "", true}, {"", "a", false}, {"a", "a", false}} {
		r := newRegion(virginia)
		change := func(value string) merge.Transaction {
			tx := r.dir.Compose(virginia, 0, r.dir.Draft(virginia,
				[]center.Record{{Kind: center.KindUser, Key: user(1), Value: []byte(value)}}), false)
			r.know(arrival{region: virginia, tx: &tx})
			return tx
		}
		change(personOf(c.before))
		s := merge.Session{ID: "1", UserID: user(1), Region: virginia, Created: base, Seen: base, Expires: after(60),
			Epoch: r.sessions.Epoch(user(1))}
		r.know(arrival{region: virginia, kind: merge.EntrySession, entry: merge.Entry{Key: key(0), Session: &s}})
		tx := change(personOf(c.after))
		_, alive := r.sessions.Get(key(0))
		assert.Equal(t, !c.ends, alive, "%v", c)
		assert.Equal(t, c.ends, len(tx.Records) == 2, "%v", c)
	}
}

// One history moved a user to another identity provider, and the other one doesn't know it: its word gives the first
// one nothing back.
func TestReuniteGivesNoUserBackToAnIdentityProvider(t *testing.T) {
	begin := merge.Transaction{First: 1, Stamp: 10, Full: true, Records: []merge.Record{
		word(center.KindIdentityProvider, "a", aListed, 10), word(center.KindUser, "u-1", personOf("a"), 10)}}
	moved := merge.Piece{Store: "s", Log: []merge.Transaction{begin, {First: 2, Stamp: 50, Records: []merge.Record{
		word(center.KindUser, "u-1", personOf("b"), 0), word(merge.KindEnded, "u-1", "50", 0)}}}}
	apart := merge.Piece{Store: "s", Log: []merge.Transaction{begin, {First: 2, Stamp: 60, Records: []merge.Record{
		word(center.KindUser, "u-1", personOf("a"), 0)}}}}
	values, _ := united([]merge.Piece{moved, apart}, nil)
	assert.Equal(t, `{"active":false,"id":"u-1","identityProvider":"a","userName":"n"}`, values["user u-1"])
	assert.Equal(t, "50", values["ended u-1"])
	assert.Equal(t, aListed, values["identityProvider a"])
}

// Names are unique within an identity provider, if any is listed, and members are of the group's.
func TestDistinctWithinAnIdentityProvider(t *testing.T) {
	records := func(list string) []merge.Record {
		return []merge.Record{
			word(center.KindIdentityProvider, "a", list, 5),
			word(center.KindUser, "u-1", `{"id":"u-1","userName":"n","identityProvider":"a","active":true}`, 10),
			word(center.KindUser, "u-2", `{"id":"u-2","userName":"n","identityProvider":"b","active":true}`, 20),
			word(center.KindGroup, "g-1", `{"id":"g-1","name":"G","identityProvider":"a"}`, 10),
			word(center.KindGroup, "g-2", `{"id":"g-2","name":"G","identityProvider":"b"}`, 20),
		}
	}
	got, _, contested := merge.Distinct(records(aListed), 30)
	assert.Empty(t, contested)
	assert.ElementsMatch(t, records(aListed), got)
	_, _, contested = merge.Distinct(append(records(aListed),
		word(center.KindUser, "u-3", `{"id":"u-3","userName":"n","identityProvider":"b","active":true}`, 25)), 30)
	assert.Equal(t, []string{"u-2", "u-3"}, contested)
	_, _, contested = merge.Distinct(records(""), 30) // none is listed: one of them could assert the other's user
	assert.Equal(t, []string{"u-1", "u-2"}, contested)

	members := word(center.KindGroup, "g-1", `{"id":"g-1","identityProvider":"a","members":["u-1","u-2"],"name":"G"}`, 10)
	for list, want := range map[string]string{
		aListed: `{"id":"g-1","identityProvider":"a","members":["u-1"],"name":"G"}`, "": string(members.Value),
	} {
		log := []merge.Transaction{{First: 1, Stamp: 30, Full: true, Records: append(records(list)[:3], members)}}
		values, _ := united([]merge.Piece{{Store: "s", Log: log}}, nil)
		assert.Equal(t, want, values["group g-1"])
	}
}
