package replica_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Questions at the end of a stream share a look-up while nothing is written. Once a write is acknowledged, a question
// that waits for nothing has it in its answer, even if this Node has not read it yet.
func TestNoAcknowledgedWriteIsMissedByASharedLookUp(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	nc, _ := asPeer(t, us)
	type answer struct {
		Store               string
		After, Last         uint64
		Pending             uint64
		Messages            []struct{ Seq uint64 }
		Nonce, Error, Other string
	}
	ask := func(store string, after uint64) (a answer) {
		m, err := nc.Request("meridian.follow.us-east-1", fmt.Appendf(nil,
			`{"line":"sessions","from":"eu-central-1","store":%q,"after":%d,"nonce":"n","wait":0,"format":1,"reads":1}`,
			store, after), hang)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(m.Data, &a))
		require.Empty(t, a.Error)
		return a
	}
	signIn(t, us, "u-1", "first")
	a := ask("", 0)
	store, end := a.Store, max(a.Last, a.Messages[len(a.Messages)-1].Seq)
	for i := range 50 {
		for range 3 {
			require.Empty(t, ask(store, end).Messages, "nothing is new")
		}
		signIn(t, us, "u-1", fmt.Sprint("s-", i))
		a := ask(store, end)
		require.NotEmpty(t, a.Messages, "round %d", i)
		end = a.Messages[len(a.Messages)-1].Seq
		require.Zero(t, a.Pending)
	}
}
