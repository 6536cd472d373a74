package scim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// stored returns a user of the instance, with its dates.
func stored(t *testing.T, r *rig, id string) center.User {
	t.Helper()
	u, ok := r.view.UserByID(id)
	require.True(t, ok)
	return u
}

func metaOf(t *testing.T, body map[string]any) map[string]any {
	t.Helper()
	m, ok := body["meta"].(map[string]any)
	require.True(t, ok)
	return m
}

// A user from before there were dates has none, and keeps its ID, which the identity provider remembers: also when it
// is changed, and whatever UUID AWS's clients see. What the client changes is dated.
func TestIDsAndDatesOfExistingUsers(t *testing.T) {
	d := seed()
	const old = "GBZRLBIZZIN76TN7DXLLPZTIZ3"
	d.Users = append(d.Users, center.User{ID: old, UserName: "old@example.com"})
	r := newRig(t, d, "us-east-1")
	for _, id := range []string{old, "u-1"} {
		meta := metaOf(t, r.ok(t, 200, "GET", "/Users/"+id, ""))
		assert.NotContains(t, meta, "created")
		assert.NotContains(t, meta, "lastModified")
		body := r.ok(t, 200, "PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
			"Operations":[{"op":"replace","path":"displayName","value":"New"}]}`)
		assert.Equal(t, id, body["id"])
		uuid := r.view.Snapshot().UserUUID(id)
		assert.NotEqual(t, id, uuid)
		assert.NotContains(t, metaOf(t, body), "created", "it isn't known")
		assert.Equal(t, stored(t, r, id).UpdatedAt.Format(time.RFC3339Nano), metaOf(t, body)["lastModified"])
		assert.Equal(t, metaOf(t, body), metaOf(t, r.ok(t, 200, "GET", "/Users/"+id, "")))
		assert.Equal(t, 404, r.ask(t, "GET", "/Users/"+uuid, "").Code, "one ID for one resource")
	}
	group := r.ok(t, 201, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],
		"displayName":"Dated"}`)
	assert.NotEmpty(t, metaOf(t, group)["created"])
	assert.Equal(t, metaOf(t, group)["created"], metaOf(t, group)["lastModified"])
}

// A PUT of what is there changes nothing, not even the date.
func TestARepeatedPUTChangesNoDate(t *testing.T) {
	r := newRig(t, empty(), "us-east-1")
	id, _ := r.ok(t, 201, "POST", "/Users", oktaUser)["id"].(string)
	before := r.view.Snapshot()
	r.ok(t, 200, "PUT", "/Users/"+id, oktaUser)
	assert.Equal(t, before.Records(), r.view.Snapshot().Records())
	assert.Equal(t, stored(t, r, id).CreatedAt, stored(t, r, id).UpdatedAt)
}
