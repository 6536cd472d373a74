package main

import (
	"slices"
	"sync"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// kept are the sessions that people were given: a promise that the loss of a
// process doesn't break.
type kept struct {
	mu   sync.Mutex
	list []session // guarded by mu
}

// session is one that a browser has at a Region.
type session struct {
	at *site
	b  *testkit.Browser
}

func (k *kept) add(at *site, b *testkit.Browser) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, session{at, b})
}

func (k *kept) all() []session {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.list)
}

// signedIn says whether the session opens its portal, without a sign-in.
func (s session) signedIn() (bool, error) {
	p, err := s.b.Look(s.at.url + "/")
	return err == nil && p.Status == 200, err
}

// A crowd is people who sign in at the same moment.
type crowd struct {
	all    sync.WaitGroup
	in     chan struct{} // a token for each who is in, of those that must get in
	failed chan error    // why one of them did not
}

// crowd lets as many people as there are in the walk sign in at the Regions
// that stay alive, and a quarter as many at the one that is lost: those may
// fail, and then no session was promised.
func (k *walker) crowd(lost *site, alive []*site) *crowd {
	c := &crowd{in: make(chan struct{}, k.people), failed: make(chan error, k.people)}
	begin := make(chan struct{})
	for i := range k.people {
		c.all.Go(func() {
			<-begin
			if err := k.signsIn(alive[i%len(alive)]); err != nil {
				c.failed <- err
				return
			}
			c.in <- struct{}{}
		})
	}
	for range k.people / 4 {
		c.all.Go(func() {
			<-begin
			_ = k.signsIn(lost)
		})
	}
	close(begin)
	return c
}

// untilIn waits until so many are in, and returns their number: fewer as soon as
// one of those who must get in does not, which this says, or untilDone.
func (c *crowd) untilIn(wanted int) (in int, err error) {
	for ; in < wanted && len(c.failed) == 0; in++ {
		select {
		case <-c.in:
		case err := <-c.failed:
			c.all.Wait()
			return in, err
		}
	}
	return in, nil
}

// untilDone waits for all, and gives the first failure of those who must get in.
func (c *crowd) untilDone() error {
	c.all.Wait()
	select {
	case err := <-c.failed:
		return err
	default:
		return nil
	}
}
