package replica

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// question asks for what follows a position.
func (f *follower) question(k streamKind, after position) question {
	return question{
		Line: k, From: f.n.cfg.Region, Store: after.store, After: after.seq, Nonce: rand.Text(),
		Heard: f.latest.Load(), Wait: f.n.cfg.Heartbeat.Milliseconds(), Formats: f.n.cfg.formats,
	}
}

// ask sends one question. The answer may take as long as a heartbeat. A client that
// knows Secret can have the peer send answers to its own questions here, so an answer
// counts only if it has this question's Nonce.
func (f *follower) ask(ctx context.Context, nc *nats.Conn, q question) (a answer, err error) {
	b, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, f.n.cfg.Heartbeat+5*time.Second)
	defer cancel()
	inbox := inboxPeer + "." + rand.Text()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return a, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := nc.PublishRequest(peerSubject(f.region), inbox, b); err != nil {
		return a, err
	}
	for a.Nonce != q.Nonce {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return a, errors.Join(err, context.Cause(ctx))
		}
		a = answer{}
		if err := json.Unmarshal(m.Data, &a); err != nil {
			return a, &Error{Reason: ReasonCorrupt, Rule: "answer of Region " + f.region, Want: "JSON", Err: err}
		}
	}
	incompatible := f.n.cfg.meets(f.region, a.Formats)
	f.setIncompatible(incompatible)
	if incompatible != nil {
		return a, incompatible
	}
	if err := f.standing(a); err != nil {
		return a, err
	}
	if a.Refused != "" {
		return a, nil
	}
	if a.Error != "" || a.Store == "" {
		return a, &Error{Reason: ReasonUnavailable, Rule: "answer of Region " + f.region, Want: "a piece of its stream", Got: a.Error}
	}
	return a, a.check(q)
}

// check refuses an answer that leaves something out.
func (a answer) check(q question) error {
	if a.After != 0 && (a.After != q.After || a.Store != q.Store) {
		return &Error{Reason: ReasonCorrupt, Rule: "answer",
			Want: fmt.Sprintf("what follows %d, or all", q.After), Got: fmt.Sprintf("what follows %d", a.After)}
	}
	last := a.After
	for _, m := range a.Messages {
		if m.Seq <= last {
			return &Error{Reason: ReasonCorrupt, Rule: "answer", Want: fmt.Sprintf("a message after %d", last), Got: fmt.Sprint(m.Seq)}
		}
		last = m.Seq
	}
	return nil
}

// connect dials the peer. If it refuses Secret, which is being changed then, the old
// ones are tried too.
func (f *follower) connect(lost func(error)) (nc *nats.Conn, err error) {
	all := f.n.cfg.secrets()
	if len(all) == 0 {
		all = []string{""} // Options of the peer have the credentials
	}
	for _, secret := range all {
		if nc, err = f.dial(secret, lost); !errors.Is(err, nats.ErrAuthorization) {
			break
		}
	}
	f.logRefusal(err)
	return nc, err
}

// logRefusal logs that a peer refuses this Region's credentials, once until it no
// longer does.
func (f *follower) logRefusal(err error) {
	refused := errors.Is(err, nats.ErrAuthorization)
	f.mu.Lock()
	changed := refused != f.refused && (refused || err == nil)
	if changed {
		f.refused = refused
	}
	f.mu.Unlock()
	switch {
	case changed && refused:
		f.n.cfg.Logger.Warn("replica: a peer refuses the credentials of this Region, such as its Secret", "peer", f.region, "error", err)
	case changed:
		f.n.cfg.Logger.Info("replica: a peer accepts the credentials of this Region again", "peer", f.region)
	}
}

// setIncompatible notes why a peer's version can't be followed, or (nil) that it can.
// It is logged once: the follower goes on asking, as the peer may be upgraded at any
// time.
func (f *follower) setIncompatible(err *Error) {
	f.mu.Lock()
	was := f.incompatible
	f.incompatible = err
	f.mu.Unlock()
	switch {
	case err != nil && was == nil:
		f.n.cfg.Logger.Error("replica: peer not followed", "peer", f.region, "error", err)
	case err == nil && was != nil:
		f.n.cfg.Logger.Info("replica: peer followed again", "peer", f.region)
	}
}

// dial makes a connection that doesn't reconnect: the session begins anew then, and
// authenticates the peer again.
func (f *follower) dial(secret string, lost func(error)) (*nats.Conn, error) {
	opts := []nats.Option{
		nats.Name("meridian " + f.n.cfg.Region), nats.NoReconnect(), nats.Timeout(2 * time.Second),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2), nats.CustomInboxPrefix(inboxPeer),
		nats.IgnoreDiscoveredServers(), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { lost(err) }),
		nats.ClosedHandler(func(*nats.Conn) { lost(nats.ErrConnectionClosed) }),
	}
	if secret != "" {
		opts = append(opts, nats.UserInfo(userPeer, secret))
	}
	if f.peer.TLS != nil {
		opts = append(opts, nats.Secure(f.peer.TLS))
	}
	return nats.Connect(f.peer.URL, append(opts, f.peer.Options...)...)
}
