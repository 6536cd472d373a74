package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

func (p *Portal) isOperator(u center.User) bool { return p.cfg.Operator != nil && p.cfg.Operator(u) }

// operator serves operators. To everybody else the page does not exist.
func (p *Portal) operator(h visitHandler) http.HandlerFunc {
	return p.visitor(func(w http.ResponseWriter, r *http.Request, v *visit) {
		if !p.isOperator(v.user) {
			p.notFound(w, r)
			return
		}
		h(w, r, v)
	})
}

// operatorBody is the operator's page.
type operatorBody struct {
	Regions []regionRow
	// Lists are the addresses of all Regions, the primary's first.
	Lists   []addressList
	Domains []string // to let through where the network is restricted

	UserName, Done, Problem string // of the form that ends somebody's sessions
}

// regionRow is a Region as an operator sees it.
type regionRow struct {
	regionLink
	Status string
	// Done and Total are the progress while the Region replicates; Total 0:
	// nothing is known of it.
	Done, Total uint64
	// Peer is how this Region hears it; Known says whether it does at all.
	Peer        Peer
	Known       bool
	Lag, MaxLag string
	// Incompatible: the two Regions' versions can't hear each other.
	Incompatible bool
	// Damaged: what the Region says of its log is not what it said before.
	Damaged bool
	// Clock is how the peer's clock stands to this Region's.
	Clock string
}

// addressList is one of the lists that an operator copies.
type addressList struct {
	ID, Title, Why string
	Regions        []regionAddresses
}

type regionAddresses struct {
	Name, Label string
	Primary     bool
	URLs        []string
}

// All returns every address, one a line.
func (l addressList) All() string {
	var out []string
	for _, r := range l.Regions {
		out = append(out, r.URLs...)
	}
	return strings.Join(out, "\n")
}

// Rows is how many lines All has.
func (l addressList) Rows() int { return max(1, strings.Count(l.All(), "\n")+1) }

func (p *Portal) operatorPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p.renderOperator(w, r, v, http.StatusOK, operatorBody{})
}

func (p *Portal) renderOperator(w http.ResponseWriter, r *http.Request, v *visit, status int, body operatorBody) {
	acs := addressList{ID: "acs", Title: "View ACS URLs", Why: "The SAML app at the identity provider must list them all. Its first one is where sign-ins arrive that begin there, so keep that one first."}
	portals := addressList{ID: "portals", Title: "View AWS access portal URLs", Why: "For bookmark apps at the identity provider, one for each additional Region, and for people's own bookmarks."}
	heard := p.peers()
	for _, link := range p.regionLinks(r) {
		body.Regions = append(body.Regions, p.regionRow(link, heard))
		a := regionAddresses{Name: link.Name, Label: link.Label, Primary: link.Primary}
		a.URLs = link.ACSURLs
		acs.Regions = append(acs.Regions, a)
		a.URLs = link.PortalURLs
		portals.Regions = append(portals.Regions, a)
		body.Domains = addDomains(body.Domains, link.PortalURLs, link.ACSURLs)
	}
	body.Lists = []addressList{acs, portals}
	p.render(w, r, status, "operator", v.page("Operator", "operator", body))
}

func (p *Portal) regionRow(link regionLink, heard map[string]Peer) regionRow {
	row := regionRow{regionLink: link}
	row.Peer, row.Known = heard[link.Name]
	row.Status = statusOf(link, row.Peer, row.Known)
	if link.Region.Status == center.RegionAdding {
		row.Done, row.Total = min(row.Peer.Done, row.Peer.Total), row.Peer.Total
	}
	if row.Known {
		row.Heard, row.Unreachable = p.since(row.Peer), row.Peer.cutOff()
		row.Incompatible, row.Damaged = row.Peer.State == PeerIncompatible, row.Peer.State == PeerDamaged
	}
	row.Lag, row.MaxLag, row.Clock = lag(row.Peer.Lag), lag(row.Peer.MaxLag), "not measured"
	if row.Peer.ClockKnown {
		row.Clock = clockText(-row.Peer.ClockAhead)
	}
	if row.Behind() {
		row.Lag = "unknown" // the last one's says nothing of what is on its way
	}
	return row
}

// statusOf says how far a Region is. Of an active one that is what this Region
// hears of it, not what was so when it was heard last.
func statusOf(link regionLink, peer Peer, known bool) string {
	switch {
	case link.Region.Status == center.RegionAdding:
		return "Replicating"
	case link.Region.Status == center.RegionRemoving:
		return "Removing"
	case link.Current || !known:
		return "Active"
	case peer.cutOff():
		return "Unknown"
	case peer.State == PeerReplicated:
		return "Replicated"
	}
	return "Behind"
}

// Behind says whether this Region lacks what the other one may have written.
func (r regionRow) Behind() bool { return r.Known && r.Peer.State != PeerReplicated }

// lag writes how long a change was on its way.
func lag(d time.Duration) string {
	switch {
	case d <= 0:
		return "none yet"
	case d < time.Millisecond:
		return "under 1 ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	return d.Round(time.Second).String()
}

func addDomains(to []string, lists ...[]string) []string {
	for _, raw := range slices.Concat(lists...) {
		if u, err := url.Parse(raw); err == nil && u.Hostname() != "" && !slices.Contains(to, u.Hostname()) {
			to = append(to, u.Hostname())
		}
	}
	return to
}

// endUser ends all sessions of somebody, in every Region.
func (p *Portal) endUser(w http.ResponseWriter, r *http.Request, v *visit) {
	if err := r.ParseForm(); err != nil {
		p.badRequest(w, r)
		return
	}
	name := r.PostForm.Get("user_name")
	u, ok := p.cfg.Directory.User(name)
	if !ok {
		p.renderOperator(w, r, v, http.StatusUnprocessableEntity, operatorBody{UserName: name, Problem: "Nobody has exactly this user name. Nothing was done."})
		return
	}
	if err := p.cfg.Sessions.RevokeUser(r.Context(), u.ID); err != nil {
		p.refuseVisit(w, r, unavailable("end of all sessions", err))
		return
	}
	p.cfg.Logger.InfoContext(r.Context(), "portal: all sessions ended", "region", p.cfg.Region, "user", u.UserName, "by", v.user.UserName)
	p.renderOperator(w, r, v, http.StatusOK, operatorBody{Done: "All sessions of " + u.UserName + " were ended, here at once and in the other Regions as soon as they hear of it."})
}
