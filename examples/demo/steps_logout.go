package main

import (
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
)

// signedOut: Alice signs out in the additional Region, and there at the identity provider. Her sessions in both Regions
// and at the identity provider end. Its answer goes to the primary's URL, which sends it on to the Region that asked.
func signedOut(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	b := check.Get(k.followLink(first, other))
	check.Get(k.agree())             // the page names the Regions whose sessions it knows
	check.Must(k.hearsOthers(other)) // likewise
	p := check.Get(b.Open(other.url + "/"))
	p = check.Get(k.submit(b, p, portal.PathSignOut))
	check.Must(check.Same("the page after the sign-out", other.url+"/signed-out", p.URL.String()),
		person.Says(p, "has ended in "+first.Label+", "+other.Label+"."))
	check.Must(k.ended(b, first), k.ended(b, other))
	before := len(b.Trail)
	p = check.Get(k.submit(b, p, "/sign-out/idp"))
	check.Must(check.Same("the page after the identity provider's answer", other.url+"/signed-out", p.URL.String()),
		person.Says(p, "has ended its session too"))
	var way []string
	for _, v := range b.Trail[before:] {
		if at, _, _ := strings.Cut(v.URL, "?"); strings.HasSuffix(at, corp.LogoutPath) {
			way = append(way, at)
		}
	}
	want := []string{region.Logout(first.Place, first.url).URL, region.Logout(other.Place, other.url).URL}
	check.Must(check.Same("the way of the answer", fmt.Sprint(want), fmt.Sprint(way)))
	_, asked := check.Get(b.Open(first.url + "/")).FormWith("password")
	check.Must(check.Same("whether the identity provider asks for a password", true, asked))
	return "a sign-out in " + other.Name + " ended the sessions in both Regions and at the identity provider, " +
		"whose answer came back through " + first.Name
}

// signedOutByIdP: Alice signs out at the identity provider, which ends her sessions in both Regions. Bob stays.
func signedOutByIdP(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	stays := k.browser()
	k.who = corp.Bob
	check.Get(k.signedIn(stays, other))
	k.who = corp.Alice
	b := check.Get(k.followLink(first, other))
	check.Must(k.signsOutAtIdP(b))
	check.Must(k.ended(b, first), k.ended(b, other))
	p := check.Get(stays.Open(other.url + portal.PathSessions))
	check.Must(check.Same("the page that Bob's session opens", other.url+portal.PathSessions, p.URL.String()))
	return "a sign-out at the identity provider ended Alice's sessions in " + first.Name + " and " + other.Name +
		", and not Bob's"
}

// lateAssertion: answers of a session that has ended at the identity provider arrive after its LogoutRequest. Both
// Regions refuse them. A new sign-in works.
func lateAssertion(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	b := check.Get(k.followLink(first, other))
	type answer struct {
		*testkit.Browser
		page *testkit.Page
		form testkit.Form
	}
	var late []answer
	for _, s := range k.sites {
		tab := k.browser() // with no session here, and the session at the identity provider
		tab.Jar = b.Jar.Copy()
		for _, s := range k.sites {
			delete(tab.Jar, strings.TrimPrefix(s.url, "http://"))
			delete(tab.Jar, s.Host())
		}
		p, f := check.Get2(k.begin(s)(tab))
		late = append(late, answer{tab, p, f})
	}
	check.Must(k.signsOutAtIdP(b))
	check.Must(k.ended(b, other)) // so the logout has arrived
	for i, s := range k.sites {
		mark := k.signIns.mark()
		p := check.Get(late[i].Submit(late[i].page, late[i].form, nil))
		check.Get(k.refused(mark, s, p, string(portal.ReasonLoggedOut)))
	}
	check.Must(k.signsIn(first), k.signsIn(other))
	return "assertions that arrived after the LogoutRequest were refused in both Regions (LoggedOut), " +
		"and a new sign-in worked"
}

// signsOutAtIdP signs out on the identity provider's dashboard, which tells the service provider. The primary answers
// PartialLogout until it has heard from the other Region, which takes some seconds after its start.
func (k *walker) signsOutAtIdP(b *testkit.Browser) error {
	if err := k.hearsOthers(k.sites[0]); err != nil {
		return err
	}
	p, err := b.Open(k.idp.DashboardURL())
	if err != nil {
		return err
	}
	for _, action := range []string{"/login/signout", "/login/logout"} {
		if p, err = k.submit(b, p, action); err != nil {
			return err
		}
	}
	return check.That("the identity provider's page", strings.Contains(p.Text(), "Signed out."), "Signed out.", p.Text())
}

// hearsOthers waits until a Region says that it has all of the others.
func (k *walker) hearsOthers(s *site) error {
	return k.until(func() error {
		for _, peer := range s.running().Peers() {
			if peer.State != portal.PeerReplicated {
				return check.Same("what "+s.Name+" says of "+peer.Region, portal.PeerReplicated, peer.State)
			}
		}
		return nil
	})
}

// submit submits the form of a page with that action.
func (k *walker) submit(b *testkit.Browser, p *testkit.Page, action string) (*testkit.Page, error) {
	f, ok := p.FormFor(action)
	if !ok {
		return nil, check.Differ("the page "+p.URL.String(), "a form for "+action, p.Text())
	}
	return b.Submit(p, f, nil)
}

// ended waits until the browser has no session in a Region.
func (k *walker) ended(b *testkit.Browser, s *site) error {
	return k.until(func() error {
		p, err := b.Copy().Look(s.url + portal.PathSessions)
		if err != nil {
			return err
		}
		return check.Same("whether the session in "+s.Name+" has ended", true, p.Status == 303)
	})
}
