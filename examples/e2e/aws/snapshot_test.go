package aws_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/corp"
)

// The snapshots in the source of the AWS SDK have every member of every request and response of AWS's model.

// operation is one that the Regions serve, and how a valid request looks.
type operation struct {
	service, module, name string
	// input are the values of members and parameters. One that isn't here is left out of the valid request.
	input map[string]any
	// unread are members of the snapshot that the service may ignore, and why.
	unread map[string]string
	// missing are members of the response's snapshot that the service doesn't send, and why.
	missing map[string]string
}

// prepared is what the operations need: a client, and tokens.
type prepared struct {
	w                         *world
	clientID, clientSecret    string
	accessToken, refreshToken string
}

func (p *prepared) operations() []operation {
	const sso, ssooidc = "portal.sso", "oidc"
	client := func(in map[string]any) map[string]any {
		in["clientId"], in["clientSecret"] = p.clientID, p.clientSecret
		return in
	}
	with := func(in map[string]any) map[string]any {
		in["X-Amz-Sso_bearer_token"] = p.accessToken
		return in
	}
	return []operation{
		{service: ssooidc, module: "ssooidc", name: "RegisterClient", input: map[string]any{
			"clientName": "a program", "clientType": "public", "scopes": []string{"sso:account:access"},
			"grantTypes":   []string{"authorization_code", "refresh_token"},
			"redirectUris": []string{"http://127.0.0.1/oauth/callback"}, "issuerUrl": p.w.places[0].portal,
		}, missing: map[string]string{
			"authorizationEndpoint": "the configuration of the Region has no address", "tokenEndpoint": "likewise",
		}, unread: map[string]string{"entitledApplicationArn": "for clients of an administrator's application"}},
		{service: ssooidc, module: "ssooidc", name: "StartDeviceAuthorization",
			input: client(map[string]any{"startUrl": p.w.places[0].portal})},
		{service: ssooidc, module: "ssooidc", name: "CreateToken",
			input:   client(map[string]any{"grantType": "refresh_token", "refreshToken": p.refreshToken}),
			missing: map[string]string{"idToken": "AWS doesn't send it to these clients"}},
		{service: sso, module: "sso", name: "ListAccounts", input: with(map[string]any{"max_result": "1"})},
		{service: sso, module: "sso", name: "ListAccountRoles",
			input: with(map[string]any{"account_id": corp.Sandbox, "max_result": "1"})},
		{service: sso, module: "sso", name: "GetRoleCredentials",
			input: with(map[string]any{"account_id": corp.Sandbox, "role_name": corp.ReadOnly})},
		{service: sso, module: "sso", name: "Logout", input: with(map[string]any{})}, // the last one
	}
}

// snapshot is a recorded request or response.
type snapshot struct {
	method, path string
	status       string
	headers      []string       // of requests
	parameters   []string       // of the URL
	body         map[string]any // nil: none
}

func readSnapshot(t *testing.T, dir, kind, name string) snapshot {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, kind+"_snapshot", name+".snap"))
	require.NoError(t, err)
	head, body, _ := strings.Cut(string(raw), "{")
	var s snapshot
	for i, line := range strings.Split(head, "\n") {
		switch {
		case i == 0 && kind == "request":
			method, uri, _ := strings.Cut(line, " ")
			u, err := url.Parse(uri)
			require.NoError(t, err)
			s.method, s.path = method, u.Path
			for parameter := range u.Query() {
				s.parameters = append(s.parameters, parameter)
			}
		case i == 0:
			s.status = line
		case strings.Contains(line, ": ") && !strings.HasPrefix(line, "Content-Type"):
			header, _, _ := strings.Cut(line, ": ")
			s.headers = append(s.headers, header)
		}
	}
	if body != "" {
		require.NoError(t, json.Unmarshal([]byte("{"+body), &s.body), body)
	}
	return s
}

// call sends a request in the form of a snapshot, with these values.
func (p *prepared) call(o operation, s snapshot, values map[string]any) (int, map[string]any) {
	t := p.w.t
	t.Helper()
	query, body := url.Values{}, map[string]any{}
	for _, name := range s.parameters {
		if v, ok := values[name]; ok {
			query.Set(name, fmt.Sprint(v))
		}
	}
	for name := range s.body {
		if v, ok := values[name]; ok {
			body[name] = v
		}
	}
	at := "https://" + o.service + "." + p.w.places[0].Name + ".amazonaws.com" + s.path + "?" + query.Encode()
	var payload io.Reader
	if s.body != nil {
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		payload = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(t.Context(), s.method, at, payload)
	require.NoError(t, err)
	for _, name := range s.headers {
		if v, ok := values[name]; ok {
			r.Header.Set(name, fmt.Sprint(v))
		}
	}
	res, err := (&http.Client{Transport: p.w.transport()}).Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var out map[string]any
	if len(raw) > 0 {
		require.NoError(t, json.Unmarshal(raw, &out), string(raw))
	}
	return res.StatusCode, out
}

func TestSnapshotsOfTheSDK(t *testing.T) {
	sdk := newGoSDK(t)
	w := newWorld(t, "8443")
	p := &prepared{w: w}
	p.signIn()
	for _, o := range p.operations() {
		t.Run(o.name, func(t *testing.T) {
			dir, err := sdk.Go("list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/"+o.module)
			require.NoError(t, err, dir)
			dir = strings.TrimSpace(dir)
			request := readSnapshot(t, dir, "request", o.name+".request")
			p.membersAreRead(t, o, request)
			status, got := p.call(o, request, o.input)
			require.Equal(t, 200, status, got)
			want := readSnapshot(t, dir, "response", o.name+".response")
			require.Equal(t, "200", want.status)
			sameShape(t, o.name, want.body, got, o.missing)
			p.errorsHaveTheShape(t, dir, o, request)
		})
	}
}

// membersAreRead shows that the service reads each member of a request: with a value of another type, or none of its
// own, the request is refused.
func (p *prepared) membersAreRead(t *testing.T, o operation, request snapshot) {
	for member := range request.body {
		changed := maps.Clone(o.input)
		changed[member] = map[string]any{"not": "of this type"}
		status, got := p.call(o, request, changed)
		if why := o.unread[member]; why != "" && status == 200 {
			t.Logf("%s of %s isn't read: %s", member, o.name, why)
			continue
		}
		assert.Equal(t, 400, status, "%s: %v", member, got)
		assert.Equal(t, "InvalidRequestException", got["__type"], member)
	}
	for _, name := range slices.Concat(request.parameters, request.headers) {
		changed := maps.Clone(o.input)
		changed[name] = "not a valid value"
		status, got := p.call(o, request, changed)
		assert.Contains(t, []int{400, 401, 403}, status, "%s: %v", name, got)
	}
}

// sameShape requires every member of the snapshot, with its type, and no other. A missing one has a reason.
func sameShape(t *testing.T, path string, want, got any, missing map[string]string) {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if want == nil && got == nil || !assert.True(t, ok || len(want) == 0, "%s is %T", path, got) {
			return
		}
		for name, member := range want {
			value, has := object[name]
			if !has && missing[name] != "" {
				t.Logf("%s.%s isn't sent: %s", path, name, missing[name])
				continue
			}
			if assert.True(t, has, "%s has no %s", path, name) {
				sameShape(t, path+"."+name, member, value, missing)
			}
		}
		for name := range object {
			assert.Contains(t, want, name, "%s has a member of its own", path)
		}
	case []any:
		list, ok := got.([]any)
		if assert.True(t, ok, "%s is %T", path, got) && assert.NotEmpty(t, list, path) {
			for _, element := range list {
				sameShape(t, path+"[]", want[0], element, missing)
			}
		}
	default:
		assert.IsType(t, want, got, path)
	}
}

// errorsHaveTheShape provokes errors of an operation and compares them with their snapshots.
func (p *prepared) errorsHaveTheShape(t *testing.T, dir string, o operation, request snapshot) {
	for member, value := range map[string]any{
		"X-Amz-Sso_bearer_token": "wrong", "next_token": "wrong", "clientSecret": "wrong", "grantType": "wrong",
		"refreshToken": "wrong", "startUrl": "https://wrong.example", "clientType": "wrong", "scopes": []string{"wrong"},
		"redirectUris": []string{"https://wrong.example"}, "grantTypes": []string{"wrong"}, "scope": []string{"wrong"},
	} {
		_, inBody := request.body[member]
		if !inBody && !slices.Contains(slices.Concat(request.parameters, request.headers), member) {
			continue
		}
		changed := maps.Clone(o.input)
		changed[member] = value
		status, got := p.call(o, request, changed)
		if !assert.NotEqual(t, 200, status, "%s: %s", o.name, member) {
			continue
		}
		name, _ := got["__type"].(string)
		want := readSnapshot(t, dir, "response", name+".error")
		assert.Equal(t, want.status, fmt.Sprint(status), name)
		sameShape(t, name, want.body, got, map[string]string{"reason": "only for errors of a KMS key"})
	}
}

// signIn gets tokens by device code, as a program without a browser does.
func (p *prepared) signIn() {
	t := p.w.t
	t.Helper()
	post := func(path string, in map[string]any) map[string]any {
		o := operation{service: "oidc"}
		status, out := p.call(o, snapshot{method: "POST", path: path, body: in}, in)
		require.Equal(t, 200, status, out)
		return out
	}
	text := func(m map[string]any, name string) string {
		v, ok := m[name].(string)
		require.True(t, ok && v != "", "%s in %v", name, m)
		return v
	}
	client := post("/client/register", map[string]any{
		"clientName": "a program", "clientType": "public", "scopes": []string{"sso:account:access"},
	})
	p.clientID, p.clientSecret = text(client, "clientId"), text(client, "clientSecret")
	started := post("/device_authorization", map[string]any{
		"clientId": p.clientID, "clientSecret": p.clientSecret, "startUrl": p.w.places[0].portal,
	})
	p.w.allow(p.w.browser(0, corp.Alice), text(started, "verificationUriComplete"))
	token := post("/token", map[string]any{
		"clientId": p.clientID, "clientSecret": p.clientSecret, "deviceCode": started["deviceCode"],
		"grantType": "urn:ietf:params:oauth:grant-type:device_code",
	})
	p.accessToken, p.refreshToken = text(token, "accessToken"), text(token, "refreshToken")
}
