package scim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// A client is a provisioning client over HTTP. It is safe for concurrent use.
type client struct {
	t    testing.TB
	http *http.Client
	url  string
}

func newClient(t testing.TB, h http.Handler) *client {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	u, err := url.Parse(baseURL)
	require.NoError(t, err)
	return &client{t, srv.Client(), srv.URL + u.Path}
}

// do returns the status and the response. Without a response, the status is 0.
func (c *client) do(method, path string, body any) (int, map[string]any) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			c.t.Error(err)
		}
	}
	req, err := http.NewRequest(method, c.url+path, bytes.NewReader(raw))
	if err != nil {
		c.t.Error(err)
		return 0, nil
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	out := map[string]any{}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	if len(answer) > 0 && json.Unmarshal(answer, &out) != nil {
		c.t.Errorf("%s %s: %s", method, path, answer)
	}
	return resp.StatusCode, out
}

// must is do, and fails the test if the status isn't one of these.
func (c *client) must(method, path string, body any, good ...int) map[string]any {
	status, out := c.do(method, path, body)
	if !slices.Contains(good, status) {
		c.t.Errorf("%s %s: %d %v", method, path, status, out)
	}
	return out
}

// ensureUser pushes a user as Okta does: it searches, then posts; after a conflict
// or a lost answer it searches again.
func (c *client) ensureUser(u center.User) string {
	for range 20 {
		list := c.must("GET", "/Users?startIndex=1&count=100&"+filter(fmt.Sprintf("userName eq %q", u.UserName)), nil, 200, 0)
		if hits, _ := list["Resources"].([]any); len(hits) == 1 {
			return hits[0].(map[string]any)["id"].(string)
		}
		status, out := c.do("POST", "/Users", map[string]any{
			"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
			"userName": u.UserName, "displayName": u.DisplayName, "externalId": u.ExternalID, "active": !u.Inactive,
			"name":   map[string]any{"givenName": u.GivenName, "familyName": u.FamilyName},
			"emails": []any{map[string]any{"value": u.Email, "type": "work", "primary": true}},
		})
		if status == 201 {
			return out["id"].(string)
		}
		if status != 409 && status != 0 {
			c.t.Errorf("POST %s: %d %v", u.UserName, status, out)
		}
	}
	c.t.Errorf("%s could not be pushed", u.UserName)
	return ""
}

func patchOf(ops ...map[string]any) map[string]any {
	return map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops}
}

// each calls f for every number below n from 8 goroutines.
func each(n int, f func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

func person(i int) center.User {
	return center.User{
		UserName: fmt.Sprintf("user%d@example.com", i), Email: fmt.Sprintf("user%d@example.com", i),
		DisplayName: fmt.Sprintf("User %d", i), GivenName: "User", FamilyName: fmt.Sprint(i),
		ExternalID: fmt.Sprintf("00u%d", i),
	}
}
