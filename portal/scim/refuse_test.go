package scim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

// Each row breaks one rule; refused checks that nothing changes.
func TestUsersRefused(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	for _, c := range []struct {
		name     string
		status   int
		scimType string
		body     string
	}{
		{"not JSON", 400, "invalidSyntax", `{"userName":`},
		{"empty", 400, "invalidSyntax", ``},
		{"a list", 400, "invalidSyntax", `[]`},
		{"two documents", 400, "invalidSyntax", `{"userName":"a"}{}`},
		{"another schema", 400, "invalidSyntax",
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"userName":"x@example.com"}`},
		{"schemas not a list", 400, "invalidSyntax",
			`{"schemas":"urn:ietf:params:scim:schemas:core:2.0:User","userName":"x@example.com"}`},
		{"duplicate in another case", 400, "invalidSyntax", `{"userName":"x@example.com","username":"y@example.com"}`},
		{"too many schemas", 400, "invalidSyntax", `{"schemas":[` + strings.Repeat(`"x",`, 100) +
			`"urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"x@example.com"}`},
		{"not UTF-8", 400, "invalidSyntax", "{\"userName\":\"x\xff@example.com\"}"},
		{"no userName", 400, "invalidValue", `{"displayName":"X"}`},
		{"empty userName", 400, "invalidValue", `{"userName":""}`},
		{"null userName", 400, "invalidValue", `{"userName":null}`},
		{"number userName", 400, "invalidValue", `{"userName":1}`},
		{"space around userName", 400, "invalidValue", `{"userName":"x@example.com "}`},
		{"control character", 400, "invalidValue", `{"userName":"x\u0000@example.com"}`},
		{"zero width space", 400, "invalidValue", `{"userName":"ali\u200bce@example.com"}`},
		{"right-to-left override", 400, "invalidValue", `{"userName":"x\u202e@example.com"}`},
		{"no-break space", 400, "invalidValue", `{"userName":"a\u00a0b"}`},
		{"long userName", 400, "invalidValue", `{"userName":"` + strings.Repeat("x", 257) + `"}`},
		{"long externalId", 400, "invalidValue", `{"userName":"x@example.com","externalId":"` + strings.Repeat("x", 257) +
			`"}`},
		{"active not a boolean", 400, "invalidValue", `{"userName":"x@example.com","active":"yes"}`},
		{"emails a string", 400, "invalidValue", `{"userName":"x@example.com","emails":"x@example.com"}`},
		{"email a number", 400, "invalidValue", `{"userName":"x@example.com","emails":[{"value":1}]}`},
		{"name a string", 400, "invalidValue", `{"userName":"x@example.com","name":"X"}`},
		{"taken", 409, "uniqueness", `{"userName":"alice@example.com"}`},
		{"taken in another case", 409, "uniqueness", `{"userName":"Alice@Example.com"}`},
		{"taken, other externalId", 409, "uniqueness", `{"userName":"alice@example.com","externalId":"other"}`},
		{"externalId taken", 409, "uniqueness", `{"userName":"x@example.com","externalId":"00u1"}`},
	} {
		t.Run(c.name, func(t *testing.T) { r.refused(t, c.status, c.scimType, "POST", "/Users", c.body) })
	}
	r.refused(t, 400, "mutability", "PUT", "/Users/u-1", `{"id":"u-2","userName":"alice@example.com"}`)
	r.refused(t, 409, "uniqueness", "PUT", "/Users/u-1", `{"userName":"BOB@example.com"}`)
	r.refused(t, 404, "", "PUT", "/Users/u-9", `{"userName":"x@example.com"}`)
	r.refused(t, 400, "invalidValue", "PUT", "/Users/u-1", `{"displayName":"Nameless"}`)
}

func TestPatchesRefused(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	for _, c := range []struct{ path, scimType, ops string }{
		{"/Users/u-1", "invalidSyntax", ``},
		{"/Users/u-1", "invalidSyntax", `1`},
		{"/Users/u-1", "invalidSyntax", `{"op":"move","path":"active","value":true}`},
		{"/Users/u-1", "invalidSyntax", `{"path":"active","value":true}`},
		{"/Users/u-1", "invalidSyntax", `{"op":"replace","value":[1]}`},
		{"/Users/u-1", "noTarget", `{"op":"remove"}`},
		{"/Users/u-1", "invalidValue", `{"op":"replace","path":"active"}`},
		{"/Users/u-1", "invalidValue", `{"op":"replace","path":"active","value":"off"}`},
		{"/Users/u-1", "invalidValue", `{"op":"replace","path":"active","value":[{"value":"False"},{"value":"True"}]}`},
		{"/Users/u-1", "invalidValue", `{"op":"replace","path":"active","value":null}`},
		{"/Users/u-1", "mutability", `{"op":"remove","path":"active"}`},
		{"/Users/u-1", "mutability", `{"op":"remove","path":"userName"}`},
		{"/Users/u-1", "mutability", `{"op":"replace","path":"id","value":"u-2"}`},
		{"/Users/u-1", "mutability", `{"op":"replace","value":{"id":"u-2"}}`},
		{"/Users/u-1", "mutability", `{"op":"add","path":"groups","value":[{"value":"g-2"}]}`},
		{"/Users/u-1", "mutability", `{"op":"replace","path":"meta","value":{}}`},
		{"/Users/u-1", "invalidPath", `{"op":"replace","path":"shoeSize","value":"44"}`},
		{"/Users/u-1", "invalidPath", `{"op":"replace","path":"name.shoeSize","value":"44"}`},
		{"/Users/u-1", "invalidPath", `{"op":"replace","path":"active.value","value":true}`},
		{"/Users/u-1", "invalidPath", `{"op":"replace","path":"active[value eq true]","value":true}`},
		{"/Users/u-1", "invalidFilter", `{"op":"replace","path":"emails[type eq \"work\"","value":"x"}`},
		{"/Users/u-1", "invalidPath", `{"op":"replace","path":"emails[type eq \"work\"]value","value":"x"}`},
		{"/Users/u-1", "invalidPath", `{"op":"replace","path":".","value":"x"}`},
		{"/Users/u-1", "invalidPath", `{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User","value":{}}`},
		{"/Users/u-1", "invalidPath", `{"op":"replace","path":"` + strings.Repeat("x", 3000) + `","value":"x"}`},
		{"/Users/u-1", "invalidFilter", `{"op":"replace","path":"emails[type is \"work\"].value","value":"x"}`},
		{"/Users/u-1", "invalidFilter", `{"op":"replace","path":"emails[shoe eq \"work\"].value","value":"x"}`},
		{"/Users/u-1", "noTarget",
			`{"op":"replace","path":"emails[value eq \"nobody@example.com\"].value","value":"x@example.com"}`},
		{"/Users/u-1", "uniqueness", `{"op":"replace","path":"userName","value":"Bob@example.com"}`},
		{"/Users/u-1", "invalidPath",
			`{"op":"replace","path":"displayName","value":"Half"},{"op":"replace","path":"shoeSize","value":"44"}`},
		{"/Groups/g-1", "invalidValue", `{"op":"add","path":"members","value":[{"value":"u-1"},{"value":"u-9"}]}`},
		{"/Groups/g-1", "invalidValue", `{"op":"add","path":"members","value":[{"value":"g-2","type":"Group"}]}`},
		{"/Groups/g-1", "invalidValue", `{"op":"add","path":"members","value":["u-1"]}`},
		{"/Groups/g-1", "invalidValue", `{"op":"add","path":"members","value":[{}]}`},
		{"/Groups/g-1", "invalidValue", `{"op":"replace","path":"members","value":[{"value":"u-9"}]}`},
		{"/Groups/g-1", "invalidFilter", `{"op":"remove","path":"members[display eq \"x\"]"}`},
		{"/Groups/g-1", "invalidFilter", `{"op":"remove","path":"members[value eq true]"}`},
		{"/Groups/g-1", "mutability", `{"op":"replace","path":"members[value eq \"u-1\"]","value":{"value":"u-2"}}`},
		{"/Groups/g-1", "mutability", `{"op":"remove","path":"displayName"}`},
		{"/Groups/g-1", "invalidPath", `{"op":"add","path":"owners","value":[]}`},
		{"/Groups/g-1", "uniqueness", `{"op":"replace","path":"displayName","value":"AUDITORS"}`},
	} {
		t.Run(c.path+c.ops[:min(len(c.ops), 90)], func(t *testing.T) {
			status := 400
			if c.scimType == "uniqueness" {
				status = 409
			}
			r.refused(t, status, c.scimType, "PATCH", c.path,
				`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+c.ops+`]}`)
		})
	}
	many := strings.TrimSuffix(strings.Repeat(`{"op":"replace","path":"active","value":true},`, 1001), ",")
	r.refused(t, 413, "", "PATCH", "/Users/u-1", `{"Operations":[`+many+`]}`)
	r.refused(t, 413, "", "PUT", "/Users/u-1",
		`{"userName":"alice@example.com","emails":[`+strings.TrimSuffix(strings.Repeat("{},", 101), ",")+`]}`)
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf(`"x%d":1`, i)
	}
	all := `{"op":"add","value":{` + strings.Join(names, ",") + `}},`
	r.refused(t, 413, "", "PATCH", "/Users/u-1", `{"Operations":[`+strings.Repeat(all,
		10)+`{"op":"add","path":"title","value":"x"},{"op":"add","value":{"x":1}}]}`)
	r.refused(t, 400, "invalidValue", "PATCH", "/Users/u-1",
		`{"Operations":[{"op":"add","value":{"name":{`+strings.Join(names[:101], ",")+`}}}]}`)
	r.refused(t, 404, "", "PATCH", "/Groups/u-1", `{"Operations":[{"op":"remove","path":"members"}]}`)
	r.refused(t, 400, "invalidSyntax", "PATCH", "/Users/u-1",
		`{"schemas":["x"],"Operations":[{"op":"replace","value":{"active":true}}]}`)
}

// Unknown attributes in a list of many are dropped.
func TestUnknownAttributesAreDropped(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	r.ok(t, 200, "PATCH", "/Users/u-1", `{"Operations":[{"op":"replace","value":
		{"shoeSize":"44","title":"CEO","groups":[],"meta":{},"active":false,"noSuchPath.part":1,"name":{"shoeSize":44,"middleName":"B"}}}]}`)
	u := r.user(t, "u-1")
	assert.True(t, u.Inactive)
	assert.Equal(t, "Alice", u.GivenName)
}

// A request without active doesn't change it.
func TestActiveIsNeverGuessed(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	r.ok(t, 200, "PUT", "/Users/u-1", `{"userName":"alice@example.com"}`)
	assert.False(t, r.user(t, "u-1").Inactive)
	r.ok(t, 200, "PUT", "/Users/carol%2Fops@example.com", `{"userName":"carol@example.com","active":null}`)
	assert.True(t, r.user(t, "carol/ops@example.com").Inactive)
	id := r.ok(t, 201, "POST", "/Users", `{"userName":"new@example.com","active":"False"}`)["id"].(string)
	assert.True(t, r.user(t, id).Inactive)
}

// A user whose userName newer rules refuse can be deactivated.
func TestDeactivateUserWithOldUserName(t *testing.T) {
	d := seed()
	d.Users[0].UserName = "ali\u200bce@example.com"
	inst, err := center.NewJournaled(d, nil)
	require.NoError(t, err)
	view, err := inst.In("us-east-1")
	require.NoError(t, err)
	r := newRig(t, seed(), "us-east-1", func(c *scim.Config) { c.View = view })
	r.ok(t, 200, "PATCH", "/Users/u-1", replaceBody(`{"active":false}`))
	u, _ := view.UserByID("u-1")
	assert.True(t, u.Inactive)
	r.ok(t, 200, "PUT", "/Users/u-1", `{"userName":"ali\u200bce@example.com","displayName":"Alice"}`)
	r.refused(t, 400, "invalidValue", "PUT", "/Users/u-1", `{"userName":"al\u200bice@example.com"}`)
}

// Two configured users whose names differ only in case are both found and can be changed. A change of case alone is a
// rename.
func TestNamesThatDifferInCaseOnly(t *testing.T) {
	d := seed()
	d.Users = append(d.Users, center.User{ID: "u-4", UserName: "ALICE@example.com", Inactive: true})
	r := newRig(t, d, "us-east-1")
	assert.Equal(t, []string{"u-1", "u-4"}, found(t, r.ok(t, 200, "GET",
		"/Users?"+filter(`userName eq "alice@example.com"`), "")))
	r.ok(t, 200, "PATCH", "/Users/u-1", replaceBody(`{"active":false}`))
	r.refused(t, 409, "uniqueness", "PATCH", "/Users/u-2", replaceBody(`{"userName":"ALICE@example.com"}`))
	r.ok(t, 200, "PATCH", "/Users/u-4", replaceBody(`{"userName":"alice2@example.com"}`))
	r.ok(t, 200, "PATCH", "/Users/u-2", replaceBody(`{"userName":"Bob@example.com"}`))
	assert.Equal(t, "Bob@example.com", r.user(t, "u-2").UserName)
}
