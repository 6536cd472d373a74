package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// singleRegion: an instance with one Region has one ACS URL and one tile. The other Region's address serves no user.
func singleRegion(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	check.Must(k.signsIn(first))
	p := check.Get(k.browser().Open(other.url + "/"))
	tiles := check.Get(k.tiles())
	check.Must(check.Same("the status of "+other.Name+", which is no Region yet", 503, p.Status),
		check.Same("the number of ACS URLs", 1, len(k.sp.ACS())),
		check.Same("the number of tiles", 1, tiles),
		check.Same("the number of Regions", 1, len(first.view().Regions())))
	check.Must(k.redirectorLeadsTo(first))
	return first.Name + " alone signed Alice in; the metadata had one ACS URL, the dashboard one tile, " +
		"and the redirector led to " + first.Name
}

// tiles counts the tiles on Alice's dashboard.
func (k *walker) tiles() (int, error) {
	p, err := k.dashboard(k.browser())
	if err != nil {
		return 0, err
	}
	return strings.Count(p.Body, `class="tile"`), nil
}

// regionAdded: an operator adds the Region, which replicates, becomes active and serves. Its ACS URL is the second.
func regionAdded(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	check.Must(k.adds(other))
	check.Must(k.until(func() error { return check.Same("the state of "+other.Name, stateUp, stateOf(other)) }))
	check.Must(check.Same("the number of ACS URLs", 2, len(k.sp.ACS())),
		check.Same("the first ACS URL", first.acs, k.sp.ACS()[0].URL),
		check.Same("the last ACS URL", other.acs, k.sp.ACS()[1].URL))
	var total uint64
	check.Must(k.until(func() error {
		if err := bothActive(k.world); err != nil {
			return err
		}
		for _, p := range other.running().Peers() {
			total = p.Total
			if err := check.Same("what "+other.Name+" says of "+p.Region, portal.PeerReplicated, p.State); err != nil {
				return err
			}
		}
		return check.That("the elements that were replicated", total > 0, "some", "none")
	}))
	check.Get(k.agree())
	return fmt.Sprintf("%s went from Replicating to Replicated (%d of %d elements), became ACTIVE, "+
		"and its ACS URL came second", other.Name, total, total)
}

// bothActive requires that all Regions know the new one as active.
func bothActive(w *world) error {
	other := w.newRegion()
	for _, s := range w.sites {
		r, ok := s.view().Snapshot().Region(other.Name)
		if err := cmp.Or(check.Same("whether "+s.Name+" lists "+other.Name, true, ok),
			check.Same("the Region's status in "+s.Name, center.RegionActive, r.Status)); err != nil {
			return err
		}
	}
	return nil
}

// agree waits until all Regions have the same data.
func (k *walker) agree() (report replica.Report, err error) {
	err = k.until(func() error {
		var all []replica.Digest
		for _, s := range k.sites {
			d, err := k.digest(s)
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		report = replica.Compare(all...)
		return check.That("the data of the Regions", len(report.Differences) == 0, "0 differences", report.String())
	})
	return report, err
}

// digest returns hashes of the data of a Region, which must run.
func (k *walker) digest(s *site) (replica.Digest, error) {
	if s.process != nil {
		return query[replica.Digest](k, s, "Digest")
	}
	if runs := s.running(); runs != nil {
		return runs.Digest(), nil
	}
	return replica.Digest{}, check.Differ("the Region "+s.Name, "one that runs", stateOf(s))
}

// urlMissing: before the app lists the Region's URL, a sign-in that begins there fails at the identity provider. The
// primary works.
func urlMissing(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	b, mark := k.browser(), k.signIns.mark()
	check.Get(k.dashboard(b))
	p := check.Get(b.Open(other.url + "/"))
	check.Must(check.Same("where the browser ended", k.idpURL, p.Origin()),
		check.Same("the identity provider's status", 400, p.Status),
		check.Same("verdicts of the Regions", 0, len(k.signIns.since(mark))))
	check.Must(person.Says(p, string(mockidp.ReasonUnlistedURL)), k.signsIn(first))
	return "before its ACS URL was in the app, a sign-in begun in " + other.Name +
		" failed at the identity provider, and one in " + first.Name + " worked"
}

// urlListed: the app lists the Region's URL second, and the same sign-in works.
func urlListed(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	check.Must(k.press("/extend/acs", nil))
	check.Must(check.Same("the ACS URLs in the app", fmt.Sprint([]string{first.acs, other.acs}), fmt.Sprint(k.acsOrder())))
	check.Must(k.signsIn(other), k.tileLeadsTo(first))
	return "with its ACS URL second in the app " + other.Name + " signed Alice in, and the SAML tile still led to " +
		first.Name
}

// bookmarkAdded: a second tile leads to the new Region's portal.
func bookmarkAdded(k *walker) string {
	other := k.newRegion()
	before := check.Get(k.tiles())
	check.Must(k.press("/extend/bookmark", nil))
	after := check.Get(k.tiles())
	check.Must(check.Same("tiles before", 1, before), check.Same("tiles after", 2, after), k.bookmarkLeadsTo(other))
	return "the dashboard got a second tile, " + check.Quote(corp.BookmarkLabel(other.Place))
}
