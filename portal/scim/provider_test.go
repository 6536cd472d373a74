package scim_test

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

const (
	firstIdP    = "https://first.idp.example/saml"
	secondIdP   = "https://second.idp.example/saml"
	secondToken = "the-token-of-the-second-one-98765"
)

// several is seed with two identity providers: all users and groups of seed are the first one's.
func several() center.Data {
	d := seed()
	d.IdentityProviders = []center.IdentityProvider{{EntityID: firstIdP}, {EntityID: secondIdP}}
	for i := range d.Users {
		d.Users[i].IdentityProvider = firstIdP
	}
	for i := range d.Groups {
		d.Groups[i].IdentityProvider = firstIdP
	}
	d.Users = append(d.Users, center.User{ID: "v-1", UserName: "alice@example.com", ExternalID: "00u1",
		IdentityProvider: secondIdP})
	d.Groups = append(d.Groups, center.Group{ID: "h-1", Name: "Engineers", ExternalID: "00g1", Members: []string{"v-1"},
		IdentityProvider: secondIdP})
	return d
}

// severalRig is the endpoint of several, whose second client asks by second.
func severalRig(t *testing.T, d center.Data) (r *rig, second func(method, path, body string) reply) {
	t.Helper()
	r = newRig(t, d, "us-east-1", func(c *scim.Config) {
		c.Tokens, c.TokensOf = nil, map[string][]string{firstIdP: {token}, secondIdP: {secondToken}}
	})
	return r, func(method, path, body string) reply {
		t.Helper()
		req := request(method, path, body)
		req.Header.Set("Authorization", "Bearer "+secondToken)
		return r.send(t, req)
	}
}

// Invariant 18: for a client, the users and groups of other identity providers don't exist.
func TestInvariant18_ATokenSeesItsOwnUsers(t *testing.T) {
	r, second := severalRig(t, several())
	assert.Equal(t, []string{"carol/ops@example.com", "u-1", "u-2"}, found(t, r.ok(t, 200, "GET", "/Users", "")))
	assert.Equal(t, []string{"v-1"}, found(t, second("GET", "/Users", "").body))
	assert.Equal(t, []string{"g-1", "g-2"}, found(t, r.ok(t, 200, "GET", "/Groups", "")))
	assert.Equal(t, []string{"h-1"}, found(t, second("GET", "/Groups", "").body))
	for _, f := range []string{`userName eq "alice@example.com"`, `externalId eq "00u1"`, `userName sw "a"`, `id pr`} {
		assert.Equal(t, []string{"v-1"}, found(t, second("GET", "/Users?"+filter(f), "").body), f)
	}
	assert.Empty(t, found(t, second("GET", "/Users?"+filter(`userName eq "bob@example.com"`), "").body))
	assert.Empty(t, found(t, second("GET", "/Groups?"+filter(`members.value eq "u-1"`), "").body))

	before := r.view.Snapshot()
	unknown := map[string]string{"/Users": "u-unknown", "/Groups": "g-unknown"}
	for path, ids := range map[string][]string{"/Users": {"u-1", "u-2", "carol%2Fops@example.com"}, "/Groups": {"g-1"}} {
		for _, id := range ids {
			for method, body := range map[string]string{
				"GET": "", "DELETE": "", "PUT": `{"userName":"x@example.com","displayName":"X"}`,
				"PATCH": replaceBody(`{"displayName":"X"}`),
			} {
				got, want := second(method, path+"/"+id, body), second(method, path+"/"+unknown[path], body)
				assert.Equal(t, http.StatusNotFound, got.Code, "%s %s", method, id)
				assert.Equal(t, want.body["scimType"], got.body["scimType"])
				assert.Equal(t, len(want.body), len(got.body))
			}
		}
	}
	add := func(id string) reply {
		return second("PATCH", "/Groups/h-1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`)
	}
	got, want := add("u-1"), add("u-9")
	assert.Equal(t, http.StatusBadRequest, got.Code)
	assert.Equal(t, want.body["scimType"], got.body["scimType"])
	assert.Same(t, before, r.view.Snapshot())
}

// What one identity provider has tells another one nothing, and is no obstacle for it.
func TestUniquenessIsWithinAnIdentityProvider(t *testing.T) {
	r, second := severalRig(t, several())
	made := second("POST", "/Users", `{"userName":"bob@example.com","externalId":"00u2"}`)
	require.Equal(t, http.StatusCreated, made.Code, "%s", made.Body)
	id := made.body["id"].(string)
	assert.Equal(t, secondIdP, r.user(t, id).IdentityProvider)
	r.ok(t, 200, "PATCH", "/Users/u-2", replaceBody(`{"externalId":"00u2"}`))
	u, ok := r.view.UserOf(firstIdP, "bob@example.com")
	require.True(t, ok)
	assert.Equal(t, "u-2", u.ID)
	group := second("POST", "/Groups", `{"displayName":"Auditors","members":[{"value":"`+id+`"}]}`)
	require.Equal(t, http.StatusCreated, group.Code, "%s", group.Body)
	assert.Equal(t, secondIdP, r.group(t, group.body["id"].(string)).IdentityProvider)
	assert.Equal(t, http.StatusConflict, second("POST", "/Users", `{"userName":"BOB@example.com"}`).Code)
	assert.Equal(t, http.StatusConflict, second("POST", "/Users", `{"userName":"x","externalId":"00u2"}`).Code)

	second("PUT", "/Groups/h-1", `{"displayName":"Renamed"}`)
	assert.Equal(t, secondIdP, r.group(t, "h-1").IdentityProvider, "PUT keeps it")
	require.Equal(t, http.StatusNoContent, second("DELETE", "/Users/v-1", "").Code)
	_, ok = r.view.UserOf(firstIdP, "alice@example.com")
	assert.True(t, ok)
	last := r.changes[len(r.changes)-1]
	assert.Equal(t, scim.Change{Action: scim.ActionDeleted, Resource: "User", ID: "v-1", Name: "alice@example.com",
		IdentityProvider: secondIdP, EndsAccess: true}, last)
}

// A change of the list of identity providers applies to tokens at once. A token never sees all users of several.
func TestTokensAndTheListOfIdentityProviders(t *testing.T) {
	d := seed()
	r, second := severalRig(t, d)
	plain := newRig(t, d, "us-east-1")
	refused := func(a reply) {
		t.Helper()
		require.Equal(t, http.StatusForbidden, a.Code, "%s", a.Body)
		require.Contains(t, a.body["detail"], "identity provider of the token")
	}
	for _, path := range []string{"/Users", "/Users/u-1", "/Groups", "/ServiceProviderConfig", "/Schemas"} {
		refused(r.ask(t, "GET", path, ""))
		refused(second("GET", path, ""))
	}
	refused(second("POST", "/Users", `{"userName":"new@example.com"}`))
	plain.ok(t, 200, "GET", "/Users", "")

	for _, one := range []*rig{r, plain} {
		require.NoError(t, one.view.Update(func(tx *center.Tx) error {
			return tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: firstIdP})
		}))
	}
	r.ok(t, 200, "GET", "/Users/u-1", "")
	refused(second("GET", "/Users", ""))
	made := plain.ok(t, 201, "POST", "/Users", `{"userName":"new@example.com"}`)
	assert.Equal(t, firstIdP, plain.user(t, made["id"].(string)).IdentityProvider, "it is the only one")

	for _, one := range []*rig{r, plain} {
		require.NoError(t, one.view.Update(func(tx *center.Tx) error {
			return tx.PutIdentityProvider(center.IdentityProvider{EntityID: secondIdP})
		}))
	}
	assert.Empty(t, found(t, second("GET", "/Users", "").body))
	require.Equal(t, http.StatusCreated, second("POST", "/Users", `{"userName":"alice@example.com"}`).Code)
	for _, path := range []string{"/Users", "/Groups/g-1", "/ServiceProviderConfig"} {
		refused(plain.ask(t, "GET", path, ""))
	}
	refused(plain.ask(t, "DELETE", "/Users/u-1", ""))
}

// The list changes between the look at the token and the update.
func TestTheListChangesBeforeTheUpdate(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	r.TakeTurn()
	done := make(chan reply, 1)
	go func() { done <- r.ask(t, "DELETE", "/Users/u-1", "") }()
	require.Eventually(t, func() bool { return r.Waiting() == 1 }, time.Minute, 100*time.Microsecond)
	require.NoError(t, r.view.Update(func(tx *center.Tx) error {
		_ = tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: firstIdP})
		return tx.PutIdentityProvider(center.IdentityProvider{EntityID: secondIdP})
	}))
	end := r.FlushInTurn()
	end()
	assert.Equal(t, http.StatusForbidden, (<-done).Code)
	r.user(t, "u-1")
}

// actors is a Journal that keeps who made the updates.
type actors struct{ all []string }

func (a *actors) Commit(_ string, by center.Actor, _ []center.Record) error {
	a.all = append(a.all, by.Client)
	return nil
}

// Clients of two identity providers change the instance at the same time, and each its own part: in an update of its
// own, which names the client.
func TestRule71ABatchOfTwoIdentityProviders(t *testing.T) {
	var by actors
	inst, err := center.NewJournaled(several(), &by)
	require.NoError(t, err)
	r := &rig{}
	r.view, err = inst.In("us-east-1")
	require.NoError(t, err)
	r.Server, err = scim.New(scim.Config{View: r.view, BaseURL: baseURL, Logger: slog.New(slog.DiscardHandler),
		TokensOf: map[string][]string{firstIdP: {token}},
		TokenHashes: func() []scim.Token {
			return []scim.Token{{Hash: scim.HashToken(secondToken), IdentityProvider: secondIdP, Name: "okta, 2026"}}
		},
	})
	require.NoError(t, err)
	second := func(method, path, body string) reply {
		req := request(method, path, body)
		req.Header.Set("Authorization", "Bearer "+secondToken)
		return r.send(t, req)
	}
	r.TakeTurn()
	done := make(chan reply, 2)
	go func() { done <- r.ask(t, "POST", "/Users", `{"userName":"new@example.com"}`) }()
	go func() { done <- second("POST", "/Users", `{"userName":"new@example.com"}`) }()
	require.Eventually(t, func() bool { return r.Waiting() == 2 }, time.Minute, 100*time.Microsecond)
	end := r.FlushInTurn()
	end()
	for range 2 {
		require.Equal(t, http.StatusCreated, (<-done).Code)
	}
	assert.ElementsMatch(t, []string{firstIdP, "okta, 2026"}, by.all)
	for _, idp := range []string{firstIdP, secondIdP} {
		u, ok := r.view.UserOf(idp, "new@example.com")
		assert.True(t, ok)
		assert.Equal(t, idp, u.IdentityProvider)
	}
}

func TestTokensOfConfig(t *testing.T) {
	inst, err := center.New(seed())
	require.NoError(t, err)
	view, err := inst.In("us-east-1")
	require.NoError(t, err)
	for name, c := range map[string]scim.Config{
		"a token twice":     {TokensOf: map[string][]string{firstIdP: {token}, secondIdP: {token}}},
		"a token of two":    {Tokens: []string{token}, TokensOf: map[string][]string{firstIdP: {token}}},
		"no entity ID":      {TokensOf: map[string][]string{"": {token}}},
		"no token":          {TokensOf: map[string][]string{firstIdP: {}}},
		"a short token":     {TokensOf: map[string][]string{firstIdP: {"short"}}},
		"a token and space": {TokensOf: map[string][]string{firstIdP: {token + " "}}},
	} {
		c.View, c.BaseURL = view, baseURL
		_, err := scim.New(c)
		var e *scim.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, scim.ReasonConfig, e.Reason)
		assert.NotContains(t, e.Error(), token)
	}
	r := newRig(t, several(), "us-east-1", func(c *scim.Config) {
		c.Tokens = nil
		c.TokenHashes = func() []scim.Token {
			return []scim.Token{
				{Hash: scim.HashToken(token), IdentityProvider: firstIdP},
				{Hash: scim.HashToken(token), IdentityProvider: secondIdP}, {Hash: scim.HashToken(secondToken)},
			}
		}
	})
	assert.Equal(t, http.StatusForbidden, r.ask(t, "GET", "/Users", "").Code, "of two")
}
