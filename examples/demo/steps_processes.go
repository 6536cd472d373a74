package main

import (
	"cmp"
	"fmt"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/portal/center"
)

// processSteps are the steps with a process for each Region.
var processSteps = []step{
	oneMetadata,
	signInAt(0),
	signInAt(1),
	signInAt(2),
	nearest,
	oneSignIn,
	primaryKilled,
	secondNearest,
	signOutReaches,
	revocationReaches,
	onlyPrimaryWrites,
	primaryBack,
	allBack,
	primaryRestored,
	nothingPlain,
}

// query calls a method of a Region's process.
func query[T any](k *walker, s *site, method string) (T, error) {
	out, err := call[T](k.ctx, s.process, method, false)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.Name, err)
	}
	return out, err
}

// oneMetadata: all processes serve the same metadata and know all Regions.
func oneMetadata(k *walker) string {
	said := metadataListsBoth(k)
	for _, s := range k.sites {
		check.Must(k.until(func() error {
			active, err := query[int](k, s, "Active")
			return cmp.Or(err, check.Same("how many Regions are active to "+s.Name, len(k.sites), active))
		}))
	}
	return fmt.Sprintf("%s; %d processes serve it, and know all Regions as ACTIVE", said, len(k.sites))
}

// nearest: the redirector leads to the first Region while that is healthy.
func nearest(k *walker) string {
	s := k.sites[0]
	check.Must(k.entersByRedirector(s))
	p := check.Get(k.browser().Look(k.redirector.url + "/applications"))
	check.Must(check.Same("where it leads from /applications", s.url+"/applications", p.Header.Get("Location")))
	return "the redirector led to " + s.Name + ", the nearest, which signed Alice in; it kept the path of a link"
}

// entersByRedirector waits until the redirector leads to a Region, and signs in there through the redirector.
func (k *walker) entersByRedirector(s *site) error {
	if err := k.redirectorLeadsTo(s); err != nil {
		return err
	}
	return k.signsInBy(k.redirector.url+"/", s)
}

// primaryBack: the primary's process is started again. Then all Regions have the same data, and every session that a
// user was given still opens its portal.
func primaryBack(k *walker) string {
	back := k.sites[0]
	select {
	case <-back.process.done:
		back.process = check.Get(back.process.restart(k.ctx))
	default: // it runs
	}
	report := check.Get(k.agree())
	all := k.kept.all()
	own := 0
	for _, s := range all {
		in, err := s.signedIn()
		check.Must(err, check.Same("whether a session that "+s.at.Name+" gave opens its portal", true, in))
		if s.at == back {
			own++
		}
	}
	check.Must(check.That("the sessions that "+back.Name+" had given", own > 0, "some", fmt.Sprint(own)))
	return fmt.Sprintf("%s is back: %s; all %d sessions of users still work, %d of them its own",
		back.Name, report, len(all), own)
}

// allBack: the redirector leads to the primary again, which signs users in and makes the change that other Regions
// refused.
func allBack(k *walker) string {
	s := k.sites[0]
	check.Must(k.entersByRedirector(s))
	r, err := query[Refusal](k, s, "Assign")
	check.Must(err, check.Same("why "+s.Name+" refused a change to permissions", center.Reason(""), r.Reason))
	check.Get(k.agree())
	return "the redirector led back to " + s.Name + ", which signed Alice in and changed permissions; the others followed"
}
