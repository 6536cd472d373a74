package access_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/access"
	"github.com/meridian-saml/meridian/portal/center"
)

// cloud is an issuer of another cloud.
type cloud struct {
	asked []awsapi.RoleSession
	err   error
}

func (c *cloud) IssueRole(_ context.Context, role awsapi.RoleSession) (awsapi.RoleCredentials, error) {
	c.asked = append(c.asked, role)
	return awsapi.RoleCredentials{
		AccessKeyID: "ASIAOFTHECLOUD", SecretAccessKey: "secret", SessionToken: "token",
		Expires: time.UnixMilli(1234567890123),
	}, c.err
}

var _ portal.CredentialIssuer = access.Environment{}

// What the portal shows to a user is what the user's command line receives.
func TestEnvironmentIsOfTheSameIssuer(t *testing.T) {
	c := &cloud{}
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	e := access.Environment{Region: frankfurt, Issuer: c, Now: func() time.Time { return now }}
	role := center.Role{
		Account: center.Account{ID: "111122223333"}, PermissionSet: center.PermissionSet{Name: "ReadOnly"},
		Suffix: "0123456789abcdef",
	}
	vars, expires, err := e.Environment(t.Context(), center.User{ID: "u-1", UserName: "alice"}, role,
		map[string]string{"team": "blue"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"AWS_ACCESS_KEY_ID": "ASIAOFTHECLOUD", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
		"AWS_REGION": frankfurt,
	}, vars)
	assert.Equal(t, time.UnixMilli(1234567890123), expires)
	assert.Equal(t, []awsapi.RoleSession{{
		Account: "111122223333", PermissionSet: "ReadOnly", RoleSuffix: "0123456789abcdef", UserID: "u-1",
		UserName: "alice", Region: frankfurt, Tags: map[string]string{"team": "blue"}, Issued: now,
		Expires: now.Add(time.Hour),
	}}, c.asked)
	c.err = errors.New("down")
	_, _, err = e.Environment(t.Context(), center.User{ID: "u-1"}, role, nil)
	assert.ErrorIs(t, err, c.err)
}

// A program's own issuer takes the place of SealedRoles. It is asked only for what the user has.
func TestIssuerOfAnotherCloud(t *testing.T) {
	c := &cloud{}
	w := newWorld(t, func(cfg *access.Config) { cfg.Issuer = c })
	token := w.signIn(frankfurt, "u-1")
	assert.JSONEq(t, `{"roleCredentials":{"accessKeyId":"ASIAOFTHECLOUD","secretAccessKey":"secret","sessionToken":"token",
		"expiration":1234567890123}}`, w.send(frankfurt, token, readOnly).Body.String())
	assert.Equal(t, []awsapi.RoleSession{{
		Account: "111122223333", PermissionSet: "ReadOnly", RoleSuffix: "0123456789abcdef", UserID: "u-1",
		UserName: "alice@example.com", Region: frankfurt, Issued: w.now, Expires: w.now.Add(time.Hour),
		Tags: map[string]string{"Team": "Blue"},
	}}, c.asked)
	const others = "GET /federation/credentials?role_name=Other&account_id=777788889999"
	assert.Equal(t, 403, w.send(frankfurt, token, others).Code)
	assert.Len(t, c.asked, 1)

	c.err = errors.New("a detail of the cloud")
	answer := w.send(frankfurt, token, readOnly)
	assert.Equal(t, 500, answer.Code)
	assert.NotContains(t, answer.Body.String(), "detail")
	assert.NotContains(t, answer.Body.String(), "secret")
}
