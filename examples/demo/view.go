package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/failover"
)

// view is the data of the template.
type view struct {
	Notice     notice
	Cards      []card
	Steps      []extendStep
	Extended   bool     // all steps are done
	Ended      []end    // of the session that the button ended
	Order      []string // Regions, by the app's list of ACS URLs
	SignIns    []signIn
	Controls   []failover.Control
	Dashboard  string
	Redirector string
	First, New card // the primary, and the Region to extend to
	SAMLLabel  string
	Bookmark   string
	Hint       string
	AWSConfig  string
}

// extendStep is a step of extending the instance.
type extendStep struct {
	Text, Action, Button string
	Done, Next           bool
	do                   func(*site) error
	result               string // the notice after it
}

// end is a Region's knowledge of the end of a session.
type end struct {
	Region, State string
	Known         bool
}

// card is a Region on the page.
type card struct {
	corp.Place
	Portal, ACS    string
	State          string // in one word; see stateOf
	Primary        bool
	Default, InApp bool // its ACS URL: of the service provider, of the app
	Accent         int
	Progress       string // while it replicates
	Sessions       string
	Peers          []portal.Peer
	Routing        failover.Status
}

// The states of a Region.
const (
	stateNone        = "Not added"
	stateReplicating = "Replicating"
	stateUp          = "Up"
	stateStopped     = "Stopped"
)

func (c card) Up() bool      { return c.State == stateUp || c.State == stateReplicating }
func (c card) Stopped() bool { return c.State == stateStopped }
func (c card) Added() bool   { return c.State != stateNone }
func (c card) Open() bool    { return c.State == stateUp }

func (c *control) page(rw http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	n, ended := c.notice, c.ended
	c.mu.Unlock()
	newest := c.w.signIns.newest()
	v := view{
		Notice: n, Ended: c.ends(r.Context(), ended), SignIns: newest[:min(25, len(newest))],
		Controls:  []failover.Control{failover.Auto, failover.On, failover.Off},
		Dashboard: c.w.idp.DashboardURL(), Redirector: c.w.redirector.url + "/",
		SAMLLabel: corp.SAMLLabel, Bookmark: corp.BookmarkLabel(c.w.newRegion().Place), Hint: corp.SignInHint,
	}
	v.AWSConfig, _ = c.w.awsConfig() // empty if it failed
	for i, s := range c.w.sites {
		v.Cards = append(v.Cards, c.card(r.Context(), i, s))
	}
	v.First, v.New = v.Cards[0], v.Cards[len(v.Cards)-1]
	v.Steps = c.steps()
	v.Extended = !slices.ContainsFunc(v.Steps, func(a extendStep) bool { return !a.Done })
	for _, u := range c.w.acsOrder() {
		v.Order = append(v.Order, c.w.regionOf(u))
	}
	c.render(rw, "control.html", v)
}

// ends asks each Region whether a session has ended there.
func (c *control) ends(ctx context.Context, ended sessions.Session) (out []end) {
	if ended.ID == "" {
		return nil
	}
	for _, s := range c.w.sites {
		e := end{Region: s.Name, State: "is stopped, and has not received it yet"}
		if runs := s.running(); runs != nil && runs.Serves() {
			e.State = "has not received it yet"
			list, err := runs.Sessions().List(ctx, ended.UserID)
			if err == nil && !slices.ContainsFunc(list, func(s sessions.Session) bool { return s.ID == ended.ID }) {
				e.State, e.Known = "ended", true
			}
		}
		out = append(out, e)
	}
	return out
}

// steps are the steps of extending the instance.
func (c *control) steps() []extendStep {
	s := c.w.newRegion()
	out := []extendStep{
		{
			Action: "/extend/region", Button: "Add Region", Done: s.added(), do: c.w.addRegion,
			Text: "Add " + s.Name + " in the primary Region. It replicates users, permissions and sessions.",
			result: s.Name + " is listed in the primary Region and copies users, permissions and sessions from there. " +
				"Its portal opens when it is Replicated.",
		},
		{
			Action: "/extend/acs", Button: "Add ACS URL", Done: c.w.inApp(s), do: c.w.listACS,
			Text: "Put its ACS URL second into the app at the identity provider. " +
				"Until then sign-ins that begin there fail.",
			result: "The app at the identity provider lists the ACS URL of " + s.Name + " too, so sign-ins that begin " +
				"there can come back there. The first URL stays the default.",
		},
		{
			Action: "/extend/bookmark", Button: "Add bookmark", Done: c.w.bookmarked(s), do: c.w.addBookmark,
			Text: "Give users a bookmark tile for its portal.",
			result: "All users have the tile “" + corp.BookmarkLabel(s.Place) + "”. " +
				"It opens the portal's address, without SAML.",
		},
	}
	if next := slices.IndexFunc(out, func(a extendStep) bool { return !a.Done }); next >= 0 {
		out[next].Next = true
	}
	return out
}

func (c *control) card(ctx context.Context, i int, s *site) card {
	out := card{
		Place: s.Place, Portal: s.url + "/", ACS: s.acs, Primary: i == 0, Accent: i,
		Default: s.acs == c.w.sp.ACS()[0].URL, InApp: c.w.inApp(s), State: stateOf(s),
		Routing: c.w.redirector.probed(s.Name), Sessions: "None",
	}
	runs := s.running()
	if runs == nil {
		return out
	}
	if known, own := runs.Known(ctx); known > 0 {
		out.Sessions = fmt.Sprintf("%d known here, %d began here", known, own)
	}
	out.Peers = runs.Peers()
	for _, p := range out.Peers {
		if p.State == portal.PeerReplicating {
			out.Progress = fmt.Sprintf("%d of %d", p.Done, p.Total)
		}
	}
	return out
}

func stateOf(s *site) string {
	runs := s.running()
	switch {
	case runs == nil && s.added():
		return stateStopped
	case runs == nil:
		return stateNone
	case !runs.Serves():
		return stateReplicating
	}
	return stateUp
}

// age returns when a peer was last heard from. It is rounded, so that the page
// doesn't change continuously.
func age(p portal.Peer) string {
	d := time.Since(p.Heard)
	switch {
	case p.Heard.IsZero():
		return "not heard yet"
	case d < 5*time.Second && p.State != portal.PeerUnreachable:
		return "heard just now"
	case d < 5*time.Second:
		return "last heard a moment ago"
	case d < time.Minute:
		return fmt.Sprintf("last heard %d s ago", int(d.Seconds())/5*5)
	}
	return fmt.Sprintf("last heard %d min ago", int(d.Minutes()))
}

// lag returns how long the last change took to arrive from a peer.
func lag(p portal.Peer) string {
	switch {
	case p.Lag <= 0 || p.State == portal.PeerUnreachable:
		return ""
	case p.Lag < time.Millisecond:
		return "lag under 1 ms"
	case p.Lag < time.Second:
		return fmt.Sprintf("lag %d ms", p.Lag.Milliseconds())
	}
	return fmt.Sprintf("lag %.1f s", p.Lag.Seconds())
}
