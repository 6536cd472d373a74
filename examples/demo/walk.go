package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// A step goes through one thing that the demo promises, and looks at what
// came of it. It returns what held, or the first thing that didn't.
type step func(*walker) (held string, err error)

// steps are numbered by their place.
var steps = []step{
	metadataListsBoth,
	signInAt(0),
	signInAt(1),
	samlTile,
	bookmarkTile,
	swapped,
	unlistedURL,
	wrongRecipient,
	sameResponseTwice,
	otherBrowser,
	wrongRegion,
	regionLost,
	regionBack,
}

// walkLimit is far above what all steps take together.
const walkLimit = 90 * time.Second

// walk takes all steps and prints a line for each. It tells whether all held.
// Nothing else may use the world meanwhile.
func walk(ctx context.Context, w *world, out io.Writer) bool {
	ctx, cancel := context.WithTimeout(ctx, walkLimit)
	defer cancel()
	good := 0
	for i, s := range steps {
		line, held := take(newWalker(ctx, w), s)
		fmt.Fprintf(out, "%d. %s\n", i+1, line)
		if held {
			good++
		}
	}
	fmt.Fprintf(out, "%d of %d steps held\n", good, len(steps))
	return good == len(steps)
}

// take takes one step and gives its line, which is one whatever happened.
func take(k *walker, s step) (line string, held bool) {
	what, err := s(k)
	if err == nil {
		return "ok    " + what, true
	}
	var d *difference
	if !errors.As(err, &d) {
		d = differ("every request of the step", "an answer", err.Error())
	}
	return "FAIL  " + strings.Join(strings.Fields(d.Error()), " "), false
}

// walker is what a step works with.
type walker struct {
	*world
	ctx context.Context
	who string // signs in
}

func newWalker(ctx context.Context, w *world) *walker { return &walker{w, ctx, alice} }

func (k *walker) browser() *browser { return newBrowser(k.ctx) }

// difference is something that did not hold.
type difference struct{ what, want, got string }

func (d *difference) Error() string { return d.what + ": want " + d.want + ", got " + d.got }

// capped bounds what a line can hold.
const capped = 200

func differ(what, want, got string) *difference {
	if r := []rune(got); len(r) > capped {
		got = string(r[:capped]) + "…"
	}
	return &difference{what, want, got}
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

// same compares two values. Its result is nil or a *difference, for cmp.Or.
func same[T comparable](what string, want, got T) error {
	if want == got {
		return nil
	}
	return differ(what, show(want), show(got))
}

func show(v any) string {
	if s, ok := v.(string); ok {
		return quote(s)
	}
	return fmt.Sprint(v)
}

func holds(what string, ok bool, want, got string) error {
	if ok {
		return nil
	}
	return differ(what, want, got)
}

// verdict is the one verdict since mark.
func (k *walker) verdict(mark int) (signIn, error) {
	all := k.signIns.since(mark)
	if len(all) != 1 {
		return signIn{}, differ("verdicts of the Regions", "1", fmt.Sprint(len(all)))
	}
	return all[0], nil
}

// accepted requires that exactly one response came since mark, to that
// Region's ACS, and that it was let in.
func (k *walker) accepted(mark int, r *region, flow string) error {
	v, err := k.verdict(mark)
	if err != nil {
		return err
	}
	if err := same("the ACS that the response came to", r.acs, v.ACS); err != nil {
		return err
	}
	if !v.Accepted() {
		return differ("the verdict at "+r.Name, "accepted", "refused, Reason "+v.Reason()+": "+v.Detail)
	}
	if err := same("who was signed in", k.who, v.NameID); err != nil {
		return err
	}
	if err := same("whether it answers a request", flow == acs.FlowSP, v.RequestID != ""); err != nil {
		return err
	}
	return same("the flow", flow, v.Flow)
}

// refused requires that exactly one response came since mark, to that Region's
// ACS, and that it was refused for that Reason; it gives the verdict. p is the
// page that the person saw.
func (k *walker) refused(mark int, r *region, p *page, reason string) (signIn, error) {
	v, err := k.verdict(mark)
	if err != nil {
		return v, err
	}
	if v.Accepted() {
		return v, differ("the verdict at "+v.Region, "refused, Reason "+reason, "accepted")
	}
	for _, err := range []error{
		same("the ACS that the response came to", r.acs, v.ACS),
		same("the Reason at "+r.Name, reason, v.Reason()),
		same("the status of the page", 403, p.status),
		same("the reference on the page", v.Reference, referenceOn(p)),
	} {
		if err != nil {
			return v, err
		}
	}
	return v, nil
}
