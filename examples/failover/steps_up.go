package main

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/browse"
	"github.com/meridian-saml/meridian/examples/internal/check"
)

// oneMetadata: three processes, one service provider.
func oneMetadata(k *walker) (string, error) {
	first := ""
	for _, s := range k.sites {
		p, err := k.browser().Open(s.url() + "/metadata")
		if err != nil {
			return "", err
		}
		if first == "" {
			first = p.Body
		}
		if err := cmp.Or(check.Same("the status of the metadata", 200, p.Status),
			check.That("the metadata in "+s.Name, p.Body == first, "the same as in "+k.sites[0].Name, "another"),
			check.Same("how often it lists "+s.acs(), 1, strings.Count(p.Body, `"`+s.acs()+`"`))); err != nil {
			return "", err
		}
		if err := k.until(func() error {
			st, err := ask[state](k.ctx, k.world, s, http.MethodGet, pathState)
			if err != nil {
				return err
			}
			return check.Same("how many Regions are active to "+s.Name, len(k.sites), st.Active)
		}); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d processes serve the same metadata with all ACS URLs, and know all Regions as ACTIVE", len(k.sites)), nil
}

// signInAt starts at a Region's portal, as a person does who typed its address.
func signInAt(i int) step {
	return func(k *walker) (string, error) {
		s := k.sites[i]
		b := k.browser()
		if err := k.signsIn(b, s, s.url()+"/"); err != nil {
			return "", err
		}
		k.kept.add(s, b)
		return "a sign-in begun in " + s.Name + " arrived at the ACS of " + s.Name + " and ended in its portal", nil
	}
}

// signsIn opens an address, and requires that it leads Alice to a Region's
// portal by way of that Region's own ACS.
func (k *walker) signsIn(b *browse.Browser, s *site, addr string) error {
	p, err := k.alice().Enter(b, addr)
	if err != nil {
		return err
	}
	return cmp.Or(check.Same("where the browser posted", fmt.Sprint([]string{s.acs()}), fmt.Sprint(b.Posted(k.idpURL()))),
		k.alice().Sees(p, s.Place, s.url()))
}

// nearest: the redirector leads to the first Region while that is healthy.
func nearest(k *walker) (string, error) {
	s := k.sites[0]
	if err := k.entersByRedirector(s); err != nil {
		return "", err
	}
	p, err := k.browser().Look(k.redirectorURL + "/applications")
	if err != nil {
		return "", err
	}
	if err := check.Same("where the redirector leads from /applications", s.url()+"/applications", p.Header.Get("Location")); err != nil {
		return "", err
	}
	return "the redirector led to " + s.Name + ", the nearest, which signed Alice in; it kept the path of a link", nil
}

// entersByRedirector waits until the redirector leads to a Region, and follows
// it there as Alice, who keeps the session.
func (k *walker) entersByRedirector(s *site) error {
	if err := k.redirectorLeadsTo(s); err != nil {
		return err
	}
	b := k.browser()
	if err := k.signsIn(b, s, k.redirectorURL+"/"); err != nil {
		return err
	}
	k.kept.add(s, b)
	return nil
}

// redirectorLeadsTo waits until the redirector does.
func (k *walker) redirectorLeadsTo(s *site) error {
	return k.until(func() error {
		p, err := k.browser().Look(k.redirectorURL + "/")
		if err != nil {
			return err
		}
		return check.Same("where the redirector leads", s.url()+"/", p.Header.Get("Location"))
	})
}

// oneSignIn: who is signed in to one Region gets to another's portal by the
// link on the page, without the identity provider.
func oneSignIn(k *walker) (string, error) {
	from, to := k.sites[0], k.sites[2]
	b := k.browser()
	if err := k.goesOver(b, from, to); err != nil {
		return "", err
	}
	k.kept.add(from, b)
	k.kept.add(to, b)
	return "the link from " + from.Name + "'s portal opened " + to.Name + "'s for Alice, without the identity provider", nil
}

// goesOver signs Alice in to one Region and follows its link to another.
func (k *walker) goesOver(b *browse.Browser, from, to *site) error {
	p, err := k.alice().Enter(b, from.url()+"/")
	if err != nil {
		return err
	}
	before := len(b.Trail)
	if p, err = b.Click(p, "Open "+to.Name); err != nil {
		return err
	}
	for _, v := range b.Trail[before:] {
		if strings.HasPrefix(v.URL, k.idpURL()) {
			return check.Differ("the way to "+to.Name, "none of the identity provider's pages", v.URL)
		}
	}
	return k.alice().Sees(p, to.Place, to.url())
}
