package scim_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

// unread is a body that fails the test when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestRequestsWithoutToken(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	for name, header := range map[string][]string{
		"none":         nil,
		"empty":        {""},
		"no token":     {"Bearer "},
		"wrong token":  {"Bearer " + token + "x"},
		"a prefix":     {"Bearer " + token[:len(token)-1]},
		"other scheme": {"Basic " + token},
		"bare":         {token},
		"twice":        {"Bearer " + token, "Bearer " + token},
	} {
		for _, path := range []string{"/Users", "/Users/u-1", "/ServiceProviderConfig", "/nothing", "/.search"} {
			t.Run(name+path, func(t *testing.T) {
				req := httptest.NewRequest("POST", baseURL+path, unread{t})
				req.Header["Authorization"] = header
				out := r.send(t, req)
				assert.Equal(t, http.StatusUnauthorized, out.Code)
				assert.Contains(t, out.Header().Get("WWW-Authenticate"), `Bearer realm="scim"`)
				assert.NotContains(t, out.Body.String(), token[:len(token)-1])
			})
		}
	}
	req := request("GET", "/Users", "")
	req.Header.Set("Authorization", "bearer "+token)
	require.Equal(t, http.StatusOK, r.send(t, req).Code, "the scheme is case-insensitive")
}

func TestTokenHashes(t *testing.T) {
	var hashes []scim.Token
	r := newRig(t, seed(), "us-east-1", func(c *scim.Config) {
		c.Tokens = nil
		c.TokenHashes = func() []scim.Token { return hashes }
	})
	require.Equal(t, http.StatusUnauthorized, r.ask(t, "GET", "/Users", "").Code)
	hashes = []scim.Token{{Hash: scim.HashToken("another token")}, {Hash: scim.HashToken(token)}}
	require.Equal(t, http.StatusOK, r.ask(t, "GET", "/Users", "").Code)
	hashes = hashes[:1]
	require.Equal(t, http.StatusUnauthorized, r.ask(t, "GET", "/Users", "").Code)
}

// Invariant 13: an additional Region provisions nothing, and its answer names the
// primary.
func TestInvariant13AdditionalRegionsRefuse(t *testing.T) {
	r := newRig(t, seed(), "eu-central-1")
	before := r.view.Snapshot()
	for _, one := range [][3]string{
		{"POST", "/Users", `{"userName":"mallory@example.com"}`},
		{"PATCH", "/Users/u-1", `{"Operations":[{"op":"replace","value":{"active":false}}]}`},
		{"DELETE", "/Groups/g-1", ""}, {"GET", "/Users", ""}, {"GET", "/ServiceProviderConfig", ""},
	} {
		out := r.ask(t, one[0], one[1], one[2])
		assert.Equal(t, http.StatusForbidden, out.Code)
		assert.Contains(t, out.body["detail"], `"us-east-1"`)
	}
	assert.Same(t, before, r.view.Snapshot())
}

// The instance refuses the change too, with the same response.
func TestInvariant13TheInstanceRefusesToo(t *testing.T) {
	r := newRig(t, seed(), "us-east-1", func(c *scim.Config) { c.View = moved{c.View} })
	out := r.ask(t, "POST", "/Users", `{"userName":"new@example.com"}`)
	assert.Equal(t, http.StatusForbidden, out.Code, "%s", out.Body)
	assert.Contains(t, out.body["detail"], `"us-east-1"`)
}

// moved is a view whose Region has become an additional one.
type moved struct{ scim.View }

func (moved) Update(func(*center.Tx) error) error {
	return &center.Error{Reason: center.ReasonNotPrimary, Rule: "write", Want: `the primary Region "us-east-1"`,
		Got: "eu-central-1", Primary: "us-east-1"}
}

func TestEndpoints(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/Users", 200}, {"GET", "/Users/", 200}, {"GET", "/Users/u-1", 200}, {"GET", "/Users/u-9", 404},
		{"GET", "/Groups", 200}, {"GET", "/Groups/g-1", 200}, {"GET", "/Groups/u-1", 404},
		{"GET", "/ServiceProviderConfig", 200}, {"GET", "/ResourceTypes", 200}, {"GET", "/ResourceTypes/Group", 200},
		{"GET", "/ResourceTypes/Device", 404}, {"GET", "/Schemas", 200},
		{"GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", 200}, {"GET", "/Schemas/urn:x", 404},
		{"GET", "/Schemas?filter=id+eq+%22x%22", 403}, {"GET", "/Schemas?filter=", 200}, {"GET", "/Users?filter=", 200},
		{"POST", "/Bulk", 501}, {"GET", "/Me", 501}, {"POST", "/.search", 501}, {"POST", "/Users/.search", 501},
		{"GET", "/", 501},
		{"GET", "/users", 404}, {"GET", "/Devices", 404}, {"GET", "", 404}, {"GET", "x/Users", 404},
		{"GET", "/../v2/Users", 404},
		{"PUT", "/Users", 405}, {"POST", "/Users/u-1", 405}, {"POST", "/Schemas", 405}, {"HEAD", "/Users", 405},
		{"PATCH", "/Users/u-9", 400}, {"DELETE", "/Users/u-9", 404}, {"DELETE", "/Groups/g-9", 404},
		{"GET", "/Users?startIndex=x", 400}, {"GET", "/Users?count=1;filter=x", 400}, {"GET", "/Users?count=1&count=2", 400},
		{"GET", "/Users?filter=%zz", 400},
		{"GET", "/Users?x=" + strings.Repeat("x", 9000), 413},
	} {
		t.Run(c.method+c.path[:min(len(c.path), 40)], func(t *testing.T) {
			req := request(c.method, "", "")
			u, err := req.URL.Parse(baseURL + c.path)
			if err == nil && !strings.Contains(c.path, "..") {
				req.URL = u
			} else {
				req.URL.Path += c.path
			}
			out := r.send(t, req)
			assert.Equal(t, c.status, out.Code, "%s", out.Body)
			assert.Equal(t, c.status == 405, out.Header().Get("Allow") != "")
		})
	}
}

func TestBodiesAreBounded(t *testing.T) {
	r := newRig(t, seed(), "us-east-1", func(c *scim.Config) { c.MaxBody = 300 })
	long := `{"userName":"new@example.com","nickName":"` + strings.Repeat("x", 300) + `"}`
	r.refused(t, 413, "", "POST", "/Users", long)
	req := request("POST", "/Users", long)
	req.ContentLength = -1 // chunked
	assert.Equal(t, 413, r.send(t, req).Code)

	req = request("POST", "/Users", `{"userName":"new@example.com"}`)
	req.Header.Set("Content-Type", "text/plain")
	assert.Equal(t, 415, r.send(t, req).Code)
	req = request("POST", "/Users", `{"userName":"new@example.com"}`)
	req.Header.Set("Content-Type", "application/json")
	assert.Equal(t, 201, r.send(t, req).Code)
}

// A condition on a version is refused, not ignored.
func TestIfMatch(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	for version, status := range map[string]int{`W/"1"`: 412, `*`: 200} {
		req := request("PUT", "/Users/u-1", `{"userName":"alice@example.com"}`)
		req.Header.Set("If-Match", version)
		assert.Equal(t, status, r.send(t, req).Code)
	}
}

func TestDiscovery(t *testing.T) {
	r := newRig(t, seed(), "us-east-1", func(c *scim.Config) { c.MaxResults = 7 })
	c := r.ok(t, 200, "GET", "/ServiceProviderConfig", "")
	assert.Equal(t, true, c["patch"].(map[string]any)["supported"])
	assert.Equal(t, 7.0, c["filter"].(map[string]any)["maxResults"])
	for _, missing := range []string{"bulk", "etag", "sort", "changePassword"} {
		assert.Equal(t, false, c[missing].(map[string]any)["supported"], missing)
	}
	for endpoint, want := range map[string][]string{
		"/ResourceTypes": {"User", "Group"},
		"/Schemas":       {"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"},
	} {
		assert.Equal(t, want, found(t, r.ok(t, 200, "GET", endpoint, "")))
	}
	// Every attribute of a full user is in the schema.
	schema := r.ok(t, 200, "GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "")
	listed := map[string]bool{"id": true, "schemas": true, "meta": true}
	for _, a := range schema["attributes"].([]any) {
		listed[a.(map[string]any)["name"].(string)] = true
	}
	for name := range r.ok(t, 200, "GET", "/Users/u-1", "") {
		assert.True(t, listed[name], name)
	}
}

func TestConfig(t *testing.T) {
	inst, err := center.New(seed())
	require.NoError(t, err)
	view, err := inst.In("us-east-1")
	require.NoError(t, err)
	good := scim.Config{View: view, BaseURL: baseURL + "/", Tokens: []string{token}}
	_, err = scim.New(good)
	require.NoError(t, err)
	local := good
	local.BaseURL = "http://scim.localhost:8080/scim/v2"
	_, err = scim.New(local)
	require.NoError(t, err)
	for name, spoil := range map[string]func(*scim.Config){
		"no view":     func(c *scim.Config) { c.View = nil },
		"no URL":      func(c *scim.Config) { c.BaseURL = "" },
		"relative":    func(c *scim.Config) { c.BaseURL = "/scim/v2" },
		"plain http":  func(c *scim.Config) { c.BaseURL = "http://scim.us-east-1.example/scim/v2" },
		"lookalike":   func(c *scim.Config) { c.BaseURL = "http://localhost.example/scim/v2" },
		"query":       func(c *scim.Config) { c.BaseURL += "?a=b" },
		"empty query": func(c *scim.Config) { c.BaseURL += "?" },
		"fragment":    func(c *scim.Config) { c.BaseURL += "#" },
		"line break":  func(c *scim.Config) { c.Tokens = []string{token + "-secret\n"} },
		"no token":    func(c *scim.Config) { c.Tokens = nil },
		"short token": func(c *scim.Config) { c.Tokens = []string{token, "tooshort-secret"} },
		"negative":    func(c *scim.Config) { c.MaxBody = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			spoil(&c)
			_, err := scim.New(c)
			var e *scim.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, scim.ReasonConfig, e.Reason)
			assert.True(t, strings.HasPrefix(err.Error(), "scim: Config: "), err)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestLogHasNoTokenAndNoBody(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, seed(), "us-east-1", func(c *scim.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	r.ok(t, 201, "POST", "/Users", `{"userName":"new@example.com","password":"hunter2hunter2"}`)
	r.refused(t, 409, "uniqueness", "POST", "/Users", `{"userName":"new@example.com","password":"hunter2hunter2"}`)
	assert.Contains(t, log.String(), "status=201")
	assert.Contains(t, log.String(), "reason=uniqueness")
	assert.NotContains(t, log.String(), "hunter2")
	assert.NotContains(t, log.String(), token)
}
