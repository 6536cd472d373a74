package oktaapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// api is a client of the control API.
type api struct {
	t     *testing.T
	url   string
	token string
	idp   *mockidp.Server
}

type object = map[string]any

func newAPI(t *testing.T, c mockidp.Config) *api {
	t.Helper()
	idp := start(t, c)
	h := oktaapi.New(idp, oktaapi.Config{})
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return &api{t, srv.URL, h.Token(), idp}
}

// do sends a request. body is JSON, a value to encode, or nil.
func (a *api) do(method, path string, body any) (*http.Response, []byte) {
	a.t.Helper()
	var raw []byte
	if s, ok := body.(string); ok {
		raw = []byte(s)
	} else if body != nil {
		raw = must(json.Marshal(body))
	}
	if !strings.HasPrefix(path, "http") {
		path = a.url + path
	}
	req := must(http.NewRequest(method, path, bytes.NewReader(raw)))
	req.Header.Set("Authorization", "SSWS "+a.token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(a.t, err)
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	return resp, out
}

// ok requires a status and decodes an object.
func (a *api) ok(status int, method, path string, body any) object {
	a.t.Helper()
	resp, raw := a.do(method, path, body)
	require.Equal(a.t, status, resp.StatusCode, "%s %s: %s", method, path, raw)
	if len(raw) == 0 {
		return nil
	}
	var out object
	require.NoError(a.t, json.Unmarshal(raw, &out), "%s", raw)
	return out
}

// list follows the Link headers and returns a field of every object.
func (a *api) list(path, field string) []string {
	a.t.Helper()
	out := []string{}
	for next := path; next != ""; {
		resp, raw := a.do("GET", next, nil)
		require.Equal(a.t, 200, resp.StatusCode, "%s: %s", next, raw)
		var part []object
		require.NoError(a.t, json.Unmarshal(raw, &part))
		for _, o := range part {
			out = append(out, text2(dig(o, field)))
		}
		next = ""
		for _, l := range resp.Header.Values("Link") {
			if m := regexp.MustCompile(`^<([^>]+)>; rel="next"$`).FindStringSubmatch(l); m != nil {
				next = m[1]
			}
		}
	}
	return out
}

// refused requires an error of Okta's shape.
func (a *api) refused(status int, code, method, path string, body any) {
	a.t.Helper()
	o := a.ok(status, method, path, body)
	assert.Equal(a.t, code, o["errorCode"], "%s %s: %v", method, path, o)
	assert.Equal(a.t, code, o["errorLink"])
	assert.NotEmpty(a.t, o["errorSummary"])
	assert.NotEmpty(a.t, o["errorId"])
	assert.IsType(a.t, []any{}, o["errorCauses"])
}

// dig returns the value at a path such as "profile.login".
func dig(o any, path string) any {
	for _, name := range strings.Split(path, ".") {
		m, _ := o.(object)
		o = m[name]
	}
	return o
}

func text2(v any) string { s, _ := v.(string); return s }

func TestUsers(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	body := object{"profile": object{"login": "carol@example.com", "email": "carol@example.com", "firstName": "Carol",
		"lastName": "C", "department": "R&D", "level": 7, "tags": []string{"a", "b"}, "mobilePhone": nil},
		"credentials": object{"password": object{"value": "carol's own"}}}
	carol := a.ok(200, "POST", "/api/v1/users", body)
	id := text2(carol["id"])
	assert.Regexp(t, `^00u[0-9A-Za-z]{17}$`, id)
	assert.Equal(t, "ACTIVE", carol["status"])
	assert.Equal(t, []any{"a", "b"}, dig(carol, "profile.tags"))
	at, err := time.Parse(time.RFC3339, text2(carol["created"]))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), at, time.Hour)
	u, _ := a.idp.User("carol@example.com")
	assert.Equal(t, map[string][]string{"department": {"R&D"}, "level": {"7"}, "tags": {"a", "b"}}, u.Attributes)
	assert.Equal(t, "carol's own", u.Password)
	a.refused(400, "E0000001", "POST", "/api/v1/users", body)
	for _, key := range []string{id, "carol@example.com", "carol"} {
		assert.Equal(t, id, a.ok(200, "GET", "/api/v1/users/"+key, nil)["id"])
	}

	// POST adds, PUT replaces; a rename keeps the ID, and the old login is free.
	a.ok(200, "POST", "/api/v1/users/"+id, object{"profile": object{"lastName": "Doe", "login": "carol.doe@example.com"}})
	u, _ = a.idp.User("carol.doe@example.com")
	assert.Equal(t, []string{id, "Carol", "Doe", "R&D"}, []string{u.ID, u.FirstName, u.LastName,
		u.Attributes["department"][0]})
	again := a.ok(200, "POST", "/api/v1/users?activate=false", body)
	assert.NotEqual(t, id, again["id"])
	assert.Equal(t, "STAGED", again["status"])
	a.refused(400, "E0000001", "PUT", "/api/v1/users/"+id, object{"profile": object{"login": "carol@example.com",
		"email": "x"}})
	put := a.ok(200, "PUT", "/api/v1/users/"+id, object{"profile": object{"login": "carol.doe@example.com",
		"email": "c@example.com"}})
	assert.Nil(t, dig(put, "profile.department"))
	u, _ = a.idp.User("carol.doe@example.com")
	assert.Equal(t, "carol's own", u.Password)

	// The lifecycle.
	step := func(name string) { t.Helper(); a.ok(200, "POST", "/api/v1/users/"+id+"/lifecycle/"+name, nil) }
	status := func() string { t.Helper(); return text2(a.ok(200, "GET", "/api/v1/users/"+id, nil)["status"]) }
	for _, s := range [][2]string{{"suspend", "SUSPENDED"}, {"unsuspend", "ACTIVE"}, {"deactivate", "DEPROVISIONED"},
		{"activate", "ACTIVE"}} {
		step(s[0])
		assert.Equal(t, s[1], status())
	}
	a.refused(403, "E0000016", "POST", "/api/v1/users/"+id+"/lifecycle/activate", nil)
	a.refused(403, "E0000038", "POST", "/api/v1/users/"+id+"/lifecycle/unlock", nil)
	a.refused(404, "E0000007", "POST", "/api/v1/users/"+id+"/lifecycle/dance", nil)
	require.NoError(t, a.idp.UpdateUser("carol.doe@example.com", func(u *mockidp.User) error {
		u.Status = mockidp.LockedOut
		return nil
	}))
	step("unlock")
	a.ok(204, "DELETE", "/api/v1/users/"+id, nil)
	assert.Equal(t, "DEPROVISIONED", status())
	a.ok(204, "DELETE", "/api/v1/users/"+id, nil)
	a.refused(404, "E0000007", "GET", "/api/v1/users/"+id, nil)
}

func TestListsAndFilters(t *testing.T) {
	t.Parallel()
	c := company(450, 7)
	a := newAPI(t, c)
	all := a.list("/api/v1/users", "id")
	assert.Len(t, all, 450)
	assert.Len(t, a.list("/api/v1/users?limit=7", "id"), 450)
	assert.Equal(t, all, a.list("/api/v1/users?limit=7", "id"))
	assert.Equal(t, []string{"user17@example.com"}, a.list(`/api/v1/users?filter=profile.login+eq+"user17@example.com"`,
		"profile.login"))
	assert.Len(t, a.list(`/api/v1/users?search=profile.lastName+sw+"44"+and+status+eq+"ACTIVE"`, "id"), 11)
	assert.Len(t, a.list(`/api/v1/users?search=profile.lastName+eq+"1"+or+profile.lastName+eq+"2"`, "id"), 2)
	assert.Len(t, a.list("/api/v1/users?q=USER44", "id"), 11)
	a.ok(204, "DELETE", "/api/v1/users/"+all[0], nil)
	assert.Len(t, a.list("/api/v1/users", "id"), 449)
	assert.Equal(t, []string{all[0]}, a.list(`/api/v1/users?filter=status+eq+"DEPROVISIONED"`, "id"))
	for _, bad := range []string{`filter=status`, `filter=status+eq+ACTIVE`, `filter=shoe+eq+"1"`,
		`search=(status+eq+"a"`} {
		a.refused(400, "E0000031", "GET", "/api/v1/users?"+bad, nil)
	}
	a.refused(400, "E0000001", "GET", "/api/v1/users?limit=x", nil)
	a.refused(400, "E0000001", "GET", "/api/v1/users?after=*", nil)
	assert.Len(t, a.list("/api/v1/groups?limit=3", "id"), 8)
	g := a.list(`/api/v1/groups?q=group+3`, "id")
	require.Len(t, g, 1)
	assert.Len(t, a.list("/api/v1/groups/"+g[0]+"/users?limit=10", "id"), 128)
}

func TestGroups(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	g := a.ok(200, "POST", "/api/v1/groups", object{"profile": object{"name": "Finance", "description": "Counts"}})
	id := text2(g["id"])
	a.refused(400, "E0000001", "POST", "/api/v1/groups", object{"profile": object{"name": "Finance"}})
	a.refused(400, "E0000001", "POST", "/api/v1/groups", object{"profile": object{"name": "Everyone"}})
	a.refused(400, "E0000001", "POST", "/api/v1/groups", object{})
	a.ok(204, "PUT", "/api/v1/groups/"+id+"/users/alice", nil)
	a.ok(204, "PUT", "/api/v1/groups/"+id+"/users/alice", nil)
	assert.Equal(t, []string{alice}, a.list("/api/v1/groups/"+id+"/users", "profile.login"))
	assert.Equal(t, []string{"Everyone", "Engineering", "Finance"}, a.list("/api/v1/users/alice/groups", "profile.name"))
	a.ok(200, "PUT", "/api/v1/groups/"+id, object{"profile": object{"name": "Treasury"}})
	u, _ := a.idp.User(alice)
	assert.Equal(t, []string{"Engineering", "Treasury"}, u.Groups)
	a.ok(204, "DELETE", "/api/v1/groups/"+id+"/users/alice", nil)
	a.ok(204, "DELETE", "/api/v1/groups/"+id, nil)
	a.refused(404, "E0000007", "GET", "/api/v1/groups/"+id, nil)
	everyone := a.list(`/api/v1/groups?filter=type+eq+"BUILT_IN"`, "id")
	require.Len(t, everyone, 1)
	a.refused(403, "E0000006", "PUT", "/api/v1/groups/"+everyone[0]+"/users/alice", nil)
	assert.Len(t, a.list("/api/v1/groups/"+everyone[0]+"/users", "id"), 2)
}

// A user whose rename is refused keeps the login, the session and the place in the queue.
func TestRefusedRename(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	b := newBrowser(t, a.idp)
	b.signIn(alice, mockidp.DefaultPassword)
	require.NoError(t, a.idp.QueueUser(alice))
	a.refused(400, "E0000001", "POST", "/api/v1/users/"+alice, object{"profile": object{"login": "carol@example.com",
		"not a name": "x"}})
	b.get(a.idp.DashboardURL()).contains(t, "My Apps")
	newBrowser(t, a.idp).get(a.idp.SignInURL()).contains(t, "Alice Example")

	a.ok(200, "POST", "/api/v1/users/"+alice, object{"profile": object{"login": "carol@example.com",
		"firstName": "Carol"}})
	b.get(a.idp.DashboardURL()).contains(t, "Carol Example")
}

func TestErrorsNameTheMissingApp(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	for path, body := range map[string]any{"/control/faults": object{"kind": "drop", "app": "none"},
		"/control/queue":   object{"error": object{"app": "none"}},
		"/control/deliver": object{"app": "none", "user": alice}} {
		_, said := a.do("POST", path, body)
		assert.Contains(t, string(said), `no app has the ID \"none\"`, path)
	}
}

// A misspelt field of /control/ is refused. Okta's own calls ignore unknown fields, as
// Okta does.
func TestUnknownFields(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) { return mockidp.Mutated{}, nil }
	a := newAPI(t, conf)
	a.refused(400, "E0000003", "POST", "/control/attacks", object{"id": "X1", "login": alice})
	a.refused(400, "E0000003", "POST", "/control/attack", object{"id": "X1", "application": "idc"})
	a.refused(400, "E0000003", "POST", "/control/faults", object{"kind": "drop", "times": 1})
	assert.Empty(t, a.idp.StandingMutations())
	assert.Empty(t, a.idp.Faults())
	a.ok(200, "POST", "/control/attacks", object{"id": "X1", "user": alice})
	a.ok(200, "POST", "/api/v1/users", object{"profile": object{"login": "carol@example.com"}, "realmId": "x"})
}

func TestGuards(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	req := must(http.NewRequest("GET", a.url+"/api/v1/users", nil))
	for _, auth := range []string{"", "SSWS", "SSWS wrong", "Bearer " + a.token, "SSWS " + a.token + "x"} {
		req.Header.Set("Authorization", auth)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		var o object
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&o))
		resp.Body.Close()
		assert.Equal(t, 401, resp.StatusCode, auth)
		assert.Equal(t, "E0000011", o["errorCode"])
	}
	a.refused(413, "E0000003", "POST", "/api/v1/users", strings.Repeat(" ", 2<<20))
	a.refused(400, "E0000003", "POST", "/api/v1/users", "{")
	a.refused(404, "E0000007", "GET", "/api/v1/nothing", nil)
	assert.NotEqual(t, a.token, oktaapi.New(a.idp, oktaapi.Config{}).Token())
	assert.Equal(t, "secret", oktaapi.New(a.idp, oktaapi.Config{Token: "secret"}).Token())
	r, _ := a.do("GET", a.idp.URL+"/api/v1/users", nil)
	assert.Equal(t, 404, r.StatusCode, "not on the listener that users sign in at")
}

// A Host other than a loopback name is refused (DNS rebinding), whatever the identity
// provider's own host is.
func TestHosts(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.BaseURL = "https://idp.corp.test"
	h := oktaapi.New(must(mockidp.Open(conf)), oktaapi.Config{})
	status := func(host string) int {
		r := httptest.NewRequest("GET", "http://localhost/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for _, host := range []string{"idp.corp.test", "sub.example.com", "rebound.evil.test", "192.0.2.1",
		"localhost.evil.test", ""} {
		assert.Equal(t, http.StatusMisdirectedRequest, status(host), "%q", host)
	}
	for _, host := range []string{"localhost", "127.0.0.1:8701", "[::1]:8701", "us-east-1.localhost:9"} {
		assert.Equal(t, http.StatusUnauthorized, status(host), host)
	}
}
