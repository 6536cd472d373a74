package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// comesBackAfter is how long a Region stays away that was killed.
const comesBackAfter = 20 * time.Second

// supervise starts Regions again whose process has ended, until ctx ends.
func (w *world) supervise(ctx context.Context, out io.Writer) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	for _, s := range w.sites {
		tasks.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-s.process.done:
				}
				fmt.Fprintf(out, "%s is lost. It comes back after %s.\n", s.Name, w.away)
				select {
				case <-ctx.Done():
					return
				case <-time.After(w.away):
				}
				if err := w.start(ctx, s); ctx.Err() != nil {
					return
				} else if err != nil {
					fmt.Fprintf(out, "%s does not come back: %v\n", s.Name, err)
					return
				}
				fmt.Fprintf(out, "%s is back (process %d).\n", s.Name, s.process.pid())
			}
		})
	}
	<-ctx.Done()
}
