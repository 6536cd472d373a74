package mockidp_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// model is the expected state of a Server: users with their groups, and apps with their users and groups.
type model struct {
	users, appUsers, appGroups map[string][]string
	groups                     map[string]bool
}

func (m *model) clone() *model {
	deep := func(a map[string][]string) map[string][]string {
		out := map[string][]string{}
		for k, v := range a {
			out[k] = slices.Clone(v)
		}
		return out
	}
	return &model{deep(m.users), deep(m.appUsers), deep(m.appGroups), maps.Clone(m.groups)}
}

// everywhere replaces a name in all lists; "" removes it.
func everywhere(list map[string][]string, name, to string) {
	for k, v := range list {
		if i := slices.Index(v, name); i >= 0 && to != "" {
			list[k][i] = to
		} else if i >= 0 {
			list[k] = slices.Delete(v, i, i+1)
		}
	}
}

// step makes a random change to both. It returns the error, and whether the change is valid.
func (m *model) step(r *rand.Rand, c *mockidp.Change) (error, bool) {
	login, other := fmt.Sprintf("u%d", r.IntN(5)), fmt.Sprintf("u%d", r.IntN(5))
	group, second := fmt.Sprintf("g%d", r.IntN(4)), fmt.Sprintf("g%d", r.IntN(4))
	app := fmt.Sprintf("a%d", r.IntN(3))
	_, hasUser := m.users[login]
	_, hasOther := m.users[other]
	_, hasApp := m.appUsers[app]
	switch r.IntN(10) {
	case 0:
		if !hasUser {
			m.users[login], m.groups[group] = []string{group}, true // the group is added with the user
		}
		return c.AddUser(mockidp.User{Login: login, Groups: []string{group}}), !hasUser
	case 1:
		delete(m.users, login)
		everywhere(m.appUsers, login, "")
		return c.RemoveUser(strings.ToUpper(login)), hasUser
	case 2:
		ok := hasUser && (!hasOther || login == other)
		if ok && login != other {
			m.users[other] = m.users[login]
			delete(m.users, login)
			everywhere(m.appUsers, login, other)
		}
		return c.RenameUser(login, other), ok
	case 3:
		if hasUser {
			m.users[login], m.groups[group] = []string{group}, true
		}
		return c.UpdateUser(login, func(u *mockidp.User) error { u.Groups = []string{group}; return nil }), hasUser
	case 4:
		m.groups[group] = true
		return c.PutGroup(mockidp.Group{Name: group}), true
	case 5:
		had := m.groups[group]
		delete(m.groups, group)
		everywhere(m.users, group, "")
		everywhere(m.appGroups, group, "")
		return c.RemoveGroup(group), had
	case 6:
		ok := m.groups[group] && (group == second || !m.groups[second])
		if ok && group != second {
			delete(m.groups, group)
			m.groups[second] = true
			everywhere(m.users, group, second)
			everywhere(m.appGroups, group, second)
		}
		return c.RenameGroup(group, second), ok
	case 7:
		if !hasApp {
			m.appUsers[app], m.appGroups[app] = nil, nil
		}
		_, err := c.AddApp(mockidp.App{ID: app, Label: app, Kind: mockidp.Bookmark, URL: "http://sp.localhost/"})
		return err, !hasApp
	case 8:
		delete(m.appUsers, app)
		delete(m.appGroups, app)
		return c.RemoveApp(app), hasApp
	}
	ok := hasApp && hasUser && m.groups[group]
	if ok {
		m.appUsers[app], m.appGroups[app] = []string{login}, []string{group}
	}
	return c.UpdateApp(app, func(a *mockidp.App) error {
		a.Users, a.Groups = []string{login},
			[]string{group}
		return nil
	}), ok
}

// agrees compares the model with a Snapshot.
func (m *model) agrees(t *testing.T, v mockidp.Snapshot, timed bool) {
	t.Helper()
	is := &model{map[string][]string{}, map[string][]string{}, map[string][]string{}, map[string]bool{}}
	for _, u := range v.Users() {
		is.users[u.Login] = u.Groups
		byID, ok := v.UserByID(u.ID)
		require.True(t, ok)
		require.Equal(t, u, byID)
		require.True(t, !timed || !v.UserTimes(u.ID).Created.IsZero())
	}
	for _, g := range v.Groups() {
		is.groups[g.Name] = true
		byID, ok := v.GroupByID(g.ID)
		require.True(t, ok)
		require.Equal(t, g, byID)
		require.True(t, !timed || !v.GroupTimes(g.ID).Created.IsZero())
	}
	for _, a := range v.Apps() {
		is.appUsers[a.ID], is.appGroups[a.ID] = a.Users, a.Groups
		require.True(t, !timed || !v.AppTimes(a.ID).Created.IsZero())
		for _, u := range v.Users() {
			at, given := v.Assignment(a.ID, u.ID)
			require.Equal(t, a.AssignedTo(u), given)
			require.True(t, !timed || !given || !at.Created.IsZero())
		}
	}
	same := func(what string, want, got map[string][]string) {
		require.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)), what)
		for k := range want {
			require.ElementsMatch(t, want[k], got[k], "%s of %s", what, k)
		}
	}
	same("groups", m.users, is.users)
	same("users of apps", m.appUsers, is.appUsers)
	same("groups of apps", m.appGroups, is.appGroups)
	require.Equal(t, m.groups, is.groups)
}

// After random changes in random order, some of them aborted, the Server agrees with a simple model.
func TestRandomChanges(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 0))
		idp, err := mockidp.Open(mockidp.Config{Key: rsaKey(), Groups: nil, Users: []mockidp.User{{Login: "u0"}},
			Apps: []mockidp.App{{ID: "a0", Label: "a0", Kind: mockidp.Bookmark, URL: "http://sp.localhost/"}}})
		require.NoError(t, err)
		m := &model{map[string][]string{"u0": nil}, map[string][]string{"a0": nil}, map[string][]string{"a0": nil},
			map[string]bool{}}
		for range 60 {
			next, before := m.clone(), idp.Snapshot()
			aborted := errors.New("aborted")
			quits, refused := r.IntN(4) == 0, false
			err := idp.Update(func(c *mockidp.Change) error {
				for range 1 + r.IntN(5) {
					err, can := next.step(r, c)
					require.Equal(t, can, err == nil, "seed %d: %v", seed, err)
					if err != nil {
						refused = true
						return err
					}
					next.agrees(t, c.Snapshot, false)
				}
				if quits {
					return aborted
				}
				return nil
			})
			if refused || quits {
				require.Error(t, err)
				require.Equal(t, before, idp.Snapshot())
			} else {
				require.NoError(t, err)
				m = next
			}
			m.agrees(t, idp.Snapshot(), true)
		}
	}
}

// A reader never sees a part of an Update, even with several writers.
func TestUpdateIsAtomic(t *testing.T) {
	conf := twoRegions()
	conf.Users, conf.Apps, conf.Groups = nil, nil, []mockidp.Group{{Name: "left"}, {Name: "right"}}
	for i := range 8 {
		conf.Users = append(conf.Users,
			mockidp.User{Login: fmt.Sprintf("u%d", i), Groups: []string{[]string{"left", "right"}[i%2]}})
	}
	idp := start(t, conf)
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				changed, n := idp.Changed(), map[string]int{}
				for _, u := range idp.Snapshot().Users() {
					n[u.Groups[0]]++
				}
				if !assert.Equal(t, map[string]int{"left": 4, "right": 4}, n) {
					return
				}
				select {
				case <-changed:
				case <-done:
					return
				}
			}
		})
	}
	for w := range 4 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for range 100 {
				assert.NoError(t, idp.Update(func(c *mockidp.Change) error { // two users swap groups
					var sides [2][]string
					for _, u := range c.Users() {
						if u.In("left") {
							sides[0] = append(sides[0], u.Login)
						} else {
							sides[1] = append(sides[1], u.Login)
						}
					}
					for i, to := range []string{"right", "left"} {
						login := sides[i][r.IntN(len(sides[i]))]
						if err := c.UpdateUser(login, func(u *mockidp.User) error { u.Groups = []string{to}; return nil }); err != nil {
							return err
						}
					}
					return nil
				}))
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}
