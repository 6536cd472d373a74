package merge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A full transaction says again who was ever disabled. That is no reason to end
// the sessions that such a user has begun since.
func TestAFullTransactionEndsNoSessionThatItDoesNotDisable(t *testing.T) {
	r := newRegion(virginia)
	change := func(value string, full bool) merge.Transaction {
		var changes []center.Record
		if value != "" {
			changes = append(changes, center.Record{Kind: center.KindUser, Key: user(1), Value: []byte(value)})
		}
		tx := r.dir.Compose(virginia, 0, r.dir.Draft(virginia, changes), full)
		r.sessions.Foresee(virginia, tx)
		r.know(arrival{region: virginia, tx: &tx})
		return tx
	}
	change(`{"id":"u-1","userName":"n","active":true}`, true)
	change(`{"id":"u-1","userName":"n","active":false}`, false)
	change(`{"id":"u-1","userName":"n","active":true}`, false)
	s := merge.Session{ID: "1", UserID: user(1), Region: virginia, Created: base, Seen: base, Expires: after(60),
		Epoch: r.sessions.Epoch(user(1))}
	r.know(arrival{region: virginia, kind: merge.EntrySession, entry: merge.Entry{Key: key(0), Session: &s}})
	tx := change("", true)
	require.Contains(t, kinds(tx), merge.KindEnded)
	_, alive := r.sessions.Get(key(0))
	assert.True(t, alive)
	change(`{"id":"u-1","userName":"n","active":false}`, true)
	_, alive = r.sessions.Get(key(0))
	assert.False(t, alive)
}

func kinds(t merge.Transaction) (out []center.Kind) {
	for _, r := range t.Records {
		out = append(out, r.Kind)
	}
	return out
}
