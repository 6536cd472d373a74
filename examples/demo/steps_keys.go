package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/keys"
)

// policyDrifted: the policy of a key is copied when it is replicated, and never again. If it changes in one Region,
// only that Region stops, and says why.
func policyDrifted(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	ring := k.keyring.Rings[other.Name]
	made := check.Get(k.keyring.Rings[first.Name].Describe(k.keyring.ID))
	copied := check.Get(ring.Describe(k.keyring.ID))
	check.Must(
		check.Same("the Regions with a copy of the key", fmt.Sprint([]string{other.Name}), fmt.Sprint(made.Replicas)),
		check.Same("the policy of the copy", fmt.Sprint(made.Policy), fmt.Sprint(copied.Policy)))
	check.Must(ring.PutPolicy(k.keyring.ID, keys.Allow("another program")))
	stopped := k.stopsAlone(other, keys.ReasonAccessDenied)
	check.Must(ring.PutPolicy(k.keyring.ID, keys.Allow(sealed.Principal)), stopped) // also on failure: later steps need it
	check.Must(k.servesAgain(other))
	return "the key of " + first.Name + " was replicated, and its policy drifted in " + other.Name +
		", which alone stopped, with " + string(keys.ReasonAccessDenied) + "; the right policy brought it back"
}

// keyDisabled: the copy of the key in one Region is disabled, and enabled. The Region stops, and serves again.
func keyDisabled(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	ring := k.keyring.Rings[other.Name]
	check.Must(k.signsIn(first))
	check.Must(ring.Disable(k.keyring.ID))
	stopped := k.stopsAlone(other, keys.ReasonDisabled)
	check.Must(ring.Enable(k.keyring.ID), stopped)
	check.Must(k.servesAgain(other))
	return "the copy of the key in " + other.Name + " was disabled, and it alone stopped, with " +
		string(keys.ReasonDisabled) + "; enabled, it signed Alice in"
}

// keyRotated: the key gets a new version while users sign in. No sign-in fails.
func keyRotated(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	var wg sync.WaitGroup
	failed := make([]error, 2*5)
	for i := range failed {
		wg.Go(func() {
			s := k.sites[i%2]
			p, err := k.signedIn(k.browser(), s)
			if err == nil {
				err = atPortal(p, s)
			}
			failed[i] = err
		})
	}
	version, err := k.keyring.Rings[first.Name].Rotate(k.keyring.ID, k.keyring.Rings[other.Name])
	wg.Wait()
	check.Must(errors.Join(append(failed, err)...))
	used := check.Get(k.keyring.Count(other.Name))
	check.Must(check.That("uses of the key in "+other.Name, used > 0 && used < 10_000, "a few", fmt.Sprint(used)))
	check.Must(k.signsIn(first), k.signsIn(other))
	return fmt.Sprintf("the key was rotated to version %d while %d users signed in; %s has used it %d times",
		version, len(failed), other.Name, used)
}

// nothingPlain: no file of a Region, and no byte between Regions, has what names a user or lets one in.
func nothingPlain(k *walker) string {
	planted := k.planted()
	search := check.Get(sealed.NewSearch(planted...))
	files := check.Get(search.Files(k.dir)) // the connections are in files there, too
	found, _ := search.Found()
	check.Must(check.Same("what the files of the Regions and their connections say", "[]", fmt.Sprint(found)),
		check.That("files of the Regions", files > 10, "more than 10", fmt.Sprint(files)))
	between := 0
	for _, s := range k.sites {
		n, names := 0, false
		for _, file := range check.Get(filepath.Glob(filepath.Join(s.wire, "*"))) {
			b := check.Get(os.ReadFile(file))
			n, names = n+len(b), names || bytes.Contains(b, []byte(s.Name)) // in the protocol, so it isn't encrypted
		}
		check.Must(check.That("recorded bytes of "+s.Name, n > 10_000 && names, "more than 10,000, below TLS", fmt.Sprint(n)))
		between += n
	}
	return fmt.Sprintf("none of %d names, addresses and secrets of users is in the %d files of the Regions, or in "+
		"the %d KiB between them", len(planted), files, between>>10)
}

// planted are strings that name a user or let one in, as far as they are long enough to be searched.
func (k *walker) planted() (all []string) {
	for _, u := range corp.Users() {
		all = append(all, u.Login, u.FirstName+" "+u.LastName)
		all = append(all, u.Groups...)
	}
	for _, v := range k.signIns.since(0) {
		all = append(all, v.NameID, v.AssertionID, v.RequestID)
	}
	for _, s := range k.sites {
		if s.process == nil {
			all = append(all, check.Get(s.sessionNames(k.ctx))...)
		} else {
			all = append(all, check.Get(query[[]string](k, s, "SessionNames"))...)
		}
		for _, b := range k.browsers.all() {
			for _, c := range b.Jar[s.Host()] {
				all = append(all, c.Value)
			}
		}
	}
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < sealed.MinLength })
	slices.Sort(all)
	return slices.Compact(all)
}

// sessionNames returns the names that live sessions have here and at the identity provider.
func (s *site) sessionNames(ctx context.Context) (all []string, err error) {
	for _, u := range corp.Users() {
		list, err := s.running().Sessions().List(ctx, u.Login)
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			all = append(append(all, one.ID, one.SignIn), one.Proof.SessionIndexes...)
		}
	}
	return all, nil
}

// stopsAlone waits until a Region says that its key may not be used, for that reason. The other one signs Alice in, and
// the stopped one doesn't.
func (k *walker) stopsAlone(s *site, want keys.Reason) error {
	err := k.until(func() error {
		var why *keys.Error
		if err := s.running().Probe(k.ctx); !errors.As(err, &why) || why.Reason != want {
			return check.Differ("why "+s.Name+" stopped", string(want), fmt.Sprint(err))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := k.signsIn(k.sites[0]); err != nil {
		return err
	}
	return k.until(func() error {
		p, err := k.browser().Open(s.url + portal.PathHealth)
		if err != nil {
			return err
		}
		return check.Same("the health of "+s.Name, 503, p.Status)
	})
}

// servesAgain waits until a Region serves, and signs Alice in there.
func (k *walker) servesAgain(s *site) error {
	if err := k.until(func() error { return s.running().Probe(k.ctx) }); err != nil {
		return err
	}
	return k.signsIn(s)
}
