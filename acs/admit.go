package acs

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// The rules that admit checks.
const (
	ruleInResponseTo = "InResponseTo (Profiles 4.1.4.3)"
	ruleUsedOnce     = "Used once (Profiles 4.1.4.5)"
	ruleUnsolicited  = "Config.Unsolicited"
)

// admit admits a verified assertion at most once, or refuses it. If the store can't answer, it refuses.
//
// If the assertion answers a request, admit first takes the request's record (Profiles 4.1.4.3), which can be
// found only with this browser's cookie. This consumes the request, whatever the outcome. If the response came for
// an artifact, the request was taken before that. The assertion is recorded last, so that a refused response doesn't
// consume it.
//
// An attacker can choose the RelayState of an unsolicited assertion. It is used as ReturnTo only if allow accepts
// it.
func (c *Consumer) admit(
	w http.ResponseWriter, r *http.Request, a *saml.Assertion, relayState string, pending []pendingRequest,
	taken *takenRequest,
) (*Login, error) {
	var request *requestRecord // nil: unsolicited
	restarted := false
	returnTo := relayState
	switch {
	case a.InResponseTo() != "":
		if taken == nil {
			var err error
			if taken, err = c.takeAnswered(w, r, a.InResponseTo(), pending); err != nil {
				return nil, err
			}
		}
		request, restarted = taken.record, taken.restarted
		if err := c.checkAnswer(request, a, relayState); err != nil {
			return nil, err
		}
		returnTo = request.ReturnTo
	case c.cfg.Unsolicited != Accept: // for safety: Refuse and Restart return earlier
		return nil, newError(ReasonUnsolicited, ruleUnsolicited, "").compared(Accept.String(), c.cfg.Unsolicited.String())
	}
	if err := c.remember(r.Context(), a); err != nil {
		return nil, err
	}
	if err := c.checkMemory(request, a); err != nil {
		return nil, err
	}
	return &Login{
		Assertion: a, Region: c.here.Region, ReturnTo: c.allowed.allow(returnTo),
		RequestID: a.InResponseTo(), Unsolicited: request == nil, Restarted: restarted,
	}, nil
}

// takeAnswered takes the request that a verified response answers. It no longer counts as pending.
func (c *Consumer) takeAnswered(
	w http.ResponseWriter, r *http.Request, id string, pending []pendingRequest,
) (*takenRequest, error) {
	i := slices.IndexFunc(pending, func(q pendingRequest) bool { return q.id == id })
	if i < 0 { // can't happen: Verify gets only these IDs
		return nil, unknownRequest("no cookie has this request")
	}
	record, err := c.takeRequest(w, r, pending[i])
	if err != nil {
		return nil, err
	}
	c.clients.end(c.cfg.ClientAddr(r), record.Request.At)
	return &takenRequest{record, pending[i].restarted}, nil
}

// takeRequest takes the record of this browser's request from the store.
func (c *Consumer) takeRequest(w http.ResponseWriter, r *http.Request, q pendingRequest) (*requestRecord, error) {
	raw, err := c.cfg.Store.Take(r.Context(), requestKey(q.id, q.secret))
	if errors.Is(err, ErrNotFound) {
		deleteCookie(w, q.id)
		return nil, unknownRequest("the request was answered before, has expired, or is another browser's")
	}
	if err != nil {
		return nil, storeError("take the request", err)
	}
	deleteCookie(w, q.id)
	record := new(requestRecord)
	if err := json.Unmarshal(raw, record); err != nil {
		return nil, storeError("decode the request's record", errRecord)
	}
	return record, nil
}

// checkAnswer compares an answer with the record of its request. Bindings 3.5.3 requires the identity provider to
// return the RelayState, but some drop it. An absent RelayState is accepted, because the signed InResponseTo and
// the cookie identify the request. A different RelayState is refused.
func (c *Consumer) checkAnswer(record *requestRecord, a *saml.Assertion, relayState string) error {
	if relayState != "" && subtle.ConstantTimeCompare([]byte(record.RelayState), []byte(relayState)) != 1 {
		return newError(ReasonRelayState, "RelayState (Bindings 3.5.3)", "differs from the RelayState of the request")
	}
	if err := a.CheckRequest(record.Request); err != nil {
		return err
	}
	// A store that rounds lifetimes up can still have it.
	if age := c.cfg.SP.Now().Sub(record.Request.At); age > c.cfg.RequestLifetime {
		return unknownRequest("the request has expired").
			compared("at most "+c.cfg.RequestLifetime.String(), age.Round(time.Second).String())
	}
	return nil
}

// since returns the instant since which the store has forgotten nothing, or zero if it never forgets.
//
// It is called after the assertion was added. If the store lost records before that, Since has moved already. If
// the store loses records later, Since will have moved when this assertion is presented again.
func (c *Consumer) since() time.Time {
	if s, ok := c.cfg.Store.(Rememberer); ok {
		return s.Since()
	}
	return time.Time{}
}

// checkMemory refuses an unsolicited assertion that was issued before the store lost records, and an answer to a
// request that was made before. A store that went back to an older state, such as a promoted replica without the
// last writes, can have a consumed request again, but not the record of the assertion that answered it.
//
// If Since has the same value as when the request was made, the request is newer than the loss, and clocks don't
// matter. Otherwise the request's instant decides, which is by our own clock. The assertion's instant doesn't
// count: an identity provider that answers a request twice could then have both answers admitted.
func (c *Consumer) checkMemory(request *requestRecord, a *saml.Assertion) error {
	since := c.since()
	switch {
	case request == nil && a.IssueInstant().Before(since):
		return newError(ReasonForgotten, ruleUsedOnce, "the assertion may have been used before the store lost records").
			compared("issued at or after "+stamp(since), stamp(a.IssueInstant()))
	case request != nil && !since.Equal(request.Since) && request.Request.At.Before(since):
		return newError(ReasonForgotten, ruleInResponseTo,
			"the request may have been answered before the store lost records").
			compared("requested at or after "+stamp(since), stamp(request.Request.At))
	}
	return nil
}

// replayMargin is added to the allowed difference between clocks.
const replayMargin = time.Minute

// remember records an assertion as used, or refuses one that was used before (Profiles 4.1.4.5). The record
// outlives the assertion on every node: Verify accepts an assertion until NotOnOrAfter plus skew, and a node's
// clock may be another skew behind the store's.
func (c *Consumer) remember(ctx context.Context, a *saml.Assertion) error {
	until := a.NotOnOrAfter().Add(2*c.cfg.SP.Skew() + replayMargin)
	at := []byte(stamp(c.cfg.SP.Now())) // for an operator who inspects the store
	err := c.cfg.Store.Add(ctx, assertionKey(a.Issuer(), a.ID()), at, until)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrExists):
		return newError(ReasonReplay, ruleUsedOnce, "the assertion was used before")
	}
	return storeError("record the assertion", err)
}

// errRecord has no part of the record, which could be personal data.
var errRecord = errors.New("invalid JSON, or of a newer version")

func unknownRequest(detail string) *Error { return newError(ReasonRequest, ruleInResponseTo, detail) }

func storeError(detail string, err error) error {
	return &Error{Reason: ReasonStore, Rule: "Config.Store", Detail: detail, Err: err}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
