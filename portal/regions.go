package portal

import (
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

func (p *Portal) regionNamed(name string) (center.Region, bool) {
	all := p.cfg.Directory.Regions()
	i := slices.IndexFunc(all, func(r center.Region) bool { return r.Name == name })
	if i < 0 {
		return center.Region{}, false
	}
	return all[i], true
}

func (p *Portal) otherRegion(name string) bool {
	_, ok := p.regionNamed(name)
	return ok && name != p.cfg.Region
}

// activeRegion says whether the directory has the Region, and as active.
func (p *Portal) activeRegion(name string) bool {
	r, ok := p.regionNamed(name)
	return ok && r.Active()
}

// inUse refuses while the directory does not have this Region as active: its
// endpoints are in use from the moment it is, and until it is taken out. What
// the Region knows of people may be incomplete before, and package replica
// erases it when the Region hears that it was removed.
func (p *Portal) inUse() *Error {
	if p.activeRegion(p.cfg.Region) {
		return nil
	}
	return &Error{Reason: ReasonNotInUse, Rule: "the Region is active", Want: "an active Region of the instance", Got: p.cfg.Region}
}

// mayBegin refuses a session that the next page would refuse too: in a Region
// that is not in use, or that hasn't heard what others ended. It is for users
// who are proved, because it says which Regions aren't heard.
func (p *Portal) mayBegin() *Error {
	if why := p.inUse(); why != nil {
		return why
	}
	return p.stale()
}

// portalOf returns the active Region that has a portal at exactly this origin.
func (p *Portal) portalOf(origin string) (region string) {
	for _, r := range p.cfg.Directory.Regions() {
		if r.Active() && slices.Contains(origins(r.PortalURLs), origin) {
			return r.Name
		}
	}
	return ""
}
