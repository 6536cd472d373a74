package portal

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

func (p *Portal) isOperator(u center.User) bool { return p.cfg.Operator != nil && p.cfg.Operator(u) }

// operator serves operators. For other users the page does not exist.
func (p *Portal) operator(h visitHandler) http.HandlerFunc {
	return p.visitor(func(w http.ResponseWriter, r *http.Request, v *visit) {
		if !p.isOperator(v.user) {
			p.notFound(w, r)
			return
		}
		h(w, r, v)
	})
}

type operatorBody struct {
	Regions      []regionRow
	ACS, Portals []string // the URLs of all Regions, the primary's first
	Domains      []string // to allow where the network is restricted

	UserName, Done, Problem string // of the form that ends a user's sessions
}

type regionRow struct {
	regionLink
	Status string
	Peer   Peer
	Known  bool // whether there is data about its replication
}

func (p *Portal) operatorPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p.renderOperator(w, r, v, http.StatusOK, operatorBody{})
}

func (p *Portal) renderOperator(w http.ResponseWriter, r *http.Request, v *visit, status int, body operatorBody) {
	heard := p.peers()
	for _, link := range p.regionLinks(r) {
		body.Regions = append(body.Regions, p.regionRow(link, heard))
		body.ACS = append(body.ACS, link.ACSURLs...)
		body.Portals = append(body.Portals, link.PortalURLs...)
		for _, raw := range slices.Concat(link.PortalURLs, link.ACSURLs) {
			u, err := url.Parse(raw)
			if err == nil && u.Hostname() != "" && !slices.Contains(body.Domains, u.Hostname()) {
				body.Domains = append(body.Domains, u.Hostname())
			}
		}
	}
	p.render(w, r, status, "operator", v.page("Operator", "operator", body))
}

func (p *Portal) regionRow(link regionLink, heard map[string]Peer) regionRow {
	row := regionRow{regionLink: link}
	row.Peer, row.Known = heard[link.Name]
	if row.Known {
		row.Heard, row.Unreachable = p.since(row.Peer), row.Peer.cutOff()
	}
	switch { // an active Region's data is current only while it is reachable
	case link.Region.Status == center.RegionAdding:
		row.Status = "Replicating"
	case link.Region.Status == center.RegionRemoving:
		row.Status = "Removing"
	case link.Current || !row.Known:
		row.Status = "Active"
	case row.Peer.cutOff():
		row.Status = "Unknown"
	case row.Peer.State == PeerReplicated:
		row.Status = "Replicated"
	default:
		row.Status = "Behind"
	}
	return row
}

// Done is the progress of the initial replication, at most Peer.Total.
func (r regionRow) Done() uint64 { return min(r.Peer.Done, r.Peer.Total) }

// Lag is unknown if this Region lacks changes, because the last one's lag says nothing about those.
func (r regionRow) Lag() string {
	if r.Peer.State != PeerReplicated {
		return "unknown"
	}
	return lag(r.Peer.Lag)
}

func (r regionRow) Clock() string {
	if !r.Peer.ClockKnown {
		return "not measured"
	}
	return clockText(-r.Peer.ClockAhead)
}

func lag(d time.Duration) string {
	switch {
	case d <= 0:
		return "none yet"
	case d < time.Millisecond:
		return "under 1ms"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func (p *Portal) endUser(w http.ResponseWriter, r *http.Request, v *visit) {
	if err := r.ParseForm(); err != nil {
		p.badRequest(w, r)
		return
	}
	name := r.PostForm.Get("user_name")
	u, ok := p.cfg.Directory.User(name)
	if !ok {
		const problem = "No user has exactly this user name. Nothing was done. Check the spelling and try again."
		p.renderOperator(w, r, v, http.StatusUnprocessableEntity, operatorBody{UserName: name, Problem: problem})
		return
	}
	if p.revokeUser(w, r, v, u) {
		done := "All sessions of " + u.UserName + " were ended here. Other Regions end them when the change arrives there."
		p.renderOperator(w, r, v, http.StatusOK, operatorBody{Done: done})
	}
}
