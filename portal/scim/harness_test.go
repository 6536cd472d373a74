package scim_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

const (
	token   = "a-token-of-some-length-0123456789"
	baseURL = "https://scim.us-east-1.example/d-9067f1a2b3/scim/v2"
)

// seed is an instance that was configured manually.
func seed() center.Data {
	return center.Data{
		Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}},
		Users: []center.User{
			{ID: "u-1", UserName: "alice@example.com", DisplayName: "Alice Adams", GivenName: "Alice", FamilyName: "Adams",
				Email: "alice@example.com", ExternalID: "00u1"},
			{ID: "u-2", UserName: "bob@example.com"},
			{UserName: "carol/ops@example.com", Inactive: true},
		},
		Groups: []center.Group{
			{ID: "g-1", Name: "Engineers", ExternalID: "00g1", Members: []string{"u-1", "u-2"}},
			{ID: "g-2", Name: "Auditors"},
		},
		PermissionSets: []center.PermissionSet{{Name: "ReadOnly"}},
		Accounts:       []center.Account{{ID: "111111111111", Name: "Production"}},
		Assignments: []center.Assignment{
			{Principal: center.GroupPrincipal("g-1"), AccountID: "111111111111", PermissionSet: "ReadOnly"},
		},
	}
}

// A rig is an endpoint and its instance.
type rig struct {
	*scim.Server
	view *center.View

	mu      sync.Mutex
	changes []scim.Change
}

func newRig(t testing.TB, d center.Data, region string, adjust ...func(*scim.Config)) *rig {
	t.Helper()
	inst, err := center.New(d)
	require.NoError(t, err)
	r := &rig{}
	r.view, err = inst.In(region)
	require.NoError(t, err)
	c := scim.Config{View: r.view, BaseURL: baseURL, Tokens: []string{token}, Logger: slog.New(slog.DiscardHandler),
		OnChange: func(c scim.Change) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.changes = append(r.changes, c)
		}}
	for _, f := range adjust {
		f(&c)
	}
	r.Server, err = scim.New(c)
	require.NoError(t, err)
	return r
}

// reply is a response.
type reply struct {
	*httptest.ResponseRecorder
	body map[string]any
}

func request(method, path, body string) *http.Request {
	req := httptest.NewRequest(method, baseURL+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}
	return req
}

// ask sends a request and checks the common parts of the response.
func (r *rig) ask(t testing.TB, method, path, body string) reply {
	t.Helper()
	return r.send(t, request(method, path, body))
}

func (r *rig) send(t testing.TB, req *http.Request) reply {
	t.Helper()
	out := reply{ResponseRecorder: httptest.NewRecorder()}
	r.ServeHTTP(out.ResponseRecorder, req)
	if out.Code == http.StatusNoContent {
		require.Empty(t, out.Body.String())
		return out
	}
	require.Equal(t, "application/scim+json", out.Header().Get("Content-Type"))
	require.NoError(t, json.Unmarshal(out.Body.Bytes(), &out.body), "%s", out.Body)
	require.NotEmpty(t, out.body["schemas"])
	return out
}

// ok is ask for a response with this status.
func (r *rig) ok(t testing.TB, status int, method, path, body string) map[string]any {
	t.Helper()
	out := r.ask(t, method, path, body)
	require.Equal(t, status, out.Code, "%s", out.Body)
	return out.body
}

// refused is ask for this error, after which nothing may have changed.
func (r *rig) refused(t testing.TB, status int, scimType, method, path, body string) {
	t.Helper()
	before := r.view.Snapshot()
	out := r.ask(t, method, path, body)
	require.Equal(t, status, out.Code, "%s", out.Body)
	require.Equal(t, []any{"urn:ietf:params:scim:api:messages:2.0:Error"}, out.body["schemas"])
	got, _ := out.body["scimType"].(string)
	require.Equal(t, scimType, got, "%s", out.Body)
	require.NotEmpty(t, out.body["detail"])
	require.Same(t, before, r.view.Snapshot(), "a refusal changes nothing")
}

// users returns all users of the instance, without their dates.
func (r *rig) users() []center.User {
	all := r.view.Snapshot().Data().Users
	for i := range all {
		all[i].Dates = center.Dates{}
	}
	return all
}

func filter(s string) string { return "filter=" + url.QueryEscape(s) }

// found returns the IDs in a list.
func found(t testing.TB, list map[string]any) []string {
	t.Helper()
	out := []string{}
	for _, one := range list["Resources"].([]any) {
		out = append(out, one.(map[string]any)["id"].(string))
	}
	return out
}

// group returns a group of the instance, without its dates.
func (r *rig) group(t testing.TB, id string) center.Group {
	t.Helper()
	for _, g := range r.view.Snapshot().Data().Groups {
		if g.ID == id {
			g.Dates = center.Dates{}
			return g
		}
	}
	require.Fail(t, "no such group", id)
	return center.Group{}
}

// user returns a user of the instance, without its dates.
func (r *rig) user(t testing.TB, id string) center.User {
	t.Helper()
	u, ok := r.view.UserByID(id)
	require.True(t, ok, "user %s", id)
	u.Dates = center.Dates{}
	return u
}

// replaceBody is a PATCH that replaces the attributes of value, a JSON object.
func replaceBody(value string) string {
	return `{"Operations":[{"op":"replace","value":` + value + `}]}`
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }
