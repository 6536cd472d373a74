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

// shown is how many sign-ins the page lists.
const shown = 25

// view is what the template sees.
type view struct {
	Notice     notice
	Cards      []card
	Steps      []act // that extend the instance
	Extended   bool  // all of them were taken
	Ended      []end // of the session that the button ended
	Order      []listed
	SignIns    []signIn
	Dashboard  string
	Redirector string
	First, New card // the primary, and the Region to extend to
	SAMLLabel  string
	Bookmark   string
	Hint       string
}

// act is one of the things to do, in their order.
type act struct {
	Text, Action, Button string
	Done, Next           bool
}

// end is what a Region knows of the end of a session.
type end struct {
	Region, State string
	Known         bool
}

// card is a Region on the page.
type card struct {
	Name, Label, Portal, ACS string
	State                    string // in one word; see stateOf
	Primary                  bool
	Default, InApp           bool // its ACS URL: of the service provider, of the app
	Accent                   int
	Progress                 string // while it replicates
	Known, Own               int    // sessions
	Heard                    []heard
	Healthy, Probed          bool // to the redirector
	Controls                 []choice
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
func (c card) Class() string {
	return map[string]string{stateUp: "up", stateReplicating: "replicating", stateStopped: "stopped"}[c.State]
}
func (c card) Open() bool { return c.State == stateUp }
func (c card) Sessions() string {
	if c.Known == 0 {
		return "None"
	}
	return fmt.Sprintf("%d known here, %d began here", c.Known, c.Own)
}

// heard is another Region, as one hears it.
type heard struct{ Region, State, Age, Lag string }

// choice is one position of a routing control.
type choice struct {
	Name string
	On   bool
}

// listed is one URL of the app's list at the identity provider.
type listed struct{ Region, URL string }

func (c *control) page(rw http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	v, ended := view{Notice: c.notice}, c.ended
	c.mu.Unlock()
	v.Ended = c.ends(r.Context(), ended)
	v.Dashboard, v.SAMLLabel, v.Hint, v.SignIns = c.w.idp.DashboardURL(), corp.SAMLLabel, corp.SignInHint, c.w.signIns.newest()
	v.SignIns = v.SignIns[:min(shown, len(v.SignIns))]
	v.Redirector, v.Bookmark = c.w.redirector.url+"/", corp.BookmarkLabel(c.w.newRegion().Place)
	for i, s := range c.w.sites {
		v.Cards = append(v.Cards, c.card(r.Context(), i, s))
	}
	v.First, v.New = v.Cards[0], v.Cards[len(v.Cards)-1]
	v.Steps, v.Extended = c.steps(c.w.newRegion())
	for _, u := range c.w.acsOrder() {
		l := listed{URL: u}
		if s, err := c.w.site(u); err == nil {
			l.Region = s.Name
		}
		v.Order = append(v.Order, l)
	}
	c.render(rw, "control.html", v)
}

// ends asks each Region whether a session is over there.
func (c *control) ends(ctx context.Context, ended sessions.Session) (out []end) {
	if ended.ID == "" {
		return nil
	}
	for _, s := range c.w.sites {
		e := end{Region: s.Name, State: "is stopped, and has not heard of it"}
		if runs := s.running(); runs != nil && runs.Serves() {
			e.State = "has not heard of it yet"
			list, err := runs.Sessions().List(ctx, ended.UserID)
			if err == nil && !slices.ContainsFunc(list, func(s sessions.Session) bool { return s.ID == ended.ID }) {
				e.State, e.Known = "ended", true
			}
		}
		out = append(out, e)
	}
	return out
}

// steps are what extends the instance, and how far that has come.
func (c *control) steps(s *site) (out []act, all bool) {
	out = []act{
		{Text: "Add " + s.Name + " in the primary Region. It replicates users, permissions and sessions.", Action: "/extend/region", Button: "Add Region", Done: s.added()},
		{Text: "Put its ACS URL second into the app at the identity provider. Until then sign-ins that begin there fail.", Action: "/extend/acs", Button: "Add ACS URL", Done: c.w.inApp(s)},
		{Text: "Give people a bookmark tile for its portal.", Action: "/extend/bookmark", Button: "Add bookmark", Done: c.w.bookmarked(s)},
	}
	for i := range out {
		if !out[i].Done {
			out[i].Next = true
			return out, false
		}
	}
	return out, true
}

func (c *control) card(ctx context.Context, i int, s *site) card {
	out := card{
		Name: s.Name, Label: s.Label, Portal: s.url + "/", ACS: s.acs, Primary: i == 0, Accent: i,
		Default: s.acs == c.w.sp.ACS()[0].URL, InApp: c.w.inApp(s), State: stateOf(s),
	}
	status := c.w.redirector.probed(s.Name)
	out.Healthy, out.Probed = status.Healthy, !status.LastProbe.IsZero()
	for _, to := range []failover.Control{failover.Auto, failover.On, failover.Off} {
		out.Controls = append(out.Controls, choice{to.String(), status.Control == to})
	}
	runs := s.running()
	if runs == nil {
		return out
	}
	out.Known, out.Own = runs.Known(ctx)
	for _, p := range runs.Peers() {
		if p.State == portal.PeerReplicating {
			out.Progress = fmt.Sprintf("%d of %d", p.Done, p.Total)
		}
		out.Heard = append(out.Heard, heard{p.Region, string(p.State), age(p), lag(p)})
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

// age is rough, so that the page doesn't change all the time.
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

// lag is how long the last change took to get here.
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
