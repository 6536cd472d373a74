package program

import (
	"flag"
	"fmt"
	"regexp"
	"strings"
)

// Environment holds the flags of a program that environment variables gave.
type Environment struct {
	prefix string
	given  map[string]bool // by the flag's name
}

// Variable returns the variable of a flag: -foo-bar is PREFIX_FOO_BAR.
func (e Environment) Variable(flagName string) string {
	return e.prefix + "_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

// ReadEnvironment sets the flags that the arguments didn't, from environment variables. Where the flag's usage says
// "repeatable", each line of the variable is a value. An empty variable is none. lookup is os.LookupEnv.
// -version has no variable.
// Variables without a flag are ignored: container runtimes make some for a service of the program's name.
func ReadEnvironment(fs *flag.FlagSet, prefix string, lookup func(string) (string, bool)) (Environment, error) {
	e := Environment{prefix, map[string]bool{}}
	set := map[string]bool{"version": true}
	fs.Visit(func(f *flag.Flag) { set[f.Name] = true })
	var failed error
	fs.VisitAll(func(f *flag.Flag) {
		text, _ := lookup(e.Variable(f.Name))
		if set[f.Name] || failed != nil {
			return
		}
		values := []string{text}
		if strings.Contains(f.Usage, "repeatable") {
			values = strings.Split(text, "\n")
		}
		for _, value := range values {
			if value = strings.TrimSpace(value); value == "" {
				continue
			}
			e.given[f.Name] = true
			if err := fs.Set(f.Name, value); err != nil && failed == nil {
				failed = fmt.Errorf("%s: invalid value %q: %w", e.Variable(f.Name), value, err)
			}
		}
	})
	return e, failed
}

var flagInText = regexp.MustCompile(`(^|[\s("])-([a-z][a-z0-9-]*)`)

// Name returns an error whose text names the variables, instead of the flags, that gave the values.
func (e Environment) Name(err error) error {
	if err == nil || len(e.given) == 0 {
		return err
	}
	text := flagInText.ReplaceAllStringFunc(err.Error(), func(found string) string {
		before, name, _ := strings.Cut(found, "-")
		if !e.given[name] {
			return found
		}
		return before + e.Variable(name)
	})
	if text == err.Error() {
		return err
	}
	return named{text, err}
}

// named is an error with another text.
type named struct {
	text string
	err  error
}

func (n named) Error() string { return n.text }
func (n named) Unwrap() error { return n.err }
