package mockidp_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func TestConcurrentUpdatesAreKept(t *testing.T) {
	idp := start(t, twoRegions())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				assert.NoError(t, idp.UpdateUser(alice, func(u *mockidp.User) error { u.LastName += "x"; return nil }))
			}
		})
	}
	wg.Wait()
	u, _ := idp.User(alice)
	assert.Len(t, u.LastName, len("Example")+8*200)
}

func TestRefusedChangesHaveNoEffect(t *testing.T) {
	idp := start(t, twoRegions())
	// Without the second group, the first one would be added.
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.AddUser(mockidp.User{Login: "carol", Groups: []string{"New", ""}})))
	_, err := idp.AddApp(mockidp.App{Label: "x", Groups: []string{"New"}})
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
	_, ok := idp.User("carol")
	assert.False(t, ok)
	require.NoError(t, idp.AddUser(mockidp.User{Login: "carol", Groups: []string{"New"}}))
	_, err = idp.AddApp(mockidp.App{Label: "x", Groups: []string{"New"}})
	assert.NoError(t, err)
}

// Sessions that ended stay ended when the user is active again.
func TestEndedSessionsStayEnded(t *testing.T) {
	become := func(status mockidp.UserStatus) func(*mockidp.Server) error {
		return func(idp *mockidp.Server) error {
			return idp.UpdateUser(alice, func(u *mockidp.User) error { u.Status = status; return nil })
		}
	}
	for name, leave := range map[string]func(*mockidp.Server) error{
		"suspended":     become(mockidp.Suspended),
		"deprovisioned": become(mockidp.Deprovisioned),
		"removed":       func(idp *mockidp.Server) error { return idp.RemoveUser("ALICE@example.com") },
	} {
		t.Run(name, func(t *testing.T) {
			idp := start(t, twoRegions())
			b, other := newBrowser(t, idp), newBrowser(t, idp)
			b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword).contains(t, "My Apps")
			other.signIn(other.get(idp.SignInURL()), bob, "bob's own").contains(t, "My Apps")
			require.NoError(t, leave(idp))
			if _, there := idp.User(alice); !there {
				require.NoError(t, idp.AddUser(mockidp.User{Login: alice}))
			}
			require.NoError(t, become(mockidp.Active)(idp))
			b.get(idp.DashboardURL()).contains(t, `name="password"`)
			b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword).contains(t, "My Apps")
			other.get(idp.DashboardURL()).contains(t, "My Apps")
		})
	}
	// A lockout affects new sign-ins only.
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	require.NoError(t, become(mockidp.LockedOut)(idp))
	b.get(idp.DashboardURL()).contains(t, "My Apps")
}

func TestReadDuringUpdate(t *testing.T) {
	idp := start(t, twoRegions())
	require.NoError(t, idp.UpdateApp("idc", func(a *mockidp.App) error {
		before, _ := idp.App("idc")
		a.Label = before.Label + "!"
		_, err := idp.IdPInitiated("idc", alice, "")
		return err
	}))
	app, _ := idp.App("idc")
	assert.Equal(t, "Identity Center – N. Virginia!", app.Label)
	assert.Equal(t, "idc", app.ID)
}
