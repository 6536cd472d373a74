package portal

import (
	"context"
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/portal/center"
)

// The paths of the pages for operators who change Regions.
const (
	PathAddRegion = PathOperator + "/regions/add"

	pathRegion       = PathOperator + "/regions/{region}"
	pathRemoveRegion = pathRegion + "/remove"
)

// RegionAdmin is what operators need to add and remove Regions, in the primary Region: PathAddRegion and the pages of
// the Regions.
type RegionAdmin struct {
	// Control has the conditions, and makes the changes. Its View is of the portal's Region. Required.
	Control *center.Control
	// Account is the AWS account that operators of this portal administer the instance with: the one that owns it, or
	// the Control's delegate. Required.
	Account string
	// Addresses returns the addresses of a Region that is to be added: its PortalURLs and ACSURLs. Package awsnames has
	// AWS's. It is called for Regions that the Control admits. Required.
	Addresses func(region string) (center.Region, error)
	// Wish ranks the Regions to choose from.
	Wish center.Wish
	// Changed is called when a Region has the status ADDING or REMOVING because of an operator, such as to start or stop
	// its servers. It must not wait for the replication. Its error is shown and logged, and undoes nothing. Nil: no call.
	Changed func(context.Context, center.Region) error
}

func (a *RegionAdmin) check(region string) error {
	switch {
	case a == nil:
		return nil
	case a.Control == nil || a.Control.View == nil:
		return badConfig("Config.RegionAdmin.Control", "a Control with a View", "nil")
	case a.Control.View.RegionName() != region:
		return badConfig("Config.RegionAdmin.Control", "a View of Region "+region, a.Control.View.RegionName())
	case a.Account == "":
		return badConfig("Config.RegionAdmin.Account", "an account", "")
	case a.Addresses == nil:
		return badConfig("Config.RegionAdmin.Addresses", "a function", "nil")
	}
	return nil
}

// mountRegions mounts the pages of Regions.
func (p *Portal) mountRegions() {
	p.handle(PathAddRegion, byMethod{
		http.MethodGet: p.changesRegions(p.addRegionPage), http.MethodPost: p.changesRegions(p.addRegion),
	})
	p.get(pathRegion, p.operator(p.regionPage))
	p.handle(pathRotation, byMethod{
		http.MethodGet: p.rotates(p.rotationPage), http.MethodPost: p.rotates(p.setRotation),
	})
	p.handle(pathRemoveRegion, byMethod{
		http.MethodGet: p.changesRegions(p.removeRegionPage), http.MethodPost: p.changesRegions(p.removeRegion),
	})
}

const (
	textOnlyPrimary = "Regions are added and removed in the primary Region, %s. This is %s, which has a read-only copy " +
		"of the configuration."
	textOpenPrimary = "Open this page in %s"
)

// changesRegions serves operators where Regions can be changed. In an additional Region the page names the primary, and
// leads to the same page there. If the portal has no RegionAdmin, the page does not exist.
func (p *Portal) changesRegions(h visitHandler) http.HandlerFunc {
	return p.operator(func(w http.ResponseWriter, r *http.Request, v *visit) {
		all := p.cfg.Directory.Regions()
		change := center.Attempt{Task: center.TaskInstance, Write: true}
		switch err := change.Check(all, p.cfg.Region); {
		case err != nil && all[0].Name != p.cfg.Region:
			texts, primary := p.theme.Texts(r), all[0]
			body := messageBody{
				Text: texts.T(textOnlyPrimary, primary.Name, p.cfg.Region), Action: texts.T(textOpenPrimary, primary.Name),
				Href: p.openPath(p.place(r), primary, r.URL),
			}
			if name := r.PathValue("region"); r.Method == http.MethodPost && name != "" {
				p.auditRegion(r.Context(), v.session, "RemoveRegion", center.Region{Name: name}, err)
			} else if r.Method == http.MethodPost {
				p.auditRegion(r.Context(), v.session, "AddRegion", center.Region{Name: r.PostFormValue("region")}, err)
			}
			p.render(w, r, http.StatusForbidden, "message", v.page("Only in the primary Region", "operator", body))
		case err != nil || p.cfg.RegionAdmin == nil:
			p.notFound(w, r)
		default:
			h(w, r, v)
		}
	})
}

// openPath returns the address of a page in another Region's portal, or "".
func (p *Portal) openPath(l place, to center.Region, page *url.URL) string {
	out, err := url.Parse(p.openURL(l, to))
	if err != nil || out.Host == "" {
		return ""
	}
	q := page.Query()
	for name, values := range out.Query() { // that names this Region
		q[name] = values
	}
	out.Path, out.RawQuery = page.Path, q.Encode()
	return out.String()
}

// regionPath returns the path of a Region's page.
func regionPath(name string) string { return PathOperator + "/regions/" + url.PathEscape(name) }

// snapshot returns the state that one page shows.
func (a *RegionAdmin) snapshot() *center.Snapshot { return a.Control.View.Snapshot() }

func (a *RegionAdmin) caller(here string, v *visit) center.Caller {
	by := center.Actor{UserID: v.user.ID, Session: v.session.ID}
	return center.Caller{Account: a.Account, Region: here, Administrator: true, Actor: by}
}

// changed tells the program that a Region's status changed. It returns false and writes the page if that failed.
func (p *Portal) changed(w http.ResponseWriter, r *http.Request, v *visit, region center.Region) bool {
	if p.cfg.RegionAdmin.Changed == nil {
		return true
	}
	err := p.cfg.RegionAdmin.Changed(r.Context(), region)
	if err == nil {
		return true
	}
	p.log.ErrorContext(r.Context(), "portal: the program refused a change of a Region", "changed", region.Name,
		"status", string(region.Status), "error", err)
	body := messageBody{Text: textNotStarted, Action: "Show the Region", Href: regionPath(region.Name)}
	p.render(w, r, http.StatusInternalServerError, "message", v.page("The Region needs attention", "operator", body))
	return false
}

const textNotStarted = "The instance has changed, but the servers of the Region could not be told. The log of this " +
	"Region has the cause."
