package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os/exec"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/saml"
)

// beginProcesses starts a process for each Region and one for the identity provider, and waits until all serve. A
// child listens at its ports each time that it starts.
func (w *world) beginProcesses(ctx context.Context, program string, l []net.Listener) (err error) {
	forRedirector, forRegions, forReplicas := l[1], l[3:3+len(w.sites)], l[3+len(w.sites):]
	// Each Region's process has a Ring of its own, with a copy of the key.
	if w.keyring, err = sealed.All(w.dir, w.sites[0].Name, w.sites[1].Name, w.sites[2].Name); err != nil {
		return err
	}
	order := Order{Dir: w.dir, Secret: w.secret, Keys: w.keys, IdPPort: loopback.Port(l[0]), Keyring: w.keyring.Location,
		Record: w.record}
	for i := range w.sites {
		order.Portals = append(order.Portals, loopback.Port(forRegions[i]))
		order.Replicas = append(order.Replicas, loopback.Port(forReplicas[i]))
	}
	for i, l := range l {
		if i != 1 {
			_ = l.Close()
		}
	}
	if w.idpProcess, err = startProcess(ctx, program, order, w.logs); err != nil {
		return fmt.Errorf("the process of the identity provider: %w", err)
	}
	order.IdP, w.idpURL = w.idpProcess.idp, w.idpProcess.idp.URL
	idp, err := saml.ParseIdPMetadata(order.IdP.Metadata)
	if err != nil {
		return err
	}
	if w.sp, err = serviceProvider(idp, w.keys, w.sites); err != nil {
		return err
	}
	for _, s := range w.sites { // the primary first: the others replicate from it
		order.Region = s.Name
		if s.process, err = startProcess(ctx, program, order, w.logs); err != nil {
			return fmt.Errorf("the process of %s: %w", s.Name, err)
		}
	}
	return w.startRedirector(forRedirector)
}

// process is a child process, which may have ended.
type process struct {
	restart func(context.Context) (*process, error)
	cmd     *exec.Cmd
	calls   *rpc.Client   // the child ends when this is closed
	done    chan struct{} // closed when it has ended
	idp     IdP           // if it is the identity provider
}

// startProcess starts a child, and waits until it serves.
func startProcess(ctx context.Context, program string, order Order, logs io.Writer) (*process, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	p := &process{cmd: exec.Command(program, childFlag), done: make(chan struct{})}
	p.restart = func(ctx context.Context) (*process, error) { return startProcess(ctx, program, order, logs) }
	p.cmd.Stderr = logs
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	// Wait closes it when the child has ended. Calls that still wait for an answer then fail.
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait()
	}()
	p.calls = rpc.NewClient(struct {
		io.Reader
		io.WriteCloser
	}{stdout, stdin})
	if p.idp, err = call[IdP](ctx, p, "Start", order); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// call calls a method of the child. It returns when the child has answered or ctx has ended.
func call[T any](ctx context.Context, p *process, method string, arg any) (T, error) {
	var out, none T
	done := p.calls.Go("Child."+method, arg, &out, make(chan *rpc.Call, 1)).Done
	select {
	case c := <-done:
		return out, c.Error
	case <-ctx.Done():
		return none, context.Cause(ctx) // out may still be written to
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill ends the child without notice, like a power failure.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // SIGKILL
	<-p.done
	_ = p.calls.Close()
}

// end ends the child, or kills it if it doesn't end in time.
func (p *process) end() {
	_ = p.calls.Close()
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		p.kill()
	}
}

// restartDelay is the time until a killed Region is started again.
const restartDelay = 20 * time.Second

// supervise restarts Regions whose process has ended, until ctx ends.
func (w *world) supervise(ctx context.Context, away time.Duration, out io.Writer) {
	var tasks sync.WaitGroup
	for _, s := range w.sites {
		tasks.Go(func() {
			for s.restart(ctx, away, out) {
			}
		})
	}
	tasks.Wait()
	<-ctx.Done()
}

// restart waits until the Region's process has ended and starts it again. It reports whether that succeeded.
func (s *site) restart(ctx context.Context, away time.Duration, out io.Writer) bool {
	select {
	case <-ctx.Done():
		return false
	case <-s.process.done:
	}
	fmt.Fprintf(out, "%s has ended. It restarts after %s.\n", s.Name, away)
	select {
	case <-ctx.Done():
		return false
	case <-time.After(away):
	}
	p, err := s.process.restart(ctx)
	if err != nil {
		if ctx.Err() == nil {
			fmt.Fprintf(out, "%s could not be restarted: %v\n", s.Name, err)
		}
		return false
	}
	s.process = p
	fmt.Fprintf(out, "%s has restarted (process %d).\n", s.Name, s.process.pid())
	return true
}
