package center

import "slices"

// Task is one of the tasks of an instance. What may be done in a task depends on the Region: see Tasks.
type Task string

// The tasks, with the names that pages show.
const (
	TaskIdentities        Task = "Workforce identities"
	TaskSessions          Task = "Session revocation"
	TaskInstance          Task = "Instance configuration"
	TaskAppAssignments    Task = "User assignments of applications"
	TaskPropagation       Task = "Trusted identity propagation"
	TaskAppAccess         Task = "Enabling and disabling applications"
	TaskIdentityProviders Task = "External identity providers"
	TaskCustomerApps      Task = "Customer-managed SAML and OAuth 2.0 applications"
	TaskAccountAccess     Task = "Access to accounts"
	TaskAppManagement     Task = "Management of applications"
	TaskPermissions       Task = "Permission sets and assignments"
)

// Right is what may be done in a task, in a Region.
type Right string

// The rights, with the names that pages show.
const (
	RightFull Right = "Full"          // reads and writes
	RightRead Right = "Read-only"     // writes only in the primary Region
	RightNone Right = "Not available" // reads and writes only in the primary Region
	// RightOwn: reads and writes for an application of this Region, and neither for another Region's.
	RightOwn Right = "Own applications"
	// RightOwnRead: reads for every application, and writes for those of this Region.
	RightOwnRead Right = "Own applications; others read-only"
)

// TaskRow is what may be done in a task in the primary Region, and in the additional Regions.
type TaskRow struct {
	Task                Task
	Primary, Additional Right
}

// Tasks returns the table of tasks. It decides what [Tx], package scim, the portal and the APIs allow: see Attempt. The
// rights of additional Regions are about administration: every Region has the data, and uses it for sign-in and access.
func Tasks() []TaskRow { return slices.Clone(taskTable) }

// taskTable never changes.
var taskTable = []TaskRow{
	{TaskIdentities, RightFull, RightRead},
	{TaskSessions, RightFull, RightFull},
	{TaskInstance, RightFull, RightRead},
	{TaskAppAssignments, RightOwn, RightOwn},
	{TaskPropagation, RightOwn, RightOwn},
	{TaskAppAccess, RightOwn, RightOwn},
	{TaskIdentityProviders, RightFull, RightRead},
	{TaskCustomerApps, RightOwn, RightOwn},
	{TaskAccountAccess, RightFull, RightFull},
	{TaskAppManagement, RightOwnRead, RightOwnRead},
	{TaskPermissions, RightFull, RightNone},
}

// Attempt is one use of a task, to be checked against the table.
type Attempt struct {
	Task  Task
	Write bool // false: a read
	// Application is the Region of the application that the attempt is about: for a new one, the Region where it shall
	// run. Required for tasks with RightOwn and RightOwnRead; otherwise it has no effect.
	Application string
}

// Check returns nil if the attempt is allowed in the Region named here, of an instance with these Regions, the primary
// first. Otherwise the error is an *Error: ReasonNotPrimary names the primary, and ReasonNotAppRegion the application's
// own Region. ReasonUnknownRegion says that the instance doesn't list the Region, and ReasonNotInUse that the Region is
// being removed: nothing but revocations is written there. An unknown Task is refused.
//
// The caller must have authenticated the person or program that attempts it: the table knows Regions, not persons.
func (a Attempt) Check(regions []Region, here string) error {
	if err := a.check(regions, here); err != nil {
		return err
	}
	return nil
}

func (a Attempt) check(regions []Region, here string) *Error {
	row := slices.IndexFunc(taskTable, func(r TaskRow) bool { return r.Task == a.Task })
	at := slices.IndexFunc(regions, func(r Region) bool { return r.Name == here })
	rule := string(a.Task)
	switch {
	case row < 0:
		return &Error{Reason: ReasonInvalid, Rule: "task", Want: "one of the table", Got: rule}
	case at < 0:
		return &Error{Reason: ReasonUnknownRegion, Rule: rule, Want: "a Region of the instance", Got: here}
	}
	right := taskTable[row].Additional
	if at == 0 {
		right = taskTable[row].Primary
	}
	switch right {
	case RightOwn, RightOwnRead:
		if err := a.own(rule, here, right); err != nil {
			return err
		}
	case RightFull:
	default:
		if primary := regions[0].Name; a.Write || right != RightRead {
			return &Error{Reason: ReasonNotPrimary, Rule: rule, Want: "the primary Region " + quote(primary), Got: here,
				Primary: primary}
		}
	}
	if regions[at].Status == RegionRemoving && a.Write && a.Task != TaskSessions {
		return &Error{Reason: ReasonNotInUse, Rule: rule, Want: "a Region that isn't being removed", Got: here}
	}
	return nil
}

// own checks a right that depends on the application's Region.
func (a Attempt) own(rule, here string, right Right) *Error {
	switch {
	case a.Application == here, !a.Write && right == RightOwnRead:
		return nil
	case a.Application == "":
		return &Error{Reason: ReasonRequired, Rule: rule, Want: "the Region of the application"}
	}
	return &Error{Reason: ReasonNotAppRegion, Rule: rule, Want: "the application's own Region " + quote(a.Application),
		Got: here}
}

// Check is Attempt.Check in the view's Region, on the current state.
func (v *View) Check(a Attempt) error { return a.Check(v.Snapshot().regionList, v.region) }

// taskOf returns the task that changes elements of a kind. An application's depend on what changes.
func taskOf(k Kind) Task {
	switch k {
	case KindUser, KindGroup:
		return TaskIdentities
	case KindRegion, KindInstance, KindResidency:
		return TaskInstance
	case KindIdentityProvider, KindFederation:
		return TaskIdentityProviders
	case KindPermissionSet, KindAccount, KindAssignment:
		return TaskPermissions
	}
	return TaskAppManagement
}
