package middleware_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// idps are identity providers by entity ID.
type idps map[string]*saml.IdP

func (m idps) IdP(entityID string) (*saml.IdP, error) {
	if idp := m[entityID]; idp != nil {
		return idp, nil
	}
	return nil, errors.New("unknown: " + entityID)
}

// Invariant 18: a user of another identity provider with the same name is another user. After the session has gone
// idle, the user is sent to the same identity provider again.
func TestSeveralIdPs(t *testing.T) {
	w := newWorld(t)
	all, hosts, names, providers := idps{}, testkit.Handlers{}, []string{}, []*mockidp.Server{}
	for _, key := range []string{"one", "two"} {
		idp := mockidp.New(mockidp.Config{Now: w.clock.Now, Apps: []mockidp.App{
			{Label: key, ExternalKey: "exk" + key, Groups: []string{mockidp.Everyone}},
		}})
		t.Cleanup(idp.Close)
		known, err := saml.ParseIdPMetadata(idp.Metadata(""))
		require.NoError(t, err)
		at, err := url.Parse(idp.URL)
		require.NoError(t, err)
		all[known.EntityID()], hosts[at.Host] = known, idp.Handler()
		names, providers = append(names, known.EntityID()), append(providers, idp)
	}
	var err error
	w.sp, err = saml.New(saml.Config{
		EntityID: base + "/saml", ACS: []saml.Endpoint{{URL: base + "/saml/acs"}}, IdPs: all, Now: w.clock.Now,
	})
	require.NoError(t, err)
	metadata, err := w.sp.Metadata()
	require.NoError(t, err)
	for _, idp := range providers {
		require.NoError(t, idp.RegisterSP("", metadata))
	}
	chosen := names[0]
	guard, err := middleware.New(w.config(func(c *middleware.Config) {
		c.ChooseIdP = func(*http.Request) string { return chosen }
	}))
	require.NoError(t, err)
	mux := http.NewServeMux()
	guard.Mount(mux)
	mux.Handle("/", guard.Require(http.HandlerFunc(show)))
	hosts[host] = mux
	b := testkit.NewBrowser(t.Context())
	b.Transport = hosts
	open := func(addr string) *testkit.Page {
		p, err := b.SignIn(addr, alice, mockidp.DefaultPassword)
		require.NoError(t, err)
		return p
	}
	require.Equal(t, "GET / as "+alice, open(base+"/").Body)
	chosen = names[1]
	require.Contains(t, open(base+"/saml/login").Text(), "Continue as")

	w.clock.Advance(time.Hour)
	to, err := url.Parse(look(t, b, base+"/").Location())
	require.NoError(t, err)
	require.Equal(t, providers[0].URL, to.Scheme+"://"+to.Host)
}
