package portal

import (
	"html/template"
	"time"

	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal/center"
)

const textActive = "Active"

// regionState returns the state of a Region in words, as it is known here, and whether it is another one than active. A
// Region that the instance lists as active is called so only while its data arrives.
func (p *Portal) regionState(t *theme.Texts, l regionLink, heard map[string]Peer) (template.HTML, bool) {
	peer, known := heard[l.Name]
	switch {
	case l.Region.Status == center.RegionAdding:
		return t.HTML("Being added"), true
	case l.Region.Status == center.RegionRemoving:
		return t.HTML("Being removed"), true
	case l.Current || p.cfg.Replication == nil, known && peer.State == PeerReplicated:
		return t.HTML(textActive), false
	case !known || peer.Heard.IsZero():
		return t.HTML("Not heard yet"), true
	case peer.State == PeerUnreachable:
		return t.HTML("Lost since %s", timeElement(t, peer.Heard)), true
	case peer.cutOff():
		return t.HTML("No data since %s", timeElement(t, peer.Heard)), true
	}
	return t.HTML("Behind by %s", span(t, p.age(peer))), true
}

// span formats a time that has passed: "40 s", "4 min".
func span(t *theme.Texts, d time.Duration) string {
	switch {
	case d < time.Minute:
		return t.T("%d s", int(d/time.Second))
	case d < time.Hour:
		return t.T("%d min", int(d/time.Minute))
	case d < 48*time.Hour:
		return t.T("%d h", int(d/time.Hour))
	}
	return t.T("%d days", int(d/(24*time.Hour)))
}
