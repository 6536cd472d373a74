package center

import "errors"

// ErrConflict is what a Journal returns when it knows of a change that the
// instance doesn't have yet.
var ErrConflict = errors.New("center: the instance has changed meanwhile")

// A Journal is told of every update before it takes effect, and can stop it.
// It is how an instance is kept on disk and shared with other Regions.
type Journal interface {
	// Commit is called with the outcome of an update made in region, while no
	// other update is being made. If it returns nil the changes are kept for
	// good and take effect at once. If it returns an error nothing happens, and
	// Update returns that error; only for ErrConflict does Update try again,
	// after what came through Apply in between. Commit must not call the
	// instance's Update or Apply.
	//
	// The primary's removal of a user or group shows as changes to other
	// Regions' applications too, which lose that principal.
	Commit(region string, changes []Record) error
}

// NewJournaled is New for an instance whose updates go through a Journal, with
// d as the Journal has it: userNames that New would take no more are taken.
func NewJournaled(d Data, j Journal) (*Instance, error) {
	i, err := newInstance(d)
	if err != nil {
		return nil, err
	}
	i.journal = j
	return i, nil
}

// Apply puts changes in place that were agreed elsewhere, all of them at once.
// No Region's rights are asked for and no Journal is told; the outcome is
// checked as a whole all the same, and the primary must stay the primary.
// Principals of applications that aren't there are left out, as Assemble does.
func (i *Instance) Apply(changes []Record) error {
	if len(changes) == 0 {
		return nil
	}
	i.writing.Lock()
	defer i.writing.Unlock()
	d := i.Snapshot().Data()
	if err := d.merge(changes); err != nil {
		return err
	}
	s, err := newSnapshot(d)
	if err != nil {
		return err
	}
	if was, is := i.Snapshot().Primary().Name, s.Primary().Name; is != was {
		return &Error{Reason: ReasonPrimaryFixed, Rule: "primary Region", Want: quote(was) + " to stay it", Got: is}
	}
	i.current.Store(s)
	return nil
}
