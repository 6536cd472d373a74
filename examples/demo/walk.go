package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

type step = check.Step[*walker]

// steps are numbered by their place. The first five extend the instance, and
// the others find it extended.
var steps = []step{
	aloneAtFirst,
	regionAdded,
	urlMissing,
	urlListed,
	bookmarkAdded,
	metadataListsBoth,
	signInAt(0),
	signInAt(1),
	samlTile,
	bookmarkTile,
	oneSignIn,
	changeArrives,
	swapped,
	unlistedURL,
	wrongRecipient,
	sameResponseTwice,
	otherBrowser,
	wrongRegion,
	drained,
	regionLost,
	redirected,
	regionBack,
	revokedMeanwhile,
	nothingMissing,
}

// walkLimit is far above what all steps take together.
const walkLimit = 5 * time.Minute

// walk takes all steps and prints a line for each. It tells whether all held.
// Nothing else may use the world meanwhile.
func walk(ctx context.Context, w *world, steps []step, out io.Writer) bool {
	limited, cancel := context.WithTimeout(ctx, walkLimit)
	defer cancel()
	return check.Walk(ctx, out, steps, func() *walker { return newWalker(limited, w) })
}

// walker is what a step works with.
type walker struct {
	*world
	ctx      context.Context
	who      string        // signs in
	patience time.Duration // with what takes a moment
	people   int           // sign in at the same moment when the primary is killed
}

func newWalker(ctx context.Context, w *world) *walker {
	return &walker{w, ctx, corp.Alice, time.Minute, 40}
}

func (k *walker) browser() *testkit.Browser { return testkit.NewBrowser(k.ctx) }

// until tries until there is no error, for as long as there is patience.
func (k *walker) until(try func() error) error { return check.Until(k.ctx, k.patience, try) }

// verdict is the one verdict since mark.
func (k *walker) verdict(mark int) (signIn, error) {
	all := k.signIns.since(mark)
	if len(all) != 1 {
		return signIn{}, check.Differ("verdicts of the Regions", "1", fmt.Sprint(len(all)))
	}
	return all[0], nil
}

// accepted requires that exactly one response came since mark, to that
// Region's ACS, and that it was let in. What a process decides isn't heard here.
func (k *walker) accepted(mark int, r *site, flow string) error {
	if r.process != nil {
		return nil
	}
	v, err := k.verdict(mark)
	if err != nil {
		return err
	}
	return cmp.Or(check.Same("the ACS that the response came to", r.acs, v.ACS),
		check.That("the verdict at "+r.Name, v.Accepted(), "accepted", "refused, Reason "+v.Reason()+": "+v.Detail),
		check.Same("who was signed in", k.who, v.NameID),
		check.Same("whether it answers a request", flow == acs.FlowSP, v.RequestID != ""),
		check.Same("the flow", flow, v.Flow))
}

// refused requires that exactly one response came since mark, to that Region's
// ACS, and that it was refused for that Reason; it gives the verdict. p is the
// page that the person saw.
func (k *walker) refused(mark int, r *site, p *testkit.Page, reason string) (signIn, error) {
	v, err := k.verdict(mark)
	if err != nil {
		return v, err
	}
	return v, cmp.Or(check.That("the verdict at "+v.Region, !v.Accepted(), "refused, Reason "+reason, "accepted"),
		check.Same("the ACS that the response came to", r.acs, v.ACS),
		check.Same("the Reason at "+r.Name, reason, v.Reason()),
		check.Same("the status of the page", 403, p.Status),
		check.Same("the reference on the page", v.Reference, referenceOn(p)))
}
