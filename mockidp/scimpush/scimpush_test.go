package scimpush_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/scimpush"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

const scimToken = "a-token-of-some-length-0123456789"

// endpoint is portal/scim over an instance. trouble, if set, wraps the handler
// and may make requests fail.
type endpoint struct {
	view    *center.View
	where   scimpush.Config
	trouble atomic.Pointer[func(http.Handler) http.Handler]
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	inst, err := center.New(center.Data{Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}}})
	require.NoError(t, err)
	e := &endpoint{}
	e.view, err = inst.In("us-east-1")
	require.NoError(t, err)
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := handler
		if f := e.trouble.Load(); f != nil {
			h = (*f)(h)
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	handler, err = scim.New(scim.Config{View: e.view, BaseURL: srv.URL + "/scim/v2", Tokens: []string{scimToken}})
	require.NoError(t, err)
	e.where = scimpush.Config{BaseURL: srv.URL + "/scim/v2", Token: scimToken, Backoff: time.Millisecond, Retries: 30}
	return e
}

func (e *endpoint) spoil(f func(http.Handler) http.Handler) { e.trouble.Store(&f) }

// agrees compares the instance with the identity provider: users who are
// provisioned have the same attributes, all others are inactive, and the groups
// have the same members.
func (e *endpoint) agrees(idp *mockidp.Server) error {
	data, here := e.view.Snapshot().Data(), map[string]mockidp.User{}
	for _, u := range idp.Users() {
		here[u.ID] = u
	}
	names, active := map[string]string{}, 0
	for _, u := range data.Users {
		names[u.ID] = u.UserName
		if u.Inactive {
			continue
		}
		active++
		want := here[u.ExternalID]
		if want.Login != u.UserName || want.Email != u.Email || want.FirstName != u.GivenName ||
			want.LastName != u.FamilyName || want.Status == mockidp.Deprovisioned {
			return fmt.Errorf("want %+v, got %+v", want, u)
		}
	}
	wanted, members := 0, map[string][]string{}
	for _, g := range idp.Groups() {
		members[g.Name] = nil
	}
	for _, u := range here {
		if u.Status != mockidp.Deprovisioned {
			wanted++
			for _, g := range u.Groups {
				members[g] = append(members[g], u.Login)
			}
		}
	}
	if wanted != active || len(data.Groups) != len(members) {
		return fmt.Errorf("want %d active users and %d groups, got %d and %d", wanted, len(members), active,
			len(data.Groups))
	}
	for _, g := range data.Groups {
		got := []string{}
		for _, id := range g.Members {
			got = append(got, names[id])
		}
		if want := slices.Sorted(slices.Values(members[g.Name])); !slices.Equal(want, slices.Sorted(slices.Values(got))) {
			return fmt.Errorf("group %s: want %d members, got %d", g.Name, len(want), len(got))
		}
	}
	return nil
}

// A company is pushed over a connection that breaks, before requests arrive and
// after they were carried out. Nothing is lost or created twice.
func TestPush1000UsersAnd50Groups(t *testing.T) {
	const users, groups = 1000, 50
	idp, e := start(t, company(users, groups)), newEndpoint(t)
	var n atomic.Int64
	e.spoil(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch i := n.Add(1); {
			case i%23 == 0:
				panic(http.ErrAbortHandler)
			case i%29 == 0: // carried out, but the answer is lost
				h.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler)
			case i%31 == 0:
				http.Error(w, "later", http.StatusServiceUnavailable)
			case i%37 == 0:
				w.WriteHeader(http.StatusTooManyRequests)
			default:
				h.ServeHTTP(w, r)
			}
		})
	})
	p := must(scimpush.New(idp, e.where))
	report, err := p.Push(t.Context())
	require.NoError(t, err)
	assert.Greater(t, report.Retries, 100)
	assert.Equal(t, users, report.Users.Created+report.Users.Unchanged)
	assert.Equal(t, groups, report.Groups.Created+report.Groups.Changed)
	require.NoError(t, e.agrees(idp))

	for i, u := range idp.Users() {
		switch {
		case i%25 == 0:
			require.NoError(t, idp.RemoveUser(u.Login))
		case i%10 == 0:
			require.NoError(t, idp.UpdateUser(u.Login, func(u *mockidp.User) error {
				u.Status = mockidp.Deprovisioned
				return nil
			}))
		case i%7 == 0:
			require.NoError(t, idp.RenameUser(u.Login, "renamed."+u.Login))
		case i%3 == 0:
			require.NoError(t, idp.UpdateUser(u.Login, func(u *mockidp.User) error {
				u.LastName, u.Groups = "Changed", u.Groups[:1]
				return nil
			}))
		}
	}
	require.NoError(t, idp.RemoveGroup("Group 3"))
	require.NoError(t, idp.RenameGroup("Group 4", "Group four"))
	report, err = p.Push(t.Context())
	require.NoError(t, err)
	require.NoError(t, e.agrees(idp))
	assert.Len(t, e.view.Snapshot().Data().Users, users, "no user is deleted or created twice")
	assert.Equal(t, 120, report.Users.Removed, "40 were removed, 80 deprovisioned")

	e.trouble.Store(nil)
	before := e.view.Snapshot()
	report, err = p.Push(t.Context())
	require.NoError(t, err)
	assert.Same(t, before, e.view.Snapshot(), "a second push changes nothing")
	assert.Zero(t, report.Retries)
	assert.Zero(t, report.Users.Created+report.Users.Changed+report.Users.Removed)
	assert.Zero(t, report.Groups.Created+report.Groups.Changed)
}

func TestKeep(t *testing.T) {
	idp, e := start(t, company(20, 4)), newEndpoint(t)
	ctx, cancel := context.WithCancel(t.Context())
	done, rounds := make(chan error, 1), make(chan error, 100)
	p := must(scimpush.New(idp, e.where))
	go func() {
		done <- p.Keep(ctx, func(_ scimpush.Report, err error) { rounds <- err })
	}()
	settled := func() {
		t.Helper()
		for deadline := time.After(2 * time.Minute); e.agrees(idp) != nil; {
			select {
			case <-rounds:
			case <-deadline:
				require.NoError(t, e.agrees(idp))
			}
		}
	}
	settled()
	require.NoError(t, idp.UpdateUser("user1@example.com", func(u *mockidp.User) error {
		u.Status = mockidp.Deprovisioned
		return nil
	}))
	settled()
	require.NoError(t, idp.AddUser(mockidp.User{Login: "new@example.com", Groups: []string{"Group 1"}}))
	require.NoError(t, idp.RemoveGroup("Group 2"))
	settled()
	// What changes while the endpoint is down is pushed afterwards.
	e.spoil(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	})
	require.NoError(t, idp.RemoveUser("user3@example.com"))
	require.NoError(t, idp.UpdateUser("user1@example.com", func(u *mockidp.User) error {
		u.Status = mockidp.Active
		return nil
	}))
	e.trouble.Store(nil)
	settled()
	idp.Reset()
	settled()
	cancel()
	assert.ErrorIs(t, <-done, context.Canceled)
}

func TestPushErrors(t *testing.T) {
	idp, e := start(t, company(3, 1)), newEndpoint(t)
	bad := e.where
	bad.Token = "another-token-0123456789"
	_, err := must(scimpush.New(idp, bad)).Push(t.Context())
	var refused *mockidp.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, mockidp.ReasonProvisioning, refused.Reason)
	assert.Contains(t, err.Error(), "401")
	assert.NotContains(t, err.Error(), bad.Token)
	for name, p := range map[string]scimpush.Config{
		"no URL": {Token: "x"}, "no token": {BaseURL: "http://a.localhost"},
		"ftp":      {BaseURL: "ftp://a.localhost", Token: "x"},
		"app":      {BaseURL: "http://a.localhost", Token: "x", App: "none"},
		"negative": {BaseURL: "http://a.localhost", Token: "x", Concurrency: -1},
	} {
		_, err := scimpush.New(idp, p)
		assert.Error(t, err, name)
	}

	// Only an app's users and groups are pushed. Users who leave it are deactivated.
	p := e.where
	p.App = idp.Apps()[0].ID
	require.NoError(t, idp.UpdateApp(p.App, func(a *mockidp.App) error {
		a.Users, a.Groups = []string{"user1@example.com"}, nil
		return nil
	}))
	app := must(scimpush.New(idp, p))
	_, err = app.Push(t.Context())
	require.NoError(t, err)
	active := func() map[string]bool {
		out := map[string]bool{}
		for _, u := range e.view.Snapshot().Data().Users {
			out[u.UserName] = !u.Inactive
		}
		return out
	}
	assert.Equal(t, map[string]bool{"user1@example.com": true}, active())
	require.NoError(t, idp.UpdateApp(p.App, func(a *mockidp.App) error {
		a.Users = []string{"user2@example.com"}
		return nil
	}))
	_, err = app.Push(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"user1@example.com": false, "user2@example.com": true}, active())
	assert.Empty(t, e.view.Snapshot().Data().Groups)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = must(scimpush.New(idp, e.where)).Push(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

// A change whose answer is lost may have been made. If the user is then changed
// back, the user is pushed again, although the last successful push had the
// same values.
func TestKeepAfterALostAnswer(t *testing.T) {
	idp, e := start(t, company(1, 1)), newEndpoint(t)
	c := e.where
	c.Retries, c.Backoff = -1, time.Hour // only a change starts a round
	p := must(scimpush.New(idp, c))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rounds := make(chan error, 100)
	go func() {
		_ = p.Keep(ctx, func(_ scimpush.Report, err error) { rounds <- err })
	}()
	set := func(s mockidp.UserStatus) {
		require.NoError(t, idp.UpdateUser("user0@example.com", func(u *mockidp.User) error { u.Status = s; return nil }))
	}
	require.NoError(t, <-rounds)
	e.spoil(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPatch {
				h.ServeHTTP(w, r)
				return
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})
	})
	set(mockidp.Deprovisioned)
	require.Error(t, <-rounds)
	set(mockidp.Active)
	assert.Eventually(t, func() bool { return e.agrees(idp) == nil }, time.Minute, time.Millisecond)
}
