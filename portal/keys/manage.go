package keys

import (
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/tink-crypto/tink-go/v2/keyset"
)

// KeyConfig describes a new key.
type KeyConfig struct {
	// Description is for operators. Empty: none.
	Description string
	// Usage is what the key is for. Empty: EncryptDecrypt.
	Usage Usage
	// Policy is who may use the key in this Region. Zero: no principal may.
	Policy Policy
}

// Create creates a multi-Region key, in this Region.
func (r *Ring) Create(cfg KeyConfig) (Key, error) {
	if cfg.Usage == "" {
		cfg.Usage = EncryptDecrypt
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(r.cfg.Rand, id); err != nil {
		return Key{}, unavailable("random ID", err)
	}
	now := r.cfg.Now().UTC()
	one := record{
		ID: "mrk-" + hex.EncodeToString(id), Primary: r.cfg.Region, Description: cfg.Description, Usage: cfg.Usage,
		Created: now, State: Enabled, Policy: cfg.Policy.clone(),
	}
	if cfg.Usage != EncryptDecrypt && cfg.Usage != GenerateVerifyMAC {
		return Key{}, newError(ReasonConfig, "Usage", "ENCRYPT_DECRYPT or GENERATE_VERIFY_MAC", string(cfg.Usage))
	}
	if err := cfg.Policy.check(); err != nil {
		return Key{}, err
	}
	if err := one.addVersion(keyset.NewManager(), now); err != nil {
		return Key{}, err
	}
	if err := one.useVersion(1); err != nil {
		return Key{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.index(one.ID) >= 0 {
		return Key{}, newError(ReasonExists, "ID of a key", "a random one", one.ID)
	}
	if err := r.put(one); err != nil {
		return Key{}, err
	}
	return one.describe(r.cfg.Region), nil
}

// Disable disables a key in this Region. Nothing is sealed or opened with it here until Enable.
func (r *Ring) Disable(id string) error { return r.setState(id, Disabled) }

// Enable enables a disabled key in this Region.
func (r *Ring) Enable(id string) error { return r.setState(id, Enabled) }

func (r *Ring) setState(id string, s State) error {
	return r.change(id, func(one *record) error {
		if one.State == PendingDeletion {
			return newError(ReasonInvalidState, "state of the key", "Enabled or Disabled", string(one.State))
		}
		one.State = s
		return nil
	})
}

// Limits of the time between the schedule of a deletion and the deletion.
const (
	minDeletion = 7 * 24 * time.Hour
	maxDeletion = 30 * 24 * time.Hour
)

// ScheduleDeletion schedules the deletion of a key in this Region, in 7 to 30 days. Zero: 30 days. Until then it
// can't be used, and CancelDeletion keeps it. After that the key material of this Region is erased; other Regions
// keep theirs.
func (r *Ring) ScheduleDeletion(id string, in time.Duration) (time.Time, error) {
	if in == 0 {
		in = maxDeletion
	}
	if in < minDeletion || in > maxDeletion {
		return time.Time{}, newError(ReasonConfig, "time to a deletion", "7 to 30 days", fmt.Sprint(in))
	}
	at := r.cfg.Now().UTC().Add(in)
	return at, r.change(id, func(one *record) error {
		if one.State == PendingDeletion {
			return newError(ReasonInvalidState, "state of the key", "Enabled or Disabled", string(one.State))
		}
		one.State, one.Deletion = PendingDeletion, at
		return nil
	})
}

// CancelDeletion cancels a scheduled deletion. The key is disabled after that, as in AWS.
func (r *Ring) CancelDeletion(id string) error {
	return r.change(id, func(one *record) error {
		if one.State != PendingDeletion {
			return newError(ReasonInvalidState, "state of the key", "PendingDeletion", string(one.State))
		}
		one.State, one.Deletion = Disabled, time.Time{}
		return nil
	})
}

// PutPolicy replaces a key's policy in this Region. Other Regions keep theirs.
func (r *Ring) PutPolicy(id string, p Policy) error {
	if err := p.check(); err != nil {
		return err
	}
	return r.change(id, func(one *record) error {
		one.Policy = p.clone()
		return nil
	})
}
