package access_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/access"
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
