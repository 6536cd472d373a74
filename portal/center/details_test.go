package center_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// A clock that a test sets.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func noon(minutes int) time.Time {
	return time.Date(2026, time.November, 30, 12, minutes, 0, 0, time.UTC)
}

// open opens an instance in the primary, with a clock.
func openAt(t *testing.T, d center.Data, c *clock) *center.View {
	t.Helper()
	inst, err := center.Open(center.Config{Data: d, Now: c.now})
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	return v
}

func update(t *testing.T, v *center.View, change func(*center.Tx) error) {
	t.Helper()
	require.NoError(t, v.Update(change))
}

func group(t *testing.T, v *center.View, id string) center.Group {
	t.Helper()
	g, ok := v.Snapshot().GroupByID(id)
	require.True(t, ok, id)
	return g
}

// The writer's clock says when an element was created and changed. What was there before has no dates, and isn't given
// any until it is changed.
func TestDates(t *testing.T) {
	c := &clock{noon(0).In(time.FixedZone("", 3600)).Add(1234567)}
	v := openAt(t, seed(), c)
	alice, _ := v.UserByID("u-1")
	assert.Zero(t, alice.Dates)
	update(t, v, func(tx *center.Tx) error {
		invented := center.Dates{CreatedAt: noon(-99), UpdatedAt: noon(99)}
		return errors.Join(tx.PutUser(center.User{UserName: "dave@example.com", Dates: invented}),
			tx.PutGroup(center.Group{ID: "g-9", Name: "Nine", Members: []string{"u-1"}, Dates: invented}),
			tx.PutPermissionSet(center.PermissionSet{Name: "New", Dates: invented}),
			tx.PutRegion(center.Region{Name: "ap-south-1", AddedDate: noon(99)}))
	})
	created := noon(0).Add(time.Millisecond)
	new := center.Dates{CreatedAt: created, UpdatedAt: created}
	dave, _ := v.UserByID("dave@example.com")
	set, _ := v.Snapshot().PermissionSet("New")
	region, _ := v.Snapshot().Region("ap-south-1")
	assert.Equal(t, []center.Dates{new, new, new}, []center.Dates{dave.Dates, group(t, v, "g-9").Dates, set.Dates})
	assert.Equal(t, created, region.AddedDate)

	c.Time = noon(1)
	update(t, v, func(tx *center.Tx) error { // nothing new
		g := group(t, v, "g-9")
		g.Members = slices.Clone(g.Members)
		region.AddedDate = noon(7)
		return errors.Join(tx.PutUser(center.User{UserName: "dave@example.com"}), tx.PutGroup(g), tx.PutPermissionSet(set),
			tx.PutRegion(region))
	})
	assert.Equal(t, new, group(t, v, "g-9").Dates)
	dave, _ = v.UserByID("dave@example.com")
	assert.Equal(t, new, dave.Dates)
	region, _ = v.Snapshot().Region("ap-south-1")
	assert.Equal(t, created, region.AddedDate)

	update(t, v, func(tx *center.Tx) error {
		alice.DisplayName, dave.DisplayName = "A", "D"
		return errors.Join(tx.PutUser(alice), tx.PutUser(dave))
	})
	dave, _ = v.UserByID("dave@example.com")
	assert.Equal(t, center.Dates{CreatedAt: created, UpdatedAt: noon(1)}, dave.Dates)
	alice, _ = v.UserByID("u-1")
	assert.Equal(t, center.Dates{UpdatedAt: noon(1)}, alice.Dates, "it isn't known when she was created")

	c.Time = noon(-1) // the clock was set back
	update(t, v, func(tx *center.Tx) error { dave.Email = "d@example.com"; return tx.PutUser(dave) })
	dave, _ = v.UserByID("dave@example.com")
	assert.Equal(t, center.Dates{CreatedAt: created, UpdatedAt: noon(1)}, dave.Dates)

	c.Time = noon(2)
	update(t, v, func(tx *center.Tx) error { return tx.RemoveUser("u-1") })
	assert.Equal(t, center.Dates{CreatedAt: created, UpdatedAt: noon(2)}, group(t, v, "g-9").Dates, "it lost a member")
	c.Time = noon(3)
	update(t, v, func(tx *center.Tx) error {
		return tx.PutUser(center.User{ID: "u-1", UserName: "alice@example.com"})
	})
	alice, _ = v.UserByID("u-1")
	assert.Equal(t, noon(3), alice.CreatedAt, "another one")
}

// Applying changes sets no dates: it takes those of the writer. A journal that stores a new instance gives the dates.
func TestDatesAreTheWriters(t *testing.T) {
	here := openAt(t, seed().Founded(noon(0)), &clock{noon(1)})
	before := here.Snapshot()
	assert.Equal(t, noon(0), before.Metadata().CreatedAt)
	region, _ := before.Region("eu-central-1")
	assert.Equal(t, noon(0), region.AddedDate)
	bob, _ := here.UserByID("u-2")
	assert.Equal(t, center.Dates{CreatedAt: noon(0), UpdatedAt: noon(0)}, bob.Dates)
	there := openAt(t, seed().Founded(noon(0)), &clock{noon(9)})
	assert.Equal(t, before.Records(), there.Snapshot().Records())

	update(t, here, func(tx *center.Tx) error {
		bob.DisplayName = "Bob"
		return tx.PutUser(bob)
	})
	inst, err := center.Open(center.Config{Data: there.Snapshot().Data(), Now: (&clock{noon(9)}).now})
	require.NoError(t, err)
	require.NoError(t, inst.Apply(center.Diff(before, here.Snapshot())))
	got, _ := inst.Snapshot().UserByID("u-2")
	assert.Equal(t, noon(1), got.UpdatedAt)
	assert.Equal(t, here.Snapshot().Records(), inst.Snapshot().Records())

	founded := seed()
	founded.Users[0].CreatedAt = noon(-5)
	founded = founded.Founded(noon(0)).Founded(noon(5))
	assert.Equal(t, center.Dates{CreatedAt: noon(-5), UpdatedAt: noon(-5)}, founded.Users[0].Dates, "what is known stays")
	assert.Equal(t, noon(0), founded.Users[1].CreatedAt)
}

// full is an instance with every field that has a record of its own.
func full() center.Data {
	d := seed().Founded(noon(0))
	d.Instance = center.InstanceMetadata{ID: "ssoins-1234567890abcdef", Name: "Corp", IdentityStoreID: "d-9067f1a2b3",
		OwnerAccountID: "111111111111", Kind: center.InstanceOrganization, CreatedAt: noon(0),
		Encryption: center.Encryption{KeyType: center.KeyCustomerManaged, Status: center.EncryptionUpdating,
			KeyARN: "arn:aws:kms:us-east-1:111111111111:key/mrk-0123456789abcdef0123456789abcdef", StatusReason: "why"}}
	d.Groups[0].Description = "All who write code"
	d.Accounts[0].Management = true
	p := &d.PermissionSets[0]
	p.ID, p.RelayState = "ps-0123456789abcdef", "https://console.aws.amazon.com/s3/home?region=eu-central-1"
	p.Policies = center.Policies{
		Inline: `{"Version":"2012-10-17"}`, Managed: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"},
		CustomerManaged: []center.PolicyReference{{Name: "Base", Path: "/teams/"}},
		Boundary:        center.Boundary{CustomerManaged: center.PolicyReference{Name: "Limit"}},
	}
	return d
}

// New fields are in records of their own, which say that an older version may skip them. Without them, all records are
// as an older version writes them.
func TestDetailsAreRecordsOfTheirOwn(t *testing.T) {
	with, without := view(t, full(), "us-east-1").Snapshot(), view(t, seed(), "us-east-1").Snapshot()
	records := with.Records()
	old := slices.DeleteFunc(slices.Clone(records), func(r center.Record) bool { return r.Kind.Optional() })
	assert.Equal(t, without.Records(), old)
	var details []string
	for _, r := range records {
		if r.Kind == center.KindDetails {
			details = append(details, r.Key)
		}
	}
	assert.Equal(t, []string{"account 222222222222", "group g-1", "group g-2", "permissionSet Admin",
		"permissionSet Deploy", "permissionSet ReadOnly", "region eu-central-1", "region us-east-1",
		"user carol@example.com", "user u-1", "user u-2"}, details)

	d, err := center.Assemble(records)
	require.NoError(t, err)
	inst, err := center.NewJournaled(d, nil)
	require.NoError(t, err)
	assert.Equal(t, records, inst.Snapshot().Records())
	assert.Equal(t, with.Data().Instance, inst.Snapshot().Data().Instance)
	want, _ := with.PermissionSet("ReadOnly")
	got, _ := inst.Snapshot().PermissionSet("ReadOnly")
	assert.Equal(t, want, got)

	var fromJSON center.Data
	b, err := json.Marshal(full())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &fromJSON))
	assert.Equal(t, records, view(t, fromJSON, "us-east-1").Snapshot().Records())
}

// An older version writes an element without its details: they stay. It removes one: they go with it. Details arrive
// before their element, or after it, or for none.
func TestDetailsWithoutTheirElement(t *testing.T) {
	rec := func(kind center.Kind, key, value string) center.Record {
		if value == "" {
			return center.Record{Kind: kind, Key: key}
		}
		return center.Record{Kind: kind, Key: key, Value: []byte(value)}
	}
	inst, err := center.New(full())
	require.NoError(t, err)
	apply := func(all ...center.Record) *center.Snapshot {
		require.NoError(t, inst.Apply(all))
		return inst.Snapshot()
	}
	s := apply(rec(center.KindPermissionSet, "ReadOnly", `{"name":"ReadOnly","description":"new","sessionDuration":"1h"}`),
		rec(center.KindUser, "u-1", `{"id":"u-1","userName":"alice@example.com","active":false}`),
		rec(center.KindRegion, "eu-central-1", `{"position":1,"name":"eu-central-1","label":"L"}`),
		rec(center.KindAccount, "222222222222", `{"id":"222222222222","name":"P"}`),
		rec(center.KindGroup, "g-1", `{"id":"g-1","name":"G"}`))
	set, _ := s.PermissionSet("ReadOnly")
	assert.Equal(t, "new", set.Description)
	assert.Equal(t, "ps-0123456789abcdef", set.ID)
	assert.NotEmpty(t, set.Policies.Managed)
	u, _ := s.UserByID("u-1")
	assert.True(t, u.Inactive)
	assert.Equal(t, noon(0), u.CreatedAt)
	r, _ := s.Region("eu-central-1")
	assert.Equal(t, "L", r.Label)
	assert.Equal(t, noon(0), r.AddedDate)
	assert.True(t, slices.ContainsFunc(s.Data().Accounts, func(a center.Account) bool {
		return a.Management && a.ID == "222222222222"
	}))
	g, _ := s.GroupByID("g-1")
	assert.Equal(t, "All who write code", g.Description)

	s = apply(rec(center.KindUser, "u-9", `{"id":"u-9","userName":"u9","active":true}`),
		rec(center.KindDetails, "user u-9", `{"createdAt":"2026-11-30T12:00:00Z","later":[1]}`),
		rec(center.KindDetails, "user none", `{}`), rec(center.KindDetails, "robot x", `{}`),
		rec(center.KindDetails, "x", `1`),
		rec(center.KindDetails, "region eu-central-1", `{"addedDate":"2026-11-30T12:07:00Z"}`),
		rec(center.KindDetails, "region none-1", `{"addedDate":"2026-11-30T12:07:00Z"}`))
	u, _ = s.UserByID("u-9")
	assert.Equal(t, noon(0), u.CreatedAt)
	r, _ = s.Region("eu-central-1")
	assert.Equal(t, noon(7), r.AddedDate)

	apply(rec(center.KindUser, "u-9", ""))
	s = apply(rec(center.KindUser, "u-9", `{"id":"u-9","userName":"u9","active":true}`))
	u, _ = s.UserByID("u-9")
	assert.Zero(t, u.Dates, "another one")
	s = apply(rec(center.KindDetails, "user u-9", `{"createdAt":"2026-11-30T12:00:00Z"}`))
	u, _ = s.UserByID("u-9")
	assert.Equal(t, noon(0), u.CreatedAt)
	s = apply(rec(center.KindDetails, "user u-9", ""))
	u, _ = s.UserByID("u-9")
	assert.Zero(t, u.Dates)
}

// What can't be decoded of a kind that may be skipped doesn't affect the rest.
func TestDetailsThatCantBeDecoded(t *testing.T) {
	inst, err := center.New(full())
	require.NoError(t, err)
	before := inst.Snapshot().Metadata()
	require.NoError(t, inst.Apply([]center.Record{
		{Kind: center.KindDetails, Key: "user u-1", Value: []byte(`{"createdAt":7}`)},
		{Kind: center.KindDetails, Key: "user u-2", Value: []byte(`{`)},
		{Kind: center.KindInstance, Key: "instance", Value: []byte(`[]`)},
		{Kind: center.KindInstance, Key: "other", Value: []byte(`{"id":"ssoins-0000000000000000"}`)},
		{Kind: center.KindUser, Key: "u-1", Value: []byte(`{"id":"u-1","userName":"alice@example.com","active":false}`)},
	}))
	u, _ := inst.Snapshot().UserByID("u-1")
	assert.True(t, u.Inactive)
	assert.Equal(t, before, inst.Snapshot().Metadata())
}

// What a later version allows, or an older one left, can be opened and changed further.
func TestAStoredInstanceKeepsNoNewRules(t *testing.T) {
	d := full()
	d.Instance.Kind, d.Instance.Encryption.KeyType = "PARTNER", "HARDWARE"
	d.Accounts[1].Management = true
	d.PermissionSets[0].Policies.Inline = strings.Repeat("x", center.MaxInlinePolicy+1)
	_, err := center.New(d)
	requireReason(t, center.ReasonInvalid, err)
	inst, err := center.NewJournaled(d, nil)
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	update(t, v, func(tx *center.Tx) error { return tx.PutUser(center.User{UserName: "dave@example.com"}) })
	require.NoError(t, inst.Apply([]center.Record{{Kind: center.KindUser, Key: "u-2"},
		{Kind: center.KindGroup, Key: "g-1"}, {Kind: center.KindApplication, Key: "Wiki"},
		{Kind: center.KindAssignment, Key: "222222222222/Admin/group/g-1"},
		{Kind: center.KindAssignment, Key: "111111111111/ReadOnly/group/g-1"}}))
}
