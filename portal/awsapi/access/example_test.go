package access_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/access"
	"github.com/meridian-saml/meridian/portal/center"
)

// oneGrant stands for package oidc.
type oneGrant struct{}

func (oneGrant) Grant(_ context.Context, accessToken string) (awsapi.Grant, error) {
	if accessToken != "aoa-example" {
		return awsapi.Grant{}, &awsapi.Error{Reason: awsapi.ReasonNoGrant}
	}
	return awsapi.Grant{
		UserID: "u-1", UserName: "alice@example.com", Scopes: []string{awsapi.ScopeAccounts},
	}, nil
}

func (oneGrant) EndGrant(context.Context, string) error { return nil }

func Example() {
	instance, err := center.New(center.Data{
		Regions:        []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}},
		Users:          []center.User{{ID: "u-1", UserName: "alice@example.com"}},
		Accounts:       []center.Account{{ID: "111122223333", Name: "Production"}},
		PermissionSets: []center.PermissionSet{{Name: "ReadOnly"}},
		Assignments: []center.Assignment{
			{Principal: center.UserPrincipal("u-1"), AccountID: "111122223333", PermissionSet: "ReadOnly"},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	key := make([]byte, 32)
	rand.Read(key)
	sealer, err := awsapi.NewSealer(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	api, err := access.New(access.Config{
		Region: "eu-central-1", Grants: oneGrant{}, Directory: instance.Snapshot(),
		RoleSuffix: func(accountID, permissionSet string) string { return "0123456789abcdef" },
		Issuer:     awsapi.SealedRoles{Sealer: sealer, Instance: "ssoins-7223aaaabbbbcccc"},
		Tokens:     awsapi.Tokens{Sealer: sealer, Audience: "ssoins-7223aaaabbbbcccc|eu-central-1"},
		Logger:     slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{
		"/assignment/accounts?max_result=1",
		"/assignment/roles?account_id=111122223333",
		"/federation/credentials?account_id=111122223333&role_name=Admin",
	} {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("x-amz-sso_bearer_token", "aoa-example")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 {"nextToken":null,"accountList":[{"accountId":"111122223333","accountName":"Production","emailAddress":""}]}
	// 200 {"nextToken":null,"roleList":[{"roleName":"ReadOnly","accountId":"111122223333"}]}
	// 403 {"__type":"ForbiddenException","message":"No access"}
}
