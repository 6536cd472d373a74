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
// An assertion that answers a request first takes the request's record (Profiles 4.1.4.3), which can be
// found only with this browser's cookie. The request is then consumed, whatever the outcome. The
// assertion is recorded last, so that an attacker can't use up one that would have been refused.
//
// The RelayState of an unsolicited assertion was chosen by the author of the link: it is used as the
// place to return to only if allow permits it.
func (c *Consumer) admit(
	w http.ResponseWriter, r *http.Request, a *saml.Assertion, relayState string, waiting []waitingRequest,
) (*Login, error) {
	var request *requestRecord // nil: unsolicited
	returnTo := relayState
	switch {
	case a.InResponseTo() != "":
		var err error
		if request, err = c.takeRequest(w, r, a.InResponseTo(), waiting); err != nil {
			return nil, err
		}
		if err := c.checkAnswer(request, a, relayState); err != nil {
			return nil, err
		}
		returnTo = request.ReturnTo
	case c.cfg.Unsolicited != Accept: // Refuse and Restart don't get here
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
		RequestID: a.InResponseTo(), Unsolicited: request == nil,
	}, nil
}

// takeRequest takes the record of this browser's request from the store.
func (c *Consumer) takeRequest(
	w http.ResponseWriter, r *http.Request, id string, waiting []waitingRequest,
) (*requestRecord, error) {
	i := slices.IndexFunc(waiting, func(q waitingRequest) bool { return q.id == id })
	if i < 0 { // Verify was given no other IDs
		return nil, unknownRequest("no cookie has it")
	}
	raw, err := c.cfg.Store.Take(r.Context(), requestKey(id, waiting[i].secret))
	if errors.Is(err, ErrNotFound) {
		deleteCookie(w, id)
		return nil, unknownRequest("it was answered before, has expired, or is another browser's")
	}
	if err != nil {
		return nil, storeError("take the request", err)
	}
	deleteCookie(w, id)
	record := new(requestRecord)
	err = json.Unmarshal(raw, record)
	c.clients.end(c.cfg.ClientAddr(r), record.Request.At)
	if err != nil {
		return nil, storeError("decode the request's record", errors.New("invalid JSON"))
	}
	return record, nil
}

// checkAnswer compares an answer with the record of its request. Bindings 3.5.3 requires the RelayState
// back, but some identity providers drop it. An absent one is accepted: the signed InResponseTo and the
// cookie already name the request. A different one belongs to another request, and is refused.
func (c *Consumer) checkAnswer(record *requestRecord, a *saml.Assertion, relayState string) error {
	if relayState != "" && subtle.ConstantTimeCompare([]byte(record.RelayState), []byte(relayState)) != 1 {
		return newError(ReasonRelayState, "RelayState (Bindings 3.5.3)", "not the one that was sent with the request")
	}
	if err := a.CheckRequest(record.Request); err != nil {
		return err
	}
	// The store should have dropped it by now; it may round up.
	if age := c.cfg.SP.Now().Sub(record.Request.At); age > c.cfg.RequestLifetime {
		return unknownRequest("it has expired").
			compared("at most "+c.cfg.RequestLifetime.String(), age.Round(time.Second).String())
	}
	return nil
}

// since returns the instant since which the store has forgotten nothing; zero if it never forgets.
//
// It is asked after the assertion was added. If the store lost its memory before that, Since says so now.
// If it does so later, the next request that presents this assertion is told.
func (c *Consumer) since() time.Time {
	if s, ok := c.cfg.Store.(Rememberer); ok {
		return s.Since()
	}
	return time.Time{}
}

// checkMemory refuses what the store may have forgotten: an unsolicited assertion that was issued before the loss, and
// the answer to a request that was made before it. A store that went back to an older state, such as a promoted
// replica without the last writes, can have a used request again without the record of the assertion that answered it.
//
// A request that was made while Since was what it is now is newer than the loss, whatever the clocks say.
// Otherwise the request's instant decides, by our own clock, and not the assertion's: an identity provider
// that answers a request twice could otherwise have both answers admitted.
func (c *Consumer) checkMemory(request *requestRecord, a *saml.Assertion) error {
	since := c.since()
	switch {
	case request == nil && a.IssueInstant().Before(since):
		return newError(ReasonForgotten, ruleUsedOnce, "the store can't tell whether it was used before").
			compared("issued at or after "+stamp(since), stamp(a.IssueInstant()))
	case request != nil && !since.Equal(request.Since) && request.Request.At.Before(since):
		return newError(ReasonForgotten, ruleInResponseTo, "the store can't tell whether the request was answered before").
			compared("requested at or after "+stamp(since), stamp(request.Request.At))
	}
	return nil
}

// replayMargin is added to the allowed difference between clocks.
const replayMargin = time.Minute

// remember records that an assertion is used, or refuses one that was used before (Profiles 4.1.4.5). The
// record outlives the assertion at every node: Verify accepts until NotOnOrAfter plus skew, by the clock
// of a node that may be another skew behind the store's.
func (c *Consumer) remember(ctx context.Context, a *saml.Assertion) error {
	until := a.NotOnOrAfter().Add(2*c.cfg.SP.Skew() + replayMargin)
	at := []byte(stamp(c.cfg.SP.Now())) // for an operator who looks into the store
	err := c.cfg.Store.Add(ctx, assertionKey(a.Issuer(), a.ID()), at, until)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrExists):
		return newError(ReasonReplay, ruleUsedOnce, "the assertion was used before")
	}
	return storeError("record the assertion", err)
}

func unknownRequest(detail string) *Error { return newError(ReasonRequest, ruleInResponseTo, detail) }

func storeError(detail string, err error) error {
	return &Error{Reason: ReasonStore, Rule: "Config.Store", Detail: detail, Err: err}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
