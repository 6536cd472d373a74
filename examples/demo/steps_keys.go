package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/keys"
)

// policyDrifted: the policy of a key is copied when it is replicated, and never again. If it changes in one Region,
// only that Region stops, and says why.
func policyDrifted(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	ring := k.keyring.rings[other.Name]
	made := check.Get(k.keyring.rings[first.Name].Describe(k.keyring.id))
	copied := check.Get(ring.Describe(k.keyring.id))
	check.Must(
		check.Same("the Regions with a copy of the key", fmt.Sprint([]string{other.Name}), fmt.Sprint(made.Replicas)),
		check.Same("the policy of the copy", fmt.Sprint(made.Policy), fmt.Sprint(copied.Policy)))
	check.Must(ring.PutPolicy(k.keyring.id, keys.Allow("another program")))
	stopped := k.stopsAlone(other, keys.ReasonAccessDenied)
	check.Must(ring.PutPolicy(k.keyring.id, keys.Allow(keyUser)), stopped) // also on failure: later steps need it
	check.Must(k.servesAgain(other))
	return "the key of " + first.Name + " was replicated, and its policy drifted in " + other.Name +
		", which alone stopped, with " + string(keys.ReasonAccessDenied) + "; the right policy brought it back"
}

// keyDisabled: the copy of the key in one Region is disabled, and enabled. The Region stops, and serves again.
func keyDisabled(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	ring := k.keyring.rings[other.Name]
	check.Must(k.signsIn(first))
	check.Must(ring.Disable(k.keyring.id))
	stopped := k.stopsAlone(other, keys.ReasonDisabled)
	check.Must(ring.Enable(k.keyring.id), stopped)
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
	version, err := k.keyring.rings[first.Name].Rotate(k.keyring.id, k.keyring.rings[other.Name])
	wg.Wait()
	check.Must(errors.Join(append(failed, err)...))
	used := check.Get(k.keyring.count(other.Name))
	check.Must(check.That("uses of the key in "+other.Name, used > 0 && used < 10_000, "a few", fmt.Sprint(used)))
	check.Must(k.signsIn(first), k.signsIn(other))
	return fmt.Sprintf("the key was rotated to version %d while %d users signed in; %s has used it %d times",
		version, len(failed), other.Name, used)
}

// nothingPlain: no file of a Region has a user's name, not even of what was deleted.
func nothingPlain(k *walker) string {
	files := 0
	err := filepath.WalkDir(k.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil // a server removes files that it has replaced
		} else if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		files++
		for _, u := range corp.Users() {
			if err == nil && bytes.Contains(b, []byte(u.Login)) {
				err = check.Differ("the file "+filepath.Base(path), "no user's name", u.Login)
			}
		}
		return err
	})
	check.Must(err, check.That("files of the Regions", files > 10, "more than 10", fmt.Sprint(files)))
	return fmt.Sprintf("none of the %d files of the Regions has a user's name", files)
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
