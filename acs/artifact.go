package acs

import (
	"context"
	"crypto/subtle"
	"errors"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

const ruleArtifact = "Artifact (Bindings 3.6.5)"

// takenRequest is a pending request that was taken from the store before its answer arrived.
type takenRequest struct {
	record    *requestRecord
	restarted bool // Restart began it
}

// resolve gets the response for an artifact from the identity provider, and verifies it. Any client can make
// artifacts, so a call is made only for a pending request of this browser, which it consumes, or for one of the few
// unsolicited artifacts that are allowed. The request is the one to which the RelayState belongs: only the browser and
// the identity provider know that, so another site's page can't consume a request. The result has the request, or nil
// if the artifact is unsolicited.
func (c *Consumer) resolve(
	w http.ResponseWriter, r *http.Request, in input, pending []pendingRequest, held *holding,
) (*saml.Assertion, *takenRequest, error) {
	artifact, err := c.cfg.SP.ParseArtifact(in.artifact)
	if err != nil {
		return nil, nil, err
	}
	asked, err := c.askedFor(artifact, in.relayState, pending)
	if err != nil {
		return nil, nil, err
	}
	addr, now := c.cfg.ClientAddr(r), c.cfg.SP.Now()
	if asked == nil && !c.unsolicited.begin(artifact.IdP(), addr, now) {
		return nil, nil, newError(ReasonTooMany, ruleUnsolicited,
			"the artifacts that answer no request use up the limit of this address, its identity provider or all").
			compared("", addr)
	}
	// Before the records, which are kept if there is no room for the call.
	call, err := c.soap.begin(artifact.IdP(), addr)
	if err != nil {
		return nil, nil, err
	}
	defer call.release()
	taken, err := c.takeArtifact(w, r, artifact, asked)
	if err != nil {
		return nil, nil, err
	}
	resolve, err := c.cfg.SP.NewArtifactResolve(artifact)
	if err != nil {
		return nil, nil, err
	}
	envelope, err := resolve.Envelope()
	if err != nil {
		return nil, nil, err
	}
	answer, err := call.post(r.Context(), resolve.URL(), envelope, held)
	if err != nil {
		return nil, nil, err
	}
	want := saml.VerifyOptions{ACS: c.here.URL, RequestIDs: []string{}, Unsolicited: asked == nil}
	if asked != nil {
		want.RequestIDs = []string{asked.id}
	}
	assertion, err := c.cfg.SP.VerifyArtifactResponse(answer, resolve.Record(), want)
	if err != nil {
		return nil, nil, err
	}
	if asked == nil {
		c.unsolicited.end(artifact.IdP(), addr, now)
	} else {
		c.clients.end(addr, taken.record.Request.At)
	}
	return assertion, taken, nil
}

// askedFor returns the pending request that the artifact may answer, or nil if it may be unsolicited.
func (c *Consumer) askedFor(
	artifact *saml.Artifact, relayState string, pending []pendingRequest,
) (*pendingRequest, error) {
	toIdP, toAnother := false, false
	for i, q := range pending {
		switch {
		case q.isDiscovery():
		case !artifact.Answers(q.id):
			toAnother = true
		case subtle.ConstantTimeCompare([]byte(relayState), []byte(q.relayState())) == 1:
			return &pending[i], nil
		default:
			toIdP = true
		}
	}
	switch {
	case c.cfg.Unsolicited != Refuse && artifact.MayBeUnsolicited():
		return nil, nil
	case toIdP:
		return nil, newError(ReasonRelayState, "RelayState (Bindings 3.6.5.1)",
			"is not that of a pending request to this identity provider, so the artifact answers none")
	case toAnother:
		return nil, newError(Reason(saml.ReasonIdP), ruleArtifact, "the pending requests were made to others").
			compared("a request made to "+artifact.IdP(), "requests to others")
	}
	return nil, newError(ReasonRequest, ruleArtifact, "no request of this browser waits for it")
}

// takeArtifact records that an artifact is used (Bindings 3.6.5.2), and takes the request that it answers. If the
// request is not pending any more, the record is removed, so that an unauthenticated client stores nothing. A request
// counts as pending for its client until the answer is verified, which bounds the records of artifacts that fail.
func (c *Consumer) takeArtifact(
	w http.ResponseWriter, r *http.Request, artifact *saml.Artifact, asked *pendingRequest,
) (*takenRequest, error) {
	now := c.cfg.SP.Now()
	key := KeyPrefixAssertion + hashed("artifact", artifact.IdP(), artifact.Value())
	err := c.cfg.Store.Add(r.Context(), key, []byte(stamp(now)), now.Add(c.cfg.RequestLifetime))
	switch {
	case errors.Is(err, ErrExists):
		return nil, newError(ReasonReplay, ruleArtifact, "the artifact was used before")
	case err != nil:
		return nil, storeError("record the artifact", err)
	case asked == nil:
		return nil, nil
	}
	record, err := c.takeRequest(w, r, *asked)
	if err != nil {
		_, _ = c.cfg.Store.Take(context.WithoutCancel(r.Context()), key)
		return nil, err
	}
	return &takenRequest{record, asked.restarted}, nil
}

const (
	// maxUnsolicited bounds the unsolicited artifacts of one identity provider in unsolicitedSpan that lead to no
	// sign-in. A client address can have about a tenth of it, as of pending requests: see [clients].
	maxUnsolicited = 600
	// maxUnsolicitedOfAll likewise bounds those of all identity providers together. A federation has thousands, and
	// each artifact costs a call and a record.
	maxUnsolicitedOfAll = 5 * maxUnsolicited
	unsolicitedSpan     = time.Minute

	maxIdle = 1000 // identity providers whose empty counts are kept
)

// unsolicitedArtifacts bounds the artifacts that answer no request, because each causes a call. Each node counts its
// own.
type unsolicitedArtifacts struct {
	all *clients

	mu sync.Mutex
	by map[string]*clients // by the entity ID of a known identity provider; guarded by mu
}

func newUnsolicitedArtifacts() *unsolicitedArtifacts {
	return &unsolicitedArtifacts{all: newClients(maxUnsolicitedOfAll, unsolicitedSpan), by: make(map[string]*clients)}
}

// begin reports whether addr may present an artifact of an identity provider now, and counts it if so.
func (u *unsolicitedArtifacts) begin(idp, addr string, now time.Time) bool {
	if !u.of(idp, now).begin(addr, InitiatorUser, now) {
		return false
	}
	if !u.all.begin(addr, InitiatorUser, now) {
		u.of(idp, now).end(addr, now)
		return false
	}
	return true
}

// end removes an artifact from the counts, because its response was verified.
func (u *unsolicitedArtifacts) end(idp, addr string, began time.Time) {
	u.of(idp, began).end(addr, began)
	u.all.end(addr, began)
}

func (u *unsolicitedArtifacts) of(idp string, now time.Time) *clients {
	u.mu.Lock()
	defer u.mu.Unlock()
	c := u.by[idp]
	if c == nil {
		if len(u.by) >= maxIdle {
			maps.DeleteFunc(u.by, func(_ string, c *clients) bool { return c.idle(now) })
		}
		c = newClients(maxUnsolicited, unsolicitedSpan)
		u.by[idp] = c
	}
	return c
}
