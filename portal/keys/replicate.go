package keys

import (
	"slices"
	"time"
)

// Replicate copies a key into the Ring of another Region: the same key material under the same ID. The copy is enabled.
// Its policy is the given one, or if that is nil, the one that the key has here now; later changes aren't copied. A KMS
// doesn't do the latter: without a policy it gives a copy its default one.
func (r *Ring) Replicate(id string, to *Ring, policy *Policy) (Key, error) {
	if r == to || r.cfg.Region == to.cfg.Region {
		return Key{}, newError(ReasonConfig, "Region of a copy", "another Region", to.cfg.Region)
	}
	one, err := r.replica(id, policy)
	if err != nil {
		return Key{}, err
	}
	k, err := to.add(one)
	if err != nil {
		return Key{}, err
	}
	return k, r.noteReplica(id, to.cfg.Region)
}

// Export returns a copy of a key for Import in the Ring of another Region, sealed like a file of that Region: only
// Region, Passphrase, Key and KDF of the RingConfig are used. The receiver can open everything that the key has sealed.
func (r *Ring) Export(id string, policy *Policy, to RingConfig) ([]byte, error) {
	to.Path = "export"
	to.defaults()
	if err := to.check(); err != nil {
		return nil, err
	}
	if to.Region == r.cfg.Region {
		return nil, newError(ReasonConfig, "Region of a copy", "another Region", to.Region)
	}
	one, err := r.replica(id, policy)
	if err != nil {
		return nil, err
	}
	k, err := newFileKey(&to)
	if err != nil {
		return nil, err
	}
	b, err := k.seal([]record{one})
	if err != nil {
		return nil, err
	}
	return b, r.noteReplica(id, to.Region)
}

// Import adds the key of an Export to this Ring. If the Ring has the key, only versions that it lacks are added: state,
// policy and the version that encrypts stay. The secret is the one that Export got.
func (r *Ring) Import(exported []byte, secret RingConfig) (Key, error) {
	secret.Path, secret.Region = "export", r.cfg.Region
	secret.defaults()
	if err := secret.check(); err != nil {
		return Key{}, err
	}
	f, err := readFile(exported)
	if err != nil {
		return Key{}, err
	}
	if f.Region != r.cfg.Region {
		return Key{}, newError(ReasonConfig, "Region of the export", r.cfg.Region, f.Region)
	}
	_, records, err := f.open(&secret)
	if err != nil {
		return Key{}, err
	}
	if len(records) != 1 {
		return Key{}, newError(ReasonCorrupt, "export", "one key", "another number")
	}
	if k, err := r.Describe(records[0].ID); err == nil {
		if err := r.merge(records[0]); err != nil {
			return Key{}, err
		}
		return r.Describe(k.ID)
	}
	return r.add(records[0])
}

// replica returns what another Region gets of a key.
func (r *Ring) replica(id string, policy *Policy) (record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.find(id)
	if err != nil {
		return record{}, err
	}
	one := r.records[i].clone()
	if one.State == PendingDeletion {
		return record{}, newError(ReasonInvalidState, "state of the key", "Enabled or Disabled", string(one.State))
	}
	if policy != nil {
		if err := policy.check(); err != nil {
			return record{}, err
		}
		one.Policy = policy.clone()
	}
	one.State, one.Deletion, one.Replicas, one.Used = Enabled, time.Time{}, nil, Counts{}
	one.Created = r.cfg.Now().UTC()
	return one, nil
}

// add adds a copy to this Ring.
func (r *Ring) add(one record) (Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	if r.index(one.ID) >= 0 {
		return Key{}, newError(ReasonExists, "key", "none of this ID in Region "+r.cfg.Region, one.ID)
	}
	if err := r.put(one); err != nil {
		return Key{}, err
	}
	return one.describe(r.cfg.Region), nil
}

// noteReplica notes that a Region has a copy.
func (r *Ring) noteReplica(id, region string) error {
	return r.change(id, func(one *record) error {
		if !slices.Contains(one.Replicas, region) {
			one.Replicas = append(one.Replicas, region)
			slices.Sort(one.Replicas)
		}
		return nil
	})
}

// update gives this Ring's copy of a key the versions of another Ring's.
func (r *Ring) update(from *Ring, id string) error {
	from.mu.Lock()
	i, err := from.find(id)
	var one record
	if err == nil {
		one = from.records[i].clone()
	}
	from.mu.Unlock()
	if err != nil {
		return err
	}
	return r.merge(one)
}

// merge takes versions from another copy of a key. Both must have the same earlier versions.
func (r *Ring) merge(from record) error {
	return r.change(from.ID, func(one *record) error {
		if len(from.Versions) < len(one.Versions) || from.Usage != one.Usage {
			return newError(ReasonInvalidState, "versions of the copy", "those of this Region, and later ones", "fewer")
		}
		for i, v := range one.Versions {
			if from.Versions[i].KeyID != v.KeyID {
				return newError(ReasonInvalidState, "versions of the copy", "those of this Region", "others")
			}
		}
		current := one.Version // each Region decides when it encrypts under a later one
		one.Versions, one.Material, one.Version = from.Versions, from.Material, 0
		return one.useVersion(current)
	})
}
