package main

import (
	"fmt"
	"net/http"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/portal/failover"
)

// Each button does one thing, and says in a sentence or two what came of it.

func (c *control) pressExtend(*http.Request) notice {
	s := c.w.newRegion()
	for _, do := range []func(*site) error{c.w.addRegion, c.w.listACS, c.w.addBookmark} {
		if err := do(s); err != nil {
			return failed(err)
		}
	}
	return notice{Text: "The instance is extended to " + s.Name + ": the Region replicates, the app at the identity provider lists its ACS URL second, and people have a tile for it."}
}

func (c *control) pressAddRegion(*http.Request) notice {
	s := c.w.newRegion()
	if err := c.w.addRegion(s); err != nil {
		return failed(err)
	}
	return notice{Text: s.Name + " is listed in the primary Region and copies users, permissions and sessions from there. Its portal opens when it is Replicated."}
}

func (c *control) pressListACS(*http.Request) notice {
	s := c.w.newRegion()
	if err := c.w.listACS(s); err != nil {
		return failed(err)
	}
	return notice{Text: "The app at the identity provider lists the ACS URL of " + s.Name + " too, so sign-ins that begin there can come back there. The first URL stays the default."}
}

func (c *control) pressAddBookmark(*http.Request) notice {
	s := c.w.newRegion()
	if err := c.w.addBookmark(s); err != nil {
		return failed(err)
	}
	return notice{Text: "Everybody has the tile “" + corp.BookmarkLabel(s.Place) + "”. It holds the portal's address and no SAML."}
}

func (c *control) pressStop(r *http.Request) notice {
	s, err := c.w.site(r.PathValue("name"))
	if err == nil {
		err = c.w.stop(s)
	}
	if err != nil {
		return failed(err)
	}
	text := s.Name + " is stopped: its listener is closed, its replica is gone and nothing answers there. "
	if len(c.w.nodes()) == 0 {
		return notice{Text: text + "No other Region runs, so nobody can sign in."}
	}
	return notice{Text: text + "People sign in through another Region."}
}

func (c *control) pressStart(r *http.Request) notice {
	s, err := c.w.site(r.PathValue("name"))
	if err == nil {
		err = c.w.start(s)
	}
	if err != nil {
		return failed(err)
	}
	return notice{Text: s.Name + " is up again, with the sessions and records that it had, and catches up with what the others wrote meanwhile."}
}

func (c *control) pressControl(r *http.Request) notice {
	s, err := c.w.site(r.PathValue("name"))
	var to failover.Control
	if err == nil {
		err = to.UnmarshalText([]byte(r.PostFormValue("control")))
	}
	if err == nil {
		err = c.w.redirector.Set(s.Name, to)
	}
	if err != nil {
		return failed(err)
	}
	says := map[failover.Control]string{
		failover.Auto: "leads to %s while its probes find that Region healthy.",
		failover.On:   "takes %s for healthy, whatever its probes find.",
		failover.Off:  "sends nobody to %s any more; whoever is there already stays.",
	}
	return notice{Text: "The redirector " + fmt.Sprintf(says[to], s.Name)}
}

func (c *control) pressRevoke(r *http.Request) notice {
	from, s, err := c.w.revoke(r.Context())
	if err != nil {
		return failed(err)
	}
	c.mu.Lock()
	c.ended = s
	c.mu.Unlock()
	text := fmt.Sprintf("%s ended a session of %s that began in %s.", from.Name, s.UserName, s.Region)
	if made, err := c.w.site(s.Region); err == nil && made.running() == nil {
		text += " " + s.Region + " is stopped, and hears of it as soon as it is back."
	}
	return notice{Text: text + " The session at the identity provider ended too, so the next sign-in asks for a password."}
}

func (c *control) pressSwap(*http.Request) notice {
	if err := c.w.swapACS(); err != nil {
		return failed(err)
	}
	first := c.w.acsOrder()[0]
	if s, err := c.w.site(first); err == nil {
		first = s.Name
	}
	return notice{Text: "The app at the identity provider now lists the URL of " + first + " first: that is where its SAML tile leads."}
}

func (c *control) pressReplay(r *http.Request) notice {
	got, err := c.w.replay(r.Context())
	switch {
	case err != nil:
		return failed(err)
	case got.Accepted():
		return notice{fmt.Sprintf("%s ACCEPTED the same response a second time.", got.Region), true}
	}
	return notice{Text: fmt.Sprintf("%s refused the same response, sent once more. Reason: %s.", got.Region, got.Reason())}
}

func failed(err error) notice { return notice{err.Error(), true} }
