package portal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal/awsnames"
	"github.com/meridian-saml/meridian/portal/center"
)

// regionBody is the page of one Region: its status, its addresses, and what is left to do at the identity provider.
type regionBody struct {
	Row      regionRow
	Console  string // the status in the console's word, and in the API's
	API      string
	Done     uint64 // the initial replication, in elements; Total is 0 if it is not known
	Total    uint64
	Left     string // its estimated time, or ""
	Removed  bool   // the instance doesn't list the Region
	Name     string
	Okta     []appField // the app's fields for all Regions, in the order of the list
	Entra    []appField
	Bookmark string // the label of the bookmark app
	Hosts    []hostRow
	MayEdit  bool // Regions can be changed here
	Rotates  bool // the rotation of Regions can be changed
}

// appField is a field of the SAML app at the identity provider.
type appField struct {
	Name, URL string
	Here      bool // it is of the page's Region
}

// hostRow is a host for allow-lists.
type hostRow struct{ Name, Use, Family string }

// reloadAfter is how often the page of a Region that is being added or removed is loaded again, in seconds.
const reloadAfter = "3"

// reloadQuery is the query of a page that its browser loads again without the user. Such a request is no use of the
// session: see visit.go.
const reloadQuery = "reload=auto"

// reloaded reports whether a request is one by which the page of a Region loads itself. The query says so at that page
// only: with a stolen cookie, it would hide from the user's list of sessions that one is in use.
func reloaded(r *http.Request) bool {
	return r.URL.RawQuery == reloadQuery && r.Method == http.MethodGet && r.Pattern == pathRegion
}

// bookmarkLabel is the label of the bookmark app of a Region. With Config.AWS it is that of AWS's instructions.
func (p *Portal) bookmarkLabel(r center.Region) string {
	label, name := r.Name, p.theme.Name()
	if place, ok := center.PlaceOf(r.Name); ok {
		label = place.Label()
	}
	if p.cfg.AWS {
		name = "Identity Center"
	}
	return name + " – " + label
}

// oktaACS returns the name of the field at Okta for the URL with this index: of AWS's app, which has 18, or of a custom
// app.
func (p *Portal) oktaACS(t *theme.Texts, i int) string {
	switch {
	case p.cfg.AWS && i == 0:
		return "AWS SSO ACS URL"
	case p.cfg.AWS:
		return fmt.Sprintf("AWS SSO ACS URL%d", i)
	case i == 0:
		return "Single sign-on URL"
	}
	return t.T("Index %d", i)
}

func (p *Portal) regionPage(w http.ResponseWriter, r *http.Request, v *visit) {
	name := r.PathValue("region")
	body := regionBody{Name: name, MayEdit: p.mayChangeRegions(), Rotates: p.mayRotate()}
	heard := p.peers()
	links, texts := p.regionLinks(r), p.theme.Texts(r)
	for _, link := range links {
		for _, raw := range link.ACSURLs {
			i := len(body.Okta)
			body.Okta = append(body.Okta, appField{p.oktaACS(texts, i), raw, link.Name == name})
			entra := texts.T("Index %d", i)
			if i == 0 {
				entra = texts.T("Index %d, Default", i)
			}
			body.Entra = append(body.Entra, appField{entra, raw, link.Name == name})
		}
	}
	i := slices.IndexFunc(links, func(l regionLink) bool { return l.Name == name })
	if i < 0 {
		place, known := center.PlaceOf(name)
		if !known {
			p.notFound(w, r)
			return
		}
		body.Removed = true
		body.Row.Region = center.Region{Name: name, Label: place.Site}
		body.Bookmark = p.bookmarkLabel(body.Row.Region)
		p.render(w, r, http.StatusNotFound, "region", v.page(name, "operator", body))
		return
	}
	body.Row = p.regionRow(r, links[i], heard)
	region := body.Row.Region
	body.Bookmark, body.Hosts = p.bookmarkLabel(region), hostRows(region, links[0].Name)
	body.Console, body.API = textStatuses[region.Status], string(region.Status)
	if region.Active() {
		body.Console, body.API = textStatuses[center.RegionActive], string(center.RegionActive)
	} else {
		w.Header().Set("Refresh", reloadAfter+"; url="+regionPath(name)+"?"+reloadQuery)
	}
	if region.Status == center.RegionAdding {
		peer := heard[name]
		body.Done, body.Total = peer.Copied, peer.ToCopy
		if left := p.timeLeft(region, peer); left > 0 {
			body.Left = length(texts, max(time.Minute, left.Round(time.Minute)))
		}
	}
	p.render(w, r, http.StatusOK, "region", v.page(name, "operator", body))
}

var textStatuses = map[center.RegionStatus]string{
	center.RegionAdding:   "Replicating",
	center.RegionActive:   "Replicated",
	center.RegionRemoving: "Removing",
}

// timeLeft estimates how much longer the initial replication takes: as long for each element as so far. Zero: there is
// no estimate.
func (p *Portal) timeLeft(r center.Region, peer Peer) time.Duration {
	passed := p.now().Sub(r.AddedDate)
	if r.AddedDate.IsZero() || passed <= 0 || peer.Copied == 0 || peer.Copied >= peer.ToCopy {
		return 0
	}
	return time.Duration(float64(passed) * float64(peer.ToCopy-peer.Copied) / float64(peer.Copied))
}

// mayChangeRegions reports whether this portal can change Regions.
func (p *Portal) mayChangeRegions() bool {
	return p.cfg.RegionAdmin != nil && p.cfg.Directory.Regions()[0].Name == p.cfg.Region
}

// hostRows returns the hosts of a Region's addresses, with what they are for. If package awsnames knows one of them,
// the Region is AWS's, and has those of AWS's clients, too.
func hostRows(r center.Region, primary string) (out []hostRow) {
	ofAWS := false
	add := func(name string, row hostRow) {
		if d, ok := awsnames.DomainOf(name); ok {
			ofAWS, row = true, hostRow{Use: textUses[d.Use], Family: textFamilies[d.Family]}
		}
		if row.Name = name; name != "" && !slices.ContainsFunc(out, func(h hostRow) bool { return h.Name == name }) {
			out = append(out, row)
		}
	}
	for i, raw := range slices.Concat(r.PortalURLs, r.ACSURLs) {
		use := awsnames.UsePortal
		if i >= len(r.PortalURLs) {
			use = awsnames.UseSignIn
		}
		if u, err := url.Parse(raw); err == nil {
			add(u.Hostname(), hostRow{Use: textUses[use]})
		}
	}
	if hosts, err := (awsnames.Instance{Primary: primary}).Hosts(r.Name); ofAWS && err == nil {
		for _, h := range hosts {
			add(h.Name, hostRow{})
		}
	}
	return out
}

// removeRegionBody is the page on which operators remove a Region.
type removeRegionBody struct {
	Region   center.Region
	Apps     []center.Application // the first ones of those that end with it
	MoreApps int
	Accept   string // names exactly these applications
	Typed    string
	Problem  *refusedChange // why it was not removed
	Blocked  bool           // it can't be removed now
}

// maxShownApps is how many applications the page names.
const maxShownApps = 100

var textMistyped = why{"What you typed is not the name of the Region. Nothing was removed.", "Type the name exactly."}

var textOtherApps = why{"The applications of the Region have changed meanwhile. Nothing was removed.",
	"Read the list again before you confirm."}

func (p *Portal) removeRegionPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p.renderRemoveRegion(w, r, v, http.StatusOK, removeRegionBody{})
}

func (p *Portal) renderRemoveRegion(w http.ResponseWriter, r *http.Request, v *visit, status int, b removeRegionBody) {
	s, name := p.cfg.RegionAdmin.snapshot(), r.PathValue("region")
	region, ok := s.Region(name)
	if !ok {
		p.notFound(w, r)
		return
	}
	b.Region = region
	apps, err := s.Removal(name)
	if err != nil {
		b.Blocked = true
		if b.Problem == nil {
			b.Problem = explain(err)
		}
		status = http.StatusUnprocessableEntity
	}
	b.Accept, b.Apps = acceptance(apps), apps[:min(len(apps), maxShownApps)]
	b.MoreApps = len(apps) - len(b.Apps)
	p.render(w, r, status, "removeregion", v.page("Remove Region", "operator", b))
}

// acceptance names a list of applications in a form.
func acceptance(apps []center.Application) string {
	h := sha256.New()
	for _, a := range apps {
		fmt.Fprintf(h, "%d:%s", len(a.ID), a.ID)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// removeRegion removes a Region if its name was typed. The applications that end with it are those that the page
// showed.
func (p *Portal) removeRegion(w http.ResponseWriter, r *http.Request, v *visit) {
	if err := r.ParseForm(); err != nil {
		p.badRequest(w, r)
		return
	}
	name, admin := r.PathValue("region"), p.cfg.RegionAdmin
	again := func(status int, why *refusedChange) {
		p.renderRemoveRegion(w, r, v, status, removeRegionBody{Problem: why, Typed: r.PostForm.Get("confirm")})
	}
	apps, err := admin.snapshot().Removal(name)
	if err == nil && r.PostForm.Get("confirm") != name {
		again(http.StatusUnprocessableEntity, &refusedChange{why: textMistyped})
		return
	}
	if err == nil && r.PostForm.Get("accept") != acceptance(apps) {
		again(http.StatusUnprocessableEntity, &refusedChange{why: textOtherApps})
		return
	}
	region, _ := admin.snapshot().Region(name)
	region.Name = name
	if err == nil {
		var accept []string
		for _, a := range apps {
			accept = append(accept, a.ID)
		}
		region.Status, err = admin.Control.RemoveRegion(admin.caller(p.cfg.Region, v), name, accept...)
	}
	p.auditRegion(r.Context(), v.session, "RemoveRegion", region, err)
	if err != nil {
		p.refuseChange(w, r, "RemoveRegion", name, err, again)
		return
	}
	p.log.InfoContext(r.Context(), "portal: Region is being removed", "removed", name, "by", v.user.UserName)
	if p.changed(w, r, v, region) {
		http.Redirect(w, r, regionPath(name), http.StatusSeeOther)
	}
}
