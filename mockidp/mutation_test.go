package mockidp_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// The total size of messages is bounded, and the newest is always kept.
func TestLargeMessagesAreDropped(t *testing.T) {
	conf, size := twoRegions(), 8<<20
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) {
		return mockidp.Mutated{Response: make([]byte, size)}, nil
	}
	idp := start(t, conf)
	send := func(n int) {
		for range n {
			_, err := idp.IdPInitiated("", alice, "")
			require.NoError(t, err)
		}
	}
	send(10)
	ms := idp.Messages()
	assert.Len(t, ms, 3)
	assert.Equal(t, int64(10), ms[2].ID)
	size = 100 << 20
	send(1)
	ms = idp.Messages()
	require.Len(t, ms, 1)
	assert.Len(t, ms[0].XML, size)
	size = 100
	send(250)
	assert.Len(t, idp.Messages(), 200)
}

func TestMutations(t *testing.T) {
	conf := twoRegions()
	conf.Mutations = []string{"X1", "X2"}
	seen := make(chan mockidp.Mutation, 10)
	conf.Mutate = func(m mockidp.Mutation) (mockidp.Mutated, error) {
		seen <- m
		switch m.ID {
		case "X1":
			return mockidp.Mutated{Response: []byte("<forged>" + m.User.Login + "</forged>")}, nil
		case "X2":
			return mockidp.Mutated{}, errors.New("it can't be made")
		}
		return mockidp.Mutated{}, nil
	}
	idp := start(t, conf)
	b := newBrowser(t, idp)
	page := b.get(redirect(idp, request(), "s"))
	page.contains(t, `<select id="attack" name="attack"`)
	v := page.fields()
	v.Set("username", alice)
	v.Set("password", mockidp.DefaultPassword)
	v.Set("attack", "X9")
	b.post(idp.SignInURL(), v).refused(t, 400, mockidp.ReasonMalformed)
	v.Set("attack", "X1")
	assert.Equal(t, "forged", decode(t, b.post(idp.SignInURL(), v).answer(t)).Tag)
	m := <-seen
	assert.Equal(t, []string{"X1", virginia, "id-1234", alice}, []string{m.ID, m.ACS, m.InResponseTo, m.User.Login})
	assert.Equal(t, rsaKey().Public(), m.Key.Public())
	assert.Equal(t, idp.Certificate(), m.Certificate)
	assert.Equal(t, "Response", decode(t, b.get(redirect(idp, request(), "")).answer(t)).Tag, "only the next")
	ms := idp.Messages()
	assert.Equal(t, []string{"X1", ""}, []string{ms[1].Attack, ms[3].Attack})

	require.NoError(t, idp.QueueMutation("X2", "", bob))
	require.NoError(t, idp.QueueMutation("X2", "idc", alice))
	_, err := idp.IdPInitiated("", alice, "")
	assert.Equal(t, mockidp.ReasonInternal, reason(t, err))
	_, err = idp.IdPInitiated("", alice, "")
	assert.NoError(t, err, "the other mutation is for Bob")
	for _, bad := range [][3]string{{"", "", ""}, {"X9", "", ""}, {"X1", "mark", ""}, {"X1", "none", ""},
		{"X1", "", "nobody"}} {
		assert.Error(t, idp.QueueMutation(bad[0], bad[1], bad[2]), bad)
	}
	assert.Error(t, start(t, twoRegions()).QueueMutation("X1", "", ""))
}
