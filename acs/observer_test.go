package acs_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// observed is an Observer. Its steps are what happened, in order.
type observed struct {
	mu       sync.Mutex
	steps    []string
	verdicts []acs.Verdict
	logouts  []acs.Verdict
}

type observedKey struct{}

func (o *observed) step(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.steps = append(o.steps, name)
}

func (o *observed) ObserveResponse(ctx context.Context) (context.Context, func(acs.Verdict)) {
	o.step("response")
	return context.WithValue(ctx, observedKey{}, o), func(v acs.Verdict) {
		o.step("verdict " + v.Reason)
		o.verdicts = append(o.verdicts, v)
	}
}

func (o *observed) ObserveVerification(ctx context.Context) func(error) {
	o.step("verification " + seen(ctx))
	return func(err error) {
		var e *saml.Error
		errors.As(err, &e)
		if e == nil {
			e = new(saml.Error)
		}
		o.step("verified " + string(e.Reason))
	}
}

func (o *observed) ObserveLogout(_ context.Context, v acs.Verdict) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.logouts = append(o.logouts, v)
}

func (o *observed) ObserveSignIn(context.Context, string, bool, string) { o.step("sign-in") }

// seen says whether a context is that of ObserveResponse.
func seen(ctx context.Context) string {
	if _, ok := ctx.Value(observedKey{}).(*observed); ok {
		return "in context"
	}
	return "outside"
}

// steppingStore tells an observed of its calls.
type steppingStore struct {
	acs.Store
	*observed
}

func (s steppingStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	s.step("add " + seen(ctx))
	return s.Store.Add(ctx, key, v, exp)
}

func (s steppingStore) Take(ctx context.Context, key string) ([]byte, error) {
	s.step("take " + seen(ctx))
	return s.Store.Take(ctx, key)
}

func TestObserverOfResponses(t *testing.T) {
	w := newWorld(t)
	o := new(observed)
	us := w.region("us-east-1", func(c *acs.Config) {
		c.Observer, c.Store = o, steppingStore{w.store, o}
		c.OnVerdict = func(ctx context.Context, v acs.Verdict) {
			w.verdicts = append(w.verdicts, v)
			o.step("on verdict " + seen(ctx))
		}
		login := c.OnLogin
		c.OnLogin = func(rw http.ResponseWriter, r *http.Request, l *acs.Login) {
			o.step("on login " + seen(r.Context()))
			login(rw, r, l)
		}
	})
	b := w.browser()
	req := b.login(us, usACS, "")
	good := w.good(usACS, req.id)
	w.accepted(b.answer(us, good, req.relayState))
	require.Equal(t, []string{
		"add outside", "response", "verification in context", "verified ", "take in context", "add in context",
		"on verdict in context", "verdict ", "on login outside",
	}, o.steps)
	require.Equal(t, w.lastVerdict(), o.verdicts[0])

	o.steps = nil
	bad := w.good(usACS, "")
	bad.issuer = "https://other.example"
	b.answer(us, bad, "")
	require.Equal(t, []string{
		"response", "verification in context", "verified Issuer", "on verdict in context", "verdict Issuer",
	}, o.steps)

	o.steps = nil
	b.get(us, usACS)
	require.Equal(t, []string{"response", "on verdict in context", "verdict Method"}, o.steps)
}

// A request for no ACS URL's host is a response, too.
func TestObserverOfResponsesAtAnotherHost(t *testing.T) {
	w := newWorld(t)
	o := new(observed)
	eu := w.region("eu-central-1", func(c *acs.Config) { c.Observer = o })
	w.browser().post(eu, "https://other.example/platform/saml/acs/4455", w.form(w.good(euACS, ""), ""))
	require.Equal(t, []string{"response", "verdict Host"}, o.steps)
}

// Each logout is observed once, with its flow, its identity provider and its Reason.
func TestObserverOfLogouts(t *testing.T) {
	w := newLogoutWorld(t, mockidp.LogoutRedirect)
	one := func(flow, idp, reason string) {
		t.Helper()
		require.Len(t, w.observed.logouts, 1)
		v := w.observed.logouts[0]
		w.observed.logouts = nil
		require.Equal(t, []any{flow, idp, reason, reason == ""}, []any{v.Flow, v.IdP, v.Reason, v.Accepted}, "%+v", v)
	}
	b := w.browser()
	p, err := signOut(b, w.signIn(b, "us"))
	require.NoError(t, err)
	w.follow(b, p)
	one(acs.FlowSP, w.provider, "")

	for status, reason := range map[saml.LogoutStatus]string{
		saml.LogoutSuccess: "", saml.LogoutPartial: string(acs.ReasonEndSessions),
	} {
		w.status = status
		w.signIn(b, "us")
		p, err = b.Open(w.idp.URL + "/")
		require.NoError(t, err)
		p, err = signOut(b, p)
		require.NoError(t, err)
		w.follow(b, p)
		one(acs.FlowIdP, w.provider, reason)
	}

	_, err = b.Open(w.origin["us"] + "/logout?SAMLResponse=junk")
	require.NoError(t, err)
	one(acs.FlowSP, "", string(acs.ReasonForm))
	_, err = b.Open(w.origin["us"] + "/logout?other=junk")
	require.NoError(t, err)
	require.Len(t, w.observed.logouts, 1)
	require.Empty(t, w.observed.logouts[0].Flow)
}
