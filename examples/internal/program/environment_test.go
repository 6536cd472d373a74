package program_test

import (
	"errors"
	"flag"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/program"
)

func TestEnvironment(t *testing.T) {
	var name, other string
	var on bool
	var list []string
	flags := func() *flag.FlagSet {
		name, other, on, list = "default", "default", true, nil
		fs := flag.NewFlagSet("x", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		fs.StringVar(&name, "the-name", name, "")
		fs.StringVar(&other, "other", other, "")
		fs.BoolVar(&on, "on", on, "")
		fs.Bool("version", false, "")
		fs.Func("list", "repeatable", func(s string) error {
			if s == "bad" {
				return errors.New("not this")
			}
			list = append(list, s)
			return nil
		})
		return fs
	}
	lookup := func(vars map[string]string) func(string) (string, bool) {
		return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	}

	fs := flags()
	require.NoError(t, fs.Parse([]string{"-other", "flag"}))
	e, err := program.ReadEnvironment(fs, "X", lookup(map[string]string{"X_THE_NAME": " many\nlines ",
		"X_OTHER": "variable",
		"X_ON":    "false", "X_LIST": "one\r\n\n two \n", "X_VERSION": "true", "X_PORT": "tcp://10.0.0.1"}))
	require.NoError(t, err)
	require.Equal(t, []any{"many\nlines", "flag", false, []string{"one", "two"}}, []any{name, other, on, list})
	require.Equal(t, "false", fs.Lookup("version").Value.String())

	cause := errors.New(`-the-name "-list": -other wants it (-h lists the flags), not-the-name -the-name-too`)
	named := e.Name(cause)
	require.EqualError(t, named, `X_THE_NAME "X_LIST": -other wants it (-h lists the flags), not-the-name -the-name-too`)
	require.ErrorIs(t, named, cause)
	require.NoError(t, e.Name(nil))

	for variable, want := range map[string]string{
		"X_ON": `X_ON: invalid value "bad": `, "X_LIST": `X_LIST: invalid value "bad": not this`,
	} {
		_, err = program.ReadEnvironment(flags(), "X", lookup(map[string]string{variable: "bad"}))
		require.ErrorContains(t, err, want)
	}
	e, err = program.ReadEnvironment(flags(), "X", lookup(map[string]string{"X_OTHER": ""}))
	require.NoError(t, err)
	require.Equal(t, "default", other)
	require.Equal(t, cause, e.Name(cause))
}
