package scim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

// empty is an instance before its first user.
func empty() center.Data {
	return center.Data{Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}}}
}

// oktaUser is what Okta posts for a user with its default mappings.
const oktaUser = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
	"userName": "dana@example.com",
	"name": {"givenName": "Dana", "familyName": "Diaz"},
	"emails": [{"primary": true, "value": "dana@example.com", "type": "work"}],
	"displayName": "Dana Diaz",
	"locale": "en-US",
	"externalId": "00ujl29u0le5T6Aj10h7",
	"groups": [],
	"password": "1mz050nq",
	"active": true
}`

// TestOktaUser creates, changes and deletes a user with Okta's requests.
func TestOktaUser(t *testing.T) {
	r := newRig(t, empty(), "us-east-1")

	// Okta tests the connection, then searches for the user.
	r.ok(t, 200, "GET", "/Users?startIndex=1&count=2", "")
	list := r.ok(t, 200, "GET", "/Users?"+filter(`userName eq "dana@example.com"`)+"&startIndex=1&count=100", "")
	assert.Equal(t, map[string]any{
		"schemas":      []any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"},
		"totalResults": 0.0, "startIndex": 1.0, "itemsPerPage": 0.0, "Resources": []any{},
	}, list)

	out := r.ask(t, "POST", "/Users", oktaUser)
	require.Equal(t, http.StatusCreated, out.Code, "%s", out.Body)
	id := out.body["id"].(string)
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id)
	assert.Equal(t, id, r.view.Snapshot().UserUUID(id))
	dates := stored(t, r, id).Dates
	created := dates.CreatedAt.Format(time.RFC3339Nano)
	assert.NotZero(t, dates.CreatedAt)
	at := baseURL + "/Users/" + id
	assert.Equal(t, at, out.Header().Get("Location"))
	full := map[string]any{
		"schemas":     []any{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"id":          id,
		"externalId":  "00ujl29u0le5T6Aj10h7",
		"userName":    "dana@example.com",
		"displayName": "Dana Diaz",
		"name":        map[string]any{"givenName": "Dana", "familyName": "Diaz"},
		"emails":      []any{map[string]any{"value": "dana@example.com", "type": "work", "primary": true}},
		"active":      true,
		"meta":        map[string]any{"resourceType": "User", "location": at, "created": created, "lastModified": created},
	}
	assert.Equal(t, full, out.body)
	assert.Equal(t, full, r.ok(t, 200, "GET", "/Users/"+id, ""))
	want := center.User{ID: id, UserName: "dana@example.com", ExternalID: "00ujl29u0le5T6Aj10h7",
		DisplayName: "Dana Diaz", GivenName: "Dana", FamilyName: "Diaz", Email: "dana@example.com"}
	assert.Equal(t, want, r.user(t, id))

	// The answer was lost and Okta repeats the request: no second user is created,
	// and the search finds the first.
	r.refused(t, 409, "uniqueness", "POST", "/Users", oktaUser)
	assert.Equal(t, []string{id}, found(t, r.ok(t, 200, "GET", "/Users?"+filter(`userName eq "dana@example.com"`), "")))

	// A profile push reads the user, then puts all attributes with the changes.
	r.ok(t, 200, "PUT", "/Users/"+id, `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
		"id": "`+id+`",
		"userName": "dana.diaz@example.com",
		"name": {"givenName": "Dana", "familyName": "Diaz-Ortiz"},
		"emails": [{"primary": true, "value": "dana.diaz@example.com", "type": "work"}],
		"active": true,
		"groups": [],
		"externalId": "00ujl29u0le5T6Aj10h7",
		"meta": {"resourceType": "User", "location": "`+at+`"}
	}`)
	want.UserName, want.Email = "dana.diaz@example.com", "dana.diaz@example.com"
	want.FamilyName, want.DisplayName = "Diaz-Ortiz", ""
	assert.Equal(t, want, r.user(t, id), "the ID stays, and attributes that are left out are cleared")

	// Deactivation, reactivation, deactivation.
	for _, active := range []string{"false", "true", "false"} {
		body := r.ok(t, 200, "PATCH", "/Users/"+id, `{
			"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
			"Operations": [{"op": "replace", "value": {"active": `+active+`}}]
		}`)
		assert.Equal(t, active == "true", body["active"])
		assert.Equal(t, active != "true", r.user(t, id).Inactive)
	}

	before := r.view.Snapshot()
	r.ok(t, 200, "PATCH", "/Users/"+id, replaceBody(`{"active": false}`))
	assert.Same(t, before, r.view.Snapshot(), "a change to the same value makes no new snapshot")

	r.ok(t, 204, "DELETE", "/Users/"+id, "")
	_, there := r.view.UserByID(id)
	assert.False(t, there)
	r.refused(t, 404, "", "DELETE", "/Users/"+id, "")
	r.refused(t, 404, "", "GET", "/Users/"+id, "")

	// An ID is never used again.
	assert.NotEqual(t, id, r.ok(t, 201, "POST", "/Users", oktaUser)["id"])

	var ends []bool
	for _, c := range r.changes {
		assert.Equal(t, "User", c.Resource)
		ends = append(ends, c.EndsAccess)
	}
	assert.Equal(t, []bool{false, false, true, false, true, true, false}, ends)
	assert.Equal(t, scim.Change{Action: scim.ActionDeleted, Resource: "User", ID: id, Name: "dana.diaz@example.com",
		EndsAccess: true}, r.changes[5])
}

// TestOktaGroup creates, changes and deletes a group with Okta's requests.
func TestOktaGroup(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	r.ok(t, 200, "GET", "/Groups?startIndex=1&count=100", "")
	r.ok(t, 200, "GET", "/Groups?"+filter(`displayName eq "Test SCIMv2"`), "")

	group := r.ok(t, 201, "POST", "/Groups", `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
		"displayName": "Test SCIMv2",
		"members": [{"value": "u-1", "display": "alice@example.com"}]
	}`)
	id := group["id"].(string)
	assert.Equal(t, []any{map[string]any{"value": "u-1", "type": "User", "$ref": baseURL + "/Users/u-1"}},
		group["members"])
	assert.Equal(t, center.Group{ID: id, Name: "Test SCIMv2", Members: []string{"u-1"}}, r.group(t, id))

	patch := func(ops string) {
		t.Helper()
		r.ok(t, 204, "PATCH", "/Groups/"+id,
			`{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [`+ops+`]}`)
	}
	// A request to rename the group repeats the ID in the value.
	patch(`{"op": "replace", "value": {"id": "` + id + `", "displayName": "Renamed"}}`)
	assert.Equal(t, "Renamed", r.group(t, id).Name)
	assert.Equal(t, []string{"u-1"}, r.group(t, id).Members)

	add := `{"op": "add", "path": "members", "value": [{"value": "u-2", "display": "bob@example.com"}, {"value": "u-1"}]}`
	patch(add)
	patch(add)
	assert.Equal(t, []string{"u-1", "u-2"}, r.group(t, id).Members, "each member once")

	drop := `{"op": "remove", "path": "members[value eq \"u-1\"]"}`
	patch(drop)
	patch(drop)
	assert.Equal(t, []string{"u-2"}, r.group(t, id).Members)

	patch(drop + `, {"op": "add", "path": "members", "value": [{"value": "carol/ops@example.com"}]}`)
	assert.Equal(t, []string{"u-2", "carol/ops@example.com"}, r.group(t, id).Members)

	patch(`{"op": "replace", "path": "members", "value": [{"value": "u-1"}, {"value": "u-2"}]}`)
	assert.Equal(t, []string{"u-1", "u-2"}, r.group(t, id).Members)

	r.ok(t, 200, "PUT", "/Groups/"+id, `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
		"id": "`+id+`", "displayName": "Put", "members": [{"value": "u-2", "display": "bob@example.com"}]
	}`)
	assert.Equal(t, center.Group{ID: id, Name: "Put", Members: []string{"u-2"}}, r.group(t, id))
	r.ok(t, 200, "PUT", "/Groups/"+id, `{"displayName": "Put"}`)
	assert.Empty(t, r.group(t, id).Members, "a PUT without members clears them")

	r.ok(t, 204, "DELETE", "/Groups/"+id, "")
	r.refused(t, 404, "", "GET", "/Groups/"+id, "")
}

func TestDeactivationAndDeletionEndAccess(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	require.Len(t, r.view.Accounts("u-1"), 1)
	r.ok(t, 200, "PATCH", "/Users/u-1", replaceBody(`{"active":false}`))
	assert.Empty(t, r.view.Accounts("u-1"))

	require.Len(t, r.view.Accounts("u-2"), 1)
	r.ok(t, 204, "PATCH", "/Groups/g-1", `{"Operations":[{"op":"remove","path":"members[value eq \"u-2\"]"}]}`)
	assert.Empty(t, r.view.Accounts("u-2"))

	r.ok(t, 204, "DELETE", "/Users/u-1", "")
	assert.Empty(t, r.group(t, "g-1").Members)
	r.ok(t, 204, "DELETE", "/Groups/g-1", "")
	assert.Empty(t, r.view.Snapshot().Data().Assignments)
}
