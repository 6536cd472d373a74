package center

import "time"

// Rotation says that an operator took a Region out of rotation: redirectors send no users there, and sign-ins that
// arrive there anyway work. Only the Region itself writes it, so that it can be changed whichever other Regions are
// lost. A version from before it skips the record.
type Rotation struct {
	Region string    `json:"region"`
	Since  time.Time `json:"since"` // by the Region's clock
}

func (Rotation) kind() Kind    { return KindRotation }
func (r Rotation) key() string { return r.Region }

// OutOfRotation returns when a Region of the instance was taken out of rotation. It reports false for one that is in.
func (s *Snapshot) OutOfRotation(region string) (since time.Time, out bool) {
	r := s.rotations.get(region)
	if _, listed := s.regions[region]; r == nil || !listed {
		return time.Time{}, false
	}
	return r.Since, true
}

// SetRotation takes this Region out of rotation, or puts it back.
func (t *Tx) SetRotation(in bool) error {
	if err := t.begin(); err != nil {
		return err
	}
	switch {
	case in:
		t.d.rotations.drop(t.region)
	case t.d.s.rotations.get(t.region) == nil:
		t.d.rotations.put(Rotation{t.region, instant(t.now)})
	}
	return t.err
}
