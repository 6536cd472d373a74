package keys

import (
	"fmt"
	"slices"
	"time"

	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Rotate gives a key a new version, here and in the Rings of its other Regions. First each Ring gets the version, so
// that all of them can open what is sealed under it; then each encrypts under it. If a Ring fails before that, the
// version stays prepared, and the next Rotate continues with it. A copy that isn't named doesn't get the version, and
// can't open new values.
//
// If the Rings are on different machines, use the steps: PrepareVersion here, Export and Import to each Region, and
// then UseVersion in each.
func (r *Ring) Rotate(id string, others ...*Ring) (version uint32, err error) {
	if version, err = r.PrepareVersion(id); err != nil {
		return 0, err
	}
	for _, to := range others {
		if err := to.update(r, id); err != nil {
			return 0, err
		}
	}
	for _, one := range append(slices.Clone(others), r) {
		if err := one.UseVersion(id, version); err != nil {
			return 0, err
		}
	}
	return version, nil
}

// PrepareVersion adds a version to a key, which decrypts and doesn't encrypt yet. If one is prepared already, it
// returns that one. Only the key's primary Region may do this.
func (r *Ring) PrepareVersion(id string) (version uint32, err error) {
	return version, r.change(id, func(one *record) error {
		version = uint32(len(one.Versions))
		switch {
		case one.Primary != r.cfg.Region:
			return newError(ReasonInvalidState, "rotation", "the key's primary Region "+one.Primary, r.cfg.Region)
		case one.State == PendingDeletion:
			return newError(ReasonInvalidState, "state of the key", "Enabled or Disabled", string(one.State))
		case version > one.Version:
			return nil
		case version >= maxVersions:
			return newError(ReasonInvalidState, "rotation", "at most 1000 versions", fmt.Sprint(version))
		}
		version++
		h, err := one.keyset()
		if err != nil {
			return err
		}
		return one.addVersion(keyset.NewManagerFromHandle(h), r.cfg.Now().UTC())
	})
}

// UseVersion lets a key encrypt under a prepared version. A lower version than the current one is refused: values that
// were sealed in between would count as sealed under a later one.
func (r *Ring) UseVersion(id string, version uint32) error {
	return r.change(id, func(one *record) error { return one.useVersion(version) })
}

// addVersion adds key material.
func (r *record) addVersion(m *keyset.Manager, now time.Time) error {
	keyID, err := m.Add(r.Usage.template())
	if err != nil {
		return unusable(err)
	}
	if len(r.Versions) == 0 { // a keyset has a primary key
		if err := m.SetPrimary(keyID); err != nil {
			return unusable(err)
		}
	}
	r.Versions = append(r.Versions, version{uint32(len(r.Versions) + 1), keyID, now})
	return r.setKeyset(m)
}

func (r *record) useVersion(number uint32) error {
	if number == r.Version {
		return nil
	}
	i := slices.IndexFunc(r.Versions, func(v version) bool { return v.Number == number })
	if i < 0 || number < r.Version {
		return newError(ReasonInvalidState, "version", fmt.Sprintf("a prepared one after %d", r.Version),
			fmt.Sprint(number))
	}
	h, err := r.keyset()
	if err != nil {
		return err
	}
	m := keyset.NewManagerFromHandle(h)
	if err := m.SetPrimary(r.Versions[i].KeyID); err != nil {
		return unusable(err)
	}
	r.Version = number
	return r.setKeyset(m)
}
