// Package sealed seals the data of the examples' Regions with a multi-Region key, and searches their files and the
// connections between them for what is not sealed.
package sealed

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"time"

	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/keys"
)

const (
	instance = "ssoins-7223aaaabbbbcccc"
	// notice is how long a change of the key has no effect. It is short, so that users of the examples don't wait.
	notice = 400 * time.Millisecond
)

// Principal is who uses the key.
const Principal = "portal"

// A Keyring is the multi-Region key of an instance: a Ring in each Region, with a file of its own. It is not safe for
// concurrent use.
type Keyring struct {
	Location
	Rings map[string]*keys.Ring // by Region
	// Uses are the keys of the last Sealers, by Region, for audit.Config.
	Uses map[string]*audit.KeyUse
}

// Location is what another process needs to open the Ring of a Region.
type Location struct {
	Dir string // of the files
	// Operator is the key under which the files are sealed.
	Operator []byte
	ID       string // of the key
}

// New makes the Ring of the primary Region in a directory, and the key.
func New(dir, primary string) (*Keyring, error) {
	k := &Keyring{Location{Dir: dir, Operator: make([]byte, 32)}, map[string]*keys.Ring{}, map[string]*audit.KeyUse{}}
	_, _ = rand.Read(k.Operator) // never fails
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	r, err := keys.CreateRing(k.ring(primary))
	if err != nil {
		return nil, err
	}
	made, err := r.Create(keys.KeyConfig{Description: "Identities of the example", Policy: keys.Allow(Principal)})
	if err != nil {
		return nil, err
	}
	k.Rings[primary], k.ID = r, made.ID
	return k, nil
}

// All makes a Keyring whose key has a copy in each Region, the primary first.
func All(dir string, regions ...string) (*Keyring, error) {
	k, err := New(dir, regions[0])
	if err != nil {
		return nil, err
	}
	for _, to := range regions[1:] {
		if err := k.Replicate(regions[0], to); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// Open opens the Ring of one Region.
func (l Location) Open(region string) (*Keyring, error) {
	k := &Keyring{l, map[string]*keys.Ring{}, map[string]*audit.KeyUse{}}
	r, err := keys.OpenRing(k.ring(region))
	k.Rings[region] = r
	return k, err
}

// File is the file of the Ring of a Region.
func (l Location) File(region string) string { return filepath.Join(l.Dir, "keys-"+region) }

func (l Location) ring(region string) keys.RingConfig {
	return keys.RingConfig{Path: l.File(region), Region: region, Key: l.Operator}
}

// Replicate copies the key to a Region, unless it has a Ring.
func (k *Keyring) Replicate(from, to string) error {
	if k.Rings[to] != nil {
		return nil
	}
	r, err := keys.CreateRing(k.ring(to))
	if err != nil {
		return err
	}
	if _, err := k.Rings[from].Replicate(k.ID, r, nil); err != nil {
		return err
	}
	k.Rings[to] = r
	return nil
}

// Sealer returns what seals the data of a Region that has a Ring.
func (k *Keyring) Sealer(region string) (*keys.Sealer, error) {
	k.Uses[region] = audit.UseKey(k.Rings[region].Use(k.ID, Principal), k.ID, keys.Refused)
	return keys.NewSealer(keys.Config{Key: k.Uses[region], Instance: instance, CacheFor: notice})
}

// Count returns how often the key was used in a Region that has a Ring.
func (k *Keyring) Count(region string) (uint64, error) {
	d, err := k.Rings[region].Describe(k.ID)
	return d.Used.Encrypt + d.Used.Decrypt, err
}
