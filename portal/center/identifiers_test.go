package center_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

var (
	uuidForm   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	suffixForm = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

// An instance without any stored ID has the same IDs on every node. They must never change: these are of the first
// version that had any.
func TestDerivedIDsNeverChange(t *testing.T) {
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		s := view(t, seed(), region).Snapshot()
		m := s.Metadata()
		assert.Equal(t, "ssoins-ec5f1d7f2dafd574", m.ID)
		assert.Equal(t, "arn:aws:sso:::instance/ssoins-ec5f1d7f2dafd574", m.ARN())
		assert.Equal(t, "arn:aws:identitystore::000000000000:identitystore/d-9a607221ff", m.IdentityStoreARN())
		assert.Equal(t, center.InstanceOrganization, m.Kind)
		assert.Zero(t, m.CreatedAt, "not known")
		assert.Equal(t, "6cb5a51e-2cd8-5868-af43-83b37ff9fef8", s.UserUUID("u-1"))
		assert.Equal(t, "0d229c1c-e4f6-5b52-9857-62febb68c848", s.GroupUUID("g-1"))
		assert.Equal(t, "a87fc6c9-cbaf-5af6-bfe0-21e250200d09", s.MembershipUUID("g-1", "u-1"))
		set, ok := s.PermissionSet("ReadOnly")
		require.True(t, ok)
		assert.Equal(t, "arn:aws:sso:::permissionSet/ssoins-ec5f1d7f2dafd574/ps-b40c759f58849b96", m.PermissionSetARN(set.ID))
		role, ok := s.Role("111111111111", "ReadOnly")
		require.True(t, ok)
		assert.Equal(t, "AWSReservedSSO_ReadOnly_ea8069d23bf25f04", role.Name())
	}
}

func TestUUIDs(t *testing.T) {
	s := view(t, seed(), "us-east-1").Snapshot()
	seen := map[string]bool{}
	for _, id := range []string{s.UserUUID("x"), s.GroupUUID("x"), s.MembershipUUID("x", "x"), s.UserUUID("X"),
		s.UserUUID(""), s.MembershipUUID("x", "y"), s.MembershipUUID("y", "x")} {
		assert.Regexp(t, uuidForm, id)
		assert.False(t, seen[id], "a user's, a group's and a membership's differ")
		seen[id] = true
	}
	for _, id := range []string{
		"0f5a3c1e-6b7d-4e2f-9a10-1234567890ab", "0F5A3C1E-6B7D-4E2F-9A10-1234567890AB",
		"9067f1a2b3-0f5a3c1e-6b7d-4e2f-9a10-1234567890ab",
	} {
		assert.Equal(t, id, s.UserUUID(id), "the directory's ID is one")
		assert.Equal(t, id, s.GroupUUID(id))
	}
	for _, id := range []string{"{0f5a3c1e-6b7d-4e2f-9a10-1234567890ab}", "0f5a3c1e6b7d4e2f9a101234567890ab",
		"0f5a3c1e-6b7d-4e2f-9a10-1234567890ab\n", "9067F1A2B3-0f5a3c1e-6b7d-4e2f-9a10-1234567890ab"} {
		assert.Regexp(t, uuidForm, s.UserUUID(id), "%q is none", id)
	}
}

// Another instance, another ID.
func TestIDsDependOnTheInstance(t *testing.T) {
	d := seed()
	here := view(t, d, "us-east-1").Snapshot()
	d.Instance.ID = "ssoins-1234567890abcdef"
	there := view(t, d, "us-east-1").Snapshot()
	assert.Equal(t, d.Instance.ID, there.Metadata().ID)
	assert.NotEqual(t, here.Metadata().IdentityStoreID, there.Metadata().IdentityStoreID)
	assert.NotEqual(t, here.UserUUID("u-1"), there.UserUUID("u-1"))
	a, _ := here.Role("111111111111", "ReadOnly")
	b, _ := there.Role("111111111111", "ReadOnly")
	assert.NotEqual(t, a.Suffix, b.Suffix)
	assert.NotEqual(t, a.PermissionSet.ID, b.PermissionSet.ID)
}

// A role's suffix is the same in every Region and for every user, and differs by account and permission set.
func TestRoles(t *testing.T) {
	here, there := view(t, seed(), "us-east-1").Snapshot(), view(t, seed(), "eu-central-1").Snapshot()
	var names []string
	seen := map[string]bool{}
	for r := range here.RolesOf("u-1") {
		names = append(names, r.Account.ID+" "+r.PermissionSet.Name)
		assert.Regexp(t, suffixForm, r.Suffix)
		assert.False(t, seen[r.Suffix])
		seen[r.Suffix] = true
		assert.Equal(t, "AWSReservedSSO_"+r.PermissionSet.Name+"_"+r.Suffix, r.Name())
		assert.Equal(t, "arn:aws:iam::"+r.Account.ID+":role/aws-reserved/sso.amazonaws.com/"+r.Name(), r.ARN())
		other, ok := there.RoleOf("u-1", r.Account.ID, r.PermissionSet.Name)
		require.True(t, ok)
		assert.Equal(t, r, other)
		assert.Equal(t, r.Suffix, there.RoleSuffix(r.Account.ID, r.PermissionSet.Name))
	}
	assert.Equal(t, []string{"333333333333 ReadOnly", "111111111111 ReadOnly", "222222222222 Admin",
		"222222222222 ReadOnly"}, names)
	for _, not := range [][3]string{
		{"u-1", "111111111111", "Admin"}, {"u-1", "333333333333", "Deploy"}, {"u-1", "444444444444", "ReadOnly"},
		{"u-1", "111111111111", "readonly"}, {"u-2", "222222222222", "Admin"}, {"none", "111111111111", "ReadOnly"},
		{"g-1", "222222222222", "Admin"}, {"", "", ""},
	} {
		_, ok := here.RoleOf(not[0], not[1], not[2])
		assert.False(t, ok, "%v", not)
	}
	assert.Empty(t, slices.Collect(here.RolesOf("u-2")), "inactive")
	_, ok := here.Role("333333333333", "Deploy")
	assert.True(t, ok, "also if it isn't assigned")
	assert.Empty(t, here.RoleSuffix("333333333333", "none"))
	assert.Empty(t, here.RoleSuffix("none", "Deploy"))

	d := seed()
	d.Regions[0], d.Regions[1] = d.Regions[1], d.Regions[0]
	r, ok := view(t, d, "eu-central-1").Snapshot().Role("333333333333", "Deploy")
	require.True(t, ok)
	assert.Contains(t, r.ARN(), ":role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Deploy_")
}
