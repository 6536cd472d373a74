package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal/center"
)

// addRegion, listACS and addBookmark extend the instance, in this order. Each changes nothing if it was done before.

// newRegion returns the Region that the instance is extended to.
func (w *world) newRegion() *site { return w.sites[len(w.sites)-1] }

// addRegion adds the Region as the portal's page does, which has the same Control.
func (w *world) addRegion(s *site) error {
	v := w.sites[0].view()
	if v == nil {
		return fmt.Errorf("%s is stopped, and Regions are added in the primary Region only", w.sites[0].Name)
	}
	if s.added() {
		return nil
	}
	admin := w.regionAdmin(v)
	r, err := admin.Addresses(s.Name)
	if err != nil {
		return err
	}
	who := center.Caller{Account: admin.Account, Region: v.RegionName(), Administrator: true}
	if r.Status, err = admin.Control.AddRegion(w.ctx, who, r); err != nil {
		return err
	}
	return admin.Changed(w.ctx, r)
}

// inApp reports whether the identity provider's app lists the Region's URL.
func (w *world) inApp(s *site) bool { return slices.Contains(w.acsOrder(), s.acs) }

// listACS adds the Region's URL to the identity provider's app as the last one. The first stays the default.
func (w *world) listACS(s *site) error {
	if !s.added() {
		return fmt.Errorf("%s has no ACS URL before it is added", s.Name)
	}
	return w.idp.UpdateApp("", func(a *mockidp.App) error {
		if slices.ContainsFunc(a.ACS, func(e mockidp.ACS) bool { return e.URL == s.acs }) {
			return nil
		}
		// The indexes come from the metadata, where they are the positions.
		a.ACS = append(a.ACS, mockidp.ACS{URL: s.acs, Index: new(uint16(len(a.ACS)))})
		return nil
	})
}

// bookmarked reports whether the dashboard has a tile for the Region.
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

// acsOrder returns the ACS URLs in the order of the identity provider's app.
func (w *world) acsOrder() (out []string) {
	app, _ := w.idp.App("")
	for _, a := range app.ACS {
		out = append(out, a.URL)
	}
	return out
}

// swapACS reverses the app's list, so that another Region's URL becomes the "Single sign-on URL". Each URL keeps its
// index.
func (w *world) swapACS() error {
	return w.idp.UpdateApp("", func(a *mockidp.App) error {
		if len(a.ACS) < 2 {
			return errors.New("the app lists one ACS URL only: extend to a second Region first")
		}
		slices.Reverse(a.ACS)
		return nil
	})
}

// revoke ends the newest session that began in the primary, from the other Region. It works while the primary is
// stopped. It also ends the user's session at the identity provider, which would otherwise sign the user in again at
// once and hide the end of the first session.
func (w *world) revoke(ctx context.Context) (from *site, ended sessions.Session, err error) {
	from, made := w.newRegion(), w.sites[0]
	runs := from.running()
	if runs == nil || !runs.Serves() {
		return from, ended, fmt.Errorf("%s does not run, so it cannot end a session", from.Name)
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
		return from, ended, fmt.Errorf("%s knows no session that began in %s: sign in there first", from.Name, made.Name)
	}
	if err := runs.Sessions().Revoke(ctx, ended.UserID, ended.ID); err != nil {
		return from, ended, err
	}
	return from, ended, w.idp.EndSessions(ended.UserName)
}
