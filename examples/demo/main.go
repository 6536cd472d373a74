// Command demo runs two Regions of one SAML app on this machine: a mock identity provider, an access portal and a
// replica of the instance in each Region, a redirector to the nearest healthy Region, and a control page. It begins
// with one Region. The control page can extend the instance to the second one. It can also stop and start Regions,
// end sessions across Regions, reorder the identity provider's list of ACS URLs, and replay a response.
//
//	go run ./examples/demo          start, and print the addresses
//	go run ./examples/demo -open    also open the control page
//	go run ./examples/demo -walk    check every flow, print the results and exit
//
// With -processes there are three Regions with a process each, which can be killed. The program restarts a killed
// Region after 20 seconds. Each is backed up every minute: if its directory was deleted, it is restored.
//
//	go run ./examples/demo -processes          start, and print the addresses and process IDs
//	go run ./examples/demo -processes -walk    kill the primary, check every flow and exit
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"

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
	fs.BoolVar(&o.walk, "walk", false, "check every flow, print a line for each step, and exit")
	fs.BoolVar(&o.processes, "processes", false,
		"start three Regions with a process each; with -walk, kill the primary")
	fs.BoolVar(&o.verbose, "v", false, "write the logs of the Regions and the identity provider to standard error")
	return o, program.Parse(fs, "usage: demo [flags]", args, help, func() error {
		if o.open && (o.walk || o.processes) {
			return errors.New("-open cannot be combined with -walk or -processes")
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
	cfg := worldConfig{FixedPorts: !o.walk, Record: o.walk}
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
	case err != nil && ctx.Err() == nil:
		return program.Usage, err
	case err != nil && o.walk:
		return program.Failed, nil
	case err != nil: // the user interrupted the start
		return program.OK, nil
	}
	defer w.close()
	switch {
	case o.walk:
		if !walk(ctx, w, steps, out) {
			return program.Failed, nil
		}
	case o.processes:
		announceProcesses(out, w)
		w.supervise(ctx, restartDelay, out)
	default:
		announce(out, w)
		if o.open {
			if err := openBrowser(w.control.url); err != nil {
				fmt.Fprintln(logs, "demo: cannot open a browser: "+err.Error())
			}
		}
		<-ctx.Done()
	}
	return program.OK, nil
}

// announce prints what to open and the login.
func announce(out io.Writer, w *world) {
	first := "One SAML app with one Region on this machine. Add the second on the control page. Ctrl-C ends the demo."
	if w.moved {
		first += " Some of its usual ports are in use, so it uses others."
	}
	fmt.Fprintln(out, first)
	fmt.Fprintln(out, "Control page   "+w.control.url+"/  (also has the profiles for aws sso login: /aws-config)")
	fmt.Fprintf(out, "IdP dashboard  %s  (sign in as %s)\n", w.idp.DashboardURL(), corp.SignInHint)
	fmt.Fprintf(out, "Redirector     %s/  (to the nearest healthy Region)\n", w.redirector.url)
	for _, s := range w.sites {
		note := ""
		if !s.added() {
			note = "; extend to it on the control page"
		}
		fmt.Fprintf(out, "%-14s %s/  (%s%s)\n", s.Name, s.url, s.Label, note)
	}
}

// announceProcesses prints what to open, the login and what to kill.
func announceProcesses(out io.Writer, w *world) {
	fmt.Fprintln(out, "One SAML app with three Regions on this machine, a process each. Ctrl-C ends the demo.")
	fmt.Fprintf(out, "Redirector      %s/  (sign in as %s)\n", w.redirector.url, corp.SignInHint)
	fmt.Fprintf(out, "IdP dashboard   %s\n", w.idpProcess.idp.Dashboard)
	for _, s := range w.sites {
		fmt.Fprintf(out, "%-15s %s/  (%s, process %d)\n", s.Name, s.url, s.Label, s.process.pid())
	}
	fmt.Fprintf(out, "Kill a Region (kill -9 %d) and open the redirector again. The program restarts it after %s. If its "+
		"directory (%s) is gone, it is restored from its backup.\n",
		w.sites[0].process.pid(), restartDelay, w.sites[0].dir)
}

// openBrowser opens url in the browser of the user who runs the demo.
func openBrowser(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // it may run as long as the browser
	return nil
}
