package scim_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

// gated is a view whose updates wait for a channel and then call after.
type gated struct {
	scim.View
	resume  chan struct{}
	after   func(*center.Tx) error
	mu      sync.Mutex
	updates int
}

func (g *gated) Update(change func(*center.Tx) error) error {
	g.mu.Lock()
	g.updates++
	g.mu.Unlock()
	<-g.resume
	return g.View.Update(func(tx *center.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		if g.after != nil {
			return g.after(tx)
		}
		return nil
	})
}

// together posts users concurrently.
func together(t *testing.T, after func(*center.Tx) error, names ...string) (*rig, *gated, []int) {
	t.Helper()
	var all [][3]string
	for _, name := range names {
		all = append(all, [3]string{"POST", "/Users", fmt.Sprintf(`{"userName":%q}`, name)})
	}
	return atOnce(t, after, all...)
}

// atOnce makes requests (method, path and body) while the first one's update waits, so that all others share the second
// update. It returns the statuses.
func atOnce(t *testing.T, after func(*center.Tx) error, requests ...[3]string) (*rig, *gated, []int) {
	t.Helper()
	g := &gated{resume: make(chan struct{}), after: after}
	r := newRig(t, seed(), "us-east-1", func(c *scim.Config) {
		g.View = c.View
		c.View = g
	})
	status := make([]int, len(requests))
	var wg sync.WaitGroup
	for i, req := range requests {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil { // as net/http does
					status[i] = -1
				}
			}()
			w := httptest.NewRecorder()
			r.ServeHTTP(w, request(req[0], req[1], req[2]))
			status[i] = w.Code
		})
		waiting := func() bool {
			g.mu.Lock()
			defer g.mu.Unlock()
			return g.updates == 1 && r.Waiting() == i
		}
		require.Eventually(t, waiting, time.Minute, 100*time.Microsecond)
	}
	close(g.resume)
	wg.Wait()
	return r, g, status
}

func TestChangesAtTheSameTimeShareAnUpdate(t *testing.T) {
	r, g, status := together(t, nil, "a@example.com", "b@example.com", "B@example.com", "bad ", "alice@example.com",
		"c@example.com")
	assert.Equal(t, []int{201, 201, 409, 400, 409, 201}, status)
	assert.Equal(t, 2, g.updates, "one for the first, one for all others")
	for _, name := range []string{"a", "b", "c"} {
		_, there := r.view.User(name + "@example.com")
		assert.True(t, there, name)
	}
	assert.Len(t, r.view.Snapshot().Data().Users, 6)
	assert.Len(t, r.changes, 3)
}

// A client whose change is made gets its answer even if another update has begun meanwhile.
func TestAnswerDoesNotWaitForTheNextUpdate(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	r.TakeTurn()
	status := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, request("POST", "/Users", `{"userName":"new@example.com"}`))
		status <- w.Code
	}()
	require.Eventually(t, func() bool { return r.Waiting() == 1 }, time.Minute, 100*time.Microsecond)
	end := r.FlushInTurn()
	select {
	case code := <-status:
		assert.Equal(t, 201, code)
		end()
	case <-time.After(time.Minute):
		t.Fatal("the answer waits for an update that doesn't have its change")
	}
	r.ok(t, 201, "POST", "/Users", `{"userName":"next@example.com"}`)
}

// If one change of an update breaks a rule that only the instance checks, that one
// is refused and the others are made.
func TestOneBadChangeDoesNotSpoilTheBatch(t *testing.T) {
	after := func(tx *center.Tx) error {
		for _, u := range tx.Data().Users {
			if u.UserName == "poison@example.com" {
				return &center.Error{Reason: center.ReasonInvalid, Rule: "userName of user", Want: "no poison"}
			}
		}
		return nil
	}
	r, _, status := together(t, after, "a@example.com", "b@example.com", "poison@example.com", "c@example.com")
	assert.Equal(t, []int{201, 201, 400, 201}, status)
	assert.Len(t, r.view.Snapshot().Data().Users, 6)
}

func TestUnavailableInstance(t *testing.T) {
	r, g, status := together(t, func(*center.Tx) error { return errors.New("secret detail") }, "a@example.com",
		"b@example.com", "c@example.com")
	assert.Equal(t, []int{503, 503, 503}, status)
	assert.Equal(t, 2, g.updates, "the changes are not tried one by one")
	assert.NotContains(t, r.ask(t, "POST", "/Users", `{"userName":"d@example.com"}`).Body.String(), "secret")
	assert.Len(t, r.view.Snapshot().Data().Users, 3)
}

// A panic in an update wakes all waiting requests.
func TestPanicInUpdate(t *testing.T) {
	r, g, status := together(t, func(*center.Tx) error { panic("broken") }, "a@example.com", "b@example.com",
		"c@example.com")
	assert.ElementsMatch(t, []int{-1, -1, 500}, status)
	g.after = nil
	r.ok(t, 201, "POST", "/Users", `{"userName":"d@example.com"}`)
	assert.Zero(t, r.Waiting())
}

// If a user's access ends and is restored in the same batch, OnChange still reports the end.
func TestEndOfAccessInABatch(t *testing.T) {
	var seen []bool // whether the user was active after each update
	r, _, codes := atOnce(t, func(tx *center.Tx) error {
		for _, u := range tx.Data().Users {
			if u.ID == "u-1" {
				seen = append(seen, !u.Inactive)
			}
		}
		return nil
	},
		[3]string{"POST", "/Users", `{"userName":"first@example.com"}`},
		[3]string{"PATCH", "/Users/u-1", replaceBody(`{"active":false}`)},
		[3]string{"PATCH", "/Users/u-1", replaceBody(`{"active":true}`)})
	assert.Equal(t, []int{201, 200, 200}, codes)
	assert.Equal(t, []bool{true, true, false, true}, seen, "the first; both changes, which is refused; and each of them")
	assert.Len(t, r.changes, 3)
}

// A change is based on the earlier changes of its batch.
func TestDeletionAndMembershipInOneBatch(t *testing.T) {
	r, _, codes := atOnce(t, nil,
		[3]string{"POST", "/Users", `{"userName":"first@example.com"}`},
		[3]string{"PATCH", "/Groups/g-2?attributes=members",
			`{"Operations":[{"op":"add","path":"members","value":[{"value":"u-1"},{"value":"u-2"}]}]}`},
		[3]string{"DELETE", "/Users/u-1", ""},
		[3]string{"PATCH", "/Groups/g-1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"u-1"}]}]}`})
	assert.Equal(t, []int{201, 200, 204, 400}, codes)
	assert.Equal(t, []string{"u-2"}, r.group(t, "g-1").Members)
	assert.Equal(t, []string{"u-2"}, r.group(t, "g-2").Members)
}

// conflicting is a view that runs every change twice, as an instance does after a conflict.
type conflicting struct{ scim.View }

func (v conflicting) Update(change func(*center.Tx) error) error {
	_ = v.View.Update(func(tx *center.Tx) error {
		_ = change(tx)
		return errors.New("conflict")
	})
	return v.View.Update(change)
}

func TestRepeatedChangeCountsOnce(t *testing.T) {
	r := newRig(t, seed(), "us-east-1", func(c *scim.Config) { c.View = conflicting{c.View} })
	id := r.ok(t, 201, "POST", "/Users", `{"userName":"new@example.com"}`)["id"].(string)
	r.ok(t, 200, "PATCH", "/Users/"+id, replaceBody(`{"active":false}`))
	r.ok(t, 204, "PATCH", "/Groups/g-1", `{"Operations":[{"op":"remove","path":"members[value eq \"u-1\"]"}]}`)
	r.ok(t, 204, "DELETE", "/Users/"+id, "")
	r.ok(t, 204, "DELETE", "/Groups/g-2", "")
	assert.Len(t, r.view.Snapshot().Data().Users, 3)
	assert.Equal(t, []string{"u-2"}, r.group(t, "g-1").Members)
	assert.Len(t, r.changes, 5)
}

// lossy is a view that makes changes and returns an error.
type lossy struct{ scim.View }

func (v lossy) Update(change func(*center.Tx) error) error {
	return errors.Join(v.View.Update(change), errors.New("the connection is gone"))
}

// An end of access that may have been made is reported: if the client repeats the request, nothing changes and nothing
// is reported.
func TestUnconfirmedEndOfAccess(t *testing.T) {
	off := replaceBody(`{"active":false}`)
	for _, c := range []struct {
		method, path, body string
		want               []scim.Change
	}{
		{"PATCH", "/Users/u-1", off, []scim.Change{{Action: scim.ActionChanged, Resource: "User", ID: "u-1",
			Name: "alice@example.com", EndsAccess: true, Unconfirmed: true}}},
		{"DELETE", "/Users/u-1", "", []scim.Change{{Action: scim.ActionDeleted, Resource: "User", ID: "u-1",
			Name: "alice@example.com", EndsAccess: true, Unconfirmed: true}}},
		{"PATCH", "/Users/carol%2Fops@example.com", off, nil}, // the user had no access
		{"PATCH", "/Users/u-1", replaceBody(`{"displayName":"A"}`), nil},
		{"DELETE", "/Groups/g-1", "", nil},
	} {
		r := newRig(t, seed(), "us-east-1", func(c *scim.Config) { c.View = lossy{c.View} })
		r.ok(t, 503, c.method, c.path, c.body)
		assert.Equal(t, c.want, r.changes, "%s %s %s", c.method, c.path, c.body)
		if c.method == "DELETE" {
			assert.Equal(t, 404, r.ask(t, c.method, c.path, c.body).Code)
			assert.Equal(t, c.want, r.changes)
		}
	}
}

// stopped is a view that refuses every change.
type stopped struct{ scim.View }

func (stopped) Update(func(*center.Tx) error) error { return errors.New("the Region has stopped") }

func TestEndOfAccessNotTried(t *testing.T) {
	r := newRig(t, seed(), "us-east-1", func(c *scim.Config) { c.View = stopped{c.View} })
	r.ok(t, 503, "DELETE", "/Users/u-1", "")
	r.ok(t, 503, "PATCH", "/Users/u-1", replaceBody(`{"active":false}`))
	assert.Empty(t, r.changes)
}
