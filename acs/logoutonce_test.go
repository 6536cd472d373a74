package acs_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// A node that stops while it ends sessions doesn't lose the LogoutRequest: it is accepted again after a minute, when
// its record as being handled is over, and once (G15).
func TestLogoutAfterANodeStopped(t *testing.T) {
	w := newLogoutMessages(t, byPost, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"})
	ended, stops := 0, true
	h := w.region("us-east-1", func(c *acs.Config) {
		c.EndSessions = func(context.Context, *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
			if stops {
				panic(http.ErrAbortHandler)
			}
			ended++
			return saml.LogoutSuccess, nil
		}
	})
	form := url.Values{"SAMLRequest": {w.signedLogout("LogoutRequest", "", "<saml:NameID>alice</saml:NameID>")}}
	send := func() *httptest.ResponseRecorder { return serve(h, logoutPost(usLogout, form)) }
	require.Panics(t, func() { send() })
	stops = false
	rec := send()
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	require.NotEmpty(t, rec.Header().Get("Retry-After"))
	require.Zero(t, ended)
	require.Contains(t, w.logs.String(), `"reason":"EndSessions"`)

	w.clock.Advance(61 * time.Second)
	rec = send()
	require.Equal(t, http.StatusOK, rec.Code, w.logs)
	require.Contains(t, rec.Body.String(), "SAMLResponse")
	for range 3 { // and each time that it could have begun again
		require.Equal(t, http.StatusForbidden, send().Code)
		w.clock.Advance(61 * time.Second)
	}
	require.Contains(t, w.logs.String(), `"reason":"Replay"`)
	require.Equal(t, 1, ended)
}

// G15: of eight nodes of a Region that get the same LogoutRequest at once, one ends the sessions. The others refuse it,
// or say that it can be sent again.
func TestLogoutRequestAtManyNodes(t *testing.T) {
	w := newLogoutMessages(t, byPost, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"})
	var mu sync.Mutex
	ended := 0
	h := w.region("us-east-1", func(c *acs.Config) {
		c.EndSessions = func(context.Context, *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
			mu.Lock()
			defer mu.Unlock()
			ended++
			return saml.LogoutSuccess, nil
		}
	})
	form := url.Values{"SAMLRequest": {w.signedLogout("LogoutRequest", "", "<saml:NameID>alice</saml:NameID>")}}
	var all sync.WaitGroup
	codes := make([]int, 8)
	for i := range codes {
		all.Go(func() { codes[i] = serve(h, logoutPost(usLogout, form)).Code })
	}
	all.Wait()
	require.Equal(t, 1, ended)
	answered := 0
	for _, code := range codes {
		if code == http.StatusOK {
			answered++
			continue
		}
		require.Contains(t, []int{http.StatusForbidden, http.StatusServiceUnavailable}, code)
	}
	require.Equal(t, 1, answered)
}

// A store that fails after the sessions have ended changes nothing for the user, and the log says so.
func TestLogoutThatIsNotRecorded(t *testing.T) {
	w := newLogoutMessages(t, byPost, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"})
	h := w.region("us-east-1", func(c *acs.Config) {
		c.Store, c.EndSessions = &failsAfter{Store: c.Store, n: 1}, endNothing
	})
	form := url.Values{"SAMLRequest": {w.signedLogout("LogoutRequest", "", "<saml:NameID>alice</saml:NameID>")}}
	rec := serve(h, logoutPost(usLogout, form))
	assert.Equal(t, http.StatusOK, rec.Code)
	assert.Contains(t, rec.Body.String(), "SAMLResponse")
	assert.Contains(t, w.logs.String(), "saml logout not recorded")
}

// failsAfter is a store in which n records can be added.
type failsAfter struct {
	acs.Store
	n int
}

func (s *failsAfter) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if s.n--; s.n < 0 {
		return errors.New("down")
	}
	return s.Store.Add(ctx, key, v, exp)
}
