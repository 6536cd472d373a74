package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/program"
)

// newFlagSet returns the flags of the program or of its command, by name.
func newFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // an error is one line, printed by main
	fs.Usage = func() {}
	return fs
}

// parseFlags parses the arguments, checks the flags together, and returns FILE, or "" for standard input. It answers
// -h and -version, and then returns flag.ErrHelp.
func parseFlags(fs *flag.FlagSet, args []string, help io.Writer, usage string, check func() error) (string, error) {
	version := fs.Bool("version", false, "print the version, and exit")
	err := fs.Parse(args)
	switch {
	case err == nil && *version:
		fmt.Fprintln(help, program.Version(fs.Name()))
		return "", flag.ErrHelp
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(help, usage)
		fs.SetOutput(help)
		fs.PrintDefaults()
		return "", err
	case err != nil:
	case fs.NArg() > 1:
		err = fmt.Errorf("want one FILE, after all flags, got %q", fs.Args())
	case fs.NArg() == 1 && fs.Arg(0) == "":
		err = errors.New("FILE is empty")
	default:
		err = check()
	}
	file := fs.Arg(0)
	if file == "-" {
		file = ""
	}
	return file, withHelp(err)
}

// withHelp says how to get help, in an error of usage.
func withHelp(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (-h lists the flags)", err)
}

// once defines a flag that can't be given twice, because one of the values would be ignored silently.
func once(fs *flag.FlagSet, name, usage string, set func(string) error) {
	given := false
	fs.Func(name, usage, func(s string) error {
		if given {
			return errors.New("given twice")
		}
		given = true
		return set(s)
	})
}

func text(to *string) func(string) error {
	return func(s string) error { *to = s; return notEmpty(s) }
}

func list(to *[]string) func(string) error {
	return func(s string) error { *to = append(*to, s); return notEmpty(s) }
}

func notEmpty(s string) error {
	if s == "" {
		return errors.New("is empty")
	}
	return nil
}

func parseTime(s string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return at, errors.New("want an RFC 3339 time such as 2026-01-02T15:04:05Z")
	}
	return at, nil
}

func positive(to *time.Duration) func(string) error {
	return func(s string) (err error) {
		if *to, err = time.ParseDuration(s); err != nil || *to <= 0 {
			return errors.New("want a duration above zero, such as 30m")
		}
		return nil
	}
}
