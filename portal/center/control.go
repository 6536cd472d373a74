package center

import (
	"context"
	"slices"
)

// Caller is who asks to change the instance: what the caller's verified credentials say. It must never be made from
// what a request only claims.
type Caller struct {
	Account string // of the credentials, 12 digits
	Region  string // in which the request arrived
	// Administrator: the credentials' role may administer the instance.
	Administrator bool
	// Actor is named in the events of the change: see Tx.By. It decides nothing.
	Actor Actor
}

// Control is how an operator adds and removes Regions, with the rules of AWS IAM Identity Center. All its methods are
// for the primary Region. The zero value refuses everything.
//
// It is a layer above Tx: [Tx.PutRegion] has none of these rules, and is for programs that decide for themselves.
type Control struct {
	View *View // required
	Admission
	// Delegated is the account that administers the instance for the management account, which owns it. Empty: only the
	// owner does.
	Delegated string
}

// ConsoleStatus is the status that pages show for a Region's status.
func (s RegionStatus) ConsoleStatus() string {
	switch s {
	case RegionAdding:
		return "Replicating"
	case RegionRemoving:
		return "Removing"
	}
	return "Replicated"
}

// Check returns nil if the caller may administer Regions here: as an administrator, with an account that owns the
// instance or administers it for its owner, in the Region of this Control, which must be the primary. The error is an
// *Error with ReasonCaller, or ReasonNotPrimary. An instance without OwnerAccountID has no such caller.
func (c *Control) Check(who Caller) error {
	return asError(c.check(c.View.Snapshot(), who, who.Account != "" && who.Account == c.Delegated))
}

// CheckKey is Check for a change of the instance's key, which only the account that owns the instance may make. It also
// requires that all applications work with a customer-managed key, if that is what the new one is.
func (c *Control) CheckKey(who Caller, next Encryption) error {
	s := c.View.Snapshot()
	if err := c.check(s, who, false); err != nil {
		return err
	}
	if next.KeyType == KeyCustomerManaged {
		return s.CustomerKey()
	}
	return nil
}

func (c *Control) check(s *Snapshot, who Caller, delegated bool) *Error {
	owner := s.Metadata().OwnerAccountID
	denied := func(rule, want, got string) *Error {
		return &Error{Reason: ReasonCaller, Rule: rule, Want: want, Got: got}
	}
	switch {
	case !who.Administrator:
		return denied("role of the caller", "an administrator of the instance", "another role")
	case owner == "":
		return denied("account of the caller", "the owner of the instance, which is not known", who.Account)
	case who.Account != owner && !delegated:
		return denied("account of the caller", "the account that owns the instance, or its delegate", who.Account)
	case who.Region != c.View.region:
		return denied("Region of the request", c.View.region, who.Region)
	}
	return Attempt{Task: TaskInstance, Write: true}.check(s.regionList, c.View.region)
}

// AddRegion begins to add a Region: it gets the status ADDING, and package replica makes it ACTIVE when it has all
// data. Region.Status and AddedDate are set. It needs only Name; without a Label it gets its Place's.
//
// The error is an *Error whose Reason says which rule prevents it, or the error of the update.
func (c *Control) AddRegion(ctx context.Context, who Caller, r Region) (RegionStatus, error) {
	if err := c.Check(who); err != nil {
		return "", err
	}
	s := c.View.Snapshot()
	if err := c.Admission.Region(ctx, s, r.Name); err != nil {
		return "", err
	}
	key := s.Metadata().Encryption.KeyARN
	r.Status = RegionAdding
	if p, ok := PlaceOf(r.Name); ok && r.Label == "" {
		r.Label = p.Label()
	}
	return r.Status, c.View.Update(func(tx *Tx) error { // on the state that it changes
		tx.By(who.Actor)
		if err := c.region(tx.d.s, r.Name); err != nil {
			return err
		}
		if now := tx.d.s.metadata.Encryption.KeyARN; now != key {
			return &Error{Reason: ReasonConflict, Rule: "key of instance", Want: key, Got: now}
		}
		return tx.PutRegion(r)
	})
}

// RemoveRegion begins to remove a Region: it gets the status REMOVING and serves no user. Then package replica removes
// it from the list and erases its data: see Tx.EndRemoval. A Region that is being added can be removed too.
//
// Applications that live in the Region end with it, and come back if it is added again. The caller accepts that for
// each, by its ID: see ApplicationsIn. Otherwise nothing changes, and the error, with ReasonApplications, names those
// that aren't accepted.
func (c *Control) RemoveRegion(who Caller, region string, accept ...string) (RegionStatus, error) {
	if err := c.Check(who); err != nil {
		return "", err
	}
	return RegionRemoving, c.View.Update(func(tx *Tx) error {
		tx.By(who.Actor)
		r, err := removable(tx.d.s, region)
		if err != nil {
			return err
		}
		var left []string
		for _, a := range tx.d.s.ApplicationsIn(region) {
			if !slices.Contains(accept, a.ID) {
				left = append(left, a.Name)
			}
		}
		if err := offenders(left, "none in the Region that aren't accepted"); err != nil {
			return err
		}
		r.Status = RegionRemoving
		return tx.PutRegion(r)
	})
}

// Removal returns the applications that end with a Region, sorted by ID. The error is an *Error that says why the
// Region can't be removed now by any caller.
func (s *Snapshot) Removal(region string) ([]Application, error) {
	if _, err := removable(s, region); err != nil {
		return nil, err
	}
	return s.ApplicationsIn(region), nil
}

// removable returns a copy of a Region that may be removed now.
func removable(s *Snapshot, region string) (Region, *Error) {
	list := s.regionList
	i := slices.IndexFunc(list, func(r Region) bool { return r.Name == region })
	switch {
	case i == 0:
		return Region{}, primaryFixed(region)
	case i < 0:
		return Region{}, &Error{Reason: ReasonNotFound, Rule: "Region", Want: "one of the instance", Got: region}
	case list[i].Status == RegionRemoving:
		return Region{}, conflict(list[i])
	}
	if r, busy := inProgress(list, region); busy {
		return Region{}, conflict(r)
	}
	return cloneRegion(list[i]), nil
}

func primaryFixed(name string) *Error {
	const rule, want = "removal of Region", "an additional Region"
	return &Error{Reason: ReasonPrimaryFixed, Rule: rule, Want: want, Got: name}
}

// ApplicationsIn returns the applications that live in a Region, sorted by ID. They stop while it is lost, and end when
// it is removed.
func (s *Snapshot) ApplicationsIn(region string) (out []Application) {
	for a := range s.applications.all() {
		if a.Region == region {
			out = append(out, cloneApplication(*a))
		}
	}
	return out
}

// DescribeRegion returns a Region of the instance, also in an additional Region that is in use. primary says whether it
// is the primary.
func (v *View) DescribeRegion(name string) (r Region, primary bool, err error) {
	s := v.Snapshot()
	if here, ok := s.Region(v.region); !ok || !here.Active() {
		return r, false, &Error{Reason: ReasonNotInUse, Rule: "Region", Want: "a Region in use", Got: v.region}
	}
	r, ok := s.Region(name)
	if !ok {
		return r, false, &Error{Reason: ReasonNotFound, Rule: "Region", Want: "one of the instance", Got: name}
	}
	return r, name == s.regionList[0].Name, nil
}
