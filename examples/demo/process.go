package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os/exec"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
)

// beginProcesses starts all that there is with a process for each Region, and
// waits until every Region serves. A child takes its ports when it starts, and
// again when it comes back.
func (w *world) beginProcesses(ctx context.Context, program string, l []net.Listener) error {
	forIdP, forRedirector, forChildren := l[0], l[1], l[2:]
	if err := w.startIdP(forIdP, w.sites); err != nil {
		return err
	}
	for _, l := range forChildren {
		_ = l.Close()
	}
	order := Order{Dir: w.dir, Secret: w.secret, IdP: w.idp.Metadata(""), Verbose: w.logs != nil}
	for i := range w.sites {
		order.Portals = append(order.Portals, loopback.Port(forChildren[1+i]))
		order.Replicas = append(order.Replicas, loopback.Port(forChildren[1+len(w.sites)+i]))
	}
	for i, s := range w.sites { // the primary first: the others copy from it
		order.Region = i
		s.process = &process{program: program, order: order, logs: w.logs}
		if err := s.process.start(ctx); err != nil {
			return fmt.Errorf("the process of %s: %w", s.Name, err)
		}
		if i == 0 {
			continue
		}
		if _, err := w.idp.AddApp(corp.Bookmark(s.Place, s.url+"/")); err != nil {
			return err
		}
	}
	return w.startRedirector(forRedirector)
}

// A process is a child of this one that runs, or did.
type process struct {
	program string
	order   Order
	logs    io.Writer

	cmd   *exec.Cmd
	calls *rpc.Client   // the child ends when this is closed
	done  chan struct{} // closed when it has ended
}

// endLimit is how long a child may take to end before it is killed.
const endLimit = 10 * time.Second

// start starts the child, for the first time or again, and waits until it serves.
func (p *process) start(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.cmd = exec.Command(p.program, childFlag)
	p.cmd.Stderr = p.logs // nil: nowhere
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return err
	}
	// Wait closes it when the child has ended, also while it is read: no answer
	// comes then, and the calls that wait for one fail.
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	cmd, done := p.cmd, make(chan struct{})
	p.done = done
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	p.calls = rpc.NewClient(struct {
		io.Reader
		io.WriteCloser
	}{stdout, stdin})
	if _, err = call[bool](ctx, p, "Start", p.order); err != nil {
		p.kill()
	}
	return err
}

// call calls a method of the child, and waits for its answer as long as ctx lasts.
func call[T any](ctx context.Context, p *process, method string, arg any) (T, error) {
	var out, none T
	done := p.calls.Go("Region."+method, arg, &out, make(chan *rpc.Call, 1)).Done
	select {
	case c := <-done:
		return out, c.Error
	case <-ctx.Done():
		return none, context.Cause(ctx) // out may still be written to
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill ends the child as a power cut would: it gets no chance to do anything.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // SIGKILL
	<-p.done
	_ = p.calls.Close()
}

// end lets the child end in order, or kills it.
func (p *process) end() {
	if p.calls == nil {
		return // it never began
	}
	_ = p.calls.Close()
	select {
	case <-p.done:
	case <-time.After(endLimit):
		p.kill()
	}
}
