package center_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// putMetadata puts what edit makes of full's.
func putMetadata(edit func(*center.InstanceMetadata)) func(*center.Tx) error {
	return func(tx *center.Tx) error {
		m := full().Instance
		edit(&m)
		return tx.PutInstanceMetadata(m)
	}
}

// Rule 10, among others: with an additional Region, only a multi-Region key will do.
func TestInstanceMetadata(t *testing.T) {
	const single = "arn:aws:kms:us-east-1:111111111111:key/01234567-89ab-cdef-0123-456789abcdef"
	one := full()
	one.Regions, one.Applications = one.Regions[:1], nil
	for name, tt := range map[string]struct {
		edit func(*center.InstanceMetadata)
		in   center.Data
		want center.Reason // "": accepted
	}{
		"as it is": {func(*center.InstanceMetadata) {}, full(), ""},
		"empty ID": {func(m *center.InstanceMetadata) { m.ID, m.IdentityStoreID = "", "" }, full(), ""},
		"another ID": {func(m *center.InstanceMetadata) { m.ID = "ssoins-0000000000000000" },
			full(), center.ReasonFixed},
		"first ID": {func(m *center.InstanceMetadata) { m.ID = "ssoins-AZaz09.-00000000" }, seed(), ""},
		"short ID": {func(m *center.InstanceMetadata) { m.ID = "ssoins-0" }, seed(), center.ReasonInvalid},
		"ID of a host": {func(m *center.InstanceMetadata) { m.ID = "ssoins-00000000/0000000" },
			seed(), center.ReasonInvalid},
		"another store": {func(m *center.InstanceMetadata) { m.IdentityStoreID = "d-0000000000" },
			full(), center.ReasonFixed},
		"bad store": {func(m *center.InstanceMetadata) { m.IdentityStoreID = "d-000000000G" },
			seed(), center.ReasonInvalid},
		"owner": {func(m *center.InstanceMetadata) { m.OwnerAccountID = "222222222222" }, full(), ""},
		"bad owner": {func(m *center.InstanceMetadata) { m.OwnerAccountID = "22222222222" },
			full(), center.ReasonInvalid},
		"name": {func(m *center.InstanceMetadata) { m.Name = strings.Repeat("n", 255) }, full(), ""},
		"long name": {func(m *center.InstanceMetadata) { m.Name = strings.Repeat("n", 256) },
			full(), center.ReasonInvalid},
		"spaced name": {func(m *center.InstanceMetadata) { m.Name = "a b" }, full(), center.ReasonInvalid},
		"account":     {func(m *center.InstanceMetadata) { m.Kind = center.InstanceAccount }, one, ""},
		"account, two": {func(m *center.InstanceMetadata) { m.Kind = center.InstanceAccount },
			full(), center.ReasonInvalid},
		"another kind": {func(m *center.InstanceMetadata) { m.Kind = "X" }, one, center.ReasonInvalid},
		"single key":   {func(m *center.InstanceMetadata) { m.Encryption.KeyARN = single }, one, ""},
		"single key, two": {func(m *center.InstanceMetadata) { m.Encryption.KeyARN = single },
			full(), center.ReasonInvalid},
		"no key": {func(m *center.InstanceMetadata) { m.Encryption.KeyARN = "" }, full(), center.ReasonRequired},
		"no ARN": {func(m *center.InstanceMetadata) { m.Encryption.KeyARN = "mrk-0" },
			full(), center.ReasonInvalid},
		"not said": {func(m *center.InstanceMetadata) { m.Encryption = center.Encryption{} }, full(), ""},
		"AWS's": {func(m *center.InstanceMetadata) {
			m.Encryption = center.Encryption{KeyType: center.KeyOwnedByAWS}
		}, one, ""},
		"AWS's, two": {func(m *center.InstanceMetadata) {
			m.Encryption = center.Encryption{KeyType: center.KeyOwnedByAWS}
		}, full(), center.ReasonInvalid},
		"AWS's with ARN": {func(m *center.InstanceMetadata) { m.Encryption.KeyType = center.KeyOwnedByAWS }, one,
			center.ReasonInvalid},
		"ARN alone":      {func(m *center.InstanceMetadata) { m.Encryption.KeyType = "" }, one, center.ReasonInvalid},
		"another key":    {func(m *center.InstanceMetadata) { m.Encryption.KeyType = "X" }, one, center.ReasonInvalid},
		"another status": {func(m *center.InstanceMetadata) { m.Encryption.Status = "X" }, one, center.ReasonInvalid},
	} {
		v := view(t, tt.in, "us-east-1")
		err := v.Update(putMetadata(tt.edit))
		if tt.want == "" {
			assert.NoError(t, err, name)
		} else {
			var e *center.Error
			if assert.ErrorAs(t, err, &e, name) {
				assert.Equal(t, tt.want, e.Reason, "%s: %v", name, err)
			}
		}
	}
}

func TestInstanceMetadataIsWrittenInThePrimary(t *testing.T) {
	inst, err := center.New(full())
	require.NoError(t, err)
	eu, err := inst.In("eu-central-1")
	require.NoError(t, err)
	requireReason(t, center.ReasonNotPrimary, eu.Update(putMetadata(func(*center.InstanceMetadata) {})))
	us, err := inst.In("us-east-1")
	require.NoError(t, err)
	update(t, us, putMetadata(func(m *center.InstanceMetadata) { m.Name, m.CreatedAt = "Other", noon(9) }))
	assert.Equal(t, "Other", eu.Snapshot().Metadata().Name)
	assert.Equal(t, noon(0), eu.Snapshot().Metadata().CreatedAt, "it never changes")
}

// Rules 1 and 9. An additional Region needs an organization's instance with a key of the customer, if the instance says
// what it has.
func TestAdditionalRegionsNeed(t *testing.T) {
	add := func(tx *center.Tx) error { return tx.PutRegion(center.Region{Name: "eu-central-1"}) }
	for name, tt := range map[string]struct {
		metadata center.InstanceMetadata
		ok       bool
	}{
		"nothing is said": {center.InstanceMetadata{}, true}, "a multi-Region key": {full().Instance, true},
		"account": {center.InstanceMetadata{Kind: center.InstanceAccount}, false},
		"AWS's":   {center.InstanceMetadata{Encryption: center.Encryption{KeyType: center.KeyOwnedByAWS}}, false},
	} {
		v := view(t, center.Data{Instance: tt.metadata, Regions: []center.Region{{Name: "us-east-1"}}}, "us-east-1")
		if err := v.Update(add); tt.ok {
			assert.NoError(t, err, name)
		} else {
			requireReason(t, center.ReasonInvalid, err)
		}
	}
}

// A permission set that is removed and put again has another ID, and its roles have other names.
func TestPermissionSetIDs(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	put := func(p center.PermissionSet) func(*center.Tx) error {
		return func(tx *center.Tx) error { return tx.PutPermissionSet(p) }
	}
	remove := func(tx *center.Tx) error { return tx.RemovePermissionSet("Deploy") }
	get := func() (center.PermissionSet, string) {
		set, ok := v.Snapshot().PermissionSet("Deploy")
		require.True(t, ok)
		role, ok := v.Snapshot().Role("333333333333", "Deploy")
		require.True(t, ok)
		byID, ok := v.Snapshot().PermissionSetByID(set.ID)
		require.True(t, ok)
		assert.Equal(t, set, byID)
		return set, role.Suffix
	}
	derived, _ := get()
	seen, suffixes := []string{}, []string{}
	for range 4 {
		set, suffix := get()
		assert.NotContains(t, seen, set.ID)
		assert.NotContains(t, suffixes, suffix)
		seen, suffixes = append(seen, set.ID), append(suffixes, suffix)
		set.Description += "x"
		update(t, v, put(set))
		update(t, v, put(center.PermissionSet{Name: "Deploy"}))
		same, sameSuffix := get()
		assert.Equal(t, set.ID, same.ID, "a change keeps it")
		assert.Equal(t, suffix, sameSuffix)
		requireReason(t, center.ReasonFixed, v.Update(put(center.PermissionSet{Name: "Deploy", ID: "ps-ffffffffffffffff"})))
		update(t, v, remove)
		_, ok := v.Snapshot().PermissionSetByID(set.ID)
		assert.False(t, ok)
		requireReason(t, center.ReasonFixed, v.Update(put(set)))
		update(t, v, put(center.PermissionSet{Name: "Deploy"}))
	}
	set, _ := get()
	update(t, v, func(tx *center.Tx) error {
		return errors.Join(remove(tx), tx.PutPermissionSet(center.PermissionSet{Name: "Deploy"}))
	})
	again, _ := get()
	assert.NotEqual(t, set.ID, again.ID, "also in one update")
	assert.NotEqual(t, derived.ID, again.ID)

	failing := errors.New("no entropy")
	inst, err := center.Open(center.Config{Data: seed(), Rand: errReader{failing}})
	require.NoError(t, err)
	v, err = inst.In("us-east-1")
	require.NoError(t, err)
	require.ErrorIs(t, v.Update(put(center.PermissionSet{Name: "New"})), failing)
	_, ok := v.Snapshot().PermissionSet("New")
	assert.False(t, ok)
}

type errReader struct{ error }

func (r errReader) Read([]byte) (int, error) { return 0, r.error }

func TestPermissionSetLimits(t *testing.T) {
	const policy = "arn:aws:iam::aws:policy/job-function/Billing"
	arns := make([]string, 21)
	for i := range arns {
		arns[i] = fmt.Sprint("arn:aws:iam::111111111111:policy/p", i)
	}
	inline := `{"a":"` + strings.Repeat("é", center.MaxInlinePolicy-8) + `"}`
	type p = center.PermissionSet
	type policyRef = center.PolicyReference
	for name, tt := range map[string]struct {
		edit func(*p)
		want center.Reason
	}{
		"inline":            {func(s *p) { s.Policies.Inline = inline }, ""},
		"long inline":       {func(s *p) { s.Policies.Inline = inline + " " }, center.ReasonQuota},
		"inline, no object": {func(s *p) { s.Policies.Inline = `[]` }, center.ReasonInvalid},
		"inline, no JSON":   {func(s *p) { s.Policies.Inline = `{` }, center.ReasonInvalid},
		"inline, no UTF-8":  {func(s *p) { s.Policies.Inline = "{\"a\":\"\xff\"}" }, center.ReasonInvalid},
		"relay state":       {func(s *p) { s.RelayState = strings.Repeat("r", 240) }, ""},
		"long relay state":  {func(s *p) { s.RelayState = strings.Repeat("r", 241) }, center.ReasonQuota},
		"relay state, line": {func(s *p) { s.RelayState = "a\nb" }, center.ReasonInvalid},
		"managed":           {func(s *p) { s.Policies.Managed = arns[:20] }, ""},
		"many managed":      {func(s *p) { s.Policies.Managed = arns }, center.ReasonQuota},
		"managed, no ARN":   {func(s *p) { s.Policies.Managed = []string{"Billing"} }, center.ReasonInvalid},
		"managed twice":     {func(s *p) { s.Policies.Managed = []string{policy, policy} }, center.ReasonDuplicate},
		"customer":          {func(s *p) { s.Policies.CustomerManaged = []policyRef{{Name: "a", Path: "/"}} }, ""},
		"customer, no name": {func(s *p) { s.Policies.CustomerManaged = []policyRef{{}} }, center.ReasonRequired},
		"customer, bad path": {func(s *p) { s.Policies.CustomerManaged = []policyRef{{Name: "a", Path: "b"}} },
			center.ReasonInvalid},
		"customer twice": {func(s *p) { s.Policies.CustomerManaged = slices.Repeat([]policyRef{{Name: "a"}}, 2) },
			center.ReasonDuplicate},
		"boundary":         {func(s *p) { s.Policies.Boundary.Managed = policy }, ""},
		"boundary, no ARN": {func(s *p) { s.Policies.Boundary.Managed = "x" }, center.ReasonInvalid},
		"boundary of both": {func(s *p) {
			s.Policies.Boundary = center.Boundary{Managed: policy, CustomerManaged: policyRef{Name: "a"}}
		}, center.ReasonInvalid},
		"boundary, bad name":  {func(s *p) { s.Policies.Boundary.CustomerManaged.Name = "a b" }, center.ReasonInvalid},
		"boundary, path only": {func(s *p) { s.Policies.Boundary.CustomerManaged.Path = "/" }, center.ReasonRequired},
	} {
		err := view(t, seed(), "us-east-1").Update(func(tx *center.Tx) error {
			set := center.PermissionSet{Name: "New"}
			tt.edit(&set)
			return tx.PutPermissionSet(set)
		})
		if tt.want == "" {
			assert.NoError(t, err, name)
			continue
		}
		var e *center.Error
		if assert.ErrorAs(t, err, &e, name) {
			assert.Equal(t, tt.want, e.Reason, "%s: %v", name, err)
		}
	}
}

// Rule 76, and the other quotas of an instance.
func TestNumbersOfElements(t *testing.T) {
	d := center.Data{}
	for i := range center.MaxRegions {
		d.Regions = append(d.Regions, center.Region{Name: fmt.Sprintf("r%s-x-1", strings.Repeat("a", i))[1:]})
	}
	d.Regions[0].Name = "us-east-1"
	for i := range center.MaxPermissionSets {
		d.PermissionSets = append(d.PermissionSets, center.PermissionSet{Name: fmt.Sprint("s", i)})
	}
	v := view(t, d, "us-east-1")
	requireReason(t, center.ReasonQuota, v.Update(func(tx *center.Tx) error {
		return tx.PutRegion(center.Region{Name: "zz-x-1"})
	}))
	requireReason(t, center.ReasonQuota, v.Update(func(tx *center.Tx) error {
		return tx.PutPermissionSet(center.PermissionSet{Name: "New"})
	}))
	update(t, v, func(tx *center.Tx) error {
		return errors.Join(tx.RemovePermissionSet("s0"), tx.PutPermissionSet(center.PermissionSet{Name: "New"}))
	})
}

// A second management account, a group's long description, a date that JSON can't have, and an ID that is another one's
// UUID are refused, each beside what is accepted.
func TestDetailsAreChecked(t *testing.T) {
	d := full()
	d.PermissionSets[1].ID = "ps-fedcba9876543210"
	v := view(t, d, "us-east-1")
	update(t, v, func(tx *center.Tx) error {
		return errors.Join(tx.PutAccount(center.Account{ID: "222222222222", Name: "P"}),
			tx.PutAccount(center.Account{ID: "111111111111", Name: "P", Management: true}))
	})
	requireReason(t, center.ReasonDuplicate, v.Update(func(tx *center.Tx) error {
		return tx.PutAccount(center.Account{ID: "222222222222", Name: "P", Management: true})
	}))
	describe := func(s string) error {
		return v.Update(func(tx *center.Tx) error { return tx.PutGroup(center.Group{Name: "New", Description: s}) })
	}
	require.NoError(t, describe(strings.Repeat("é", center.MaxDescription)))
	requireReason(t, center.ReasonQuota, describe(strings.Repeat("é", center.MaxDescription+1)))
	requireReason(t, center.ReasonInvalid, describe("a\x00"))

	uuid := v.Snapshot().UserUUID("u-1")
	requireReason(t, center.ReasonDuplicate, v.Update(func(tx *center.Tx) error {
		return tx.PutUser(center.User{ID: uuid, UserName: "mallory@example.com"})
	}))
	update(t, v, func(tx *center.Tx) error {
		return errors.Join(tx.RemoveUser("u-1"), tx.PutUser(center.User{ID: uuid, UserName: "mallory@example.com"}))
	})
	requireReason(t, center.ReasonDuplicate, v.Update(func(tx *center.Tx) error {
		return tx.PutUser(center.User{ID: "u-1", UserName: "alice@example.com"})
	}))
	d.PermissionSets[1].ID = d.PermissionSets[0].ID
	_, err := center.New(d)
	requireReason(t, center.ReasonDuplicate, err)
	d.PermissionSets[1].ID = "ps-1"
	_, err = center.New(d)
	requireReason(t, center.ReasonInvalid, err)
	d = seed()
	d.Users[0].CreatedAt = noon(0).AddDate(9000, 0, 0)
	_, err = center.New(d)
	requireReason(t, center.ReasonInvalid, err)
}
