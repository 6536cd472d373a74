package center

import (
	"fmt"
	"slices"
	"strings"
)

// A residency is Data.Residency in a record. A version from before it skips the record and passes it on. There is at
// most one.
type residency struct {
	Regions []string `json:"regions"`
}

func (residency) kind() Kind  { return KindResidency }
func (residency) key() string { return "residency" }

// Residency returns the Regions that the instance may ever be extended to, sorted. Nil: every Region.
func (s *Snapshot) Residency() []string {
	if r := s.residency.get(residency{}.key()); r != nil {
		return slices.Clone(r.Regions)
	}
	return nil
}

// resides returns nil if the policy of residency allows a Region.
func (s *Snapshot) resides(region string) *Error {
	r := s.residency.get(residency{}.key())
	if r == nil || slices.Contains(r.Regions, region) {
		return nil
	}
	return &Error{Reason: ReasonResidency, Rule: "Region", Want: "one of " + strings.Join(r.Regions, ", "), Got: region}
}

// SetResidency replaces the list of Regions that the instance may ever be extended to, which must have all of its
// Regions. An empty list allows every Region. From then on an update that adds another Region fails with
// ReasonResidency. Primary only.
func (t *Tx) SetResidency(regions []string) error {
	if err := t.primaryOnly("write", KindResidency); err != nil {
		return err
	}
	if t.d.residency.drop(residency{}.key()); len(regions) > 0 {
		t.d.residency.put(newResidency(regions))
	}
	return nil
}

func newResidency(regions []string) residency {
	regions = slices.Clone(regions)
	slices.Sort(regions)
	return residency{slices.Compact(regions)}
}

// checkResidency checks a new policy, and new Regions. A stored instance with others must still start.
func (d *draft) checkResidency(c *checker) {
	each(c, &d.residency, false, func(_, r *residency) {
		if r == nil {
			return
		}
		for _, name := range r.Regions {
			c.match("Region of residency", name, regionName, "a Region code such as eu-central-1")
		}
		if len(r.Regions) > maxResidency {
			c.fail(ReasonQuota, "number of Regions of residency", fmt.Sprintf("at most %d", maxResidency),
				fmt.Sprint(len(r.Regions)))
		}
	})
	_, changed := d.residency.was[residency{}.key()]
	for _, r := range d.s.regionList {
		if _, old := d.base.regions[r.Name]; old && !changed {
			continue
		}
		if err := d.s.resides(r.Name); err != nil {
			c.fail(err.Reason, err.Rule, err.Want, err.Got)
		}
	}
}

const maxResidency = 64 // Regions, more than there are
