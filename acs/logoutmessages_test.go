package acs_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

const (
	usLogout = "https://us-east-1.signin.example/logout"
	euLogout = "https://eu-central-1.signin.example/logout"
)

// newLogoutMessages is a world whose identity provider signs the logout messages of a test.
func newLogoutMessages(t *testing.T, services []saml.LogoutService, urls ...saml.LogoutEndpoint) *world {
	t.Helper()
	return changedLogoutMessages(t, services, func(c *saml.Config) { c.Logout = urls })
}

// changedLogoutMessages is newLogoutMessages with a changed service provider.
func changedLogoutMessages(t *testing.T, services []saml.LogoutService, change func(*saml.Config)) *world {
	t.Helper()
	var source *saml.SwappableIdP
	w := newWorld(t, func(c *saml.Config) {
		key := testkit.RSAKey("logout sp")
		c.Key, c.Certificate = key, testkit.Certificate(key, time.Now())
		change(c)
		source = saml.NewSwappableIdP(c.IdP.IdP())
		c.IdP = source
	})
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: idpID, Certificates: certs(w.idp), Logout: services,
		SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
	})
	require.NoError(t, err)
	source.Replace(idp)
	return w
}

func endNothing(context.Context, *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
	return saml.LogoutSuccess, nil
}

var byPost = []saml.LogoutService{{Binding: saml.HTTPPost, URL: "https://idp.example/slo"}}

// signedLogout returns a message of the identity provider in base64.
func (w *world) signedLogout(name, attrs, content string) string {
	w.t.Helper()
	return w.signedLogoutTo(usLogout, name, attrs, content)
}

// signedLogoutTo is signedLogout with a Destination.
func (w *world) signedLogoutTo(to, name, attrs, content string) string {
	w.t.Helper()
	doc := etree.NewDocument()
	require.NoError(w.t, doc.ReadFromString(`<samlp:`+name+` xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" `+
		`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0" IssueInstant="`+
		w.clock.Now().UTC().Format(time.RFC3339)+`" Destination="`+to+`" `+attrs+`><saml:Issuer>`+idpID+
		`</saml:Issuer>`+content+`</samlp:`+name+`>`))
	message, err := etree.NewDocumentWithRoot(w.idp.sign(doc.Root())).WriteToString()
	require.NoError(w.t, err)
	return base64.StdEncoding.EncodeToString([]byte(message))
}

func logoutPost(to string, form url.Values, cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodPost, to, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// A client that leaves doesn't keep its sessions: they end all the same, and after an error the request is accepted
// when it is sent again.
func TestLogoutOfAClientThatLeaves(t *testing.T) {
	w := newLogoutMessages(t, byPost, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"})
	ended, fail := 0, true
	ctx, leave := context.WithCancel(t.Context())
	h := w.region("us-east-1", func(c *acs.Config) {
		c.Store = obedient{c.Store}
		c.EndSessions = func(ctx context.Context, _ *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
			leave()
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			if fail {
				return 0, errors.New("down")
			}
			ended++
			return saml.LogoutSuccess, nil
		}
	})
	form := url.Values{"SAMLRequest": {w.signedLogout("LogoutRequest", "", "<saml:NameID>alice</saml:NameID>")}}
	rec := serve(h, logoutPost(usLogout, form).WithContext(ctx))
	require.Equal(t, http.StatusServiceUnavailable, rec.Code, w.logs)
	fail = false
	rec = serve(h, logoutPost(usLogout, form).WithContext(ctx))
	require.Equal(t, http.StatusOK, rec.Code, w.logs)
	assert.Equal(t, 1, ended)
	rec = serve(h, logoutPost(usLogout, form))
	assert.Equal(t, http.StatusForbidden, rec.Code)
	assert.Equal(t, 1, ended)
}

// obedient is a store that does nothing for a context that is over, as one across the network.
type obedient struct{ acs.Store }

func (s obedient) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.Add(ctx, key, v, exp)
}

func (s obedient) Take(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.Store.Take(ctx, key)
}

// startedLogout begins a logout at a host, and returns its request's ID and cookie.
func startedLogout(t *testing.T, region *acs.Region, at string) (string, *http.Cookie) {
	t.Helper()
	rec := httptest.NewRecorder()
	signOut := httptest.NewRequest(http.MethodPost, at, nil)
	region.StartLogout(rec, signOut, acs.LogoutOptions{NameID: saml.NameID{Value: "a"}})
	cookies := rec.Result().Cookies()
	require.Len(t, cookies, 1, rec.Body)
	return strings.TrimPrefix(cookies[0].Name, "__Host-meridian-logout-"), cookies[0]
}

const succeeded = `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>`

// The cookie of a request is at the host where it began, which can be another one of the same Region.
func TestLogoutReturnsToTheHostThatAsked(t *testing.T) {
	const dual = "https://us-east-1.signin-v6.example/logout"
	w := newLogoutMessages(t, byPost, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"},
		saml.LogoutEndpoint{URL: dual, Region: "us-east-1"}, saml.LogoutEndpoint{URL: euLogout, Region: "eu-central-1"})
	var result *acs.LoggedOut
	cfg := w.regionConfig("us-east-1")
	cfg.EndSessions = endNothing
	cfg.OnLoggedOut = func(_ http.ResponseWriter, _ *http.Request, l *acs.LoggedOut) { result = l }
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	h := http.HandlerFunc(region.Logout)
	for _, at := range []string{usLogout, dual} {
		result = nil
		id, cookie := startedLogout(t, region, at)
		form := url.Values{"SAMLResponse": {w.signedLogout("LogoutResponse", `InResponseTo="`+id+`"`, succeeded)}}
		rec := serve(h, logoutPost(usLogout, form))
		if at == dual {
			require.Equal(t, http.StatusTemporaryRedirect, rec.Code, w.logs)
			require.Equal(t, dual, rec.Header().Get("Location"))
			require.Nil(t, result)
		} else {
			require.Equal(t, http.StatusForbidden, rec.Code, "no cookie")
		}
		serve(h, logoutPost(at, form, cookie))
		require.NotNil(t, result, w.logs)
		require.True(t, result.Success)
	}
	// K05: what arrived at another URL than that in our metadata is not forwarded again.
	other, err := w.sp.NewLogoutRequest(saml.LogoutOptions{NameID: saml.NameID{Value: "a"}, URL: euLogout})
	require.NoError(t, err)
	form := url.Values{"SAMLResponse": {w.signedLogout("LogoutResponse", `InResponseTo="`+other.ID()+`"`, succeeded)}}
	require.Equal(t, http.StatusTemporaryRedirect, serve(h, logoutPost(usLogout, form)).Code)
	for _, at := range []string{dual, euLogout, "https://evil.example/logout", usLogout + "/x", usLogout + "%2f"} {
		rec := serve(h, logoutPost(at, form))
		require.Equal(t, http.StatusForbidden, rec.Code, at)
		require.Empty(t, rec.Header().Get("Location"))
	}
	require.Contains(t, w.logs.String(), "WrongRegion")
	// K04: an unsigned one is not forwarded.
	unsigned := url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(
		`<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ` +
			`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_2" Version="2.0" IssueInstant="` +
			w.clock.Now().UTC().Format(time.RFC3339) + `" Destination="` + usLogout + `" InResponseTo="` + other.ID() +
			`"><saml:Issuer>` + idpID + `</saml:Issuer>` + succeeded + `</samlp:LogoutResponse>`))}}
	rec := serve(h, logoutPost(usLogout, unsigned))
	require.Equal(t, http.StatusForbidden, rec.Code)
	require.Empty(t, rec.Header().Get("Location"))
}

// A LogoutRequest of an identity provider without an address for the answer ends the sessions, and the user is told.
func TestLogoutWithoutAnAddressForTheAnswer(t *testing.T) {
	w := newLogoutMessages(t, nil, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"})
	ended := 0
	h := w.region("us-east-1", func(c *acs.Config) {
		c.EndSessions = func(context.Context, *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
			ended++
			return saml.LogoutSuccess, nil
		}
	})
	form := url.Values{"SAMLRequest": {w.signedLogout("LogoutRequest", "", "<saml:NameID>alice</saml:NameID>")}}
	rec := serve(h, logoutPost(usLogout, form))
	assert.Equal(t, 1, ended)
	assert.Equal(t, http.StatusOK, rec.Code)
	assert.Contains(t, rec.Body.String(), "Your session here has ended.")
	assert.Equal(t, "DENY", rec.Header().Get("X-Frame-Options"))
	assert.Contains(t, w.logs.String(), "saml logout not answered")
}

// What a user reads when sign-out fails is about sign-out, and the operator's log has the status of a failed one.
func TestLogoutFailures(t *testing.T) {
	w := newLogoutMessages(t, byPost, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"})
	cfg := w.regionConfig("us-east-1")
	cfg.EndSessions = func(context.Context, *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
		return 0, errors.New("down")
	}
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	h := http.HandlerFunc(region.Logout)
	form := url.Values{"SAMLRequest": {w.signedLogout("LogoutRequest", "", "<saml:NameID>alice</saml:NameID>")}}
	rec := serve(h, logoutPost(usLogout, form))
	assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
	assert.Contains(t, rec.Body.String(), "Sign-out is not available right now")
	assert.NotEmpty(t, rec.Header().Get("Retry-After"))

	id, cookie := startedLogout(t, region, usLogout)
	form = url.Values{"SAMLResponse": {w.signedLogout("LogoutResponse", `InResponseTo="`+id+`"`, `<samlp:Status>`+
		`<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/></samlp:Status>`)}}
	rec = serve(h, logoutPost(usLogout, form, cookie))
	assert.Equal(t, http.StatusOK, rec.Code)
	assert.Contains(t, rec.Body.String(), "You are signed out here")
	assert.Contains(t, w.logs.String(), "status:Responder")
}

// A Region whose logout URL can't end sessions would refuse every LogoutRequest. A Region without such a URL needs no
// EndSessions.
func TestRegionOfLogoutNeedsEndSessions(t *testing.T) {
	w := newLogoutMessages(t, byPost, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"})
	_, err := acs.NewRegion(w.regionConfig("us-east-1"))
	var e *acs.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, acs.ReasonConfig, e.Reason)
	require.Equal(t, "Config.EndSessions", e.Rule)
	_, err = acs.NewRegion(w.regionConfig("eu-central-1"))
	require.NoError(t, err)
}

// Without the store no user gets in, but sessions end: a LogoutRequest can withdraw the access of a stolen account.
func TestLogoutWithoutTheStore(t *testing.T) {
	w := newLogoutMessages(t, byPost, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"})
	ended := 0
	h := w.region("us-east-1", func(c *acs.Config) {
		c.Store = down{}
		c.EndSessions = func(context.Context, *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
			ended++
			return saml.LogoutSuccess, nil
		}
	})
	form := url.Values{"SAMLRequest": {w.signedLogout("LogoutRequest", "", "<saml:NameID>alice</saml:NameID>")}}
	rec := serve(h, logoutPost(usLogout, form))
	assert.Equal(t, http.StatusOK, rec.Code)
	assert.Equal(t, 1, ended)
	assert.Contains(t, rec.Body.String(), "SAMLResponse")
	assert.Contains(t, w.logs.String(), "saml logout not recorded")
}

// down is a store that doesn't answer.
type down struct{}

func (down) Add(context.Context, string, []byte, time.Time) error { return errors.New("down") }
func (down) Take(context.Context, string) ([]byte, error)         { return nil, errors.New("down") }
