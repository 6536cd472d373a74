package center

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// The limits of what an instance holds, as at AWS. They are checked when something is added, not when an instance is
// opened.
const (
	MaxRegions        = 17    // the primary and 16 additional Regions
	MaxPermissionSets = 3_500 // in the instance
	MaxDescription    = 1_024 // characters, of a group
)

// checkMetadata checks what an update may not do, and a stored instance may have.
func (d *draft) checkMetadata(c *checker) {
	regions, before := len(d.s.regionList), len(d.base.regionList)
	if d.s.metadata != d.base.metadata || regions != before {
		c.metadata(d.s.metadata, regions)
	}
	if regions > MaxRegions && regions > before {
		c.fail(ReasonQuota, "number of Regions", fmt.Sprintf("at most %d", MaxRegions), fmt.Sprint(regions))
	}
	if n := d.s.sets.len(); n > MaxPermissionSets && n > d.base.sets.len() {
		c.fail(ReasonQuota, "number of permission sets", fmt.Sprintf("at most %d", MaxPermissionSets), fmt.Sprint(n))
	}
}

// dates checks that dates can be written as RFC 3339 has them.
func (c *checker) dates(what string, all ...time.Time) {
	for _, t := range all {
		if year := t.Year(); year < 0 || year > 9999 {
			c.fail(ReasonInvalid, what, "a year of four digits", t.String())
		}
	}
}

func (c *checker) groupDetails(g *Group) {
	const what = "description of group"
	if utf8.RuneCountInString(g.Description) > MaxDescription {
		c.fail(ReasonQuota, what, fmt.Sprintf("at most %d characters", MaxDescription), "")
	}
	if g.Description != "" {
		c.bounded(what, g.Description, 4*MaxDescription)
	}
}

func (c *checker) permissionSetDetails(p *PermissionSet) {
	if p.ID != "" {
		c.match("ID of permission set", p.ID, permissionSetID, "ps- and 16 letters, digits, dots, slashes and hyphens")
	}
	if utf8.RuneCountInString(p.RelayState) > MaxRelayState {
		c.fail(ReasonQuota, "relayState of permission set", fmt.Sprintf("at most %d characters", MaxRelayState), "")
	}
	if p.RelayState != "" {
		c.match("relayState of permission set", p.RelayState, relayState, "characters of a URL")
	}
	c.policies(p.Policies)
}

// checkManagement refuses a second management account.
func (d *draft) checkManagement(c *checker, a *Account) {
	for other := range d.s.accounts.all() {
		if other.Management && other.ID != a.ID {
			c.fail(ReasonDuplicate, "management account", "one", a.ID)
		}
	}
}
