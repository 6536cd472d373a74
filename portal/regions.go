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

// portalOf returns the active Region that has a portal at exactly this origin.
func (p *Portal) portalOf(origin string) (region string) {
	for _, r := range p.cfg.Directory.Regions() {
		if r.Active() && slices.Contains(origins(r.PortalURLs), origin) {
			return r.Name
		}
	}
	return ""
}
