package access_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/access"
	"github.com/meridian-saml/meridian/portal/center"
)

type credentials struct {
	RoleCredentials struct {
		AccessKeyID     string `json:"accessKeyId"`
		SecretAccessKey string
		SessionToken    string
		Expiration      int64
	}
}

const readOnly = "GET /federation/credentials?role_name=ReadOnly&account_id=111122223333"

func TestAccountsAndRoles(t *testing.T) {
	w := newWorld(t)
	for _, region := range []string{virginia, frankfurt} {
		token := w.signIn(region, "u-1")
		answer := w.send(region, token, "GET /assignment/accounts")
		assert.JSONEq(t, `{"nextToken":null,"accountList":[
			{"accountId":"444455556666","accountName":"Archive","emailAddress":"archive@example.com"},
			{"accountId":"111122223333","accountName":"Production","emailAddress":"prod@example.com"}]}`,
			answer.Body.String())
		answer = w.send(region, token, "GET /assignment/roles?account_id=111122223333")
		assert.JSONEq(t, `{"nextToken":null,"roleList":[{"roleName":"Admin","accountId":"111122223333"},
			{"roleName":"ReadOnly","accountId":"111122223333"}]}`, answer.Body.String())
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	w.update(func(tx *center.Tx) error {
		for i := range 150 {
			id := fmt.Sprintf("%012d", i)
			if err := tx.PutAccount(center.Account{ID: id, Name: "Same name"}); err != nil {
				return err
			}
			err := tx.Assign(center.Assignment{
				Principal: center.UserPrincipal("u-2"), AccountID: id, PermissionSet: "Other",
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	token := w.signIn(virginia, "u-2")
	var page struct {
		NextToken   string
		AccountList []struct{ AccountID string }
	}
	for _, size := range []int{0, 1, 7, 100} {
		got, next := map[string]bool{}, ""
		for {
			query := "GET /assignment/accounts?next_token=" + next
			if size > 0 {
				query += fmt.Sprintf("&max_result=%d", size)
			}
			page.NextToken, page.AccountList = "", nil
			w.ok(virginia, token, query, &page)
			for _, a := range page.AccountList {
				require.False(t, got[a.AccountID])
				got[a.AccountID] = true
			}
			if next = page.NextToken; next == "" {
				break
			}
		}
		assert.Len(t, got, 151, "size %d", size)
	}
	w.ok(virginia, token, "GET /assignment/accounts?max_result=3", &page)
	w.signIn(virginia, "u-1")
	w.signIn(frankfurt, "u-2")
	for name, c := range map[string][3]string{
		"another user":      {virginia, "aoa-us-east-1-u-1", "/assignment/accounts?next_token=" + page.NextToken},
		"another Region":    {frankfurt, "aoa-eu-central-1-u-2", "/assignment/accounts?next_token=" + page.NextToken},
		"another operation": {virginia, token, "/assignment/roles?account_id=000000000001&next_token=" + page.NextToken},
		"no token":          {virginia, token, "/assignment/accounts?next_token=x"},
		"a size of 0":       {virginia, token, "/assignment/accounts?max_result=0"},
		"a size of 101":     {virginia, token, "/assignment/accounts?max_result=101"},
		"no size":           {virginia, token, "/assignment/accounts?max_result=x"},
		"two sizes":         {virginia, token, "/assignment/accounts?max_result=1&max_result=2"},
		"no account":        {virginia, token, "/assignment/roles"},
		"no role":           {virginia, token, "/federation/credentials?account_id=111122223333"},
		"no account at all": {virginia, token, "/federation/credentials?role_name=Other"},
	} {
		answer := w.send(c[0], c[1], "GET "+c[2])
		assert.Equal(t, 400, answer.Code, name)
		assert.Equal(t, "InvalidRequestException", answer.Header().Get("X-Amzn-Errortype"), name)
	}
}

// Rule 11: any Region verifies the credentials.
func TestRoleCredentials(t *testing.T) {
	w := newWorld(t)
	var c credentials
	w.ok(virginia, w.signIn(virginia, "u-1"), strings.Replace(readOnly, "ReadOnly", "Admin", 1), &c)
	assert.Regexp(t, "^ASIA[A-Z2-7]{16}$", c.RoleCredentials.AccessKeyID)
	assert.Equal(t, w.now.Add(4*time.Hour).UnixMilli(), c.RoleCredentials.Expiration, "the permission set's duration")
	secret, caller, err := w.roles.Credential(t.Context(), c.RoleCredentials.AccessKeyID, c.RoleCredentials.SessionToken)
	require.NoError(t, err)
	assert.Equal(t, c.RoleCredentials.SecretAccessKey, secret)
	assert.Equal(t, "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/alice@example.com",
		caller.ARN)
	assert.Equal(t, virginia, caller.Role.Region)
	for _, secret := range []string{c.RoleCredentials.SecretAccessKey, c.RoleCredentials.SessionToken, "aoa-"} {
		assert.NotContains(t, w.log.String(), secret)
	}
	assert.Contains(t, w.log.String(), c.RoleCredentials.AccessKeyID)

	limited := newWorld(t, func(cfg *access.Config) { cfg.MaxDuration = 15 * time.Minute })
	limited.ok(frankfurt, limited.signIn(frankfurt, "u-1"), readOnly, &c)
	assert.Equal(t, limited.now.Add(15*time.Minute).UnixMilli(), c.RoleCredentials.Expiration)
	long := newWorld(t, func(cfg *access.Config) { cfg.MaxDuration = 12 * time.Hour })
	long.ok(frankfurt, long.signIn(frankfurt, "u-1"), readOnly, &c)
	assert.Equal(t, long.now.Add(time.Hour).UnixMilli(), c.RoleCredentials.Expiration)
}

// Rule 10: what doesn't exist and what isn't the user's look the same.
func TestNoAccess(t *testing.T) {
	w := newWorld(t)
	alice, carol := w.signIn(virginia, "u-1"), w.signIn(virginia, "u-3")
	unscoped := w.signIn(virginia, "u-2")
	w.grants.byKey[unscoped].Scopes = []string{"openid"}
	var bodies []string
	for name, c := range map[string][2]string{
		"not assigned in the account": {alice, "/federation/credentials?role_name=Admin&account_id=444455556666"},
		"another user's set":          {alice, "/federation/credentials?role_name=Other&account_id=111122223333"},
		"another user's account":      {alice, "/federation/credentials?role_name=Other&account_id=777788889999"},
		"unknown set":                 {alice, "/federation/credentials?role_name=None&account_id=111122223333"},
		"unknown account":             {alice, "/federation/credentials?role_name=Admin&account_id=000000000000"},
		"no account ID":               {alice, "/federation/credentials?role_name=Admin&account_id=x"},
		"another case":                {alice, "/federation/credentials?role_name=admin&account_id=111122223333"},
		"an inactive user":            {carol, "/federation/credentials?role_name=ReadOnly&account_id=111122223333"},
		"another scope":               {unscoped, "/federation/credentials?role_name=Other&account_id=777788889999"},
		"roles of another's account":  {alice, "/assignment/roles?account_id=777788889999"},
		"roles of an unknown account": {alice, "/assignment/roles?account_id=000000000000"},
		"roles, inactive user":        {carol, "/assignment/roles?account_id=111122223333"},
		"accounts, another scope":     {unscoped, "/assignment/accounts"},
	} {
		answer := w.send(virginia, c[0], "GET "+c[1])
		assert.Equal(t, 403, answer.Code, name)
		assert.Equal(t, "ForbiddenException", answer.Header().Get("X-Amzn-Errortype"), name)
		bodies = append(bodies, answer.Body.String())
	}
	for _, body := range bodies {
		assert.JSONEq(t, `{"__type":"ForbiddenException","message":"No access"}`, body)
	}
	w.ok(virginia, alice, readOnly, nil)
}

// Rules 7 and 8: tokens are for their own Region, and every call looks them up.
func TestUnauthorized(t *testing.T) {
	w := newWorld(t)
	token := w.signIn(virginia, "u-1")
	refused := func(region, token string) {
		t.Helper()
		for _, request := range []string{readOnly, "GET /assignment/accounts", "GET /assignment/roles?account_id=x"} {
			answer := w.send(region, token, request)
			assert.Equal(t, 401, answer.Code)
			assert.Equal(t, "UnauthorizedException", answer.Header().Get("X-Amzn-Errortype"))
		}
	}
	refused(virginia, "")
	refused(virginia, "unknown")
	refused(frankfurt, token)
	refused(virginia, strings.Repeat("x", 9<<10))
	r := httptest.NewRequest("GET", "/assignment/accounts", nil)
	r.Header.Add("x-amz-sso_bearer_token", token)
	r.Header.Add("x-amz-sso_bearer_token", token)
	two := httptest.NewRecorder()
	w.api[virginia].ServeHTTP(two, r)
	assert.Equal(t, 401, two.Code)

	w.ok(virginia, token, readOnly, nil)
	w.grants.byKey[token].ended = true
	refused(virginia, token)

	w.grants.down = true
	answer := w.send(virginia, token, readOnly)
	assert.Equal(t, 503, answer.Code, "clients try again")
}

// Rule 7: the CLI sends the tokens of all of its sessions to one Region.
func TestLogoutInAnyRegion(t *testing.T) {
	w := newWorld(t)
	for _, region := range []string{virginia, frankfurt} {
		token := w.signIn(virginia, "u-1")
		w.ok(virginia, token, readOnly, nil)
		answer := w.send(region, token, "POST /logout")
		assert.Equal(t, 200, answer.Code)
		assert.Empty(t, answer.Body.String())
		assert.Equal(t, 401, w.send(virginia, token, readOnly).Code)
		assert.Equal(t, 200, w.send(region, token, "POST /logout").Code, "twice")
	}
	assert.Equal(t, 401, w.send(virginia, "unknown", "POST /logout").Code)
	assert.Equal(t, 401, w.send(virginia, "", "POST /logout").Code)
	assert.Equal(t, 404, w.send(virginia, "", "GET /logout").Code)
}

// The assignment is looked up at the call; credentials live until they expire.
func TestAccessEndsAtTheNextCall(t *testing.T) {
	w := newWorld(t)
	token := w.signIn(frankfurt, "u-1")
	var c credentials
	w.ok(frankfurt, token, readOnly, &c)
	key, session := c.RoleCredentials.AccessKeyID, c.RoleCredentials.SessionToken
	alive := func() awsapi.Reason {
		_, _, err := w.roles.Credential(t.Context(), key, session)
		if err == nil {
			return ""
		}
		var e *awsapi.Error
		require.ErrorAs(t, err, &e)
		return e.Reason
	}
	w.update(func(tx *center.Tx) error {
		return tx.Unassign(center.Assignment{
			Principal: center.UserPrincipal("u-1"), AccountID: "111122223333", PermissionSet: "ReadOnly",
		})
	})
	assert.Equal(t, 403, w.send(frankfurt, token, readOnly).Code)
	assert.Empty(t, alive(), "as at AWS")
	w.grants.byKey[token].ended = true
	assert.Equal(t, 401, w.send(frankfurt, token, readOnly).Code)
	assert.Empty(t, alive())
	w.now = w.now.Add(time.Hour)
	assert.Equal(t, awsapi.ReasonExpired, alive())
}

func TestInvalidConfigs(t *testing.T) {
	good := access.Config{}
	newWorld(t, func(cfg *access.Config) { good = *cfg })
	_, err := access.New(good)
	require.NoError(t, err)
	for name, spoil := range map[string]func(*access.Config){
		"Region":      func(c *access.Config) { c.Region = "" },
		"Grants":      func(c *access.Config) { c.Grants = nil },
		"Directory":   func(c *access.Config) { c.Directory = nil },
		"RoleSuffix":  func(c *access.Config) { c.RoleSuffix = nil },
		"Issuer":      func(c *access.Config) { c.Issuer = nil },
		"Sealer":      func(c *access.Config) { c.Tokens.Sealer = nil },
		"Audience":    func(c *access.Config) { c.Tokens.Audience = "" },
		"MaxDuration": func(c *access.Config) { c.MaxDuration = -1 },
	} {
		cfg := good
		spoil(&cfg)
		_, err := access.New(cfg)
		var e *awsapi.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, awsapi.ReasonConfig, e.Reason)
	}
}

// Rule 65: the API asks the table of tasks. In a Region that the instance doesn't have any more it gives nothing, even
// if the access token were still known.
func TestRule65TheAPIAsksTheTableOfTasks(t *testing.T) {
	w := newWorld(t)
	token := w.signIn(frankfurt, "u-1")
	require.Equal(t, 200, w.send(frankfurt, token, readOnly).Code)
	w.update(func(tx *center.Tx) error { return tx.RemoveRegion(frankfurt) })
	for _, request := range []string{readOnly, "GET /assignment/accounts",
		"GET /assignment/roles?account_id=111122223333"} {
		answer := w.send(frankfurt, token, request)
		assert.Equal(t, 403, answer.Code, request)
		assert.NotContains(t, answer.Body.String(), "111122223333", request)
	}
	require.Equal(t, 200, w.send(virginia, w.signIn(virginia, "u-1"), readOnly).Code)
}
