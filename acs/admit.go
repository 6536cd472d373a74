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

// admit lets in an assertion that was proved, at most once, or refuses it. It
// fails closed: if the store can't answer, it refuses.
//
// An assertion that answers a request takes the request's record first
// (Profiles 4.1.4.3). It can be found only with this browser's cookie, so
// another browser finds nothing and uses up nothing. From there on the request
// is spent, whatever comes out: an answer that is wrong in any way is not
// followed by a second try. The assertion is remembered last, when all else
// holds, so that an attacker can't use up one that would not have been admitted.
//
// An assertion that answers no request has nothing to take; what was proved
// about it is all there is. Its RelayState was chosen by the author of the link,
// so it is a place to go to only where any such place is harmless; otherwise it
// is nothing.
func (c *Consumer) admit(w http.ResponseWriter, r *http.Request, a *saml.Assertion, relayState string, waiting []waitingRequest) (*Login, error) {
	var request *requestRecord // nil: it answers none
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
	case c.cfg.Unsolicited != Accept: // Verify has refused it for Refuse, and it was dropped for Restart
		return nil, &Error{Reason: ReasonUnsolicited, Rule: "Config.Unsolicited", Want: Accept.String(), Got: c.cfg.Unsolicited.String()}
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

// takeRequest takes this browser's request of that ID out of the store.
func (c *Consumer) takeRequest(w http.ResponseWriter, r *http.Request, id string, waiting []waitingRequest) (*requestRecord, error) {
	i := slices.IndexFunc(waiting, func(q waitingRequest) bool { return q.id == id })
	if i < 0 { // Verify was given no other IDs
		return nil, unknownRequest("it is not in a cookie")
	}
	raw, err := c.cfg.Store.Take(r.Context(), requestKey(id, waiting[i].secret))
	if errors.Is(err, ErrNotFound) {
		forget(w, id)
		return nil, unknownRequest("it was answered already, is too old, or is another browser's")
	}
	if err != nil {
		return nil, storeError("take of the request", err)
	}
	forget(w, id)
	record := new(requestRecord)
	err = json.Unmarshal(raw, record)
	c.clients.end(c.cfg.ClientAddr(r), record.Request.At)
	if err != nil {
		return nil, storeError("the request's record", errors.New("it can't be read"))
	}
	return record, nil
}

// checkAnswer compares an answer with the record of its request. An answer
// without a RelayState is taken, although Bindings 3.5.3 wants it back, because
// some identity providers drop it: the signed InResponseTo and this browser's
// cookie already say which request it answers, and where to go on to is in the
// record. Another RelayState belongs to another request, and is refused.
func (c *Consumer) checkAnswer(record *requestRecord, a *saml.Assertion, relayState string) error {
	if relayState != "" && subtle.ConstantTimeCompare([]byte(record.RelayState), []byte(relayState)) != 1 {
		return &Error{Reason: ReasonRelayState, Rule: "RelayState (Bindings 3.5.3)", Detail: "not the one that was sent with the request"}
	}
	if err := a.CheckRequest(record.Request); err != nil {
		return err
	}
	// The store should have dropped it by now; it may round up.
	if age := c.cfg.SP.Now().Sub(record.Request.At); age > c.cfg.RequestLifetime {
		tooOld := unknownRequest("it is too old")
		tooOld.Want, tooOld.Got = "at most "+c.cfg.RequestLifetime.String(), age.Round(time.Second).String()
		return tooOld
	}
	return nil
}

// since is the instant since which the store has forgotten nothing; zero if it
// never forgets.
//
// Before an assertion is admitted it is asked after the assertion was added: if
// the store lost its memory before, Since says so now; if it does so later, the
// next one to bring this assertion will be told.
func (c *Consumer) since() time.Time {
	if s, ok := c.cfg.Store.(Rememberer); ok {
		return s.Since()
	}
	return time.Time{}
}

// checkMemory refuses what the store may have forgotten that it was used: an
// unsolicited assertion that was issued before the loss, and the answer to a
// request that the store may have given out before. A store that went back to an
// older state, as a replica does that is promoted before it has the last writes,
// can have a used request again without the record of the assertion that
// answered it. (Where the request is lost and the assertion is remembered, Take
// has refused it.)
//
// Such a request was made before the loss, so before Since. A request that was
// made when the store said the same Since is newer than the loss, whatever the
// clocks say, and neither Margin nor a clock that is slow refuses it. For all
// others the request's instant decides, not the assertion's: it is by our own
// clock, and an identity provider that answers a request twice could otherwise
// have both answers admitted.
func (c *Consumer) checkMemory(request *requestRecord, a *saml.Assertion) error {
	since := c.since()
	switch {
	case request == nil && a.IssueInstant().Before(since):
		return &Error{
			Reason: ReasonForgotten, Rule: "Used once (Profiles 4.1.4.5)", Detail: "the store can't say whether it was used before",
			Want: "issued at or after " + stamp(since), Got: stamp(a.IssueInstant()),
		}
	case request != nil && !since.Equal(request.Since) && request.Request.At.Before(since):
		return &Error{
			Reason: ReasonForgotten, Rule: "InResponseTo (Profiles 4.1.4.3)", Detail: "the store can't say whether the request was answered before",
			Want: "requested at or after " + stamp(since), Got: stamp(request.Request.At),
		}
	}
	return nil
}

// replayMargin is added to what clocks may differ by, for everything that
// was not thought of.
const replayMargin = time.Minute

// remember records that an assertion is used, or refuses one that was
// (Profiles 4.1.4.5). The record outlives every node's willingness to accept:
// Verify accepts until NotOnOrAfter plus skew, by the clock of a node that may
// be another skew behind the store's.
func (c *Consumer) remember(ctx context.Context, a *saml.Assertion) error {
	until := a.NotOnOrAfter().Add(2*c.cfg.SP.Skew() + replayMargin)
	at := []byte(stamp(c.cfg.SP.Now())) // for a person who looks into the store
	err := c.cfg.Store.Add(ctx, assertionKey(a.Issuer(), a.ID()), at, until)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrExists):
		return &Error{Reason: ReasonReplay, Rule: "Used once (Profiles 4.1.4.5)", Detail: "the assertion was used before"}
	}
	return storeError("record of the assertion", err)
}

func unknownRequest(detail string) *Error {
	return &Error{Reason: ReasonRequest, Rule: "InResponseTo (Profiles 4.1.4.3)", Detail: detail}
}

func storeError(what string, err error) error {
	return &Error{Reason: ReasonStore, Rule: "Config.Store", Detail: what, Err: err}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
