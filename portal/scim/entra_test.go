package scim_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/center"
)

// TestEntraUser creates, changes and deletes a user with Entra ID's requests.
func TestEntraUser(t *testing.T) {
	r := newRig(t, empty(), "us-east-1")
	r.ok(t, 200, "GET", "/Users?"+filter(`externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"`), "")
	user := r.ok(t, 201, "POST", "/Users", `{
		"schemas": [
			"urn:ietf:params:scim:schemas:core:2.0:User",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
		"externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
		"userName": "erin@example.com",
		"active": true,
		"addresses": null,
		"displayName": "Erin Evans",
		"emails": [{"type": "home", "value": "erin@home.example"}, {"primary": true, "type": "work", "value": "erin@example.com"}],
		"meta": {"resourceType": "User"},
		"name": {"formatted": "Erin Evans", "familyName": "Evans", "givenName": "Erin"},
		"roles": [],
		"title": null,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R&D", "employeeNumber": "701984"}
	}`)
	id := user["id"].(string)
	want := center.User{ID: id, UserName: "erin@example.com", ExternalID: "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
		DisplayName: "Erin Evans", GivenName: "Erin", FamilyName: "Evans", Email: "erin@example.com"}
	assert.Equal(t, want, r.user(t, id))

	patch := func(ops string) {
		t.Helper()
		r.ok(t, 200, "PATCH", "/Users/"+id,
			`{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [`+ops+`]}`)
	}
	patch(`{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "erin@new.example"},
		{"op": "Replace", "path": "name.familyName", "value": "Ek "},
		{"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1 555 0100"},
		{"op": "Add", "path": "roles[primary eq \"True\"].display", "value": "x"},
		{"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Sales"},
		{"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": [{"$ref": "x", "value": "y"}]}`)
	want.Email, want.FamilyName = "erin@new.example", "Ek"
	assert.Equal(t, want, r.user(t, id))

	// Without a path, the names are paths.
	patch(`{"op": "Replace", "value": {"displayName": "Erin Ek", "name.givenName": "Eryn",
		"emails[type eq \"work\"].value": "eryn@new.example",
		"urn:ietf:params:scim:schemas:core:2.0:User:userName": "eryn@example.com",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter": "9"}}`)
	want.DisplayName, want.GivenName, want.Email, want.UserName = "Erin Ek", "Eryn", "eryn@new.example", "eryn@example.com"
	assert.Equal(t, want, r.user(t, id))

	for _, value := range []string{`"False"`, `"True"`, `[{"$ref": null, "value": "False"}]`, `"true"`, `false`} {
		patch(`{"op": "Replace", "path": "active", "value": ` + value + `}`)
		want.Inactive = value != `"True"` && value != `"true"`
		assert.Equal(t, want, r.user(t, id), value)
	}

	patch(`{"op": "Remove", "path": "emails[type eq \"work\"].value"}`)
	want.Email = ""
	assert.Equal(t, want, r.user(t, id))
	patch(`{"op": "Add", "path": "emails[type eq \"home\"].value", "value": "eryn@home.example"}`)
	assert.Equal(t, want, r.user(t, id), "an address of another type is not kept")
	patch(`{"op": "Add", "path": "emails[type eq \"work\"].value", "value": "eryn@example.com"},
		{"op": "Remove", "path": "displayName"}, {"op": "Remove", "path": "name"}`)
	want.Email, want.DisplayName, want.GivenName, want.FamilyName = "eryn@example.com", "", "", ""
	assert.Equal(t, want, r.user(t, id))
	patch(`{"op": "Add", "path": "emails[type eq \"work\"]", "value": {"value": "erin@example.com"}}`)
	want.Email = "erin@example.com"
	assert.Equal(t, want, r.user(t, id), "the filter selects the address")
	r.ok(t, 204, "DELETE", "/Users/"+id, "")
}

// TestEntraGroup creates, changes and deletes a group with Entra ID's requests: one for each member, in Entra ID's own
// forms.
func TestEntraGroup(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	r.ok(t, 200, "GET", "/Groups?excludedAttributes=members&"+filter(`displayName eq "Staff"`), "")
	group := r.ok(t, 201, "POST", "/Groups", `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
		"externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
		"displayName": "Staff",
		"meta": {"resourceType": "Group"}
	}`)
	id := group["id"].(string)
	patch := func(ops string) {
		t.Helper()
		r.ok(t, 204, "PATCH", "/Groups/"+id,
			`{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [`+ops+`]}`)
	}
	patch(`{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "u-1"}]}`)
	patch(`{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "u-2"}]}`)
	assert.Equal(t, []string{"u-1", "u-2"}, r.group(t, id).Members)
	is := r.ok(t, 200, "GET", "/Groups?"+filter(`id eq "`+id+`" and members eq "u-2"`), "")
	assert.Equal(t, []string{id}, found(t, is))

	patch(`{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "u-2"}]}`)
	assert.Equal(t, []string{"u-1"}, r.group(t, id).Members, "only the members in the value")
	patch(`{"op": "Remove", "path": "members", "value": []}`)
	assert.Equal(t, []string{"u-1"}, r.group(t, id).Members)
	patch(`{"op": "Replace", "path": "displayName", "value": "All Staff"}, {"op": "Replace", "path": "externalId", "value": "x"}`)
	assert.Equal(t, center.Group{ID: id, Name: "All Staff", ExternalID: "x", Members: []string{"u-1"}}, r.group(t, id))
	patch(`{"op": "remove", "path": "members"}`)
	assert.Empty(t, r.group(t, id).Members)
}
