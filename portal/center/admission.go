package center

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Admission are the conditions for an additional Region. The zero value refuses every Region, because it knows no key.
type Admission struct {
	// Key returns nil if the Region has a copy of the instance's key that may be used to seal and open there. The error
	// says why not; one of package keys has AWS's reason. It is asked for the ARN of InstanceMetadata.Encryption. Nil:
	// no Region has a copy.
	Key func(ctx context.Context, keyARN, region string) error
	// MaxRegions is the most Regions that the instance may have, the primary included. Zero: the constant MaxRegions.
	MaxRegions int
}

// AppSupport is what an application works with: see Config.Support.
type AppSupport struct {
	CustomerKey bool // an instance with a customer-managed key
	MultiRegion bool // an additional Region
}

// Prerequisite is a group of the conditions that an instance must meet before any Region can be added, with the name
// that pages show.
type Prerequisite string

// The prerequisites, in the order in which they are checked.
const (
	PrerequisiteInstance     Prerequisite = "An organization instance that is connected to an external identity provider"
	PrerequisiteKey          Prerequisite = "A multi-Region customer managed KMS key"
	PrerequisiteApplications Prerequisite = "Applications that support customer managed KMS keys"
)

// Requirement is a prerequisite, and why an instance doesn't meet it.
type Requirement struct {
	Prerequisite Prerequisite
	// Err is nil if it is met, and otherwise an *Error with the first condition that isn't.
	Err error
}

// prerequisites are all of them. AddRegion and the checklist of pages read the same ones.
var prerequisites = []struct {
	name  Prerequisite
	check func(*Snapshot) *Error
}{
	{PrerequisiteInstance, checkInstance},
	{PrerequisiteKey, func(s *Snapshot) *Error { return checkKey(s.Metadata().Encryption) }},
	{PrerequisiteApplications, (*Snapshot).customerKey},
}

// Prerequisites returns all prerequisites, each with the reason why the instance doesn't meet it. That the key has a
// usable copy in the Region to add is checked for each Region: see Candidates.
func (a Admission) Prerequisites(s *Snapshot) []Requirement {
	var out []Requirement
	for _, p := range prerequisites {
		out = append(out, Requirement{p.name, asError(p.check(s))})
	}
	return out
}

// Instance returns nil if the instance meets all prerequisites. The error is an *Error.
func (a Admission) Instance(s *Snapshot) error { return asError(a.instance(s)) }

func (a Admission) instance(s *Snapshot) *Error {
	for _, p := range prerequisites {
		if err := p.check(s); err != nil {
			return err
		}
	}
	return nil
}

// checkInstance requires the instance of an organization, with an external identity provider, in a commercial Region.
func checkInstance(s *Snapshot) *Error {
	m := s.Metadata()
	switch {
	case m.Kind != InstanceOrganization:
		return &Error{Reason: ReasonAccountInstance, Rule: "kind of instance", Want: "ORGANIZATION", Got: string(m.Kind)}
	case m.IdentitySource == SourceActiveDirectory:
		return source(ReasonActiveDirectory, m)
	case m.IdentitySource != SourceExternal:
		return source(ReasonOwnDirectory, m)
	}
	err := checkPlace(s.regionList[0].Name)
	if err != nil {
		err.Rule = "primary Region"
	}
	return err
}

func source(r Reason, m InstanceMetadata) *Error {
	return &Error{Reason: r, Rule: "identity source", Want: "EXTERNAL_IDP", Got: string(m.IdentitySource)}
}

// checkKey requires a customer-managed multi-Region key that is in use.
func checkKey(e Encryption) *Error {
	const rule = "key of instance"
	switch {
	case e.KeyType != KeyCustomerManaged:
		return &Error{Reason: ReasonKeyType, Rule: rule, Want: string(KeyCustomerManaged), Got: string(e.KeyType)}
	case !multiRegionKey.MatchString(e.KeyARN):
		return &Error{Reason: ReasonSingleRegionKey, Rule: rule, Want: "a multi-Region key, mrk-", Got: e.KeyARN}
	case e.Status != EncryptionEnabled:
		return &Error{Reason: ReasonKeyType, Rule: "status of key of instance", Want: string(EncryptionEnabled),
			Got: string(e.Status)}
	}
	return nil
}

// CustomerKey returns nil if all applications of the instance work with a customer-managed key. Otherwise the error, an
// *Error with ReasonApplications, names those that don't. Tx.PutInstanceMetadata asks it before the instance gets such
// a key.
func (s *Snapshot) CustomerKey() error { return asError(s.customerKey()) }

func (s *Snapshot) customerKey() *Error {
	if s.support == nil {
		return nil
	}
	var bad []string
	for app := range s.applications.all() {
		if !s.support(cloneApplication(*app)).CustomerKey {
			bad = append(bad, app.Name)
		}
	}
	return offenders(bad, "ones that work with a customer-managed key")
}

// Deployable returns nil if an application may be deployed in its Region: in an additional one, or if the instance has
// a customer-managed key, the application must work with it. Otherwise the error is an *Error with ReasonApplications.
// Tx.PutApplication asks it.
func (s *Snapshot) Deployable(app Application) error { return asError(s.deployable(app)) }

func (s *Snapshot) deployable(app Application) *Error {
	if s.support == nil {
		return nil
	}
	support, additional := s.support(cloneApplication(app)), app.Region != s.regionList[0].Name
	switch {
	case additional && !support.MultiRegion:
		return offenders([]string{app.Name}, "one that works in an additional Region")
	case !support.CustomerKey && (additional || s.metadata.Encryption.KeyType == KeyCustomerManaged):
		return offenders([]string{app.Name}, "one that works with a customer-managed key")
	}
	return nil
}

// offenders returns nil without any.
func offenders(names []string, want string) *Error {
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	const most = 20
	if left := len(names) - most; left > 0 {
		names = append(names[:most:most], fmt.Sprintf("and %d more", left))
	}
	return &Error{Reason: ReasonApplications, Rule: "applications", Want: want, Got: strings.Join(names, ", ")}
}

// Region returns nil if the Region may be added now. The error is an *Error.
func (a Admission) Region(ctx context.Context, s *Snapshot, region string) error {
	if err := a.region(s, region); err != nil {
		return err
	}
	return a.replica(ctx, s, region)
}

// region is what can be decided without asking for the key.
func (a Admission) region(s *Snapshot, region string) *Error {
	if err := a.instance(s); err != nil {
		return err
	}
	if err := checkPlace(region); err != nil {
		return err
	}
	if err := s.resides(region); err != nil {
		return err
	}
	if _, ok := s.Region(region); ok {
		return &Error{Reason: ReasonConflict, Rule: "Region", Want: "one that the instance doesn't have", Got: region}
	}
	if r, busy := inProgress(s.regionList, ""); busy {
		return conflict(r)
	}
	if most, n := a.most(), len(s.regionList); n >= most {
		return &Error{Reason: ReasonQuota, Rule: "number of Regions", Want: fmt.Sprintf("at most %d", most),
			Got: fmt.Sprint(n + 1)}
	}
	return nil
}

func (a Admission) most() int {
	if a.MaxRegions == 0 {
		return MaxRegions
	}
	return min(a.MaxRegions, MaxRegions)
}

func (a Admission) replica(ctx context.Context, s *Snapshot, region string) error {
	e := &Error{Reason: ReasonKeyReplica, Rule: "key in Region " + region, Want: "a usable copy"}
	if a.Key == nil {
		return e
	}
	if e.Err = a.Key(ctx, s.Metadata().Encryption.KeyARN, region); e.Err != nil {
		return e
	}
	return nil
}

// inProgress returns a Region that is being added or removed, other than one.
func inProgress(regions []Region, other string) (Region, bool) {
	i := slices.IndexFunc(regions, func(r Region) bool { return !r.Active() && r.Name != other })
	if i < 0 {
		return Region{}, false
	}
	return regions[i], true
}

func conflict(r Region) *Error {
	return &Error{Reason: ReasonConflict, Rule: "Regions", Want: "none that is being added or removed",
		Got: r.Name + ", " + string(r.Status)}
}

// asError makes a nil error of a nil *Error.
func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// Candidate is a Region that an instance may be extended to, or the reason that it may not.
type Candidate struct {
	Place Place
	// Err is nil if the Region can be added now, and otherwise an *Error with the reason.
	Err error
}

// Candidates returns all 17 Regions, sorted by name, with the reason of each that can't be added. Key is asked about
// each that meets the other conditions, one after the other.
func (a Admission) Candidates(ctx context.Context, s *Snapshot) []Candidate {
	var out []Candidate
	for _, p := range places {
		out = append(out, Candidate{p, a.Region(ctx, s, p.Name)})
	}
	return out
}
