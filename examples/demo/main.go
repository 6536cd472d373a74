// Command demo is two Regions behind one SAML app, on this machine: a mock
// identity provider, an access portal and a replica of the instance in each
// Region, a redirector to the nearest healthy one, and a control page. It
// begins with one Region. From the control page the instance is extended to the
// second one, either is stopped and started again, sessions are ended across
// Regions, the identity provider's list of ACS URLs is reordered, and a
// response replayed.
//
//	go run ./examples/demo          start it, and say what to open
//	go run ./examples/demo -open    and open it
//	go run ./examples/demo -walk    go through every flow, and say what held
//
// With -processes there are three Regions with a process each, so that they can
// be lost as machines are. One whose process is killed comes back by itself after
// a while.
//
//	go run ./examples/demo -processes          say what to open and what to kill
//	go run ./examples/demo -processes -walk    lose the primary, and say what held
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/program"
)

func main() {
	program.Main("demo", func(ctx context.Context) (int, error) {
		return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	})
}

type options struct{ open, walk, processes, verbose bool }

func parse(args []string, help io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("demo", flag.ContinueOnError)
	fs.BoolVar(&o.open, "open", false, "open the control page in the browser")
	fs.BoolVar(&o.walk, "walk", false, "go through every flow, print one line a step, and exit")
	fs.BoolVar(&o.processes, "processes", false, "start three Regions with a process each, to be killed; with -walk it kills the primary")
	fs.BoolVar(&o.verbose, "v", false, "write what the Regions and the identity provider log to standard error")
	return o, program.Parse(fs, "usage: demo [flags]", args, help, func() error {
		if o.open && (o.walk || o.processes) {
			return errors.New("-open goes with neither -walk nor -processes")
		}
		return nil
	})
}

func run(ctx context.Context, args []string, in io.Reader, out, logs io.Writer) (int, error) {
	if len(args) == 1 && args[0] == childFlag {
		if err := runChild(in, out, logs); err != nil {
			return program.Usage, err
		}
		return program.OK, nil
	}
	o, err := parse(args, out)
	if err != nil {
		return program.Usage, err
	}
	cfg := worldConfig{FixedPorts: !o.walk}
	if o.verbose {
		cfg.Logs = logs
	}
	steps := steps
	if o.processes {
		steps = processSteps
		if cfg.Program, err = os.Executable(); err != nil {
			return program.Usage, err
		}
	}
	w, err := newWorld(ctx, cfg)
	switch {
	case err != nil && ctx.Err() != nil && o.walk:
		return program.Failed, nil
	case err != nil && ctx.Err() != nil: // the user ended it while it started
		return program.OK, nil
	case err != nil:
		return program.Usage, err
	}
	defer w.close()
	if o.walk {
		if !walk(ctx, w, steps, out) {
			return program.Failed, nil
		}
		return program.OK, nil
	}
	if o.processes {
		announceProcesses(out, w)
		w.supervise(ctx, comesBackAfter, out)
		return program.OK, nil
	}
	announce(out, w)
	if o.open {
		if err := openBrowser(w.control.url); err != nil {
			fmt.Fprintln(logs, "demo: no browser could be opened: "+err.Error())
		}
	}
	<-ctx.Done()
	return program.OK, nil
}

// announce says what to open and whom to sign in as.
func announce(out io.Writer, w *world) {
	first := "One SAML app, all on this machine, and a second Region when you want it. Ctrl-C ends it."
	if w.moved {
		first += " Some of its usual ports are in use, so it took others."
	}
	fmt.Fprintln(out, first)
	fmt.Fprintln(out, "Control page   "+w.control.url+"/")
	fmt.Fprintf(out, "IdP dashboard  %s  (sign in as %s)\n", w.idp.DashboardURL(), corp.SignInHint)
	fmt.Fprintf(out, "Redirector     %s/  (to the nearest healthy Region)\n", w.redirector.url)
	for _, s := range w.sites {
		note := ""
		if !s.added() {
			note = ", once you extend to it on the control page"
		}
		fmt.Fprintf(out, "%-14s %s/  (%s%s)\n", s.Name, s.url, s.Label, note)
	}
}
