package scim_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

// counted counts updates.
type counted struct {
	scim.View
	n atomic.Int64
}

func (c *counted) Update(change func(*center.Tx) error) error {
	c.n.Add(1)
	return c.View.Update(change)
}

// Eight clients push a company and change it. At the end the instance equals the identity provider's data.
func TestPush1000UsersAnd50Groups(t *testing.T) {
	const users, groups = 1000, 50
	counter := &counted{}
	r := newRig(t, empty(), "us-east-1", func(c *scim.Config) {
		counter.View = c.View
		c.View = counter
	})
	c := newClient(t, r)
	began := time.Now()

	want := make([]center.User, users)
	each(users, func(i int) {
		want[i] = person(i)
		want[i].ID = c.ensureUser(want[i])
	})
	members := make([][]string, groups)
	ids := make([]string, groups)
	each(groups, func(i int) {
		for m := range 40 {
			members[i] = append(members[i], want[(i*20+m)%users].ID)
		}
		out := c.must("POST", "/Groups", map[string]any{"displayName": fmt.Sprintf("Group %d", i)}, 201)
		ids[i], _ = out["id"].(string)
		for chunk := range slices.Chunk(members[i], 10) {
			values := []any{}
			for _, id := range chunk {
				values = append(values, map[string]any{"value": id})
			}
			c.must("PATCH", "/Groups/"+ids[i], patchOf(map[string]any{"op": "add", "path": "members", "value": values}), 204)
		}
	})
	require.False(t, t.Failed())
	pushed := time.Since(began)
	requireState(t, r, want, ids, members)

	// Every third user is renamed, every tenth deactivated, every 25th deleted;
	// each group loses its first member.
	each(users, func(i int) {
		switch {
		case i%25 == 0:
			c.must("DELETE", "/Users/"+want[i].ID, nil, 204)
			return
		case i%10 == 0:
			want[i].Inactive = true
			c.must("PATCH", "/Users/"+want[i].ID, patchOf(map[string]any{"op": "replace",
				"value": map[string]any{"active": false}}), 200)
		}
		if i%3 == 0 {
			want[i].UserName = fmt.Sprintf("renamed%d@example.com", i)
			c.must("PATCH", "/Users/"+want[i].ID, patchOf(map[string]any{"op": "Replace", "path": "userName",
				"value": want[i].UserName}), 200)
		}
	})
	each(groups, func(i int) {
		c.must("PATCH", "/Groups/"+ids[i], patchOf(map[string]any{"op": "remove",
			"path": fmt.Sprintf("members[value eq %q]", members[i][0])}), 204)
		members[i] = members[i][1:]
	})
	require.False(t, t.Failed())
	gone := map[string]bool{}
	for i := 0; i < users; i += 25 {
		gone[want[i].ID] = true
	}
	want = slices.DeleteFunc(want, func(u center.User) bool { return gone[u.ID] })
	for i := range members {
		members[i] = slices.DeleteFunc(members[i], func(id string) bool { return gone[id] })
	}
	requireState(t, r, want, ids, members)
	t.Logf("pushed in %v, all in %v, with %d updates", pushed.Round(time.Millisecond),
		time.Since(began).Round(time.Millisecond), counter.n.Load())
}

// requireState compares the instance, and the endpoint's pages, with what was
// pushed.
func requireState(t *testing.T, r *rig, users []center.User, groupIDs []string, members [][]string) {
	t.Helper()
	d := r.view.Snapshot().Data()
	require.ElementsMatch(t, users, r.users())
	require.Len(t, d.Groups, len(groupIDs))
	for i, id := range groupIDs {
		require.ElementsMatch(t, members[i], r.group(t, id).Members)
	}
	var shown []string
	for start := 1; start <= len(users); start += 100 {
		shown = append(shown, found(t, r.ok(t, 200, "GET", fmt.Sprintf("/Users?startIndex=%d&count=100", start), ""))...)
	}
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	require.ElementsMatch(t, ids, shown)
}

// A request whose connection breaks changes nothing.
func TestConnectionKilledInTheBody(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	served := make(chan struct{}, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.ServeHTTP(w, req)
		served <- struct{}{}
	}))
	defer srv.Close()
	before := r.view.Snapshot()
	for name, one := range map[string][3]string{
		"post":  {"POST", "/Users", `{"userName":"new@example.com"}`},
		"put":   {"PUT", "/Users/u-1", `{"userName":"renamed@example.com"}`},
		"patch": {"PATCH", "/Groups/g-1", `{"Operations":[{"op":"remove","path":"members"}]}`},
	} {
		for _, encoding := range []string{"length", "chunked"} {
			t.Run(name+" "+encoding, func(t *testing.T) {
				conn, err := net.Dial("tcp", srv.Listener.Addr().String())
				require.NoError(t, err)
				head := fmt.Sprintf("%s %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
					"Content-Type: application/scim+json\r\n",
					one[0], strings.TrimPrefix(baseURL, "https://scim.us-east-1.example"), one[1], token)
				// The document is complete; only the end of the body is missing.
				if encoding == "length" {
					_, err = fmt.Fprintf(conn, "%sContent-Length: %d\r\n\r\n%s", head, len(one[2])+1, one[2])
				} else {
					_, err = fmt.Fprintf(conn, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", head, len(one[2]), one[2])
				}
				require.NoError(t, err)
				require.NoError(t, conn.Close())
				<-served
				require.Same(t, before, r.view.Snapshot())
			})
		}
	}
}

// A proxy breaks every third connection before the answer. A client that repeats
// requests without an answer creates each user once.
func TestConnectionsKilledBeforeTheAnswer(t *testing.T) {
	const users = 200
	r := newRig(t, empty(), "us-east-1")
	var n atomic.Int64
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if n.Add(1)%3 != 0 {
			r.ServeHTTP(w, req)
			return
		}
		r.ServeHTTP(httptest.NewRecorder(), req) // the request is carried out, but its response is lost
		panic(http.ErrAbortHandler)
	}))
	want := make([]center.User, users)
	each(users, func(i int) {
		want[i] = person(i)
		want[i].ID = c.ensureUser(want[i])
		if i%2 == 0 {
			want[i].Inactive = true
			off := patchOf(map[string]any{"op": "replace", "value": map[string]any{"active": false}})
			for status := 0; status != 200; {
				if status, _ = c.do("PATCH", "/Users/"+want[i].ID, off); status != 0 && status != 200 {
					t.Errorf("PATCH: %d", status)
					return
				}
			}
		}
	})
	require.False(t, t.Failed())
	assert.ElementsMatch(t, want, r.users())
}
