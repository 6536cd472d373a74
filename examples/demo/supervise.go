package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/corp"
)

// comesBackAfter is how long a Region stays away that was killed.
const comesBackAfter = 20 * time.Second

// announceProcesses says what to open, whom to sign in as and what to kill.
func announceProcesses(out io.Writer, w *world) {
	fmt.Fprintln(out, "One SAML app, three Regions, a process each, all on this machine. Ctrl-C ends them.")
	fmt.Fprintf(out, "Redirector      %s/  (sign in as %s)\n", w.redirector.url, corp.SignInHint)
	fmt.Fprintf(out, "IdP dashboard   %s\n", w.idpProcess.idp.Dashboard)
	for _, s := range w.sites {
		fmt.Fprintf(out, "%-15s %s/  (%s, process %d)\n", s.Name, s.url, s.Label, s.process.pid())
	}
	fmt.Fprintf(out, "Kill a Region (kill -9 %d) and open the redirector again. The Region comes back after %s.\n", w.sites[0].process.pid(), comesBackAfter)
}

// supervise starts Regions again whose process has ended, until ctx ends.
func (w *world) supervise(ctx context.Context, away time.Duration, out io.Writer) {
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
				fmt.Fprintf(out, "%s is lost. It comes back after %s.\n", s.Name, away)
				select {
				case <-ctx.Done():
					return
				case <-time.After(away):
				}
				p, err := s.process.again(ctx)
				switch {
				case err == nil:
					s.process = p
				case ctx.Err() == nil:
					fmt.Fprintf(out, "%s does not come back: %v\n", s.Name, err)
					return
				default:
					return
				}
				fmt.Fprintf(out, "%s is back (process %d).\n", s.Name, s.process.pid())
			}
		})
	}
	<-ctx.Done()
}
