package mockidp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func TestQueueUser(t *testing.T) {
	idp := start(t, withFactor())
	require.NoError(t, idp.QueueUser(alice))
	require.NoError(t, idp.QueueUser(bob))
	assert.Equal(t, mockidp.ReasonNoSuchUser, reason(t, idp.QueueUser("nobody")))
	b := newBrowser(t, idp)
	hasStatus(t, b.get(redirect(idp, request(attr("IsPassive", "true")), "")).answer(t), mockidp.StatusResponder,
		mockidp.StatusNoPassive)
	first := b.get(redirect(idp, request(), "s")).answer(t)
	assert.Equal(t, alice, text(t, decode(t, first), "//NameID"))
	assert.Equal(t, "s", first.RelayState)
	b.get(idp.DashboardURL()).contains(t, "Alice Example") // the session is kept
	// ForceAuthn needs a sign-in too, and uses the next queued user.
	b.get(redirect(idp, request(attr("ForceAuthn", "true")), "")).refused(t, 403, mockidp.ReasonNotAssigned)
	b.get(idp.DashboardURL()).contains(t, bob)
	newBrowser(t, idp).get(redirect(idp, request(), "")).contains(t, `name="password"`)

	require.NoError(t, idp.QueueUser(bob))
	require.NoError(t, idp.QueueUser(alice))
	require.NoError(t, idp.RemoveUser(bob))
	newBrowser(t, idp).get(idp.SignInURL()).contains(t, "Alice Example") // a removed user is skipped
}

func TestQueueError(t *testing.T) {
	idp := start(t, twoRegions())
	denied := mockidp.Status{SubCode: mockidp.StatusRequestDenied, Message: "Not <today>."}
	require.NoError(t, idp.QueueError("idc", denied))
	require.NoError(t, idp.QueueError("", mockidp.Status{Code: mockidp.StatusVersionMismatch}))
	form, err := idp.Answer(redirect(idp, request(), "s"), alice)
	require.NoError(t, err)
	hasStatus(t, form, mockidp.StatusResponder, mockidp.StatusRequestDenied)
	root := decode(t, form)
	assert.Equal(t, "Not <today>.", text(t, root, "./Status/StatusMessage"))
	assert.Equal(t, "id-1234", root.SelectAttrValue("InResponseTo", ""))
	form, err = idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	hasStatus(t, form, mockidp.StatusVersionMismatch, "")
	form, err = idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.NotNil(t, decode(t, form).SelectElement("Assertion"))

	assert.Equal(t, mockidp.ReasonNotSAML, reason(t, idp.QueueError("mark", denied)))
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.QueueError("idc", mockidp.Status{Code: mockidp.StatusSuccess})))
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.QueueError("idc", mockidp.Status{Message: "\x00"})))
	ms := idp.Messages()
	assert.Equal(t, denied, *ms[1].Status)
	assert.Nil(t, ms[len(ms)-1].Status)
}

func TestAdvance(t *testing.T) {
	conf := twoRegions()
	conf.Now = func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	idp := start(t, conf)
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	idp.Advance(90 * time.Minute)
	root := decode(t, b.get(idp.SSOURL("idc")).answer(t))
	assert.Equal(t, "2026-01-01T01:30:00.000Z", root.SelectAttrValue("IssueInstant", ""))
	assert.Equal(t, "2026-01-01T00:00:00.000Z", attrOf(t, root, "//AuthnStatement", "AuthnInstant"))
	idp.Advance(30 * time.Minute)
	b.get(idp.DashboardURL()).contains(t, `name="password"`)
	idp.Advance(-time.Minute)
	b.get(idp.DashboardURL()).contains(t, "My Apps")
	assert.Equal(t, time.Date(2026, 1, 1, 1, 59, 0, 0, time.UTC), idp.Now())
}

func TestReset(t *testing.T) {
	conf := twoRegions()
	conf.MaxFailures = 1
	conf.Faults = []mockidp.Fault{{Kind: mockidp.ClockSkew, Count: 1, For: time.Hour}}
	idp := start(t, conf)
	before := idp.Messages()
	b, waiting := newBrowser(t, idp), newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	held := waiting.get(redirect(idp, request(), ""))
	waiting.signIn(held, bob, "wrong")
	_, err := idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	require.NoError(t, idp.SetACS("", []mockidp.ACS{{URL: ireland}}))
	require.NoError(t, idp.AddUser(mockidp.User{Login: "carol"}))
	require.NoError(t, idp.PutGroup(mockidp.Group{Name: "New"}))
	require.NoError(t, idp.RemoveApp("mark"))
	require.NoError(t, idp.QueueUser(alice))
	require.NoError(t, idp.QueueError("", mockidp.Status{}))
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.DropConnection}))
	idp.Advance(time.Hour)

	idp.Reset()
	assert.Equal(t, before, idp.Messages())
	assert.Equal(t, conf.Faults, idp.Faults())
	assert.WithinDuration(t, time.Now(), idp.Now(), time.Minute)
	assert.Len(t, idp.Apps(), 2)
	assert.Len(t, idp.Users(), 2)
	assert.Equal(t, "Engineering", idp.Groups()[0].Name)
	assert.Len(t, idp.Groups(), 1)
	b.get(idp.DashboardURL()).contains(t, `name="password"`)
	waiting.signIn(held, alice, mockidp.DefaultPassword).refused(t, 404, mockidp.ReasonRequestNotFound)
	form, err := idp.Answer(redirect(idp, request(), ""), alice)
	require.NoError(t, err)
	assert.Equal(t, virginia, form.URL)
	assert.NotNil(t, decode(t, form).SelectElement("Assertion"))
	u, _ := idp.User(bob)
	assert.Equal(t, mockidp.Active, u.Status)
}

func TestDeliverRecordsAnswers(t *testing.T) {
	sp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("RelayState") == "redirect" {
			http.Redirect(w, r, "/home", http.StatusSeeOther)
			return
		}
		http.Error(w, strings.Repeat("no ", 40000), http.StatusForbidden)
	}))
	defer sp.Close()
	idp := start(t, twoRegions())
	require.NoError(t, idp.SetACS("", []mockidp.ACS{{URL: sp.URL}}))
	deliver := func(state string) (mockidp.ACSAnswer, error) {
		form, err := idp.IdPInitiated("", alice, state)
		require.NoError(t, err)
		return idp.Deliver(nil, form)
	}
	a, err := deliver("redirect")
	require.NoError(t, err)
	assert.Equal(t, 303, a.Status)
	assert.Equal(t, "/home", a.Location)
	a, err = deliver("x")
	require.NoError(t, err)
	assert.Equal(t, 403, a.Status)
	assert.Len(t, a.Body, 64<<10)
	sp.Close()
	a, err = deliver("x")
	require.Error(t, err)
	assert.Zero(t, a.Status)
	assert.NotEmpty(t, a.Err)

	ms := idp.Messages()
	require.Len(t, ms, 3)
	assert.Equal(t, []int{303, 403, 0}, []int{ms[0].Answer.Status, ms[1].Answer.Status, ms[2].Answer.Status})
	assert.Equal(t, []int64{1, 2, 3}, []int64{ms[0].ID, ms[1].ID, ms[2].ID})
	ms[1].Answer.Body[0] = 'X'
	assert.NotEqual(t, ms[1].Answer.Body[0], idp.Messages()[1].Answer.Body[0])

	require.NoError(t, idp.RecordAnswer(ms[0].ID, mockidp.ACSAnswer{Status: 200}))
	assert.Equal(t, 200, idp.Messages()[0].Answer.Status)
	assert.Equal(t, mockidp.ReasonNoSuchMessage, reason(t, idp.RecordAnswer(99, mockidp.ACSAnswer{})))
}

func TestWaitMessage(t *testing.T) {
	idp := start(t, twoRegions())
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			m, err := idp.WaitMessage(ctx,
				func(m mockidp.Message) bool { return m.RelayState == fmt.Sprint(i) && m.Answer != nil })
			assert.NoError(t, err)
			assert.Equal(t, i, m.Answer.Status)
		})
	}
	for i := range 8 {
		wg.Go(func() {
			_, err := idp.IdPInitiated("", alice, fmt.Sprint(i))
			assert.NoError(t, err)
			m, err := idp.WaitMessage(ctx, func(m mockidp.Message) bool { return m.RelayState == fmt.Sprint(i) })
			assert.NoError(t, err)
			assert.NoError(t, idp.RecordAnswer(m.ID, mockidp.ACSAnswer{Status: i}))
		})
	}
	wg.Wait()
	gone, stop := context.WithCancel(ctx)
	stop()
	_, err := idp.WaitMessage(gone, func(mockidp.Message) bool { return false })
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAddAndRemoveGroups(t *testing.T) {
	idp := start(t, twoRegions())
	require.NoError(t, idp.PutGroup(mockidp.Group{Name: "Finance", Description: "Counts things"}))
	gs := idp.Groups()
	require.Len(t, gs, 2)
	assert.Regexp(t, `^00g[0-9A-Za-z]{17}$`, gs[1].ID)
	require.NoError(t, idp.PutGroup(mockidp.Group{Name: "Finance", ID: gs[1].ID, Description: "Adds things"}))
	assert.Equal(t, "Adds things", idp.Groups()[1].Description)
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.PutGroup(mockidp.Group{Name: mockidp.Everyone})))
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.PutGroup(mockidp.Group{Name: "x", ID: "a/b"})))

	require.NoError(t, idp.RemoveGroup("Engineering"))
	_, err := idp.IdPInitiated("idc", alice, "")
	assert.Equal(t, mockidp.ReasonNotAssigned, reason(t, err))
	u, _ := idp.User(alice)
	assert.Empty(t, u.Groups)
	assert.Equal(t, mockidp.ReasonNoSuchGroup, reason(t, idp.RemoveGroup("Engineering")))
	updateApp(t, idp, "idc", func(a *mockidp.App) { a.Users = append(a.Users, alice) })
}

func TestRemoveUsersAndApps(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	held := newBrowser(t, idp).get(redirect(idp, request(), ""))
	us := idp.Users()
	require.Len(t, us, 2)
	assert.Regexp(t, `^00u[0-9A-Za-z]{17}$`, us[0].ID)
	require.NoError(t, idp.RemoveUser("ALICE@example.com"))
	assert.Equal(t, mockidp.ReasonNoSuchUser, reason(t, idp.RemoveUser(alice)))
	b.get(idp.DashboardURL()).contains(t, `name="password"`)
	mark, _ := idp.App("mark")
	assert.Empty(t, mark.Users)
	updateApp(t, idp, "mark", func(a *mockidp.App) { a.Label += "!" })

	require.NoError(t, idp.RemoveApp("idc"))
	assert.Equal(t, mockidp.ReasonNoSuchApp, reason(t, idp.RemoveApp("idc")))
	b.signIn(held, bob, "bob's own").refused(t, 404, mockidp.ReasonNoSuchApp)
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.AddUser(mockidp.User{Login: "carol", ID: us[1].ID})),
		"a duplicate ID")
}
