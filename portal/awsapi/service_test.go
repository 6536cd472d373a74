package awsapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/internal/sigv4test"
)

const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`

// echo answers with its input, or with an error that the input names.
func echo(_ context.Context, _ *awsapi.Call, in struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}) (any, error) {
	switch in.Error {
	case "":
		return map[string]string{"name": in.Name}, nil
	case "nothing":
		return nil, nil
	case "typed":
		return nil, &awsapi.Exception{
			Name: "ConflictException", Status: 409, Message: "It exists", Members: map[string]any{"Reason": "UNIQUE"},
			Err: errors.New("the cause"),
		}
	}
	return nil, errors.New("a detail of the store")
}

func service(t *testing.T, cfg awsapi.Config) (http.Handler, *strings.Builder) {
	t.Helper()
	logged := &strings.Builder{}
	cfg.Name, cfg.Region, cfg.Logger = "example", "eu-central-1", slog.New(slog.NewTextHandler(logged, nil))
	s, err := awsapi.New(cfg)
	require.NoError(t, err)
	return s, logged
}

func rest(t *testing.T) (http.Handler, *strings.Builder) {
	return service(t, awsapi.Config{Operations: map[string]awsapi.Handler{"POST /echo": awsapi.Typed(echo)}})
}

func send(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func members(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	out := map[string]any{}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out), w.Body.String())
	return out
}

func TestREST(t *testing.T) {
	h, logged := rest(t)
	w := send(h, "POST", "/echo", `{"name":"x"}`)
	assert.Equal(t, 200, w.Code)
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	assert.Regexp(t, "^"+uuid+"$", w.Header().Get("X-Amzn-Requestid"))
	assert.Equal(t, map[string]any{"name": "x"}, members(t, w))
	assert.Empty(t, logged.String())

	w = send(h, "POST", "/echo", `{"error":"nothing"}`)
	assert.Equal(t, 200, w.Code)
	assert.Empty(t, w.Body.String())

	w = send(h, "POST", "/echo", `{"error":"typed"}`)
	assert.Equal(t, 409, w.Code)
	assert.Equal(t, "ConflictException", w.Header().Get("X-Amzn-Errortype"))
	assert.Equal(t, map[string]any{"__type": "ConflictException", "message": "It exists", "Reason": "UNIQUE"},
		members(t, w))
	assert.Contains(t, logged.String(), "the cause")
	assert.Contains(t, logged.String(), w.Header().Get("X-Amzn-Requestid"))

	logged.Reset()
	w = send(h, "POST", "/echo", `{"error":"another"}`)
	assert.Equal(t, 500, w.Code)
	assert.Equal(t, "InternalServerException", w.Header().Get("X-Amzn-Errortype"))
	assert.NotContains(t, w.Body.String(), "detail")
	assert.Contains(t, logged.String(), "a detail of the store")

	for _, request := range [][2]string{{"GET", "/echo"}, {"POST", "/echo/"}, {"POST", "/"}, {"POST", "/ECHO"}} {
		w = send(h, request[0], request[1], "")
		assert.Equal(t, 404, w.Code)
		assert.Equal(t, "UnknownOperationException", w.Header().Get("X-Amzn-Errortype"))
	}
}

func TestMalformedInputIsNotRepeated(t *testing.T) {
	h, logged := rest(t)
	for _, body := range []string{`{"name":"s3cret","name":"s3cret"}`, `{"name":s3cret}`, `{"name":["s3cret"]}`} {
		w := send(h, "POST", "/echo", body)
		assert.Equal(t, 400, w.Code)
		assert.Equal(t, "InvalidRequestException", w.Header().Get("X-Amzn-Errortype"))
		assert.NotContains(t, w.Body.String()+logged.String(), "s3cret")
	}
}

func TestBodiesAreBounded(t *testing.T) {
	h, _ := rest(t)
	body := func(n int) string {
		const empty = `{"name":""}`
		return `{"name":"` + strings.Repeat("x", n-len(empty)) + `"}`
	}
	assert.Equal(t, 200, send(h, "POST", "/echo", body(1<<20)).Code)
	w := send(h, "POST", "/echo", body(1<<20+1))
	assert.Equal(t, 413, w.Code)
	assert.Equal(t, "InvalidRequestException", w.Header().Get("X-Amzn-Errortype"))
	small, _ := service(t, awsapi.Config{
		MaxBody: 20, OAuthErrors: true, Operations: map[string]awsapi.Handler{"POST /echo": awsapi.Typed(echo)},
	})
	assert.Equal(t, 200, send(small, "POST", "/echo", body(20)).Code)
	w = send(small, "POST", "/echo", body(21))
	assert.Equal(t, 413, w.Code)
	assert.Equal(t, "invalid_request", members(t, w)["error"])
}

func TestAWSJSON(t *testing.T) {
	h, _ := service(t, awsapi.Config{
		Protocol: awsapi.JSON, TargetPrefix: "Example", Operations: map[string]awsapi.Handler{"Echo": awsapi.Typed(echo)},
	})
	w := send(h, "POST", "/", `{"name":"x"}`, "X-Amz-Target", "Example.Echo")
	assert.Equal(t, 200, w.Code)
	assert.Equal(t, "application/x-amz-json-1.1", w.Header().Get("Content-Type"))

	w = send(h, "POST", "/", `{"error":"typed"}`, "X-Amz-Target", "Example.Echo")
	assert.Equal(t, 400, w.Code, "services with this protocol send 400, whatever the model says")
	assert.Equal(t, map[string]any{"__type": "ConflictException", "Message": "It exists", "Reason": "UNIQUE"},
		members(t, w))
	w = send(h, "POST", "/", `{"error":"other"}`, "X-Amz-Target", "Example.Echo")
	assert.Equal(t, 500, w.Code)

	for name, headers := range map[string][]string{
		"no target": {}, "another service": {"X-Amz-Target", "Other.Echo"}, "unknown": {"X-Amz-Target", "Example.Other"},
		"two": {"X-Amz-Target", "Example.Echo", "X-Amz-Target", "Example.Echo"},
	} {
		w = send(h, "POST", "/", `{}`, headers...)
		assert.Equal(t, 400, w.Code, name)
		assert.Equal(t, "UnknownOperationException", w.Header().Get("X-Amzn-Errortype"), name)
	}
	assert.Equal(t, 400, send(h, "GET", "/", "", "X-Amz-Target", "Example.Echo").Code)
	assert.Equal(t, 400, send(h, "POST", "/x", "", "X-Amz-Target", "Example.Echo").Code)
}

func query(t *testing.T, credentials awsapi.Credentials, now time.Time) http.Handler {
	h, _ := service(t, awsapi.Config{
		Protocol: awsapi.Query, Version: "2011-06-15", Namespace: "https://example/doc/", Credentials: credentials,
		Now: func() time.Time { return now },
		Operations: map[string]awsapi.Handler{
			"Who": func(_ context.Context, call *awsapi.Call) (any, error) {
				return struct{ Arn, Name string }{call.Caller.ARN, call.Form.Get("Name")}, nil
			},
			"Fail": func(context.Context, *awsapi.Call) (any, error) {
				return nil, &awsapi.Exception{Name: "Bad", Message: "<&>"}
			},
		},
	})
	return h
}

const form = "application/x-www-form-urlencoded; charset=utf-8"

func TestAWSQuery(t *testing.T) {
	h := query(t, nil, time.Time{})
	w := send(h, "POST", "/", "Action=Who&Version=2011-06-15&Name=a%3Cb", "Content-Type", form)
	assert.Equal(t, 200, w.Code)
	assert.Equal(t, "text/xml", w.Header().Get("Content-Type"))
	assert.Regexp(t, regexp.MustCompile(`^<WhoResponse xmlns="https://example/doc/"><WhoResult><Arn></Arn>`+
		`<Name>a&lt;b</Name></WhoResult><ResponseMetadata><RequestId>`+uuid+`</RequestId></ResponseMetadata></WhoResponse>$`),
		w.Body.String())
	w = send(h, "POST", "/", "Action=Fail&Version=2011-06-15", "Content-Type", form)
	assert.Equal(t, 400, w.Code)
	assert.Regexp(t, regexp.MustCompile(`^<ErrorResponse xmlns="https://example/doc/"><Error><Type>Sender</Type>`+
		`<Code>Bad</Code><Message>&lt;&amp;&gt;</Message></Error><RequestId>`+uuid+`</RequestId></ErrorResponse>$`),
		w.Body.String())
	for name, c := range map[string][4]string{
		"an unknown action": {"POST", "/", "Action=X&Version=2011-06-15", form},
		"another version":   {"POST", "/", "Action=Who&Version=2011-06-16", form},
		"in the URL":        {"POST", "/?Action=Who&Version=2011-06-15", "", form},
		"both":              {"POST", "/?Name=b", "Action=Who&Version=2011-06-15", form},
		"GET":               {"GET", "/?Action=Who&Version=2011-06-15", "", form},
		"no form":           {"POST", "/", "Action=Who&Version=2011-06-15", "text/plain"},
		"a duplicate":       {"POST", "/", "Action=Who&Action=Who&Version=2011-06-15", form},
		"a bad encoding":    {"POST", "/", "Action=Who&Version=2011-06-15&Name=%zz", form},
	} {
		w = send(h, c[0], c[1], c[2], "Content-Type", c[3])
		assert.Equal(t, 400, w.Code, name)
		assert.Contains(t, w.Body.String(), "<ErrorResponse", name)
	}
}

func TestOneParameter(t *testing.T) {
	h, _ := service(t, awsapi.Config{Operations: map[string]awsapi.Handler{
		"GET /x": func(_ context.Context, call *awsapi.Call) (any, error) { return call.Param("a") },
	}})
	assert.Equal(t, `"1"`, send(h, "GET", "/x?a=1&b=2", "").Body.String())
	assert.Equal(t, `""`, send(h, "GET", "/x", "").Body.String())
	assert.Equal(t, 400, send(h, "GET", "/x?a=1&a=1", "").Code)
	assert.Equal(t, 400, send(h, "GET", "/x?a=%zz", "").Code)
}

func TestSignedRequests(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	roles := sealedRoles(t, func() time.Time { return now })
	issue := func(expires time.Time) awsapi.RoleCredentials {
		role := alice
		role.Expires = expires
		c, err := roles.IssueRole(t.Context(), role)
		require.NoError(t, err)
		return c
	}
	good, over, other := issue(now.Add(time.Hour)), issue(now), issue(now.Add(time.Hour))
	h := query(t, roles, now)
	for name, c := range map[string]struct {
		credentials awsapi.RoleCredentials
		spoil       func(*http.Request)
		at          time.Time
		status      int
		want        string
	}{
		"accepted":  {good, nil, now, 200, "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ReadOnly_"},
		"unsigned":  {good, func(r *http.Request) { r.Header.Del("Authorization") }, now, 403, "MissingAuthenticationToken"},
		"malformed": {good, func(r *http.Request) { r.Header.Del("X-Amz-Date") }, now, 400, "IncompleteSignature"},
		"old":       {good, nil, now.Add(-time.Hour), 403, "SignatureDoesNotMatch"},
		"expired":   {over, nil, now, 403, "<Code>ExpiredToken<"},
		"expired, with another secret": {
			awsapi.RoleCredentials{over.AccessKeyID, good.SecretAccessKey, over.SessionToken, now}, nil, now, 403,
			"InvalidClientTokenId",
		},
		"another secret": {
			awsapi.RoleCredentials{good.AccessKeyID, other.SecretAccessKey, good.SessionToken, now}, nil, now, 403,
			"InvalidClientTokenId",
		},
		"another token": {
			awsapi.RoleCredentials{good.AccessKeyID, good.SecretAccessKey, other.SessionToken, now}, nil, now, 403,
			"InvalidClientTokenId",
		},
		"another key": {
			awsapi.RoleCredentials{other.AccessKeyID, good.SecretAccessKey, good.SessionToken, now}, nil, now, 403,
			"InvalidClientTokenId",
		},
		"no token":              {awsapi.RoleCredentials{AccessKeyID: good.AccessKeyID}, nil, now, 403, "InvalidClientTokenId"},
		"an empty secret":       {awsapi.RoleCredentials{AccessKeyID: "x"}, nil, now, 403, "InvalidClientTokenId"},
		"a token of some other": {awsapi.RoleCredentials{"A", "s", "t", now}, nil, now, 403, "InvalidClientTokenId"},
	} {
		t.Run(name, func(t *testing.T) {
			const body = "Action=Who&Version=2011-06-15"
			r := httptest.NewRequest("POST", "https://sts.eu-central-1.amazonaws.com/", strings.NewReader(body))
			r.Header.Set("Content-Type", form)
			sigv4test.Signer{
				AccessKeyID: c.credentials.AccessKeyID, SecretAccessKey: c.credentials.SecretAccessKey,
				SessionToken: c.credentials.SessionToken, Region: "eu-central-1", Service: "example",
			}.Sign(r, []byte(body), c.at)
			if c.spoil != nil {
				c.spoil(r)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, c.status, w.Code)
			assert.Contains(t, w.Body.String(), c.want)
		})
	}
}

func TestInvalidConfigs(t *testing.T) {
	good := awsapi.Config{Name: "x", Region: "r", Operations: map[string]awsapi.Handler{"POST /": awsapi.Typed(echo)}}
	for name, spoil := range map[string]func(*awsapi.Config){
		"no name":       func(c *awsapi.Config) { c.Name = "" },
		"no Region":     func(c *awsapi.Config) { c.Region = "" },
		"no operations": func(c *awsapi.Config) { c.Operations = nil },
		"no target":     func(c *awsapi.Config) { c.Protocol = awsapi.JSON },
		"no version":    func(c *awsapi.Config) { c.Protocol, c.Namespace = awsapi.Query, "x" },
		"no namespace":  func(c *awsapi.Config) { c.Protocol, c.Version = awsapi.Query, "x" },
		"protocol":      func(c *awsapi.Config) { c.Protocol = 9 },
		"body":          func(c *awsapi.Config) { c.MaxBody = -1 },
	} {
		cfg := good
		spoil(&cfg)
		_, err := awsapi.New(cfg)
		var e *awsapi.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, awsapi.ReasonConfig, e.Reason)
		assert.True(t, strings.HasPrefix(err.Error(), "awsapi: "))
	}
	_, err := awsapi.New(good)
	require.NoError(t, err)
}
