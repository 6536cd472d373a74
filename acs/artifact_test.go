package acs_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// A response by artifact signs in as one by POST does: brought by GET or POST, and asked for or not.
func TestArtifactSignIn(t *testing.T) {
	w, idp := artifactWorld(t)
	us := w.region("us-east-1", reachable)
	for name, bring := range map[string]func(*browser, string, string) *httptest.ResponseRecorder{
		"GET": func(b *browser, artifact, relay string) *httptest.ResponseRecorder {
			return b.bring(us, artifact, relay)
		},
		"POST": func(b *browser, artifact, relay string) *httptest.ResponseRecorder {
			return b.post(us, usACS, url.Values{"SAMLart": {artifact}, "RelayState": {relay}})
		},
	} {
		before, b := idp.calls.Load(), w.browser()
		request := b.login(us, usACS, "?return_to=/page")
		login := w.accepted(bring(b, idp.send(w.good(usACS, request.id)), request.relayState))
		require.Equal(t, "/page", login.ReturnTo, name)
		require.Equal(t, request.id, login.RequestID)
		require.False(t, login.Unsolicited)
		require.Equal(t, acs.FlowSP, w.lastVerdict().Flow)
		require.Empty(t, b.cookies, "the request is answered")
		require.Equal(t, before+1, idp.calls.Load())

		request = b.login(us, usACS, "")
		w.accepted(b.answer(us, w.good(usACS, request.id), request.relayState)) // HTTP-POST at the same URL
	}
}

func TestArtifactIsAskedFor(t *testing.T) {
	w, _ := artifactWorld(t)
	us := w.region("us-east-1", func(c *acs.Config) {
		c.LoginOptions = func(*http.Request) acs.LoginOptions {
			return acs.LoginOptions{ResponseBinding: saml.HTTPArtifact, Binding: saml.HTTPRedirect}
		}
	})
	rec := w.browser().get(us, "https://us-east-1.signin.example/login")
	to, err := url.Parse(rec.Header().Get("Location"))
	require.NoError(t, err)
	require.Contains(t, inflated(t, to.Query().Get("SAMLRequest")), `ProtocolBinding="`+saml.HTTPArtifact+`"`)
}

// Of several pending requests, the RelayState says which one the artifact answers. The others stay.
func TestArtifactAmongSeveralRequests(t *testing.T) {
	w, idp := artifactWorld(t)
	us, b := w.region("us-east-1", reachable), w.browser()
	first, second := b.login(us, usACS, "?return_to=/1"), b.login(us, usACS, "?return_to=/2")
	require.Equal(t, "/2", w.accepted(b.bring(us, idp.send(w.good(usACS, second.id)), second.relayState)).ReturnTo)
	require.Equal(t, "/1", w.accepted(b.bring(us, idp.send(w.good(usACS, first.id)), first.relayState)).ReturnTo)

	first, second = b.login(us, usACS, ""), b.login(us, usACS, "")
	v := w.refused(b.bring(us, idp.send(w.good(usACS, first.id)), second.relayState),
		http.StatusForbidden, saml.ReasonInResponseTo)
	require.Equal(t, first.id, v.Got, "the answer to the other request")
}

// D52, H06: an artifact is used once, in sequence and at once on several nodes. It is recorded before it is resolved.
func TestH06_ArtifactTwice(t *testing.T) {
	w, idp := artifactWorld(t)
	us, b := w.region("us-east-1", reachable), w.browser()
	request := b.login(us, usACS, "")
	same, artifact := b.copy(), idp.send(w.good(usACS, request.id))
	w.accepted(b.bring(us, artifact, request.relayState))
	w.refused(same.bring(us, artifact, request.relayState), http.StatusForbidden, acs.ReasonReplay)
	require.EqualValues(t, 1, idp.calls.Load())

	const nodes = 8
	var regions [nodes]http.Handler
	var browsers [nodes]*browser
	request = b.login(us, usACS, "")
	artifact = idp.send(w.good(usACS, request.id))
	for i := range nodes {
		regions[i], browsers[i] = w.region("us-east-1", reachable), b.copy()
	}
	var codes [nodes]int
	concurrently(nodes, func(i int) { codes[i] = browsers[i].bring(regions[i], artifact, request.relayState).Code })
	let := 0
	for _, code := range codes {
		if code == http.StatusSeeOther {
			let++
		}
	}
	require.Equal(t, 1, let, "%v", codes)
	require.EqualValues(t, 2, idp.calls.Load())
	replays := 0
	for _, v := range w.verdicts[len(w.verdicts)-nodes:] {
		if v.Reason == string(acs.ReasonReplay) {
			replays++
		}
	}
	require.Equal(t, nodes-1, replays)
}

// H07: an artifact whose resolution failed is used, too. The user signs in again with another.
func TestH07_ArtifactAfterAFailure(t *testing.T) {
	w, idp := artifactWorld(t)
	us, b := w.region("us-east-1", reachable), w.browser()
	request := b.login(us, usACS, "")
	same, artifact := b.copy(), idp.send(w.good(usACS, request.id))
	idp.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	w.refused(b.bring(us, artifact, request.relayState), http.StatusServiceUnavailable, acs.ReasonSOAP)
	idp.instead.Store(nil)
	w.refused(same.bring(us, artifact, request.relayState), http.StatusForbidden, acs.ReasonReplay)
	require.EqualValues(t, 1, idp.calls.Load())

	request = b.login(us, usACS, "")
	w.accepted(b.bring(us, idp.send(w.good(usACS, request.id)), request.relayState))
}

// K03: without a request of this browser that waits, no call leaves, and nothing is stored.
func TestK03_Invariant17_ArtifactWithoutARequest(t *testing.T) {
	w, idp := artifactWorld(t)
	store := acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now})
	w.store = store
	us, b := w.region("us-east-1", reachable), w.browser()
	request := b.login(us, usACS, "")
	expired := b.copy()
	stored := acs.Len(store)
	artifact := idp.send(w.good(usACS, request.id))

	w.refused(w.browser().bring(us, artifact, request.relayState), http.StatusForbidden, acs.ReasonRequest)
	for _, relayState := range []string{"", "x", strings.Repeat("0", 32)} {
		w.refused(b.bring(us, artifact, relayState), http.StatusForbidden, acs.ReasonRelayState)
	}
	forged := w.browser()
	id := request.id[:len(request.id)-1] + "x"
	secret := strings.Repeat("A", 43)
	forged.cookies[acs.CookiePrefix+id] = fmt.Sprintf("%d.%s.u", w.clock.Now().Unix(), secret)
	w.refused(forged.bring(us, artifact, acs.Hashed("relay", id, secret)[:32]), http.StatusForbidden, acs.ReasonRequest)
	for n := range 20 {
		w.refused(w.browser().bring(us, artifactOf(idpID, 1000+n), ""), http.StatusForbidden, acs.ReasonRequest)
	}
	require.Zero(t, idp.calls.Load())
	require.Equal(t, stored, acs.Len(store))

	w.accepted(b.bring(us, artifact, request.relayState))
	w.clock.Advance(16 * time.Minute)
	w.refused(expired.bring(us, artifactOf(idpID, 999), request.relayState), http.StatusForbidden, acs.ReasonRequest)
	require.EqualValues(t, 1, idp.calls.Load())
}

// D52, H01 to H03: a malformed artifact, an unknown source or address is refused before anything is sent or consumed.
func TestArtifactsThatLeadNowhere(t *testing.T) {
	w, idp := artifactWorld(t)
	us, b := w.region("us-east-1", reachable), w.browser()
	request := b.login(us, usACS, "")
	good := idp.send(w.good(usACS, request.id))
	for name, c := range map[string]struct {
		artifact string
		reason   saml.Reason
	}{
		"H01 not base64":                   {"AAQ!", saml.ReasonArtifactFormat},
		"H01 another type":                 {octetsOf(good, func(b []byte) { b[1] = 3 }), saml.ReasonArtifactFormat},
		"H02 unknown source":               {artifactOf(otherIdP, 1), saml.ReasonArtifactSource},
		"H03 an index that metadata lacks": {octetsOf(good, index(0)), saml.ReasonArtifactSource},
	} {
		v := w.refused(b.bring(us, c.artifact, request.relayState), http.StatusForbidden, c.reason)
		require.NotContains(t, fmt.Sprint(v), c.artifact, name)
	}
	require.Zero(t, idp.calls.Load())
	w.accepted(b.bring(us, good, request.relayState))
}

// H17: an artifact of one identity provider does not answer a request to another.
func TestH17_ArtifactOfAnotherIdP(t *testing.T) {
	known := sources{}
	w, idp := artifactWorld(t, func(c *saml.Config) { c.IdP, c.IdPs = nil, known })
	known[idpID], known[otherIdP] = artifactIdP(t, idpID, idp.url), artifactIdP(t, otherIdP, idp.url)
	us, b := w.region("us-east-1", reachable, chosen), w.browser()
	request := b.login(us, usACS, "?idp="+url.QueryEscape(otherIdP))
	w.refused(b.bring(us, artifactOf(idpID, 1), request.relayState), http.StatusForbidden, saml.ReasonIdP)
	require.Zero(t, idp.calls.Load())
	request = b.login(us, usACS, "?idp="+url.QueryEscape(idpID))
	w.accepted(b.bring(us, idp.send(w.good(usACS, request.id)), request.relayState))
}

// sources are identity providers that are found by SourceID, too.
type sources map[string]*saml.IdP

func (m sources) IdP(entityID string) (*saml.IdP, error) { return idps(m).IdP(entityID) }

func (m sources) SourceIdP(id saml.SourceID) (*saml.IdP, error) {
	for entityID, idp := range m {
		if saml.SourceIDOf(entityID) == id {
			return idp, nil
		}
	}
	return nil, &saml.Error{Reason: saml.ReasonArtifactSource}
}

// H18: an artifact is one parameter, in the query of a GET or in the form of a POST.
func TestH18_OneArtifactInOnePlace(t *testing.T) {
	w, idp := artifactWorld(t)
	us, b := w.region("us-east-1", reachable), w.browser()
	request := b.login(us, usACS, "")
	artifact := idp.send(w.good(usACS, request.id))
	good := query(artifact, request.relayState)
	response := url.Values{"SAMLResponse": {w.idp.encode(w.good(usACS, request.id))}}.Encode()
	form := func(to, body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, to, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	get := func(query string) *http.Request { return httptest.NewRequest(http.MethodGet, usACS+query, nil) }
	for name, r := range map[string]*http.Request{
		"with a response in the form":        form(usACS, good+"&"+response),
		"with an empty response":             form(usACS, good+"&SAMLResponse="),
		"twice in the form":                  form(usACS, good+"&SAMLart="+url.QueryEscape(artifact)),
		"in query and form":                  form(usACS+"?"+good, good),
		"in the query of a POST":             form(usACS+"?"+good, ""),
		"a response in the form of a query":  form(usACS+"?"+good, response),
		"twice in the query":                 get("?" + good + "&SAMLart=x"),
		"twice, once encoded":                get("?" + good + "&%53AMLart=x"),
		"with a response in the query":       get("?" + good + "&" + response),
		"two RelayStates":                    get("?" + good + "&RelayState=x"),
		"a response in the query of a GET":   get("?" + response),
		"nothing":                            get(""),
		"an empty one":                       get("?SAMLart="),
		"invalid percent-encoding":           get("?SAMLart=%zz"),
		"a request beside it":                get("?" + good + "&SAMLRequest=x"),
		"an empty artifact and a response":   form(usACS, "SAMLart=&"+response),
		"an empty artifact and RelayState":   form(usACS, "SAMLart=&RelayState=x"),
		"in the form, with an empty query's": form(usACS+"?SAMLart=", good),
	} {
		t.Run(name, func(t *testing.T) { w.refused(b.copy().do(us, r), http.StatusBadRequest, acs.ReasonForm) })
	}
	require.Zero(t, idp.calls.Load())
	w.accepted(b.do(us, get("?"+good+"&other=1")))
}

// H18: what is not a navigation of the user uses up nothing.
func TestH18_InvisibleRequestsUseNoArtifact(t *testing.T) {
	w, idp := artifactWorld(t)
	us, b := w.region("us-east-1", reachable), w.browser()
	request := b.login(us, usACS, "")
	to := usACS + "?" + query(idp.send(w.good(usACS, request.id)), request.relayState)
	for _, h := range [][2]string{
		{"Sec-Purpose", "prefetch"}, {"Sec-Fetch-Dest", "iframe"}, {"Sec-Fetch-Dest", "image"}, {"Sec-Fetch-Mode", "no-cors"},
	} {
		r := httptest.NewRequest(http.MethodGet, to, nil)
		r.Header.Set(h[0], h[1])
		w.refused(b.do(us, r), http.StatusForbidden, acs.ReasonNavigation)
	}
	rec := b.do(us, httptest.NewRequest(http.MethodHead, to, nil))
	w.refused(rec, http.StatusMethodNotAllowed, acs.ReasonMethod)
	require.Equal(t, "GET, POST", rec.Header().Get("Allow"))
	require.Zero(t, idp.calls.Load())
	w.accepted(b.get(us, to))
}

// An ACS URL without an ArtifactIndex takes no artifacts, as before.
func TestArtifactWhereNoneIsTaken(t *testing.T) {
	w, idp := artifactWorld(t, func(c *saml.Config) { c.ACS[0].ArtifactIndex = nil })
	us, b := w.region("us-east-1", reachable), w.browser()
	request := b.login(us, usACS, "")
	artifact := idp.send(w.good(usACS, request.id))
	rec := b.bring(us, artifact, request.relayState)
	w.refused(rec, http.StatusMethodNotAllowed, acs.ReasonMethod)
	require.Equal(t, "POST", rec.Header().Get("Allow"))
	w.refused(b.post(us, usACS, url.Values{"SAMLart": {artifact}}), http.StatusBadRequest, acs.ReasonForm)
	require.Zero(t, idp.calls.Load())
}

// D52, H14: what is not an answer by SOAP is refused, and no redirect is followed.
func TestH14_AnswersThatAreNotSOAP(t *testing.T) {
	w, idp := artifactWorld(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed")
	}))
	defer elsewhere.Close()
	us, b := w.region("us-east-1", reachable), w.browser()
	send := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"a Fault":              send(500, "text/xml", soapFault),
		"a Fault with 200":     send(200, "text/xml", soapFault),
		"500":                  send(500, "text/html", "<html>"),
		"302":                  send(302, "text/xml", ""),
		"307":                  send(307, "text/xml", ""),
		"HTML":                 send(200, "text/html", "<html>"),
		"another Content-Type": send(200, "application/json", soapAnswer),
	} {
		t.Run(name, func(t *testing.T) {
			idp.handle(h)
			request := b.login(us, usACS, "")
			v := w.refused(b.bring(us, idp.send(w.good(usACS, request.id)), request.relayState),
				http.StatusServiceUnavailable, acs.ReasonSOAP)
			require.Empty(t, v.IdP)
		})
	}
	idp.instead.Store(nil)
	request := b.login(us, usACS, "")
	w.accepted(b.bring(us, idp.send(w.good(usACS, request.id)), request.relayState))
}

// H16: an answer that doesn't come, or doesn't end, ends at the deadline or the limit. Other sign-ins go on meanwhile.
func TestH16_SlowAndEndlessAnswers(t *testing.T) {
	w, idp := artifactWorld(t)
	waiting, done := make(chan struct{}, 1), make(chan struct{})
	defer close(done)
	us := w.region("us-east-1", reachable, func(c *acs.Config) {
		c.SOAP.Timeout, c.MaxBody = 500*time.Millisecond, 64<<10
	})
	b, other := w.browser(), w.browser()

	idp.handle(func(_ http.ResponseWriter, r *http.Request) {
		waiting <- struct{}{}
		select {
		case <-done:
		case <-r.Context().Done():
		}
	})
	request, second := b.login(us, usACS, ""), other.login(us, usACS, "")
	artifact := idp.send(w.good(usACS, request.id))
	rec := make(chan *httptest.ResponseRecorder)
	go func() { rec <- b.bring(us, artifact, request.relayState) }()
	<-waiting
	w.accepted(other.answer(us, w.good(usACS, second.id), second.relayState))
	w.refused(<-rec, http.StatusServiceUnavailable, acs.ReasonSOAP)

	idp.handle(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte(strings.Repeat(" ", 4096))); err != nil {
				return
			}
		}
	})
	request = b.login(us, usACS, "")
	w.refused(b.bring(us, idp.send(w.good(usACS, request.id)), request.relayState),
		http.StatusServiceUnavailable, acs.ReasonSOAP)
}

// H22: the identity provider gives nothing to a request whose signature it can't verify.
func TestH22_ArtifactResolveOfAnotherKey(t *testing.T) {
	w, idp := artifactWorld(t, func(c *saml.Config) {
		c.Key = idpKeyOf(c)
		c.Certificate = newFakeIdP(idpID, c.Now()).cert
	})
	us, b := w.region("us-east-1", reachable), w.browser()
	request := b.login(us, usACS, "")
	v := w.refused(b.bring(us, idp.send(w.good(usACS, request.id)), request.relayState),
		http.StatusForbidden, saml.ReasonNotResponse)
	require.Contains(t, v.Got, "none")
	require.EqualValues(t, 1, idp.calls.Load())
}

// What the answer says about the message is judged as in a POST, and the errors are those of package saml.
func TestArtifactOfABadResponse(t *testing.T) {
	w, idp := artifactWorld(t)
	us, b := w.region("us-east-1", reachable), w.browser()
	request := b.login(us, usACS, "")
	late := w.good(usACS, request.id)
	late.issued = late.issued.Add(-2 * time.Hour)
	w.refused(b.bring(us, idp.send(late), request.relayState), http.StatusForbidden, saml.ReasonExpired)
	unasked := w.browser()
	request = unasked.login(us, usACS, "")
	w.refused(unasked.bring(us, idp.send(w.good(usACS, "")), request.relayState),
		http.StatusForbidden, saml.ReasonUnsolicited)
	request = unasked.login(us, usACS, "")
	w.refused(unasked.bring(us, idp.send(w.good(euACS, request.id)), request.relayState),
		http.StatusForbidden, saml.ReasonRecipient)
}

// If the store doesn't answer, no call leaves.
func TestArtifactWithABrokenStore(t *testing.T) {
	w, idp := artifactWorld(t)
	broken := &brokenStore{Store: w.store}
	w.store = broken
	us, b := w.region("us-east-1", reachable), w.browser()
	request := b.login(us, usACS, "")
	artifact := idp.send(w.good(usACS, request.id))
	for _, fail := range []interface{ Store(bool) }{&broken.add, &broken.take} {
		fail.Store(true)
		w.refused(b.copy().bring(us, artifact, request.relayState), http.StatusServiceUnavailable, acs.ReasonStore)
		fail.Store(false)
	}
	require.Zero(t, idp.calls.Load())
}

// Unsolicited artifacts follow Config.Unsolicited.
func TestUnsolicitedArtifacts(t *testing.T) {
	w, idp := artifactWorld(t)
	unasked := func() string { return idp.send(w.good(usACS, "")) }
	w.refused(w.browser().bring(w.region("us-east-1", reachable), unasked(), ""), http.StatusForbidden, acs.ReasonRequest)
	require.Zero(t, idp.calls.Load())

	accepting := w.region("us-east-1", reachable, accept)
	artifact := unasked()
	login := w.accepted(w.browser().bring(accepting, artifact, "/page"))
	require.True(t, login.Unsolicited)
	require.Equal(t, "/page", login.ReturnTo)
	w.refused(w.browser().bring(accepting, artifact, ""), http.StatusForbidden, acs.ReasonReplay)
	require.EqualValues(t, 1, idp.calls.Load())

	b := w.browser()
	request := b.login(accepting, usACS, "")
	w.refused(b.bring(accepting, idp.send(w.good(usACS, request.id)), ""), http.StatusForbidden, saml.ReasonInResponseTo)

	rec := w.browser().bring(w.region("us-east-1", reachable, restart), unasked(), "/page")
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, string(acs.ReasonRestarted), w.lastVerdict().Reason)
	require.NotEmpty(t, w.redirected(rec).id)
}

// I05: an identity provider whose policy refuses unsolicited responses is not called for an artifact that answers none.
func TestUnsolicitedArtifactsOfARefusedIdP(t *testing.T) {
	known := sources{}
	w, idp := artifactWorld(t, func(c *saml.Config) { c.IdP, c.IdPs = nil, known })
	var err error
	known[idpID], err = artifactIdP(t, idpID, idp.url).WithPolicy(saml.IdPPolicy{RefuseUnsolicited: true})
	require.NoError(t, err)
	us, b := w.region("us-east-1", reachable, accept, chosen), w.browser()
	artifact := idp.send(w.good(usACS, ""))
	w.refused(b.bring(us, artifact, ""), http.StatusForbidden, acs.ReasonRequest)
	require.Zero(t, idp.calls.Load())

	request := b.login(us, usACS, "?idp="+url.QueryEscape(idpID))
	w.refused(b.bring(us, artifact, ""), http.StatusForbidden, acs.ReasonRelayState)
	require.Zero(t, idp.calls.Load())
	w.accepted(b.bring(us, idp.send(w.good(usACS, request.id)), request.relayState)) // it answers a request

	known[idpID] = artifactIdP(t, idpID, idp.url)
	w.accepted(b.bring(us, artifact, "")) // the twin, without the policy
}

// K03, invariant 17: unsolicited artifacts that lead to no sign-in have a limit by client and by identity provider.
func TestInvariant17_UnsolicitedArtifactsAreBounded(t *testing.T) {
	known := sources{}
	w, idp := artifactWorld(t, func(c *saml.Config) { c.IdP, c.IdPs = nil, known })
	known[idpID], known[otherIdP] = artifactIdP(t, idpID, idp.url), artifactIdP(t, otherIdP, idp.url)
	us := w.region("us-east-1", reachable, accept, chosen)
	b, neighbour := w.browser(), w.browser()
	b.addr, neighbour.addr = "198.51.100.1:1", "198.51.100.2:1"
	flood := func(b *browser, idp string) (called int) {
		for n := range 700 {
			if b.bring(us, artifactOf(idp, 10_000+n), ""); w.lastVerdict().Reason == string(acs.ReasonTooMany) {
				return n
			}
		}
		return 700
	}
	for range 100 {
		w.accepted(b.bring(us, idp.send(w.good(usACS, "")), "")) // these don't count
	}
	began := idp.calls.Load()
	called := flood(b, idpID)
	assert.Greater(t, called, 20)
	assert.Less(t, called, 100)
	assert.Equal(t, began+int64(called), idp.calls.Load())
	w.refused(b.bring(us, idp.send(w.good(usACS, "")), ""), http.StatusTooManyRequests, acs.ReasonTooMany)

	w.accepted(neighbour.bring(us, idp.send(w.good(usACS, "")), ""))
	require.Greater(t, flood(b, otherIdP), 20, "another identity provider has its own limit")
	request := b.login(us, usACS, "?idp="+url.QueryEscape(idpID))
	w.accepted(b.bring(us, idp.send(w.good(usACS, request.id)), request.relayState))
	w.clock.Advance(2 * time.Minute)
	w.accepted(b.bring(us, idp.send(w.good(usACS, "")), ""))
}

// Invariant 17: of many identity providers, too, because a federation has thousands.
func TestInvariant17_UnsolicitedArtifactsOfAllAreBounded(t *testing.T) {
	known := sources{}
	w, idp := artifactWorld(t, func(c *saml.Config) { c.IdP, c.IdPs = nil, known })
	known[idpID] = artifactIdP(t, idpID, idp.url)
	us := w.region("us-east-1", reachable, accept, chosen)
	b, neighbour := w.browser(), w.browser()
	b.addr, neighbour.addr = "198.51.100.1:1", "198.51.100.2:1"
	const others, each = 40, 15 // far below the limit of each
	for i := range others {
		name := fmt.Sprintf("https://idp-%d.example", i)
		known[name] = artifactIdP(t, name, idp.url)
		for n := range each {
			b.bring(us, artifactOf(name, n), "")
		}
	}
	called := idp.calls.Load()
	assert.Greater(t, called, int64(others*each/4))
	assert.Less(t, called, int64(others*each*3/4))
	require.Equal(t, string(acs.ReasonTooMany), w.lastVerdict().Reason)
	w.accepted(neighbour.bring(us, idp.send(w.good(usACS, "")), ""))
	w.clock.Advance(2 * time.Minute)
	w.accepted(b.bring(us, idp.send(w.good(usACS, "")), ""))
}

// Invariant 17: a client whose artifacts fail has used up as much as one that leaves its requests pending.
func TestInvariant17_FailedArtifactsCountAsPending(t *testing.T) {
	w, idp := artifactWorld(t)
	store := acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now, MaxRequests: 100})
	w.store = store
	us := w.region("us-east-1", reachable)
	b := w.browser()
	fails := 0
	for ; fails < 100; fails++ {
		rec := b.get(us, "https://us-east-1.signin.example/login")
		if rec.Code != http.StatusSeeOther {
			break
		}
		request := w.redirected(rec)
		w.refused(b.bring(us, artifactOf(idpID, 5000+fails), request.relayState),
			http.StatusForbidden, saml.ReasonNotResponse)
	}
	require.Less(t, fails, 20)
	require.Equal(t, string(acs.ReasonTooMany), w.lastLogReason())
	require.EqualValues(t, fails, idp.calls.Load())
}

// Several ACS URLs of one path are told apart by their query, also where an artifact is added to it.
func TestArtifactAtAnACSWithAQuery(t *testing.T) {
	const one, two = usACS + "?tenant=1", usACS + "?tenant=2"
	w, idp := artifactWorld(t, func(c *saml.Config) {
		c.ACS = []saml.Endpoint{
			{URL: one, Region: "us-east-1", ArtifactIndex: new(uint16(1000))},
			{URL: two, Region: "us-east-1", ArtifactIndex: new(uint16(1001))},
		}
	})
	us, b := w.region("us-east-1", reachable, accept), w.browser()
	for _, to := range []string{one, two} {
		login := w.accepted(b.get(us, to+"&"+query(idp.send(w.good(to, "")), "")))
		require.Equal(t, to, login.Assertion.ACS().URL)
	}
	rec := b.get(us, usACS+"?tenant=3&"+query(idp.send(w.good(one, "")), ""))
	w.refused(rec, http.StatusMisdirectedRequest, acs.ReasonHost)
}

// J19: a response by HTTP-POST-SimpleSign has no signature in its XML, and is refused as unsigned.
func TestJ19_SimpleSign(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1"), w.browser()
	request := b.login(us, usACS, "")
	a := w.good(usACS, request.id)
	form := w.form(a, request.relayState)
	for name, value := range map[string]string{
		"SigAlg": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "Signature": "AAAA", "KeyInfo": "AAAA",
	} {
		form.Set(name, value)
	}
	signed := form.Get("SAMLResponse")
	form.Set("SAMLResponse", withoutSignatures(t, signed))
	w.refused(b.post(us, usACS, form), http.StatusForbidden, saml.ReasonUnsigned)
	form.Set("SAMLResponse", signed)
	w.accepted(b.post(us, usACS, form))
}
