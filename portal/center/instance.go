package center

import (
	"sync"
	"sync/atomic"
)

// An Instance is the one thing that all Regions share. It is safe for
// concurrent use: readers never wait, writers wait for each other.
type Instance struct {
	writing sync.Mutex // held while a new snapshot is made; never by readers
	current atomic.Pointer[Snapshot]
	journal Journal // nil: updates are nobody else's business
}

// New checks d and returns an instance that holds a copy of it. A refusal is
// an *Error.
func New(d Data) (*Instance, error) {
	i, err := newInstance(d)
	if err != nil {
		return nil, err
	}
	if err := checkNewNames(&Snapshot{}, i.Snapshot()); err != nil {
		return nil, err
	}
	return i, nil
}

func newInstance(d Data) (*Instance, error) {
	s, err := newSnapshot(d.Clone())
	if err != nil {
		return nil, err
	}
	i := &Instance{}
	i.current.Store(s)
	return i, nil
}

// Snapshot returns the instance as it is now.
func (i *Instance) Snapshot() *Snapshot { return i.current.Load() }

// In returns what the named Region sees of the instance, and the door for
// writes made there. The Region must be one of the instance's.
func (i *Instance) In(region string) (*View, error) {
	if _, ok := i.Snapshot().Region(region); !ok {
		return nil, &Error{Reason: ReasonUnknownRegion, Rule: "Region", Want: "a Region of the instance", Got: region}
	}
	return &View{instance: i, region: region}, nil
}

// A View is the instance as one Region sees it. Its read methods ask the
// snapshot of the moment; use Snapshot for several questions with one answer.
type View struct {
	instance *Instance
	region   string
}

// RegionName returns the name of the Region whose view this is.
func (v *View) RegionName() string { return v.region }

// Snapshot returns the instance as it is now.
func (v *View) Snapshot() *Snapshot { return v.instance.Snapshot() }

// User is Snapshot.User at this moment.
func (v *View) User(userName string) (User, bool) { return v.Snapshot().User(userName) }

// UserByID is Snapshot.UserByID at this moment.
func (v *View) UserByID(id string) (User, bool) { return v.Snapshot().UserByID(id) }

// Accounts is Snapshot.Accounts at this moment.
func (v *View) Accounts(userID string) []AccountAccess { return v.Snapshot().Accounts(userID) }

// Applications is Snapshot.Applications at this moment.
func (v *View) Applications(userID string) []Application { return v.Snapshot().Applications(userID) }

// Regions is Snapshot.Regions at this moment.
func (v *View) Regions() []Region { return v.Snapshot().Regions() }
