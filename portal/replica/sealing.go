package replica

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal/keys"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// A Sealer seals what a Node stores and sends. Open fails for a value that was sealed for another instance or with
// other associated data. [keys.Sealer] is one. Its errors are those of package keys: other errors of Open count as
// damaged data. If it has a method Check(context.Context) error, as keys.Sealer has, the Region stops while that
// returns an error. If it has a method Stale([]byte) bool, values that it reports are sealed again in the background.
type Sealer interface {
	Seal(ctx context.Context, plain, associated []byte) ([]byte, error)
	Open(ctx context.Context, sealed, associated []byte) ([]byte, error)
}

var _ Sealer = (*keys.Sealer)(nil)

// schema is the value of headerBound of a message that a Sealer has sealed. Other bodies are plain text.
const schema = "1"

// digestKeySize is the length of the key that is sealed in front of each body. The digests of messages that other
// Regions see are made with it, so a digest doesn't tell what a message says, and stays the same when the message is
// sealed again.
const digestKeySize = 32

// bound is the associated data of a value: its kind, its key and its schema. The Sealer adds the instance.
func bound(kind, key string) []byte { return keys.Bind("meridian replica "+kind, key, schema) }

// An opened value is a body, and the key of its digest. A value that isn't sealed has no such key.
type opened struct{ body, digest []byte }

// item returns the digest of an opened message.
func (o opened) item(subject string, until int64) integrity.Item {
	if o.digest == nil {
		return integrity.HashItem(subject, until, o.body)
	}
	return integrity.HashKeyed(o.digest, subject, until, o.body)
}

// sealed seals a body, unless the configuration says InsecurePlaintext.
func (c *Config) sealed(subject string, body []byte) ([]byte, error) {
	if c.seals != nil {
		if err := c.seals(subject, body); err != nil {
			return nil, &Error{Reason: ReasonKey, Rule: "sealing", Err: err}
		}
	}
	if c.Sealer == nil {
		return body, nil
	}
	framed := make([]byte, digestKeySize, digestKeySize+len(body))
	_, _ = rand.Read(framed) // never fails
	return c.seal("message", subject, append(framed, body...))
}

func (c *Config) seal(kind, key string, plain []byte) ([]byte, error) {
	// A write must not fail because its caller's context ends: the Sealer has its own limit.
	b, err := c.Sealer.Seal(context.Background(), plain, bound(kind, key))
	if err != nil {
		return nil, &Error{Reason: ReasonKey, Rule: "sealing", Want: "a key that may be used", Err: err}
	}
	return b, nil
}

// open opens the body of a message that readable has accepted.
func (c *Config) open(subject string, h nats.Header, sealed []byte) (o opened, err error) {
	if c.opens != nil {
		if err := c.opens(subject, sealed); err != nil {
			return o, &Error{Reason: ReasonCorrupt, Rule: "message " + subject, Want: "one that opens", Err: err}
		}
	}
	if err := c.readable("message "+subject, h); err != nil {
		return o, err
	}
	if h.Get(headerBound) == "" {
		return opened{body: sealed}, nil
	}
	framed, err := c.unseal("message", subject, sealed)
	if err == nil && len(framed) < digestKeySize {
		err = newError(ReasonCorrupt, "message "+subject, "a key and a body", fmt.Sprintf("%d bytes", len(framed)))
	}
	if err != nil {
		return o, err
	}
	return opened{body: framed[digestKeySize:], digest: framed[:digestKeySize]}, nil
}

func (c *Config) unseal(kind, key string, sealed []byte) ([]byte, error) {
	plain, err := c.Sealer.Open(context.Background(), sealed, bound(kind, key))
	if err != nil {
		return nil, &Error{Reason: openReason(err), Rule: kind + " " + key, Want: "one that opens", Err: err}
	}
	return plain, nil
}

// openReason tells a key that may not be used, or that doesn't answer, from a damaged value.
func openReason(err error) Reason {
	reason, refused := keys.Refused(err)
	if e, ok := errors.AsType[*keys.Error](err); ok && e.Reason == keys.ReasonUnavailable ||
		refused && reason != keys.ReasonInvalidCiphertext {
		return ReasonKey
	}
	return ReasonCorrupt
}

// headersOf returns what open needs of a message's headers.
func headersOf(m message) nats.Header {
	h := nats.Header{}
	for key, v := range m.More {
		h.Set(key, v)
	}
	return h
}

// openMessage opens a message of an answer.
func (c *Config) openMessage(m message) (opened, error) {
	return c.open(m.Subject, headersOf(m), m.Data)
}

// checkKey refuses a start with a key that may not be used, before anything is read.
func (n *Node) checkKey(ctx context.Context) error {
	if c, ok := n.cfg.Sealer.(interface{ Check(context.Context) error }); ok {
		if err := c.Check(ctx); err != nil {
			return keyError(err)
		}
	}
	return nil
}

func keyError(err error) *Error {
	return &Error{Reason: ReasonKey, Rule: "key of the Region", Want: "one that may be used", Err: err}
}

// causeKey stops everything while the key may not be used.
const causeKey = "key"

// watchKey stops the Region while its key may not be used. What arrives is copied, and opened when that is over.
func (n *Node) watchKey() {
	var sample []byte
	for ; n.ctx.Err() == nil; pause(n.ctx, n.cfg.Heartbeat) {
		err := n.checkKey(n.ctx)
		if n.ctx.Err() != nil {
			return
		}
		e, _ := errors.AsType[*Error](err)
		n.stop(causeKey, e)
		if sample, err = n.resealAll(n.ctx, sample); err != nil && n.ctx.Err() == nil {
			n.cfg.Logger.Warn("replica: values are not sealed under the key's new version yet", "error", err)
		}
	}
}

// awaitKey opens a message again until the key may be used, and reports whether it was: otherwise ctx has ended. A
// message that is not opened must not be skipped, because it may end access.
func (n *Node) awaitKey(ctx context.Context, open func() error) bool {
	err := open()
	if !lacksKey(err) {
		return true
	}
	for lacksKey(err) {
		e, _ := errors.AsType[*Error](err)
		n.stop(causeKey, keyError(e.Err))
		if pause(ctx, n.cfg.Heartbeat); ctx.Err() != nil {
			return false
		}
		err = open()
	}
	n.stop(causeKey, nil)
	return true
}

// lacksKey reports whether an error says that the Region's key can't be used now.
func lacksKey(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Reason == ReasonKey
}

// The subjects of revocations and of shortcuts are hashes with a key of the Region, so that they don't tell whom they
// are about. The key is stored in the Identity, sealed. It stays as long as the streams: a message replaces an earlier
// one by its subject.

// newNames makes the key.
func (n *Node) newNames() ([]byte, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return n.cfg.seal("names", n.cfg.Region, key)
}

// openNames opens the key of the Identity.
func (n *Node) openNames(context.Context) (err error) {
	if n.cfg.Sealer == nil {
		return nil
	}
	n.ledger.names, err = n.cfg.unseal("names", n.cfg.Region, n.identity.Load().Names)
	return err
}

// A client that knows the key of a Region's proofs can make other Regions' copies seem to be what the Region wrote. So
// it is stored in the Identity, sealed. It is not opened again while the sealed value stays the same: an Identity can
// then be changed although the Sealer's key may not be used.

// openProofKey opens the sealed key of an Identity that was read.
func (n *Node) openProofKey(d *integrity.Identity) error {
	switch last := n.identity.Load(); {
	case d.SealedKey == nil:
		return nil
	case n.cfg.Sealer == nil:
		return newError(ReasonConfig, "Sealer", "the one that sealed the Region's data", "none")
	case last != nil && bytes.Equal(last.SealedKey, d.SealedKey):
		d.Key = last.Key
		return nil
	}
	key, err := n.cfg.unseal("proofs", n.cfg.Region, d.SealedKey)
	if err == nil && len(key) != len(d.Key) {
		err = newError(ReasonCorrupt, "key of proofs", "32 bytes", fmt.Sprint(len(key)))
	}
	copy(d.Key[:], key)
	return err
}

// sealProofKey seals the key of an Identity that is to be written, unless it is sealed.
func (n *Node) sealProofKey(d *integrity.Identity) (err error) {
	if n.cfg.Sealer == nil || d.SealedKey != nil {
		return nil
	}
	d.Format = 2
	d.SealedKey, err = n.cfg.seal("proofs", n.cfg.Region, d.Key[:])
	return err
}

// unsealed reports whether the Region's own streams have messages from before they were sealed.
func (n *Node) unsealed(ctx context.Context) (bool, error) {
	if n.cfg.Sealer == nil {
		return false, nil
	}
	for _, k := range streamKinds {
		s, err := n.stream(ctx, k.stream(n.cfg.Region))
		if err != nil {
			return false, err
		}
		info := s.CachedInfo()
		if info.Config.Metadata[sealedID] == "" && info.State.Msgs > 0 {
			if !n.cfg.InsecureOpenPlaintext {
				return false, newError(ReasonConfig, "InsecureOpenPlaintext", "true: stream "+info.Config.Name+
					" has plain text of an earlier start, which is then sealed", "false")
			}
			return true, nil
		}
	}
	return false, nil
}

// stale reports whether a value should be sealed again.
func (c *Config) stale(sealed []byte) bool {
	s, ok := c.Sealer.(interface{ Stale([]byte) bool })
	return ok && s.Stale(sealed)
}
