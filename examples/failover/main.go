// Command failover is three Regions behind one SAML app with a process for
// each, on this machine, so that they can be lost as machines are: a mock
// identity provider, the Regions us-east-1 (the primary), eu-central-1 and
// ap-southeast-2 with their portals and replicas, and a redirector to the
// nearest healthy one.
//
//	go run ./examples/failover          start it, and say what to open and what to kill
//	go run ./examples/failover -walk    lose the primary, and say what held
//
// A Region whose process is killed comes back by itself after a while.
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
	program.Main("failover", func(ctx context.Context) (int, error) {
		return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	})
}

type options struct{ walk, verbose, child bool }

func parse(args []string, help io.Writer) (options, error) {
	if len(args) == 1 && args[0] == childFlag {
		return options{child: true}, nil
	}
	var o options
	fs := flag.NewFlagSet("failover", flag.ContinueOnError)
	fs.BoolVar(&o.walk, "walk", false, "lose the primary and bring it back, print one line a step, and exit")
	fs.BoolVar(&o.verbose, "v", false, "write what the processes log to standard error")
	err := program.Parse(fs, args, help)
	return o, err
}

func run(ctx context.Context, args []string, in io.Reader, out, logs io.Writer) (int, error) {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return program.OK, nil
	}
	if err != nil {
		return program.Usage, err
	}
	if o.child {
		if err := runChild(in, out, logs); err != nil {
			return program.Usage, err
		}
		return program.OK, nil
	}
	cfg := worldConfig{FixedPorts: !o.walk}
	if o.verbose {
		cfg.Logs = logs
	}
	w, err := newWorld(ctx, cfg)
	if w != nil {
		defer w.close()
	}
	switch {
	case ctx.Err() != nil && o.walk:
		return program.Failed, nil
	case ctx.Err() != nil: // the user ended it while it started
		return program.OK, nil
	case err != nil:
		return program.Usage, err
	}
	if o.walk {
		if !walk(ctx, w, walkers, out) {
			return program.Failed, nil
		}
		return program.OK, nil
	}
	announce(out, w)
	w.supervise(ctx, out)
	return program.OK, nil
}

// announce says what to open, whom to sign in as and what to kill.
func announce(out io.Writer, w *world) {
	fmt.Fprintln(out, "One SAML app, three Regions, a process each, all on this machine. Ctrl-C ends them.")
	fmt.Fprintf(out, "Redirector      %s/  (sign in as %s)\n", w.redirectorURL, corp.SignInHint)
	fmt.Fprintf(out, "IdP dashboard   %s\n", w.idp.Dashboard)
	for _, s := range w.sites {
		fmt.Fprintf(out, "%-15s %s/  (%s, process %d)\n", s.Name, s.url(), s.Label, s.process.pid())
	}
	fmt.Fprintf(out, "Kill a Region (kill -9 %d) and open the redirector again. The Region comes back after %s.\n", w.sites[0].process.pid(), comesBackAfter)
}
