package access_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/access"
	"github.com/meridian-saml/meridian/portal/center"
)

// grants are access tokens of several Regions, as package oidc has them.
type grants struct {
	mu    sync.Mutex
	byKey map[string]*grant
	down  bool
}

type grant struct {
	awsapi.Grant
	region string
	ended  bool
}

// in is what one Region accepts.
type in struct {
	*grants
	region string
}

func (g in) Grant(_ context.Context, token string) (awsapi.Grant, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.down {
		return awsapi.Grant{}, &awsapi.Error{Reason: awsapi.ReasonUnavailable, Rule: "store"}
	}
	if x := g.byKey[token]; x != nil && !x.ended && x.region == g.region {
		return x.Grant, nil
	}
	return awsapi.Grant{}, &awsapi.Error{Reason: awsapi.ReasonNoGrant, Rule: "token"}
}

func (g in) EndGrant(_ context.Context, token string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.byKey[token]
	if x == nil {
		return &awsapi.Error{Reason: awsapi.ReasonNoGrant, Rule: "token"}
	}
	x.ended = true
	return nil
}

// world is an instance with two Regions and the API of each.
type world struct {
	t        *testing.T
	instance *center.Instance
	grants   *grants
	now      time.Time
	log      bytes.Buffer
	api      map[string]*access.API
	roles    awsapi.SealedRoles
}

const virginia, frankfurt = "us-east-1", "eu-central-1"

func newWorld(t *testing.T, change ...func(*access.Config)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), api: map[string]*access.API{}}
	var err error
	w.instance, err = center.New(center.Data{
		Regions: []center.Region{{Name: virginia}, {Name: frankfurt}},
		Users: []center.User{
			{ID: "u-1", UserName: "alice@example.com"}, {ID: "u-2", UserName: "bob@example.com"},
			{ID: "u-3", UserName: "carol@example.com", Inactive: true},
		},
		PermissionSets: []center.PermissionSet{
			{Name: "Admin", SessionDuration: 4 * time.Hour}, {Name: "Other"}, {Name: "ReadOnly"},
		},
		Accounts: []center.Account{
			{ID: "111122223333", Name: "Production", Email: "prod@example.com"},
			{ID: "444455556666", Name: "Archive", Email: "archive@example.com"},
			{ID: "777788889999", Name: "Secret"},
		},
		Assignments: []center.Assignment{
			{Principal: center.UserPrincipal("u-1"), AccountID: "111122223333", PermissionSet: "Admin"},
			{Principal: center.UserPrincipal("u-1"), AccountID: "111122223333", PermissionSet: "ReadOnly"},
			{Principal: center.UserPrincipal("u-1"), AccountID: "444455556666", PermissionSet: "ReadOnly"},
			{Principal: center.UserPrincipal("u-2"), AccountID: "777788889999", PermissionSet: "Other"},
			{Principal: center.UserPrincipal("u-3"), AccountID: "111122223333", PermissionSet: "ReadOnly"},
		},
	})
	require.NoError(t, err)
	w.grants = &grants{byKey: map[string]*grant{}}
	sealer, err := awsapi.NewSealer(bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	clock := func() time.Time { return w.now }
	w.roles = awsapi.SealedRoles{Sealer: sealer, Instance: "ssoins-7223aaaabbbbcccc", Now: clock}
	for _, region := range []string{virginia, frankfurt} {
		view, err := w.instance.In(region)
		require.NoError(t, err)
		cfg := access.Config{
			Region: region, Grants: in{w.grants, region}, Directory: view, Issuer: w.roles, Now: clock,
			RoleSuffix: func(account, set string) string { return "0123456789abcdef" },
			Tokens:     awsapi.Tokens{Sealer: sealer, Audience: region, Now: clock},
			Logger:     slog.New(slog.NewTextHandler(&w.log, nil)),
		}
		for _, c := range change {
			c(&cfg)
		}
		w.api[region], err = access.New(cfg)
		require.NoError(t, err)
	}
	return w
}

// signIn returns the access token of a user in a Region.
func (w *world) signIn(region, userID string) string {
	u, _ := w.instance.Snapshot().UserByID(userID)
	token := "aoa-" + region + "-" + userID
	w.grants.byKey[token] = &grant{region: region, Grant: awsapi.Grant{
		UserID: userID, UserName: u.UserName, Scopes: []string{"sso:account:access"}, Expires: w.now.Add(time.Hour),
		Tags: map[string]string{"Team": "Blue"},
	}}
	return token
}

func (w *world) send(region, token, request string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("x-amz-sso_bearer_token", token)
	}
	out := httptest.NewRecorder()
	w.api[region].ServeHTTP(out, r)
	return out
}

// ok sends a request that must be accepted, and reads the result.
func (w *world) ok(region, token, request string, out any) {
	w.t.Helper()
	answer := w.send(region, token, request)
	require.Equal(w.t, 200, answer.Code, answer.Body.String())
	if out != nil {
		require.NoError(w.t, json.Unmarshal(answer.Body.Bytes(), out), answer.Body.String())
	}
}

// update changes the instance.
func (w *world) update(change func(*center.Tx) error) {
	w.t.Helper()
	view, err := w.instance.In(virginia)
	require.NoError(w.t, err)
	require.NoError(w.t, view.Update(change))
}
