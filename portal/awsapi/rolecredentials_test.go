package awsapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsapi"
)

var alice = awsapi.RoleSession{
	Account: "111122223333", PermissionSet: "ReadOnly", RoleSuffix: "0123456789abcdef", UserID: "u-1",
	UserName: "alice@example.com", Region: "us-east-1", Tags: map[string]string{"Team": "Blue"},
}

func sealedRoles(t *testing.T, now func() time.Time) awsapi.SealedRoles {
	return awsapi.SealedRoles{Sealer: sealer(t, key(7)), Instance: "ssoins-7223aaaabbbbcccc", Now: now}
}

func TestRoleCredentials(t *testing.T) {
	ctx, now := t.Context(), time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	roles := sealedRoles(t, func() time.Time { return now })
	role := alice
	role.Expires = now.Add(time.Hour)
	c, err := roles.IssueRole(ctx, role)
	require.NoError(t, err)
	assert.Regexp(t, "^ASIA[A-Z2-7]{16}$", c.AccessKeyID)
	assert.Regexp(t, "^[A-Za-z0-9+/]{40}$", c.SecretAccessKey)
	assert.Equal(t, role.Expires, c.Expires)

	// Another Region's node, with the same key.
	elsewhere := sealedRoles(t, func() time.Time { return now })
	secret, caller, err := elsewhere.Credential(ctx, c.AccessKeyID, c.SessionToken)
	require.NoError(t, err)
	assert.Equal(t, c.SecretAccessKey, secret)
	role.Issued = now
	assert.Equal(t, role, caller.Role)
	assert.Equal(t, "111122223333", caller.Account)
	const arn = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ReadOnly_0123456789abcdef/alice@example.com"
	assert.Equal(t, arn, caller.ARN)
	assert.Regexp(t, "^AROA[A-Z2-7]{17}:alice@example.com$", caller.UserID)

	d, err := roles.IssueRole(ctx, role)
	require.NoError(t, err)
	assert.NotEqual(t, c.AccessKeyID, d.AccessKeyID)
	assert.NotEqual(t, c.SecretAccessKey, d.SecretAccessKey)
	another := elsewhere
	another.Instance = "ssoins-0000000000000000"
	outsider := elsewhere
	outsider.Sealer = sealer(t, key(8))
	for name, x := range map[string]struct {
		roles      awsapi.SealedRoles
		key, token string
	}{
		"another key's token": {elsewhere, c.AccessKeyID, d.SessionToken},
		"no token":            {elsewhere, c.AccessKeyID, ""},
		"a changed token":     {elsewhere, c.AccessKeyID, c.SessionToken[:50] + "AAAA" + c.SessionToken[54:]},
		"another instance":    {another, c.AccessKeyID, c.SessionToken},
		"another sealing key": {outsider, c.AccessKeyID, c.SessionToken},
	} {
		secret, caller, err := x.roles.Credential(ctx, x.key, x.token)
		assert.Equal(t, awsapi.ReasonToken, reasonOf(t, err), name)
		assert.Empty(t, secret)
		assert.Zero(t, caller)
	}
	now = role.Expires.Add(-time.Nanosecond)
	_, _, err = elsewhere.Credential(ctx, c.AccessKeyID, c.SessionToken)
	require.NoError(t, err)
	now = role.Expires
	_, _, err = elsewhere.Credential(ctx, c.AccessKeyID, c.SessionToken)
	assert.Equal(t, awsapi.ReasonExpired, reasonOf(t, err))
	_, _, err = elsewhere.Credential(ctx, d.AccessKeyID, c.SessionToken)
	assert.Equal(t, awsapi.ReasonToken, reasonOf(t, err))
}

// Programs cut an ARN at slashes, so that a user's name must not add any.
func TestSessionNames(t *testing.T) {
	for name, want := range map[string]string{
		"alice@example.com":       "alice@example.com",
		"a_b+c=d,e.f-g":           "a_b+c=d,e.f-g",
		"alice/admin":             "u-1",
		"alice admin":             "u-1",
		"älice":                   "u-1",
		"a":                       "u-1",
		strings.Repeat("a", 64):   strings.Repeat("a", 64),
		strings.Repeat("a", 65):   "u-1",
		"alice@example.com\n":     "u-1",
		"x:assumed-role/Admin/me": "u-1",
	} {
		role := alice
		role.UserName = name
		assert.Equal(t, want, role.SessionName(), name)
	}
	role := alice
	role.UserName, role.UserID = "alice/admin", "alice/admin"
	assert.Regexp(t, "^user-[A-Z2-7]{26}$", role.SessionName())
	other := role
	other.UserID = "alice/Admin"
	assert.NotEqual(t, role.SessionName(), other.SessionName())
	assert.NotEqual(t, role.UniqueID(), other.UniqueID())
}
