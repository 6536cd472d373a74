package acs

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// Bounds of logout messages that are refused.
const (
	refusalSpan      = 10 * time.Second
	maxRefusals      = 1600    // in a span: an address may have 1/8, an IPv6 site 1/2 (see [networks])
	maxRefusalTally  = 1 << 16 // networks that are counted in a span
	rememberRefusals = 1 << 12 // messages
)

// refusals bounds what refused logout messages cost, because a client needs no cookie to send one, and a captured
// message can be sent again and again: each would cost a verification and, by SOAP, the signature of an answer. A
// client with too many is refused before its messages are read. Messages that browsers carry don't count: a page could
// send them from the address of its visitor, and so hold up those of other users there. Nor do messages that are
// accepted, so an identity provider that signs out everyone is not held up. The bytes of a LogoutRequest that was
// refused as a replay are not verified again: the identity provider gets one signed answer to them, and a Fault later.
//
// Each node counts its own. Only messages whose signature has verified are remembered, so others use up no room.
type refusals struct {
	mu        sync.Mutex
	since     time.Time // when byNetwork was emptied
	byNetwork tally
	known     map[[sha256.Size]byte]bool
	order     [][sha256.Size]byte // of known, the oldest at next once it is full
	next      int
}

func newRefusals() *refusals {
	return &refusals{byNetwork: tally{}, known: make(map[[sha256.Size]byte]bool)}
}

// allow returns an error if a client may send no logout message now.
func (f *refusals) allow(addr string, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(now)
	for _, n := range networks(addr) {
		if f.byNetwork[n.prefix] >= maxRefusals/n.share {
			return newError(ReasonBusy, ruleLogout, "too many messages of this client were refused lately")
		}
	}
	return nil
}

// add counts a refused message of a client.
func (f *refusals) add(addr string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(now)
	if len(f.byNetwork) < maxRefusalTally {
		f.byNetwork.add(networks(addr), 1)
	}
}

// forget begins another span. A step of the clock backwards does, too.
func (f *refusals) forget(now time.Time) {
	if age := now.Sub(f.since); age >= refusalSpan || age < 0 {
		f.byNetwork, f.since = tally{}, now
	}
}

// check refuses a message that was refused as a replay before.
func (f *refusals) check(in saml.LogoutMessage) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known[digestOf(in)] {
		return newError(ReasonReplay, ruleLogout, "the same message was refused before")
	}
	return nil
}

// remember remembers a message whose signature has verified, and that was refused as a replay.
func (f *refusals) remember(in saml.LogoutMessage) {
	digest := digestOf(in)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.known[digest]:
		return
	case len(f.order) < rememberRefusals:
		f.order = append(f.order, digest)
	default:
		delete(f.known, f.order[f.next])
		f.order[f.next] = digest
		f.next = (f.next + 1) % rememberRefusals
	}
	f.known[digest] = true
}

// digestOf returns the SHA-256 of a message. The query of HTTP-Redirect and the body of the other bindings are never
// both set.
func digestOf(in saml.LogoutMessage) [sha256.Size]byte {
	if in.Binding == saml.HTTPRedirect {
		return sha256.Sum256([]byte(in.Query))
	}
	return sha256.Sum256(in.Message)
}
