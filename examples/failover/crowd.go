package main

import "sync"

// A crowd is people who sign in at the same moment.
type crowd struct {
	all    sync.WaitGroup
	in     chan struct{} // a token for each who is in, of those that must get in
	failed chan error    // why one of them did not
}

// crowd lets as many people as there are in the walk sign in at the Regions
// that stay alive, and a quarter as many at the one that is lost: those may
// fail, and then nobody was promised anything.
func (k *walker) crowd(lost *site, alive []*site) *crowd {
	c := &crowd{in: make(chan struct{}, k.people), failed: make(chan error, k.people)}
	begin := make(chan struct{})
	for i := range k.people {
		s := alive[i%len(alive)]
		c.all.Go(func() {
			<-begin
			b := k.browser()
			if err := k.signsIn(b, s, s.url()+"/"); err != nil {
				c.failed <- err
				return
			}
			k.kept.add(s, b)
			c.in <- struct{}{}
		})
	}
	for range k.people / 4 {
		c.all.Go(func() {
			<-begin
			b := k.browser()
			if k.signsIn(b, lost, lost.url()+"/") == nil {
				k.kept.add(lost, b)
			}
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
