package replica_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/keys"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/portal/scim"
)

// Rules 1, 4, 10, 11, 17, 65, 72 and 78, as an operator meets them: an account's instance is refused, a single-Region
// key, an opt-in Region, and a Region without a copy of the key. Then Frankfurt is added, removed with its data, and
// added again. The table of tasks is true in both Regions each time, also for the SCIM tokens of each.
func TestRule17AnOperatorExtendsAnInstance(t *testing.T) {
	t.Parallel()
	ring := func(region string) *keys.Ring {
		r, err := keys.CreateRing(keys.RingConfig{Path: filepath.Join(t.TempDir(), "keys"), Region: region,
			Key: make([]byte, 32)})
		require.NoError(t, err)
		return r
	}
	rings := map[string]*keys.Ring{virginia: ring(virginia), frankfurt: ring(frankfurt)}
	c := alone(t.TempDir())
	c.Seed.Instance = center.InstanceMetadata{OwnerAccountID: owner, Kind: center.InstanceAccount}
	us := open(t, c)
	control := controlOf(us)
	control.Key = func(_ context.Context, arn, region string) error {
		r, ok := rings[region]
		if !ok {
			r = ring(region)
		}
		_, id, _ := strings.Cut(arn, ":key/")
		return r.Use(id, "portal").Usable()
	}
	add := func(region string) center.Reason {
		t.Helper()
		_, err := control.AddRegion(background(t), administrator, center.Region{Name: region})
		if err == nil {
			return ""
		}
		var e *center.Error
		require.ErrorAs(t, err, &e)
		return e.Reason
	}
	describe := func(change func(*center.InstanceMetadata)) {
		t.Helper()
		require.NoError(t, us.View().Update(func(tx *center.Tx) error {
			m := tx.Data().Instance
			change(&m)
			return tx.PutInstanceMetadata(m)
		}))
	}
	useKey := func(id string) {
		t.Helper()
		next := center.Encryption{KeyType: center.KeyCustomerManaged,
			KeyARN: "arn:aws:kms:us-east-1:" + owner + ":key/" + id}
		require.NoError(t, control.CheckKey(administrator, next))
		describe(func(m *center.InstanceMetadata) { m.Encryption = next })
	}

	require.Equal(t, center.ReasonAccountInstance, add(frankfurt))
	describe(func(m *center.InstanceMetadata) { m.Kind = center.InstanceOrganization })
	require.Equal(t, center.ReasonKeyType, add(frankfurt))
	useKey("01234567-89ab-cdef-0123-456789abcdef")
	require.Equal(t, center.ReasonSingleRegionKey, add(frankfurt))
	key, err := rings[virginia].Create(keys.KeyConfig{Policy: keys.Allow("portal")})
	require.NoError(t, err)
	useKey(key.ID)
	require.Equal(t, center.ReasonOptInRegion, add("me-central-1"))
	require.Equal(t, center.ReasonKeyReplica, add(frankfurt))
	_, err = rings[virginia].Replicate(key.ID, rings[frankfurt], nil)
	require.NoError(t, err)
	for _, one := range control.Candidates(background(t), us.View().Snapshot()) {
		assert.Equal(t, one.Place.Name == frankfurt, one.Err == nil, "%s: %v", one.Place.Name, one.Err)
	}

	euDir := t.TempDir()
	var eu *replica.Node
	for i, when := range []string{"added", "added again"} {
		require.Empty(t, add(frankfurt), when)
		require.Equal(t, center.ReasonConflict, add(frankfurt), when)
		c := configOf(frankfurt, euDir)
		c.Peers = map[string]replica.Peer{virginia: {URL: us.Addr()}}
		eu = open(t, c)
		require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
		require.NoError(t, eu.Ready(background(t)))
		isActive(t, us, frankfurt)
		isActive(t, eu, frankfurt)
		nodes := map[string]*replica.Node{virginia: us, frankfurt: eu}
		if i == 0 {
			for _, n := range nodes {
				putApplication(t, n, "app-"+n.Region())
			}
		}
		eventually(t, "the applications "+when, func() bool {
			_, ok := us.View().Snapshot().Application("app-" + frankfurt)
			return ok
		})
		provisions(t, us, "a SCIM token of Virginia", http.StatusCreated, when)
		provisions(t, eu, "a SCIM token of Frankfurt", http.StatusForbidden, when)
		tableIsTrue(t, nodes, when)
		if i > 0 { // what Frankfurt ended before its removal stays ended there too
			assert.False(t, alive(t, eu, virginia+"added"))
			break
		}
		require.NotEmpty(t, found(t, euDir, "alice@example.com"))
		_, err = control.RemoveRegion(administrator, frankfurt, "app-"+frankfurt)
		require.NoError(t, err)
		erased(t, eu)
		eu.Close()
		for _, text := range []string{"alice@example.com", "bob@example.com", "carol@example.com", "Developers"} {
			assert.Empty(t, found(t, euDir, text), text)
		}
		tableIsTrue(t, map[string]*replica.Node{virginia: us}, "removed")
	}
}

// provisions sends a user to the SCIM endpoint of a Region, with a token that is valid there. A refusal names the
// primary.
func provisions(t *testing.T, n *replica.Node, token string, want int, name string) {
	t.Helper()
	s, err := scim.New(scim.Config{View: n.View(), BaseURL: "https://scim.example/scim/v2", Tokens: []string{token},
		Logger: logger()})
	require.NoError(t, err)
	body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + strings.ReplaceAll(name, " ", "-") +
		`@example.com"}`
	r := httptest.NewRequest(http.MethodPost, "/scim/v2/Users", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.Equal(t, want, w.Code, w.Body)
	if want == http.StatusForbidden {
		assert.Contains(t, w.Body.String(), virginia)
	}
}
