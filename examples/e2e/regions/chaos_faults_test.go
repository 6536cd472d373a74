//go:build unix

package regions_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"
)

// fault is a failure of a process or a wire. It ends by itself.
type fault struct {
	name string
	run  func(ctx context.Context)
}

// faults returns all faults.
func (w *chaosWorld) faults() (out []fault) {
	for _, p := range append(w.nodes(), w.servers...) {
		out = append(out, fault{"kill", func(ctx context.Context) { w.killed(ctx, p) }},
			fault{"freeze", func(ctx context.Context) { w.frozen(ctx, p) }})
	}
	for _, r := range w.regions {
		if len(r.nodes) == 1 { // other Regions' disks belong to their servers
			out = append(out, fault{"damage", func(ctx context.Context) { w.damaged(ctx, r) }})
		}
	}
	for i, a := range w.regions {
		for _, b := range w.regions[:i] {
			out = append(out, fault{"partition", func(ctx context.Context) { w.parted(ctx, [2]string{a.Name, b.Name}) }})
		}
		var pairs [][2]string
		for _, b := range w.regions {
			if a != b {
				pairs = append(pairs, [2]string{a.Name, b.Name})
			}
		}
		out = append(out, fault{"isolation", func(ctx context.Context) { w.parted(ctx, pairs...) }})
	}
	return out
}

// injectFaults injects faults in random order until ctx ends, two at a time, and returns
// the number of each.
func (w *chaosWorld) injectFaults(ctx context.Context) map[string]int {
	all, count := w.faults(), map[string]int{}
	var mu sync.Mutex
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() {
			for ctx.Err() == nil {
				b := all[rand.N(len(all))]
				mu.Lock()
				count[b.name]++
				mu.Unlock()
				b.run(ctx)
				pauseFor(ctx, rand.N(time.Second))
			}
		})
	}
	running.Wait()
	return count
}

// lock reserves a process for one fault. Only one server of the cluster has a fault at a time, because the cluster
// can't write without two of three.
func (w *chaosWorld) lock(p *process) (unlock func()) {
	if p.order.NATS != nil {
		p = w.servers[0]
	}
	p.fault.Lock()
	return p.fault.Unlock
}

func (w *chaosWorld) killed(ctx context.Context, p *process) {
	defer w.lock(p)()
	p.kill()
	pauseFor(ctx, rand.N(2*time.Second))
	w.restart(p)
}

// restart starts an ended process.
func (w *chaosWorld) restart(p *process) {
	var err error
	for range 5 {
		if err = p.start(); err == nil {
			return
		}
	}
	w.broken(fmt.Errorf("does not start again: %w", err))
}

func (w *chaosWorld) frozen(ctx context.Context, p *process) {
	defer w.lock(p)()
	p.signal(syscall.SIGSTOP)
	pauseFor(ctx, rand.N(5*time.Second))
	p.signal(syscall.SIGCONT)
}

func (w *chaosWorld) parted(ctx context.Context, pairs ...[2]string) {
	for _, p := range pairs {
		w.cut(p[0], p[1], true)
	}
	pauseFor(ctx, rand.N(5*time.Second))
	for _, p := range pairs {
		w.cut(p[0], p[1], false)
	}
}
