package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/oidc"
)

var errDown = errors.New("it is down")

// flaky is a store that fails at the n-th call from now.
type flaky struct {
	acs.Store
	left int
}

func (f *flaky) fails() bool { f.left--; return f.left == 0 }

func (f *flaky) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if f.fails() {
		return errDown
	}
	return f.Store.Add(ctx, key, v, exp)
}

func (f *flaky) Take(ctx context.Context, key string) ([]byte, error) {
	if f.fails() {
		return nil, errDown
	}
	return f.Store.Take(ctx, key)
}

type downSealer struct{}

func (downSealer) Seal(context.Context, []byte, []byte) ([]byte, error) { return nil, errDown }
func (downSealer) Open(context.Context, []byte, []byte) ([]byte, error) { return nil, errDown }

// If a store can't answer, nothing is let in, and the client learns only that.
func TestStoreThatFails(t *testing.T) {
	store := &flaky{}
	w := newWorld(t, func(c *oidc.Config) { store.Store, c.Store = c.Store, store })
	store.Store = w.stores[virginia]
	c, d := w.client(virginia, asCLI(virginia)), w.client(virginia, asDevice())
	b := w.browser(virginia, "alice@example.com")
	internal := func(r reply) {
		t.Helper()
		c.refused(r, http.StatusInternalServerError, "InternalServerException")
		assert.NotContains(t, r.Body["error_description"], "down")
	}
	for n := 1; n <= 2; n++ { // the answer, the mark of a second use
		code := c.code(b)
		store.left = n
		internal(c.redeem(code))
	}
	r := c.login(b)
	for n := 1; n <= 2; n++ { // the mark of the grace, and of the use
		store.left = n
		internal(c.refresh(r.text("refreshToken")))
	}
	c.must(c.refresh(r.text("refreshToken")))

	store.left = 1
	internal(d.post("/device_authorization", fields{"clientId": d.id, "clientSecret": d.secret,
		"startUrl": portalOf(virginia)}))
	dev := d.device()
	for n := 1; n <= 2; n++ { // the answer, the mark of a use
		store.left = n
		internal(dev.poll())
	}
	store.left = 1
	assert.Equal(t, http.StatusServiceUnavailable, enter(t, b, dev.userCode).Status)
	p := enter(t, b, dev.userCode)
	store.left = 1
	assert.Equal(t, http.StatusServiceUnavailable, press(t, p, "allow").Status)

	p = open(t, b, c.authorizeURL())
	store.left = 2
	failed := press(t, p, "allow")
	assert.Equal(t, http.StatusServiceUnavailable, failed.Status)
	assert.Empty(t, failed.Location())
	c.login(b)
}

func TestKeysThatFail(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	r := c.login(b)
	p := open(t, b, c.authorizeURL())
	w.start(virginia, func(c *oidc.Config) { c.Sealer = downSealer{} })
	c.refused(c.post("/client/register", asCLI(virginia)), http.StatusInternalServerError, "InternalServerException")
	c.refused(c.refresh(r.text("refreshToken")), http.StatusInternalServerError, "InternalServerException")
	assert.Equal(t, http.StatusServiceUnavailable, open(t, b, c.authorizeURL()).Status)
	assert.Equal(t, http.StatusServiceUnavailable, press(t, p, "allow").Status)
	_, err := w.servers[virginia].Grant(t.Context(), r.text("accessToken"))
	var e *awsapi.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, awsapi.ReasonUnavailable, e.Reason)
	require.ErrorAs(t, w.servers[virginia].EndGrant(t.Context(), r.text("accessToken")), &e)
	assert.Equal(t, awsapi.ReasonUnavailable, e.Reason)
	w.start(virginia, nil)
	assert.True(t, w.isIn(virginia, r.text("accessToken")))
}
