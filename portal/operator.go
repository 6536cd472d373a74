package portal

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/residency"
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
	SP           spValues

	MayAdd    bool // operators can add Regions here
	Tasks     []center.TaskRow
	IsPrimary bool // whether this is the primary Region

	Providers     []center.IdentityProvider // the first ones, if there are several
	MoreProviders int                       // that aren't shown

	Audit     bool // whether there are events
	Residency bool // whether there is a report
	People    bool // whether operators find users here
}

const maxShownProviders = 100

type regionRow struct {
	regionLink
	Peer  Peer
	Known bool // whether there is data about its replication
	texts *theme.Texts
}

// residency serves the report of where data is.
func (p *Portal) residency(w http.ResponseWriter, r *http.Request, _ *visit) {
	residency.Handler(func(r *http.Request) (residency.Report, error) {
		report, err := p.cfg.Residency(r.Context())
		if err != nil {
			p.cfg.Logger.Error("portal: no report of residency", "error", err)
		}
		return report, err
	}).ServeHTTP(w, r)
}

func (p *Portal) operatorPage(w http.ResponseWriter, r *http.Request, v *visit) {
	body := operatorBody{SP: p.spValues(r)}
	if list := p.cfg.Directory.IdentityProviders(); len(list) > 1 {
		body.Providers = list[:min(len(list), maxShownProviders)]
		body.MoreProviders = len(list) - len(body.Providers)
	}
	body.MayAdd = p.mayChangeRegions()
	body.Tasks, body.IsPrimary = center.Tasks(), p.cfg.Directory.Regions()[0].Name == p.cfg.Region
	body.Audit, body.Residency, body.People = p.cfg.Audit != nil, p.cfg.Residency != nil, p.directory() != nil
	heard := p.peers()
	for _, link := range p.regionLinks(r) {
		body.Regions = append(body.Regions, p.regionRow(r, link, heard))
		body.ACS = append(body.ACS, link.ACSURLs...)
		body.Portals = append(body.Portals, link.PortalURLs...)
		for _, raw := range slices.Concat(link.PortalURLs, link.ACSURLs) {
			u, err := url.Parse(raw)
			if err == nil && u.Hostname() != "" && !slices.Contains(body.Domains, u.Hostname()) {
				body.Domains = append(body.Domains, u.Hostname())
			}
		}
	}
	p.render(w, r, http.StatusOK, "operator", v.page("Operator", "operator", body))
}

func (p *Portal) regionRow(r *http.Request, link regionLink, heard map[string]Peer) regionRow {
	row := regionRow{regionLink: link, texts: p.theme.Texts(r)}
	row.Peer, row.Known = heard[link.Name]
	if row.Known {
		row.Heard = p.since(row.texts, row.Peer)
	}
	return row
}

// Done is the progress of the initial replication, at most Peer.Total.
func (r regionRow) Done() uint64 { return min(r.Peer.Done, r.Peer.Total) }

// Lag is unknown if this Region lacks changes, because the last one's lag says nothing about those.
func (r regionRow) Lag() string {
	if r.Peer.State != PeerReplicated {
		return r.texts.T("unknown")
	}
	return lag(r.texts, r.Peer.Lag)
}

// LongestLag is the longest one since this process started.
func (r regionRow) LongestLag() string { return lag(r.texts, r.Peer.MaxLag) }

func (r regionRow) Clock() string {
	if !r.Peer.ClockKnown {
		return r.texts.T("not measured")
	}
	return clockText(r.texts, -r.Peer.ClockAhead)
}

func lag(t *theme.Texts, d time.Duration) string {
	switch {
	case d <= 0:
		return t.T("none yet")
	case d < time.Millisecond:
		return t.T("under %s", "1 ms")
	case d < time.Second:
		return t.T("%d ms", d.Round(time.Millisecond).Milliseconds())
	}
	return t.T("%.1f s", d.Seconds())
}
