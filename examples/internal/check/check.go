// Package check compares what a walk through an example saw with what it
// should have seen, and writes the lines that the walk prints.
package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// A Difference is something that did not hold.
type Difference struct{ What, Want, Got string }

func (d *Difference) Error() string { return d.What + ": want " + d.Want + ", got " + d.Got }

// capped bounds what a line can hold.
const capped = 200

// Differ makes a Difference. What came is cut to a length that a line can hold.
func Differ(what, want, got string) *Difference {
	if r := []rune(got); len(r) > capped {
		got = string(r[:capped]) + "…"
	}
	return &Difference{what, want, got}
}

// Quote is a text as it stands in a Difference.
func Quote(s string) string { return fmt.Sprintf("%q", s) }

// Same compares two values. Its result is nil or a *Difference, for cmp.Or.
func Same[T comparable](what string, want, got T) error {
	if want == got {
		return nil
	}
	return Differ(what, show(want), show(got))
}

func show(v any) string {
	if r := reflect.ValueOf(v); r.Kind() == reflect.String {
		return Quote(r.String())
	}
	return fmt.Sprint(v)
}

// That requires that something holds.
func That(what string, ok bool, want, got string) error {
	if ok {
		return nil
	}
	return Differ(what, want, got)
}

// A Step goes through one thing that an example promises, with what k holds,
// and looks at the outcome. It returns what held, and ends at the first
// thing that didn't, by Must or Get.
type Step[K any] func(k K) (held string)

// ended is what a step panics with that did not hold.
type ended struct{ error }

// Must ends the step with the first of these that is an error, as FailNow ends a
// test. Only steps may call it, and Get, in the goroutine that takes them.
func Must(errs ...error) {
	if err := cmp.Or(errs...); err != nil {
		panic(ended{err})
	}
}

// Get is the result of a call that must not fail.
func Get[T any](v T, err error) T {
	Must(err)
	return v
}

// Get2 is Get for two results.
func Get2[T, U any](v T, u U, err error) (T, U) {
	Must(err)
	return v, u
}

// Take takes one step and gives its line, which is one whatever happened.
func Take[K any](k K, s Step[K]) (line string, held bool) {
	what, err := taken(k, s)
	if err == nil {
		return "ok    " + what, true
	}
	var d *Difference
	if !errors.As(err, &d) {
		d = Differ("every request of the step", "an answer", err.Error())
	}
	return "FAIL  " + strings.Join(strings.Fields(d.Error()), " "), false
}

func taken[K any](k K, s Step[K]) (what string, err error) {
	defer func() {
		switch x := recover().(type) {
		case nil:
		case ended:
			err = x.error
		default:
			panic(x)
		}
	}()
	return s(k), nil
}

// Walk takes all steps, each with a K of its own, prints a line for each, and
// tells whether all held. When ctx ends it stops: a step that was cut short, and
// those that were not taken, have not failed.
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

// tick is how often something is looked at that takes a moment.
const tick = 20 * time.Millisecond

// Until tries until there is no error. When patience is over, or ctx, it gives
// the last one.
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
		case <-time.After(tick):
		}
	}
}
