package acs_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

const otherIdP = "https://idp.example/other"

// idps are known identity providers.
type idps map[string]*saml.IdP

func (m idps) IdP(entityID string) (*saml.IdP, error) {
	if idp := m[entityID]; idp != nil {
		return idp, nil
	}
	return nil, &saml.Error{Reason: saml.ReasonMetadataEntity, Got: entityID}
}

// severalWorld has two identity providers, which sign with the same key.
func severalWorld(t *testing.T) (*world, idps) {
	known := idps{}
	w := newWorld(t, func(c *saml.Config) { c.IdP, c.IdPs = nil, known })
	known[idpID], known[otherIdP] = w.idpNamed(idpID), w.idpNamed(otherIdP)
	return w, known
}

// chosen chooses by the request's query.
func chosen(cfg *acs.Config) {
	cfg.ChooseIdP = func(r *http.Request) string { return r.URL.Query().Get("idp") }
}

// I01, I11: each identity provider answers its own requests only, even if it has the other's key. Their assertions
// may have the same ID.
// Obligations: IIP-SP05, SDP-SP16, SDP-SP20.
func TestSeveralIdPs(t *testing.T) {
	w, _ := severalWorld(t)
	us, b := w.region("us-east-1", chosen), w.browser()
	first, second := b.login(us, usACS, "?idp="+idpID), b.login(us, usACS, "?idp="+otherIdP)
	a := w.good(usACS, first.id)
	a.issuer = otherIdP
	v := w.refused(b.answer(us, a, first.relayState), http.StatusForbidden, saml.ReasonIdP)
	require.Empty(t, v.IdP, "its signature is not even verified")
	require.Contains(t, v.Want, otherIdP)
	a.issuer = idpID
	require.Equal(t, idpID, w.accepted(b.answer(us, a, first.relayState)).Assertion.Issuer())

	require.Equal(t, idpID, w.lastVerdict().IdP)
	same := w.good(usACS, second.id)
	same.issuer, same.assertionID = otherIdP, a.assertionID
	require.Equal(t, otherIdP, w.accepted(b.answer(us, same, second.relayState)).Assertion.Issuer())
	w.refused(b.answer(us, same, second.relayState), http.StatusForbidden, saml.ReasonInResponseTo)
}

// I08, I09: an identity provider that is unknown, or that left, signs no user in.
func TestUnknownIdPs(t *testing.T) {
	w, known := severalWorld(t)
	us, b := w.region("us-east-1", chosen, accept), w.browser()
	rec := b.get(us, "https://us-east-1.signin.example/login?idp=https://idp.unknown.example")
	require.Equal(t, http.StatusForbidden, rec.Code)
	require.Contains(t, rec.Body.String(), "not known here")
	require.NotContains(t, rec.Body.String(), "unknown.example")
	require.Empty(t, b.cookies, "nothing is stored")
	rec = b.get(us, "https://us-east-1.signin.example/login")
	require.Equal(t, http.StatusInternalServerError, rec.Code, "no identity provider is chosen")

	req := b.login(us, usACS, "?idp="+idpID)
	delete(known, idpID)
	w.refused(b.answer(us, w.good(usACS, req.id), req.relayState), http.StatusForbidden, saml.ReasonMetadataEntity)
	known[idpID] = w.idpMetadata()
	w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState))
	w.accepted(b.answer(us, w.good(usACS, ""), ""))
}

// FindIdP is called for the navigation that begins a sign-in, with the client's address, and never for a response.
func TestFindIdP(t *testing.T) {
	w, known := severalWorld(t)
	delete(known, otherIdP)
	var asked []string
	var fail error
	us := w.region("us-east-1", chosen, accept, func(cfg *acs.Config) {
		cfg.FindIdP = func(_ context.Context, id, client string) (*saml.IdP, error) {
			asked = append(asked, id+" "+client)
			if id == otherIdP && fail == nil {
				known[id] = w.idpNamed(id)
			}
			if fail != nil {
				return nil, fail
			}
			return known.IdP(id)
		}
	})
	b := w.browser()
	b.addr = "192.0.2.7:1234"
	unasked := w.good(usACS, "")
	unasked.issuer = otherIdP
	w.refused(b.answer(us, unasked, ""), http.StatusForbidden, saml.ReasonMetadataEntity)
	require.Empty(t, asked)

	r := post("https://us-east-1.signin.example/login?idp="+otherIdP, nil)
	r.Method = http.MethodGet
	r.Header.Set("Sec-Fetch-Dest", "iframe")
	require.Equal(t, http.StatusForbidden, b.do(us, r).Code)
	require.Empty(t, asked, "only a navigation may cause a fetch")

	req := b.login(us, usACS, "?idp="+otherIdP)
	require.Equal(t, []string{otherIdP + " 192.0.2.7:1234"}, asked)
	a := w.good(usACS, req.id)
	a.issuer = otherIdP
	w.accepted(b.answer(us, a, req.relayState))
	require.Len(t, asked, 1)

	const unavailable = http.StatusServiceUnavailable
	for _, c := range []struct {
		err    error
		status int
		reason string // in the log
	}{
		{errors.New("busy"), unavailable, "FindIdP"},
		{&saml.Error{Reason: saml.ReasonLimit}, unavailable, "FindIdP"}, // of the service's document
		{&saml.Error{Reason: saml.ReasonMetadata}, unavailable, "Metadata"},
		{&saml.Error{Reason: saml.ReasonMetadataExpired}, unavailable, "MetadataExpired"},
		{&saml.Error{Reason: saml.ReasonMetadataUnsigned}, unavailable, "MetadataUnsigned"},
		{&saml.Error{Reason: saml.ReasonMetadataSignature}, unavailable, "MetadataSignature"},
		{&saml.Error{Reason: saml.ReasonMetadataDuplicate}, unavailable, "MetadataDuplicate"},
		{&saml.Error{Reason: saml.ReasonMetadataEntity}, http.StatusForbidden, "MetadataEntity"},
	} {
		fail = c.err
		rec := b.get(us, "https://us-east-1.signin.example/login?idp="+otherIdP)
		require.Equal(t, c.status, rec.Code, c.reason)
		require.Equal(t, c.status == unavailable, rec.Header().Get("Retry-After") != "", c.reason)
		require.Contains(t, w.logs.String(), `"reason":"`+c.reason+`"`)
	}
}

// Restart is at the identity provider that sent the response.
func TestRestartAtTheSameIdP(t *testing.T) {
	w, _ := severalWorld(t)
	us, b := w.region("us-east-1", restart), w.browser()
	a := w.good(usACS, "")
	a.issuer = otherIdP
	req := w.redirected(b.answer(us, a, "/a"))
	answer := w.good(usACS, req.id)
	w.refused(b.answer(us, answer, req.relayState), http.StatusForbidden, saml.ReasonIdP)
	answer.issuer = otherIdP
	require.Equal(t, "/a", w.accepted(b.answer(us, answer, req.relayState)).ReturnTo)
}

// A sign-in at a chosen identity provider needs no ChooseIdP.
func TestLoginOptionsIdP(t *testing.T) {
	w, _ := severalWorld(t)
	cfg := w.regionConfig("us-east-1")
	chosen(&cfg)
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		region.StartLogin(rw, r, acs.LoginOptions{IdP: otherIdP})
	})
	b := w.browser()
	mux := w.region("us-east-1")
	req := w.redirected(b.get(h, "https://us-east-1.signin.example/?idp="+idpID))
	a := w.good(usACS, req.id)
	a.issuer = otherIdP
	w.accepted(b.answer(mux, a, req.relayState))
	require.False(t, strings.Contains(w.logs.String(), "not started"))
}
