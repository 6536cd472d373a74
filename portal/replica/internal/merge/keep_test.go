package merge_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A later version wrote fields that this one doesn't know. They outlive an update of the same
// record, inside objects too. What this version knows is replaced, also by nothing.
func TestUnknownFieldsOfDetailsOutliveAnUpdate(t *testing.T) {
	set := `{"name":"p","description":"","sessionDuration":3600000000000}`
	for name, c := range map[string]struct{ key, old, next, want string }{
		"a field": {"permissionSet p", `{"relayState":"a","later":[1]}`, `{"relayState":"b"}`, `{"relayState":"b","later":[1]}`},
		"in objects": {"permissionSet p", `{"policies":{"inlinePolicy":"{}","later":1}}`,
			`{"policies":{"managedPolicies":["m"]}}`, `{"policies":{"managedPolicies":["m"],"later":1}}`},
		"objects that are left out": {"permissionSet p", `{"policies":{"inlinePolicy":"{}","later":1},"id":"i"}`,
			`{"id":"i"}`, `{"id":"i","policies":{"later":1}}`},
		"nothing else":      {"permissionSet p", `{"relayState":"a","later":{"x":null}}`, "", `{"later":{"x":null}}`},
		"nothing unknown":   {"permissionSet p", `{"relayState":"a","policies":{"inlinePolicy":"{}"}}`, "", ""},
		"another type":      {"permissionSet p", `{"relayState":{"later":1}}`, `{"relayState":"b"}`, `{"relayState":"b"}`},
		"an unknown kind":   {"later p", `{"a":1,"later":2}`, `{"a":3}`, `{"a":3,"later":2}`},
		"not an object":     {"permissionSet p", `[1]`, `{"relayState":"b"}`, `{"relayState":"b"}`},
		"only other fields": {"permissionSet p", `{"later":1}`, `{"relayState":"b"}`, `{"relayState":"b","later":1}`},
	} {
		r := newRegion(virginia).know(primary(1, true, []merge.Record{
			rec(center.KindPermissionSet, "p", set, false), rec("later", "p", `{}`, true),
			rec(center.KindDetails, c.key, c.old, true),
		}))
		change := center.Record{Kind: center.KindDetails, Key: c.key}
		if c.next != "" {
			change.Value = []byte(c.next)
		}
		kept := r.dir.Keep([]center.Record{change})
		if c.want == "" {
			assert.Nil(t, kept[0].Value, name)
			continue
		}
		require.NotNil(t, kept[0].Value, name)
		assert.JSONEq(t, c.want, string(kept[0].Value), name)
		assert.Equal(t, c.next, string(change.Value), "the caller's is not changed")

		tx := r.dir.Compose(virginia, 2, r.dir.Draft(virginia, kept), false)
		left := r.dir.Took(r.hear(arrival{region: virginia, tx: &tx}), kept)
		assert.Empty(t, left, "%s: the instance shows what is in the log", name)
	}
}

// The instance's own record is kept in the same way. An element that is removed leaves nothing,
// and neither does one that an older primary removed.
func TestUnknownFieldsOfTheInstanceAndOfRemovedElements(t *testing.T) {
	value := `{"id":"ssoins-1234567890abcdef","encryption":{"keyType":"AWS_OWNED_KMS_KEY","later":1},"later":2}`
	r := newRegion(virginia).know(primary(1, true, []merge.Record{
		rec(center.KindInstance, "instance", value, true), userRecord("u-1", true),
		rec(center.KindDetails, "user u-1", `{"later":1}`, true), rec(center.KindDetails, "user u-2", `{"later":1}`, true),
	}))
	kept := r.dir.Keep([]center.Record{
		{Kind: center.KindInstance, Key: "instance", Value: []byte(`{"id":"ssoins-1234567890abcdef","name":"n"}`)},
		{Kind: center.KindDetails, Key: "user u-1"}, {Kind: center.KindUser, Key: "u-1"},
		{Kind: center.KindUser, Key: "u-2", Value: []byte(`{"id":"u-2","userName":"u-2"}`)},
		{Kind: center.KindDetails, Key: "user u-2", Value: []byte(dated)},
	})
	assert.JSONEq(t, `{"id":"ssoins-1234567890abcdef","name":"n","encryption":{"later":1},"later":2}`,
		string(kept[0].Value))
	assert.Nil(t, kept[1].Value)
	assert.JSONEq(t, dated, string(kept[4].Value))
}

// A record of any version stays what it is if nothing in it is changed.
func TestUnderstoodIsPartOfTheValue(t *testing.T) {
	for _, key := range []string{"user u", "group g", "permissionSet p", "account a", "region r"} {
		b := center.Understood(center.Record{Kind: center.KindDetails, Key: key, Value: []byte(`{"later":1}`)})
		assert.JSONEq(t, `{}`, string(b), key)
	}
	assert.Nil(t, center.Understood(center.Record{Kind: center.KindDetails, Key: "later l", Value: []byte(`{"a":1}`)}))
	var user json.RawMessage = []byte(`{"id":"u"}`)
	assert.Equal(t, []byte(user), center.Understood(center.Record{Kind: center.KindUser, Key: "u", Value: user}))
}
