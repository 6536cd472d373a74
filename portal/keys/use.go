package keys

import (
	"context"
	"errors"

	"github.com/tink-crypto/tink-go/v2/tink"
)

// A Use is a key as one principal uses it in one Region. Each call checks the key's state and policy, and counts. It is
// safe for concurrent use.
type Use struct {
	ring          *Ring
	id, principal string
}

var _ tink.AEADWithContext = (*Use)(nil)

// Use returns a key for a principal. A key that doesn't exist or may not be used fails in each call.
func (r *Ring) Use(id, principal string) *Use { return &Use{r, id, principal} }

// EncryptWithContext encrypts under the key's current version.
func (u *Use) EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error) {
	p, err := u.begin(ctx, ActionEncrypt, EncryptDecrypt, func(c *Counts) { c.Encrypt++ })
	if err != nil {
		return nil, err
	}
	out, err := p.aead.Encrypt(plaintext, associatedData)
	if err != nil {
		return nil, unusable(err)
	}
	return out, nil
}

// DecryptWithContext decrypts what any version of the key has encrypted, in any Region.
func (u *Use) DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error) {
	p, err := u.begin(ctx, ActionDecrypt, EncryptDecrypt, func(c *Counts) { c.Decrypt++ })
	if err != nil {
		return nil, err
	}
	out, err := p.aead.Decrypt(ciphertext, associatedData)
	if err != nil {
		return nil, newError(ReasonInvalidCiphertext, "ciphertext", "one of key "+u.id+" with the same associated data",
			"another one")
	}
	return out, nil
}

// ComputeMAC returns the message authentication code of data, under the key's current version.
func (u *Use) ComputeMAC(ctx context.Context, data []byte) ([]byte, error) {
	p, err := u.begin(ctx, ActionGenerateMAC, GenerateVerifyMAC, func(c *Counts) { c.MAC++ })
	if err != nil {
		return nil, err
	}
	out, err := p.mac.ComputeMAC(data)
	if err != nil {
		return nil, unusable(err)
	}
	return out, nil
}

// VerifyMAC verifies a message authentication code of any version of the key. It fails with Reason InvalidCiphertext.
func (u *Use) VerifyMAC(ctx context.Context, mac, data []byte) error {
	p, err := u.begin(ctx, ActionVerifyMAC, GenerateVerifyMAC, func(c *Counts) { c.MAC++ })
	if err != nil {
		return err
	}
	if err := p.mac.VerifyMAC(mac, data); err != nil {
		return newError(ReasonInvalidCiphertext, "message authentication code", "one of key "+u.id, "another one")
	}
	return nil
}

// Version returns the version under which the key encrypts in this Region; 0 if there is no such key.
func (u *Use) Version() uint32 {
	u.ring.mu.Lock()
	defer u.ring.mu.Unlock()
	if i := u.ring.index(u.id); i >= 0 {
		return u.ring.records[i].Version
	}
	return 0
}

// begin checks that an operation is allowed, counts it, and returns the key material.
func (u *Use) begin(ctx context.Context, a Action, usage Usage, count func(*Counts)) (p primitives, err error) {
	if err := ctx.Err(); err != nil {
		return p, unavailable("key "+u.id, err)
	}
	r := u.ring
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.find(u.id)
	if err != nil {
		return p, err
	}
	one := &r.records[i]
	r.counted = true
	if err := one.allows(u.principal, a, usage, r.cfg.Region); err != nil {
		one.Used.Refused++
		return p, err
	}
	count(&one.Used)
	return r.opened[u.id], nil
}

// allows checks the policy first: what a principal may not use, it learns nothing about.
func (r *record) allows(principal string, a Action, usage Usage, region string) error {
	switch {
	case !r.Policy.Allows(principal, a):
		return newError(ReasonAccessDenied, "policy of key "+r.ID+" in Region "+region,
			string(a)+" for "+quote(principal), "no statement that allows it")
	case r.Usage != usage:
		return newError(ReasonInvalidKeyUsage, "usage of key "+r.ID, string(usage), string(r.Usage))
	case r.State == Disabled:
		return newError(ReasonDisabled, "state of key "+r.ID+" in Region "+region, string(Enabled), string(r.State))
	case r.State != Enabled:
		return newError(ReasonInvalidState, "state of key "+r.ID+" in Region "+region, string(Enabled), string(r.State))
	}
	return nil
}

// Refused reports whether an error is a refusal of a key, and its reason: the key did answer.
func Refused(err error) (Reason, bool) {
	var e *Error
	if errors.As(err, &e) && e.Reason.refuses() {
		return e.Reason, true
	}
	return "", false
}
