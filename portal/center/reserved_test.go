package center_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// Reserved fields are kept by an update, in a Record, and by Apply.
func TestReservedFieldsOfUsersAreKept(t *testing.T) {
	v := view(t, writable(), "us-east-1")
	const idp = "https://idp.example/saml"
	u := center.User{ID: "u-r", UserName: "rosa@example.com", IdentityProvider: idp, StableID: "00u7"}
	before := v.Snapshot()
	require.NoError(t, v.Update(func(tx *center.Tx) error { return tx.PutUser(u) }))
	changes := center.Diff(before, v.Snapshot())
	require.Len(t, changes, 2, "and its details")
	assert.JSONEq(t, `{"id":"u-r","userName":"rosa@example.com","identityProvider":"https://idp.example/saml",
		"stableId":"00u7","active":true}`, string(changes[1].Value))
	there, err := center.New(writable())
	require.NoError(t, err)
	require.NoError(t, there.Apply(changes))
	got, ok := there.Snapshot().UserByID("u-r")
	require.True(t, ok)
	u.Dates = got.Dates
	assert.Equal(t, u, got)
	u.StableID = "a\x00b"
	require.Error(t, v.Update(func(tx *center.Tx) error { return tx.PutUser(u) }))
}
