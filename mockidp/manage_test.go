package mockidp_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func TestNoChangeIsLost(t *testing.T) {
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

func TestARefusedChangeLeavesNothingBehind(t *testing.T) {
	idp := start(t, twoRegions())
	// The first group would come to be, were it not for the second.
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.AddUser(mockidp.User{Login: "carol", Groups: []string{"New", ""}})))
	_, err := idp.AddApp(mockidp.App{Label: "x", Groups: []string{"New"}})
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
	_, ok := idp.User("carol")
	assert.False(t, ok)
	require.NoError(t, idp.AddUser(mockidp.User{Login: "carol", Groups: []string{"New"}}))
	_, err = idp.AddApp(mockidp.App{Label: "x", Groups: []string{"New"}})
	assert.NoError(t, err)
}

func TestReadingInsideAChange(t *testing.T) {
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
