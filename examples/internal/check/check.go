// Package check runs the steps of a walk through an example: it compares results with expectations, and prints a
// line for each step.
package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Difference is a failed expectation.
type Difference struct{ What, Want, Got string }

func (d *Difference) Error() string { return d.What + ": want " + d.Want + ", got " + d.Got }

// Differ returns a Difference. It cuts got to 200 characters.
func Differ(what, want, got string) *Difference {
	if r := []rune(got); len(r) > 200 {
		got = string(r[:200]) + "…"
	}
	return &Difference{what, want, got}
}

// Quote returns a text as a Difference shows it.
func Quote(s string) string { return strconv.Quote(s) }

// Same compares two values. It returns nil or a *Difference, for cmp.Or.
func Same[T comparable](what string, want, got T) error {
	show := func(v T) string {
		if r := reflect.ValueOf(v); r.Kind() == reflect.String {
			return Quote(r.String())
		}
		return fmt.Sprint(v)
	}
	return That(what, want == got, show(want), show(got))
}

// That returns nil if ok, and otherwise a *Difference.
func That(what string, ok bool, want, got string) error {
	if ok {
		return nil
	}
	return Differ(what, want, got)
}

// Step tests one property of an example. It returns a description of the result, or ends by Must or Get at the first
// failure.
type Step[K any] func(k K) (held string)

// ended is the value with which Must panics.
type ended struct{ error }

// Must ends the step with the first of errs that is not nil, as FailNow ends a test. Only steps may call it, and Get,
// in their own goroutine.
func Must(errs ...error) {
	if err := cmp.Or(errs...); err != nil {
		panic(ended{err})
	}
}

// Get returns the result of a call that must not fail.
func Get[T any](v T, err error) T {
	Must(err)
	return v
}

// Get2 is Get for two results.
func Get2[T, U any](v T, u U, err error) (T, U) {
	Must(err)
	return v, u
}

// Take runs one step and returns its line.
func Take[K any](k K, s Step[K]) (line string, held bool) {
	defer func() {
		switch x := recover().(type) {
		case nil:
		case ended:
			var d *Difference
			if !errors.As(x.error, &d) {
				d = Differ("every request of the step", "an answer", x.Error())
			}
			line = "FAIL  " + strings.Join(strings.Fields(d.Error()), " ")
		default:
			panic(x)
		}
	}()
	return "ok    " + s(k), true
}

// Walk runs all steps, each with its own K, prints a line for each, and reports whether all succeeded. It stops when
// ctx ends. The interrupted step and the remaining ones don't count as failed.
func Walk[K any](ctx context.Context, out io.Writer, steps []Step[K], with func() K) bool {
	good := 0
	for i, s := range steps {
		line, held := Take(with(), s)
		if ctx.Err() != nil && !held {
			fmt.Fprintf(out, "%d. ended here: %v\n", i+1, context.Cause(ctx))
			break
		}
		fmt.Fprintf(out, "%d. %s\n", i+1, line)
		if held {
			good++
		}
	}
	fmt.Fprintf(out, "%d of %d steps held\n", good, len(steps))
	return good == len(steps)
}

// Until calls try until it returns nil. When patience or ctx ends, it returns the last error.
func Until(ctx context.Context, patience time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
