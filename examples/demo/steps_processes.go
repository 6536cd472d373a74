package main

import (
	"cmp"
	"fmt"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// processSteps are those of a world with a process for each Region.
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
}

// query calls a method of a Region's process that takes no argument.
func query[T any](k *walker, s *site, method string) (T, error) {
	out, err := call[T](k.ctx, s.process, method, false)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.Name, err)
	}
	return out, err
}

// oneMetadata: three processes, one service provider.
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
	check.Must(check.Same("where the redirector leads from /applications", s.url+"/applications", p.Header.Get("Location")))
	return "the redirector led to " + s.Name + ", the nearest, which signed Alice in; it kept the path of a link"
}

// entersByRedirector waits until the redirector leads to a Region, and follows
// it there as Alice, who keeps the session.
func (k *walker) entersByRedirector(s *site) error {
	if err := k.redirectorLeadsTo(s); err != nil {
		return err
	}
	return k.signsInBy(k.redirector.url+"/", s)
}

// primaryBack: the primary's process is started again. All Regions then know
// the same, and nothing is missing that a user was told is done: every session
// that a browser was given, by whatever process, still opens its portal.
func primaryBack(k *walker) string {
	back := k.sites[0]
	select {
	case <-back.process.done:
		back.process = check.Get(back.process.again(k.ctx))
	default: // it lives
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
	return fmt.Sprintf("%s is back: %s; all %d sessions that people were given still hold, %d of them its own", back.Name, report, len(all), own)
}

// agree waits until all Regions know the same.
func (k *walker) agree() (report replica.Report, err error) {
	err = k.until(func() error {
		var all []replica.Digest
		for _, s := range k.sites {
			d, err := query[replica.Digest](k, s, "Digest")
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		report = replica.Compare(all...)
		return check.That("what the Regions know", len(report.Differences) == 0, "0 differences", report.String())
	})
	return report, err
}

// allBack: the redirector leads to the primary again, it signs people in, and
// it takes the change that no other Region would.
func allBack(k *walker) string {
	s := k.sites[0]
	check.Must(k.entersByRedirector(s))
	r, err := query[Refusal](k, s, "Assign")
	check.Must(err, check.Same("why "+s.Name+" refused a change to permissions", center.Reason(""), r.Reason))
	check.Get(k.agree())
	return "the redirector led back to " + s.Name + ", which signed Alice in and changed permissions; the others followed"
}
