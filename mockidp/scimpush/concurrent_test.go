package scimpush_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
	"github.com/meridian-saml/meridian/mockidp/scimpush"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

const (
	alice = "alice@example.com"
	bob   = "bob@example.com"
)

// serve serves h and reports panics, which net/http would swallow.
func serve(t *testing.T, h http.Handler) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				assert.Equal(t, http.ErrAbortHandler, p, r.URL.Path) // the fault "drop" panics with it
				panic(http.ErrAbortHandler)
			}
		}()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// Sign-ins, the API, the Go calls, Reset and SCIM run concurrently. It is a test
// for the race detector above all.
func TestConcurrentUse(t *testing.T) {
	conf := mockidp.Config{Key: rsaKey(),
		Users: []mockidp.User{{Login: alice, Groups: []string{"Engineering"}}, {Login: bob},
			{Login: "carol@example.com", SecondFactor: "1234", Groups: []string{"Engineering"}}},
		Apps: []mockidp.App{{ID: "idc", Label: "Identity Center", Audience: "https://sp.example",
			Groups: []string{"Engineering"},
			ACS: []mockidp.ACS{{URL: "http://us-east-1.localhost:8711/acs"},
				{URL: "http://eu-central-1.localhost:8712/acs"}}},
			{ID: "mark", Label: "Portal", Kind: mockidp.Bookmark, URL: "http://eu-central-1.localhost:8712/start",
				Users: []string{alice}}}}
	conf.Mutate = func(m mockidp.Mutation) (mockidp.Mutated, error) {
		return mockidp.Mutated{Response: []byte("<" + m.ID + "x/>")}, nil
	}
	conf.Mutations = []string{"X1"}
	idp, scim := start(t, conf), newEndpoint(t)
	sp := must(saml.New(saml.Config{EntityID: "https://sp.example", ACS: []saml.Endpoint{{URL: conf.Apps[0].ACS[0].URL}},
		IdP: must(saml.ParseIdPMetadata(idp.Metadata("idc")))}))
	redirect := func(relayState string) string {
		return must(must(sp.NewAuthnRequest(saml.RequestOptions{})).RedirectURL(relayState))
	}
	pages, control := serve(t, idp.Handler()), serve(t, oktaapi.New(idp, oktaapi.Config{Token: "secret"}))
	client := &http.Client{Timeout: 3 * time.Minute}
	read := func(r *http.Response, err error) string {
		if err != nil {
			return "" // the fault "drop"
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		return string(b)
	}
	api := func(method, path, body string) (id string) {
		req := must(http.NewRequest(method, control+path, bytes.NewReader([]byte(body))))
		req.Header.Set("Authorization", "SSWS secret")
		r, err := client.Do(req)
		if !assert.NoError(t, err) {
			return ""
		}
		var made struct{ ID any }
		said := read(r, nil)
		assert.Less(t, r.StatusCode, 500, "%s %s: %s", method, path, said)
		_ = json.Unmarshal([]byte(said), &made)
		return fmt.Sprint(made.ID)
	}

	key := testkit.ECDSAKey("other")
	var wg sync.WaitGroup
	often := func(f func(round int)) {
		wg.Go(func() {
			for round := range 12 {
				f(round)
			}
		})
	}
	for n := range 3 {
		often(func(int) {
			b := testkit.NewBrowser(t.Context())
			v := fields(b.Open(pages + strings.TrimPrefix(redirect("s"), idp.URL)))
			v.Set("username", []string{alice, "carol@example.com", "u1@example.com"}[n])
			v.Set("password", mockidp.DefaultPassword)
			v = fields(b.Post(pages, pages+"/login/login.htm", v))
			v.Set("code", "1234")
			_, _ = b.Post(pages, pages+"/login/second-factor", v)
			_, _ = b.Open(pages + "/app/UserHome")
			_, _ = b.Open(pages + "/mockidp/app/idc")
		})
	}
	often(func(round int) {
		if round%4 == 3 {
			api("POST", "/control/reset", "")
		}
		api("POST", "/control/clock", `{"advance": "1h"}`)
		api("POST", "/control/queue", `{"user": "alice"}`)
		api("POST", "/control/queue", `{"error": {"app": "idc"}}`)
		api("POST", "/control/attack", `{"id": "X1"}`)
		api("POST", "/control/attacks", `{"id": "X1", "user": "alice"}`)
		faults := []string{"drop", "status", "cut-page", "cut-response", "skew", "duplicate"}
		api("POST", "/control/faults", `{"kind": "`+faults[round%6]+`", "count": 1}`)
		api("DELETE", "/control/"+[]string{"queue", "attacks", "faults", "messages"}[round%4], "")
	})
	often(func(round int) {
		login := fmt.Sprintf("u%d@example.com", round%3)
		api("POST", "/api/v1/users", `{"profile": {"login": "`+login+`"}}`)
		api("POST", "/api/v1/users/"+login, fmt.Sprintf(`{"profile": {"login": "u%d@example.com"}}`, round%5))
		api("POST", "/api/v1/users/"+login+"/lifecycle/"+[]string{"suspend", "unsuspend", "deactivate"}[round%3], "")
		api("GET", "/api/v1/users?search="+url.QueryEscape(`lastUpdated gt "2020-01-01T00:00:00Z"`)+"&sortBy=lastUpdated", "")
		g := api("POST", "/api/v1/groups", fmt.Sprintf(`{"profile": {"name": "g%d"}}`, round%2))
		api("PUT", "/api/v1/groups/"+g+"/users/alice", "")
		api("PUT", "/api/v1/apps/idc/groups/"+g, "{}")
		api("PUT", "/api/v1/groups/"+g, `{"profile": {"name": "g2"}}`)
		api("GET", "/api/v1/groups/"+g+"/users", "")
		api("DELETE", "/api/v1/groups/"+g, "")
		api("DELETE", "/api/v1/users/"+login, "")
	})
	for range 2 {
		often(func(round int) {
			a := api("POST", "/api/v1/apps", fmt.Sprintf(`{"label": "App %d", "signOnMode": "SAML_2_0",
				"settings": {"signOn": {"ssoAcsUrl": "http://sp.localhost/acs"}}}`, round%2))
			api("PUT", "/api/v1/apps/"+a, `{"label": "Another"}`)
			for _, what := range []string{"", "/users", "/credentials/keys", "/sso/saml/metadata"} {
				api("GET", "/api/v1/apps/"+a+what, "")
			}
			api("POST", "/api/v1/apps/"+a+"/lifecycle/deactivate", "")
			api("DELETE", "/api/v1/apps/"+a, "")
		})
	}
	often(func(int) {
		if k, err := idp.AddKey(key, nil); err == nil {
			_, _ = idp.SignWith(k.ID), idp.SignAppWith("idc", k.ID)
			_, _ = idp.SignAppWith("idc", ""), idp.SignWith(idp.Keys()[0].ID)
			_ = idp.RetireKey(k.ID)
		}
		_ = idp.UpdateApp("idc", func(a *mockidp.App) error { a.Unlisted = mockidp.UseDefault; return nil })
		_ = idp.RenameUser(bob, "robert@example.com")
		_, _, _ = idp.Certificate(), idp.Metadata("idc"), idp.Apps()
	})
	often(func(int) {
		_, _ = idp.IdPInitiated("idc", alice, "x")
		_, _ = idp.Answer(redirect(""), alice)
		for _, m := range idp.Messages() {
			_ = idp.RecordAnswer(m.ID, mockidp.ACSAnswer{Status: 200})
			api("GET", fmt.Sprint("/control/messages/", m.ID), "")
		}
		api("GET", "/control/messages/wait?answered=true&timeout=10ms", "")
	})

	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- must(scimpush.New(idp, scim.where)).Keep(ctx, nil) }()
	wg.Wait()
	idp.Reset()
	assert.Eventually(t, func() bool { return scim.agrees(idp) == nil }, time.Minute, 10*time.Millisecond)
	stop()
	require.ErrorIs(t, <-done, context.Canceled)
	home := must(testkit.NewBrowser(t.Context()).SignIn(idp.SignInURL(), alice, mockidp.DefaultPassword))
	assert.Contains(t, home.Body, "My Apps")
}

// fields returns the form fields of a page, if it was loaded.
func fields(p *testkit.Page, err error) url.Values {
	v := url.Values{}
	if err == nil {
		for _, f := range p.Forms() {
			maps.Copy(v, f.Values())
		}
	}
	return v
}
