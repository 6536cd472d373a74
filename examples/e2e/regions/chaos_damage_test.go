//go:build unix

package regions_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
)

// damaged overwrites or cuts bytes in the files of a Region's own streams while
// the Region is down. First the Region gets no more sign-ins until the others
// have all acknowledged data, because a disk's data without a copy is lost.
// Then the test follows the Region's error as an operator would.
func (w *chaosWorld) damaged(ctx context.Context, r *chaosRegion) {
	p := r.nodes[0]
	// One Region at a time: the others must have the data.
	if !w.damage.TryLock() {
		return
	}
	defer w.damage.Unlock()
	defer w.lock(p)()
	r.use.Lock()
	defer r.use.Unlock()
	quiet, limited := time.Now(), context.WithoutCancel(ctx)
	limited, cancel := context.WithTimeout(limited, 20*time.Second)
	defer cancel()
	for _, other := range w.regions {
		for _, n := range other.nodes {
			for other != r && !controlOf(n).heard(limited, r.Name).After(quiet) {
				if limited.Err() != nil {
					return // it is cut off for longer than this fault waits
				}
				pauseFor(limited, 50*time.Millisecond)
			}
		}
	}
	p.kill()
	if err := spoil(p.order.Dir, r.Name); err != nil {
		w.broken(err)
	}
	w.operate(p, r)
}

// spoil changes bytes in one of the files that hold a Region's own streams.
func spoil(dir, region string) error {
	var files []string
	for _, stream := range []string{"KV_config_", "sessions_", "revoked_"} {
		some, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", stream+region, "msgs", "*.blk"))
		if err != nil {
			return err
		}
		files = append(files, some...)
	}
	if len(files) == 0 {
		return fmt.Errorf("no files of streams below %s", dir)
	}
	name := files[rand.N(len(files))]
	b, err := os.ReadFile(name)
	if err != nil || len(b) < 8 {
		return err
	}
	if at := rand.N(len(b) - 4); rand.N(2) == 0 {
		copy(b[at:], "\xff\x00\xff\x00")
	} else {
		b = append(b[:at:at], b[at+1:]...)
	}
	return os.WriteFile(name, b, 0o600)
}

// operate starts a Region whose disk was damaged. If the Region reports that, or
// stops, it recovers its data from the others.
func (w *chaosWorld) operate(p *process, r *chaosRegion) {
	err := p.start()
	for range 4 {
		if err == nil || strings.Contains(err.Error(), "Damaged") {
			break
		}
		err = p.start()
	}
	if err == nil && healthySoon(p) {
		return // the changed bytes were unused
	}
	if err != nil && !strings.Contains(err.Error(), "Damaged") {
		w.broken(err)
		return
	}
	w.recovered.Add(1)
	p.kill()
	for _, other := range w.regions {
		if other != r {
			p.order.Recover = append(p.order.Recover, other.Name)
		}
	}
	// The other Regions have faults at the same time. The recovery waits until
	// each of them answers.
	for limit := time.Now().Add(2 * time.Minute); ; <-time.After(100 * time.Millisecond) {
		if err = p.start(); err == nil {
			break
		}
		if time.Now().After(limit) {
			w.broken(fmt.Errorf("does not recover: %w", err))
			break
		}
	}
	p.order.Recover = nil
}

// healthySoon waits for a node's health, for a few seconds.
func healthySoon(p *process) bool {
	for limit := time.Now().Add(10 * time.Second); time.Now().Before(limit); <-time.After(100 * time.Millisecond) {
		res, err := controlHTTP.Get("http://" + loopback.Address(p.order.Portal) + "/health")
		if err != nil {
			continue
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return true
		}
	}
	return false
}
