package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/meridian-saml/meridian/portal/failover"
)

// A button is an action of the control page. It returns the text that the page
// shows afterwards.
type button func(r *http.Request) (text string, err error)

// onRegion returns a button for the Region in the path. do returns the text
// that follows the Region's name on the page.
func (c *control) onRegion(do func(*site, *http.Request) (string, error)) button {
	return func(r *http.Request) (string, error) {
		s, err := c.w.site(r.PathValue("name"))
		if err != nil {
			return "", err
		}
		return do(s, r)
	}
}

func (c *control) pressExtend(*http.Request) (string, error) {
	s := c.w.newRegion()
	for _, step := range c.steps() {
		if err := step.do(s); err != nil {
			return "", err
		}
	}
	return "The instance is extended to " + s.Name + ": the Region replicates, the app at the identity provider " +
		"lists its ACS URL second, and users have a tile for it.", nil
}

func (c *control) pressStop(s *site, _ *http.Request) (string, error) {
	if err := c.w.stop(s); err != nil {
		return "", err
	}
	text := s.Name + " is stopped: its listener is closed, its replica is gone and nothing answers there. "
	if !slices.ContainsFunc(c.w.sites, func(s *site) bool { return s.running() != nil }) {
		return text + "No other Region runs, so no user can sign in.", nil
	}
	return text + "Users sign in through another Region.", nil
}

func (c *control) pressStart(s *site, _ *http.Request) (string, error) {
	return s.Name + " is up again, with the sessions and records that it had, and receives what the others wrote " +
		"meanwhile.", c.w.start(s)
}

func (c *control) pressControl(s *site, r *http.Request) (string, error) {
	var to failover.Control
	if err := to.UnmarshalText([]byte(r.PostFormValue("control"))); err != nil {
		return "", err
	}
	says := map[failover.Control]string{
		failover.Auto: "leads to %s while its probes find that Region healthy.",
		failover.On:   "takes %s for healthy, whatever its probes find.",
		failover.Off:  "leads no user to %s any more. Users who are there stay.",
	}
	return "The redirector " + fmt.Sprintf(says[to], s.Name), c.w.redirector.Set(s.Name, to)
}

func (c *control) pressRevoke(r *http.Request) (string, error) {
	from, s, err := c.w.revoke(r.Context())
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	c.ended = s
	c.mu.Unlock()
	text := fmt.Sprintf("%s ended a session of %s that began in %s. ", from.Name, s.UserName, s.Region)
	if c.w.sites[0].running() == nil {
		text += s.Region + " is stopped. It ends the session as soon as it is back. "
	}
	return text + "The session at the identity provider ended too, so the next sign-in asks for a password.", nil
}

func (c *control) pressSwap(*http.Request) (string, error) {
	if err := c.w.swapACS(); err != nil {
		return "", err
	}
	return "The app at the identity provider now lists the URL of " + c.w.regionOf(c.w.acsOrder()[0]) +
		" first. Its SAML tile leads there.", nil
}

func (c *control) pressReplay(r *http.Request) (string, error) {
	got, err := c.w.replay(r.Context())
	if err == nil && got.Accepted() {
		err = errors.New(got.Region + " ACCEPTED the same response a second time")
	}
	return fmt.Sprintf("%s refused the same response, sent once more. Reason: %s.", got.Region, got.Reason()), err
}
