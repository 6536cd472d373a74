package access_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/awsapi/access"
)

// Rule 71: credentials are an event of their Region before the client has them, without the secret.
func TestRule71CredentialsAreEvents(t *testing.T) {
	logs := map[string]*audit.Log{}
	w := newWorld(t, func(c *access.Config) {
		l, err := audit.Open(audit.Config{
			Dir: filepath.Join(t.TempDir(), c.Region), Region: c.Region, InsecurePlaintext: true, Now: c.Now,
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		logs[c.Region], c.Audit.Log = l, l
	})
	var c credentials
	w.ok(frankfurt, w.signIn(frankfurt, "u-1"), readOnly, &c)
	all, raw := exported(t, logs[frankfurt])
	require.Len(t, all, 1)
	e := all[0]
	assert.Equal(t, "GetRoleCredentials AwsApiCall "+frankfurt, strings.Join([]string{e.Name, e.Type, e.Region}, " "))
	assert.Equal(t, "u-1", e.Identity.OnBehalfOf.UserID)
	assert.Equal(t, map[string]string{"accountId": "111122223333", "roleName": "ReadOnly"}, e.Request)
	assert.Equal(t, c.RoleCredentials.AccessKeyID, e.Response["accessKeyId"])
	assert.NotEmpty(t, e.RequestID)
	for _, secret := range []string{c.RoleCredentials.SecretAccessKey, c.RoleCredentials.SessionToken, "aoa-"} {
		assert.NotContains(t, raw, secret)
	}

	w.send(virginia, "stolen-token", readOnly)
	w.send(virginia, "", "GET /"+strings.Repeat("x", 5000))
	require.Eventually(t, func() bool {
		all, raw = exported(t, logs[virginia])
		return len(all) == 2
	}, time.Minute, 20*time.Millisecond)
	assert.Equal(t, "GetRoleCredentials UnauthorizedException", all[0].Name+" "+all[0].ErrorCode)
	assert.Equal(t, "UnknownOperation UnknownOperationException", all[1].Name+" "+all[1].ErrorCode)
	assert.Equal(t, "192.0.2.1", all[0].ClientAddr)
	assert.NotContains(t, raw, "stolen-token")
	assert.NotContains(t, raw, "xxxx")
	rest, _ := exported(t, logs[frankfurt])
	assert.Len(t, rest, 1, "the other Region wrote nothing")
}

func exported(t *testing.T, l *audit.Log) (all []audit.Event, raw string) {
	t.Helper()
	var b bytes.Buffer
	_, err := l.Export(t.Context(), &b, nil)
	require.NoError(t, err)
	for line := range strings.Lines(b.String()) {
		var e audit.Event
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		all = append(all, e)
	}
	return all, b.String()
}
