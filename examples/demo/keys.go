package main

import (
	"crypto/rand"
	"path/filepath"

	"github.com/meridian-saml/meridian/portal/keys"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Names of the demo's key: whose data it seals, and who uses it.
const (
	instanceName = "ssoins-7223aaaabbbbcccc"
	keyUser      = "portal"
)

// keyring is the multi-Region key of the instance: a Ring in each Region, with a file of its own.
type keyring struct {
	id    string // of the key; it exists in the primary Region from the start
	rings map[string]*keys.Ring
}

// newKeyring makes a Ring for each Region, and the key in the first.
func newKeyring(dir string, regions []*site) (*keyring, error) {
	operator := make([]byte, 32) // a program that starts again needs the same one
	_, _ = rand.Read(operator)   // never fails
	k := &keyring{rings: map[string]*keys.Ring{}}
	for i, s := range regions {
		r, err := keys.CreateRing(keys.RingConfig{
			Path: filepath.Join(dir, "keys-"+s.Name), Region: s.Name, Key: operator,
		})
		if err != nil {
			return nil, err
		}
		if k.rings[s.Name] = r; i > 0 {
			continue
		}
		made, err := r.Create(keys.KeyConfig{Description: "Identities of the demo", Policy: keys.Allow(keyUser)})
		if err != nil {
			return nil, err
		}
		k.id = made.ID
	}
	return k, nil
}

// replicate copies the key to a Region, unless it is there.
func (k *keyring) replicate(from, to string) error {
	if _, err := k.rings[to].Describe(k.id); err == nil {
		return nil
	}
	_, err := k.rings[from].Replicate(k.id, k.rings[to], nil)
	return err
}

// seal makes a Region's replica seal its data. It notices changes of the key soon, so that users of the demo don't have
// to wait.
func (k *keyring) seal(region string) (func(*replica.Config), error) {
	s, err := keys.NewSealer(keys.Config{
		Key: k.rings[region].Use(k.id, keyUser), Instance: instanceName, CacheFor: probeEvery,
	})
	return func(c *replica.Config) { c.InsecurePlaintext, c.Sealer = false, s }, err
}

// count returns how often the key was used in a Region.
func (k *keyring) count(region string) (uint64, error) {
	d, err := k.rings[region].Describe(k.id)
	return d.Used.Encrypt + d.Used.Decrypt, err
}
