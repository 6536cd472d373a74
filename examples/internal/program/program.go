// Package program has the common parts of the examples' commands: signals, flags, errors and exit codes.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

// The exit codes.
const (
	OK     = 0
	Failed = 1 // a step of a walk failed
	Usage  = 2 // the program could not start
)

// Main runs a program with a context that ends on Ctrl-C or SIGTERM, and exits with the code that it returns. An
// error is one line on standard error; [flag.ErrHelp] is none.
func Main(name string, run func(context.Context) (int, error)) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := run(ctx)
	if errors.Is(err, flag.ErrHelp) {
		code = OK
	} else if err != nil {
		fmt.Fprintln(os.Stderr, name+": "+strings.ReplaceAll(strings.TrimPrefix(err.Error(), name+": "), "\n", " "))
	}
	os.Exit(code)
}

// Parse parses the flags of a program that takes no other arguments. check checks them together. For -h, it
// writes usage and the flags to help, and returns [flag.ErrHelp]; for -version, it writes
// that.
func Parse(fs *flag.FlagSet, usage string, args []string, help io.Writer, check func() error) error {
	fs.SetOutput(io.Discard) // an error is one line, printed by Main
	version := fs.Bool("version", false, "print the version, and exit")
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(help, usage)
		fs.SetOutput(help)
		fs.PrintDefaults()
		return err
	case err != nil:
	case *version:
		fmt.Fprintln(help, Version(fs.Name()))
		return flag.ErrHelp
	case fs.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	default:
		err = check()
	}
	if err != nil {
		err = fmt.Errorf("%w (-h lists the flags)", err)
	}
	return err
}

// Version is what -version prints: the version of the module, the commit where it is known, and Go's version.
func Version(name string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return name + " of unknown version"
	}
	text := name + " " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += " " + s.Value
		}
	}
	return text + " " + info.GoVersion
}
