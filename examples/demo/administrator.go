package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// What an administrator does: first what extends the instance, in the order in
// which it is done. Each of these three can be done again, and then changes
// nothing.

// newRegion is the Region that the instance can be extended to, or was.
func (w *world) newRegion() *site { return w.sites[len(w.sites)-1] }

// addRegion lists the Region in the primary, gives the service provider its
// ACS URL after those that are there, and starts the Region, which then
// replicates by itself.
func (w *world) addRegion(s *site) error {
	w.acts.Lock()
	defer w.acts.Unlock()
	v := w.sites[0].view()
	if v == nil {
		return fmt.Errorf("%s is stopped, and Regions are added in the primary Region only", w.sites[0].Name)
	}
	if s.added() {
		return nil
	}
	if !slices.ContainsFunc(w.sp.ACS(), func(e saml.Endpoint) bool { return e.URL == s.acs }) {
		if err := w.sp.AppendACS(saml.Endpoint{URL: s.acs, Region: s.Name}); err != nil {
			return err
		}
	}
	err := v.Update(func(tx *center.Tx) error {
		return tx.PutRegion(region.Entry(s.Place, s.url, center.RegionAdding))
	})
	if err != nil {
		return err
	}
	return w.open(s)
}

// inApp says whether the identity provider's app lists the Region's URL.
func (w *world) inApp(s *site) bool { return slices.Contains(w.acsOrder(), s.acs) }

// listACS puts the Region's URL into the identity provider's app, after those
// that are there: the first stays the default.
func (w *world) listACS(s *site) error {
	if !s.added() {
		return fmt.Errorf("%s has no ACS URL before it is added", s.Name)
	}
	return w.idp.UpdateApp("", func(a *mockidp.App) error {
		if slices.ContainsFunc(a.ACS, func(e mockidp.ACS) bool { return e.URL == s.acs }) {
			return nil
		}
		next := uint16(len(a.ACS))
		for i := range a.ACS {
			if a.ACS[i].Index == nil {
				a.ACS = append(a.ACS, mockidp.ACS{URL: s.acs})
				return nil
			}
			next = max(next, *a.ACS[i].Index+1)
		}
		a.ACS = append(a.ACS, mockidp.ACS{URL: s.acs, Index: &next})
		return nil
	})
}

// bookmarked says whether the dashboard has a tile for the Region.
func (w *world) bookmarked(s *site) bool {
	return slices.ContainsFunc(w.idp.Apps(), func(a mockidp.App) bool { return a.Label == corp.BookmarkLabel(s.Place) })
}

// addBookmark gives all users a tile that opens the Region's portal.
func (w *world) addBookmark(s *site) error {
	if !s.added() {
		return fmt.Errorf("%s has no portal before it is added", s.Name)
	}
	if w.bookmarked(s) {
		return nil
	}
	_, err := w.idp.AddApp(corp.Bookmark(s.Place, s.url+"/"))
	return err
}

// acsOrder is the order in which the identity provider's app lists the URLs.
func (w *world) acsOrder() []string {
	app, _ := w.idp.App("")
	var out []string
	for _, a := range app.ACS {
		out = append(out, a.URL)
	}
	return out
}

// swapACS turns the app's list around, as an administrator would who makes
// another Region's URL the "Single sign-on URL". The indexes stay with their
// URLs.
func (w *world) swapACS() error {
	return w.idp.UpdateApp("", func(a *mockidp.App) error {
		if len(a.ACS) < 2 {
			return errors.New("the app lists one ACS URL only: extend to a second Region first")
		}
		slices.Reverse(a.ACS)
		return nil
	})
}

// revoke ends the newest session that began in the primary, from the other
// Region. It works while the primary is down. The person's session at the
// identity provider ends too, or it would sign the person in again without a
// word, and the end of the first could not be seen.
func (w *world) revoke(ctx context.Context) (from *site, ended sessions.Session, err error) {
	from, made := w.newRegion(), w.sites[0]
	runs := from.running()
	if runs == nil || !runs.Serves() {
		return from, ended, fmt.Errorf("%s does not run, so nothing can be ended from there", from.Name)
	}
	for _, u := range runs.View().Snapshot().Data().Users {
		list, err := runs.Sessions().List(ctx, u.ID)
		if err != nil {
			return from, ended, err
		}
		for _, s := range list {
			if s.Region == made.Name && s.Created.After(ended.Created) {
				ended = s
			}
		}
	}
	if ended.ID == "" {
		return from, ended, fmt.Errorf("%s knows of no session that began in %s: sign in there first", from.Name, made.Name)
	}
	if err := runs.Sessions().Revoke(ctx, ended.UserID, ended.ID); err != nil {
		return from, ended, err
	}
	return from, ended, w.idp.EndSessions(ended.UserName)
}
