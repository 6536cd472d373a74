// Package program is what the examples' commands have in common: how one is
// ended, what it says when it can't go on, and its exit codes.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The exit codes.
const (
	OK     = 0
	Failed = 1 // a step of a walk did not hold
	Usage  = 2 // the program could not start
)

// Main runs a program under a context that ends with Ctrl-C or SIGTERM, and
// exits with the code that it returns. An error is one line on standard error,
// whatever its text holds.
func Main(name string, run func(context.Context) (int, error)) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, name+": "+strings.ReplaceAll(err.Error(), "\n", " "))
	}
	os.Exit(code)
}

// Parse reads the flags of a program that takes no other arguments. Who asks
// for help gets it on help, and the error is [flag.ErrHelp].
func Parse(fs *flag.FlagSet, args []string, help io.Writer) error {
	fs.SetOutput(io.Discard) // an error is one line, printed by Main
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(help, "usage: %s [flags]\n", fs.Name())
		fs.SetOutput(help)
		fs.PrintDefaults()
	}
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		err = fmt.Errorf("%w (-h lists the flags)", err)
	}
	return err
}
