package center

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Instance is the state that all Regions share. It is safe for concurrent use. Readers never wait. Writers wait for
// each other.
type Instance struct {
	writing sync.Mutex // held while a new snapshot is made; never by readers
	current atomic.Pointer[Snapshot]
	journal Journal // or nil
	now     func() time.Time
	rand    io.Reader
}

// ErrConflict is returned by a Journal that has a change that the instance doesn't have yet.
var ErrConflict = errors.New("center: the instance has changed meanwhile")

// Journal stores every update before it takes effect, and can refuse it. An implementation stores the instance on disk
// and replicates it to other Regions.
type Journal interface {
	// Commit is called with the changes of an update made in region by an actor, one update at a time. If it returns nil,
	// the changes are stored durably and take effect at once. If it returns ErrConflict, Update tries again on the state
	// that Apply has made meanwhile. If it returns another error, nothing changes and Update returns that error. Commit
	// must not call the instance's Update or Apply.
	//
	// When the primary removes a user or group, the changes include other Regions' applications, which lose that
	// principal.
	Commit(region string, by Actor, changes []Record) error
}

// New checks d and returns an instance with a copy of it, or an *Error.
func New(d Data) (*Instance, error) {
	return Config{Data: d}.open(true)
}

// NewJournaled is New for an instance whose updates go through a Journal. d is the state that the Journal has stored.
// It may contain userNames that an older version accepted and New refuses, and users and groups that belong to no
// identity provider of the list, after a recovery.
func NewJournaled(d Data, j Journal) (*Instance, error) {
	return Config{Data: d, Journal: j}.open(false)
}

// NewStored is NewJournaled for a state that is stored as records. It costs less than Assemble and NewJournaled.
// Unknown principals of applications are dropped.
func NewStored(records []Record, j Journal) (*Instance, error) {
	return Config{Records: records, Journal: j}.open(false)
}

// Snapshot returns the current state.
func (i *Instance) Snapshot() *Snapshot { return i.current.Load() }

// Apply applies changes that other Regions have made, all of them at once. It does not check which Region may make
// them, and does not call the Journal. The result is valid as a whole, and the primary can't change. Like Assemble, it
// drops unknown principals of applications.
func (i *Instance) Apply(changes []Record) error {
	if len(changes) == 0 {
		return nil
	}
	i.writing.Lock()
	defer i.writing.Unlock()
	d := newDraft(i.Snapshot())
	if err := d.merge(changes); err != nil {
		return err
	}
	s, err := d.finish(false)
	if err != nil {
		return err
	}
	if before, after := i.Snapshot().Primary().Name, s.Primary().Name; before != after {
		want := quote(before) + " as the primary"
		return &Error{Reason: ReasonPrimaryFixed, Rule: "primary Region", Want: want, Got: after}
	}
	i.current.Store(s)
	return nil
}

// In returns the named Region's view of the instance. The Region must be one of the instance's.
func (i *Instance) In(region string) (*View, error) {
	if _, ok := i.Snapshot().Region(region); !ok {
		return nil, &Error{Reason: ReasonUnknownRegion, Rule: "Region", Want: "a Region of the instance", Got: region}
	}
	return &View{instance: i, region: region}, nil
}

// View is one Region's access to the instance. Each of its read methods uses the current snapshot. For several
// consistent reads, use Snapshot.
type View struct {
	instance *Instance
	region   string
}

// RegionName returns the name of the view's Region.
func (v *View) RegionName() string { return v.region }

// Snapshot returns the current state.
func (v *View) Snapshot() *Snapshot { return v.instance.Snapshot() }

// User calls Snapshot.User on the current state.
func (v *View) User(userName string) (User, bool) { return v.Snapshot().User(userName) }

// UserOf calls Snapshot.UserOf on the current state.
func (v *View) UserOf(identityProvider, userName string) (User, bool) {
	return v.Snapshot().UserOf(identityProvider, userName)
}

// IdentityProviders calls Snapshot.IdentityProviders on the current state.
func (v *View) IdentityProviders() []IdentityProvider { return v.Snapshot().IdentityProviders() }

// UserByID calls Snapshot.UserByID on the current state.
func (v *View) UserByID(id string) (User, bool) { return v.Snapshot().UserByID(id) }

// Accounts calls Snapshot.Accounts on the current state.
func (v *View) Accounts(userID string) []AccountAccess { return v.Snapshot().Accounts(userID) }

// AccountSets calls Snapshot.AccountSets on the current state.
func (v *View) AccountSets(userID string) []AccountSets { return v.Snapshot().AccountSets(userID) }

// PermissionSet calls Snapshot.PermissionSet on the current state.
func (v *View) PermissionSet(name string) (PermissionSet, bool) {
	return v.Snapshot().PermissionSet(name)
}

// RoleOf calls Snapshot.RoleOf on the current state.
func (v *View) RoleOf(userID, accountID, permissionSet string) (Role, bool) {
	return v.Snapshot().RoleOf(userID, accountID, permissionSet)
}

// RoleSuffix calls Snapshot.RoleSuffix on the current state.
func (v *View) RoleSuffix(accountID, permissionSet string) string {
	return v.Snapshot().RoleSuffix(accountID, permissionSet)
}

// Metadata calls Snapshot.Metadata on the current state.
func (v *View) Metadata() InstanceMetadata { return v.Snapshot().Metadata() }

// Applications calls Snapshot.Applications on the current state.
func (v *View) Applications(userID string) []Application { return v.Snapshot().Applications(userID) }

// Regions calls Snapshot.Regions on the current state.
func (v *View) Regions() []Region { return v.Snapshot().Regions() }
