package scim_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// misspelt lists misspellings of active. Each is an example of one kind of misspelling of attributes that affect
// access.
var misspelt = []string{
	"active.value", "active.", ".active", " active", "active ", "act ive", "active\\t", "active\\u0000", "active\\u200b",
	"\\ufeffactive",
	"\\u0430ctive", "act\\u0131ve", "ACT\\u0130VE", "\\uff41ctive", "a\\u0301ctive", "active[value eq true]", "active[",
	"active]", "\\\"active\\\"", "'active'",
	"act_ive", "act-ive", "$active", "act.ive", "active1", "actives", "user.active", "user:active", "User.Active",
	"core:active", "/active", "$.active", "",
	"urn:ietf:params:scim:schemas:core:2.0:User.active", "urn:ietf:params:scim:schemas:core:2.0:Users:active",
	"urn:ietf:params:scim:schemas:core:1.0:User:active", "urn:scim:schemas:core:1.0:active", "urn:scim:schemas:core:1.0",
	"urn:ietf:params:scim:schemas:core:2.0:User:active.value", "urn:ietf:params:scim:schemas:core:2.0:User: active",
	"urn:ietf:params:scim:schemas:core:2.0:Group:active",
	"urn:ietf:params:scim:schemas:core:2.0:Useractive", "urn:ietf:params:scim:schemas:core:2.0:User:",
}

// A success response means that the whole request was carried out, so a misspelling of an attribute that affects access
// is an error.
func TestMisspeltAttributesAreRefused(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	patch := func(path, value string) {
		t.Helper()
		r.refused(t, 400, "invalidPath", "PATCH", path, replaceBody(value))
	}
	for _, name := range misspelt {
		patch("/Users/u-1", `{"`+name+`":false}`)
		patch("/Users/u-1", `{"urn:ietf:params:scim:schemas:core:2.0:User":{"`+name+`":false}}`)
		r.refused(t, 400, "invalidSyntax", "PUT", "/Users/u-1", `{"userName":"alice@example.com","`+name+`":false}`)
		r.refused(t, 400, "invalidSyntax", "POST", "/Users", `{"userName":"new@example.com","`+name+`":false}`)
		if other := strings.ReplaceAll(name, "active", "userName"); other != name {
			patch("/Users/u-1", `{"displayName":"A","`+other+`":"x"}`)
		}
	}
	for _, name := range []string{" members", "members ", "member", "mem_bers", "group.members", "m\\u0435mbers",
		" displayName", "display_name", "displayName.value", "display.name", "DisplayName "} {
		patch("/Groups/g-1", `{"`+name+`":[]}`)
		r.refused(t, 400, "invalidSyntax", "PUT", "/Groups/g-1", `{"displayName":"Engineers","`+name+`":[]}`)
		r.refused(t, 400, "invalidSyntax", "POST", "/Groups", `{"displayName":"New","`+name+`":[]}`)
	}
}

// Other names for these attributes, and objects around them, are refused and not
// dropped as unknown.
func TestOtherNamesAreRefused(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	for _, value := range []string{`{"isActive":false}`, `{"is_active":false}`, `{"inactive":true}`,
		`{"user":{"active":false}}`, `{"User":{"userName":"x"}}`, `{"data":{"Active ":false}}`} {
		r.refused(t, 400, "invalidPath", "PATCH", "/Users/u-1", replaceBody(value))
		r.refused(t, 400, "invalidSyntax", "PUT", "/Users/u-1", `{"userName":"alice@example.com",`+value[1:])
	}
	for _, value := range []string{`{"groupMembers":[]}`, `{"group":{"members":[]}}`} {
		r.refused(t, 400, "invalidPath", "PATCH", "/Groups/g-1", replaceBody(value))
	}
	r.refused(t, 400, "invalidValue", "PATCH", "/Groups/g-1",
		`{"Operations":[{"op":"add","path":"members","value":[{"value":"u-1","operation":"delete"}]}]}`)
	r.ok(t, 200, "PATCH", "/Users/u-1",
		`{"Operations":[{"op":"replace","value":{"activeDirectoryID":"x","manager":{"value":"u-2"},"title":"x"}}]}`)
}

// The schema's URN may be a name with its attributes below it, as extensions have
// them, and names are case-insensitive.
func TestAcceptedSpellings(t *testing.T) {
	for _, value := range []string{
		`{"active":false}`, `{"ACTIVE":"False"}`, `{"urn:ietf:params:scim:schemas:core:2.0:User:active":false}`,
		`{"URN:ietf:params:scim:schemas:core:2.0:user:Active":false}`,
		`{"urn:ietf:params:scim:schemas:core:2.0:User":{"active":false}}`,
		`{"URN:IETF:params:scim:schemas:core:2.0:User":{"Active":"false"},"title":"x"}`,
		`{"active":[{"value":"False"}]}`,
	} {
		r := newRig(t, seed(), "us-east-1")
		r.ok(t, 200, "PATCH", "/Users/u-1", replaceBody(value))
		assert.True(t, r.user(t, "u-1").Inactive, value)
		r = newRig(t, seed(), "us-east-1")
		r.ok(t, 200, "PUT", "/Users/u-1", `{"userName":"alice@example.com",`+value[1:])
		assert.True(t, r.user(t, "u-1").Inactive, value)
		id := r.ok(t, 201, "POST", "/Users", `{"userName":"new@example.com",`+value[1:])["id"].(string)
		assert.True(t, r.user(t, id).Inactive, value)
	}
	r := newRig(t, seed(), "us-east-1")
	r.ok(t, 204, "PATCH", "/Groups/g-1",
		`{"Operations":[{"op":"replace","value":{"urn:ietf:params:scim:schemas:core:2.0:Group":{"Members":[{"value":"u-2"}]}}}]}`)
	assert.Equal(t, []string{"u-2"}, r.group(t, "g-1").Members)
}

func TestMalformedValuesAreRefused(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	for _, c := range []struct{ scimType, value string }{
		{"invalidValue", `{"active":null}`}, {"invalidValue", `{"active":{"value":false}}`},
		{"invalidValue", `{"active":[]}`}, {"invalidValue", `{"active":0}`}, {"invalidValue", `{"active":""}`},
		{"invalidValue", `{"active":" false"}`}, {"invalidValue", `{"userName":null}`},
		{"invalidValue", `{"userName":{"value":"x"}}`},
		{"invalidSyntax", `{"urn:ietf:params:scim:schemas:core:2.0:User":null}`},
		{"invalidSyntax", `{"urn:ietf:params:scim:schemas:core:2.0:User":false}`},
		{"invalidPath", `{"urn:ietf:params:scim:schemas:core:2.0:User":{"urn:ietf:params:scim:schemas:core:2.0:User":{"active":false}}}`},
		{"invalidSyntax", `{"active":true,"urn:ietf:params:scim:schemas:core:2.0:User:active":false}`},
		{"invalidSyntax", `{"active":true,"urn:ietf:params:scim:schemas:core:2.0:User":{"active":false}}`},
		{"invalidPath", `{"name":{" givenName":"x"}}`}, {"invalidPath", `{"emails":[{" value":"x"}]}`},
	} {
		r.refused(t, 400, c.scimType, "PATCH", "/Users/u-1", replaceBody(c.value))
	}
	for _, body := range []string{
		`{"Operations":[{"op":"add"," path":"members","value":{"value":"u-1"}}]}`,
		`{"Operations":[{"op":"add","paths":"members","value":{"value":"u-1"}}]}`,
		`{"Operations":[{"op":"add","p\u0430th":"members","value":{"value":"u-1"}}]}`,
		`{"Operations":[{"op":"replace","path":"active","value":true," value":false}]}`,
		`{"Operations":[{"op":"replace","path":"active","value":true}],"Operations ":[{"op":"replace","path":"active","value":false}]}`,
		`{"Operations":[{"op":"replace","path":"active","value":true}],"operation":[{"op":"replace","path":"active","value":false}]}`,
	} {
		r.refused(t, 400, "invalidSyntax", "PATCH", "/Users/u-1", body)
	}
	// Entra ID gives operations a name.
	r.ok(t, 204, "PATCH", "/Groups/g-1",
		`{"Operations":[{"name":"addMember","op":"Add","path":"members","value":[{"$ref":null,"value":"u-1"}]}]}`)
	// In a whole resource null is the same as no value.
	r.ok(t, 200, "PUT", "/Users/u-1", `{"userName":"alice@example.com","active":null}`)
	assert.False(t, r.user(t, "u-1").Inactive)
}

// Filters in PATCH paths have the grammar of lists.
func TestFiltersInPaths(t *testing.T) {
	for path, want := range map[string][]string{
		`members[value eq "u-1"]`:                                      {"u-2"},
		`members[value eq "u-1" or value eq "u-2"]`:                    {},
		`members[not (value eq "u-1")]`:                                {"u-1"},
		`members[(value sw "u-" and value ew "2") and type eq "User"]`: {"u-1"},
		`members[type eq "Group"]`:                                     {"u-1", "u-2"},
		`members[value eq "u-9"]`:                                      {"u-1", "u-2"},
		`members[value eq "]"]`:                                        {"u-1", "u-2"},
	} {
		r := newRig(t, seed(), "us-east-1")
		r.ok(t, 204, "PATCH", "/Groups/g-1", `{"Operations":[{"op":"remove","path":`+quoted(path)+`}]}`)
		assert.ElementsMatch(t, want, r.group(t, "g-1").Members, path)
	}
	const old = "alice@example.com"
	for path, want := range map[string]string{
		`emails[type eq "work"].value`:                                       "x",
		`emails[primary eq "True" and type eq "work"].value`:                 "x",
		`emails[type eq "home" or type eq "work"].value`:                     "x",
		`emails[not (type eq "home")].value`:                                 "x",
		`emails[type eq "work" and value eq "alice@example.com"].value`:      "x",
		`emails[type eq "home"].value`:                                       old,
		`emails[not (type eq "work")].value`:                                 old,
		`emails[type eq "home" and value eq "alice@example.com"].value`:      old,
		`emails[not (type eq "work" or value eq "alice@example.com")].value`: old,
		`phoneNumbers[type eq "mobile" and not (value pr)].value`:            old,
	} {
		r := newRig(t, seed(), "us-east-1")
		r.ok(t, 200, "PATCH", "/Users/u-1", `{"Operations":[{"op":"replace","path":`+quoted(path)+`,"value":"x"}]}`)
		assert.Equal(t, want, r.user(t, "u-1").Email, path)
	}
	r := newRig(t, seed(), "us-east-1")
	for path, scimType := range map[string]string{
		`emails[value ne "alice@example.com"].value`:              "noTarget",
		`emails[type eq "work" and not (value co "alice")].value`: "noTarget",
		`emails[type eq work].value`:                              "invalidFilter",
		`emails[type eq "work"].value eq "x"`:                     "invalidPath",
		`emails[type eq "work"] or emails[type eq "home"]`:        "invalidPath",
		`emails[emails[type eq "work"]].value`:                    "invalidFilter",
		`emails[(` + strings.Repeat("(", 9) + `type pr`:           "tooMany",
		`userName eq "x"`:                                         "invalidPath",
		`active[value eq true and value eq true]`:                 "invalidPath",
	} {
		r.refused(t, 400, scimType, "PATCH", "/Users/u-1",
			`{"Operations":[{"op":"replace","path":`+quoted(path)+`,"value":"x"}]}`)
	}
}
