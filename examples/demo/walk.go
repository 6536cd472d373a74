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

// steps are numbered by their position. The first five extend the instance, which the others need.
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

// walkLimit is far above the time that all steps take.
const walkLimit = 5 * time.Minute

// walk takes all steps and prints a line for each. It reports whether all held. Nothing else may use the world
// meanwhile.
func walk(ctx context.Context, w *world, steps []step, out io.Writer) bool {
	limited, cancel := context.WithTimeout(ctx, walkLimit)
	defer cancel()
	return check.Walk(ctx, out, steps, func() *walker { return newWalker(limited, w) })
}

// walker is the user of the world in a step.
type walker struct {
	*world
	ctx      context.Context
	who      string        // the login
	patience time.Duration // limit of until
	people   int           // how many sign in at once when the primary is killed
}

func newWalker(ctx context.Context, w *world) *walker {
	return &walker{w, ctx, corp.Alice, time.Minute, 40}
}

func (k *walker) browser() *testkit.Browser { return testkit.NewBrowser(k.ctx) }

// until calls try until it returns nil or patience ends.
func (k *walker) until(try func() error) error { return check.Until(k.ctx, k.patience, try) }

// verdict returns the one verdict since mark.
func (k *walker) verdict(mark int) (signIn, error) {
	all := k.signIns.since(mark)
	if len(all) != 1 {
		return signIn{}, check.Differ("verdicts of the Regions", "1", fmt.Sprint(len(all)))
	}
	return all[0], nil
}

// accepted requires that since mark one response was posted, to that Region's ACS, and accepted. Verdicts of other
// processes are not known here.
func (k *walker) accepted(mark int, r *site, flow string) error {
	if r.process != nil {
		return nil
	}
	v, err := k.verdict(mark)
	if err != nil {
		return err
	}
	return cmp.Or(check.Same("the ACS of the response", r.acs, v.ACS),
		check.That("the verdict at "+r.Name, v.Accepted(), "accepted", "refused, Reason "+v.Reason()+": "+v.Detail),
		check.Same("who was signed in", k.who, v.NameID),
		check.Same("whether it answers a request", flow == acs.FlowSP, v.RequestID != ""),
		check.Same("the flow", flow, v.Flow))
}

// refused requires that since mark one response was posted, to that Region's ACS, and refused for that Reason, and that
// p shows the refusal. It returns the verdict.
func (k *walker) refused(mark int, r *site, p *testkit.Page, reason string) (signIn, error) {
	v, err := k.verdict(mark)
	if err != nil {
		return v, err
	}
	return v, cmp.Or(check.That("the verdict at "+v.Region, !v.Accepted(), "refused, Reason "+reason, "accepted"),
		check.Same("the ACS of the response", r.acs, v.ACS),
		check.Same("the Reason at "+r.Name, reason, v.Reason()),
		check.Same("the status of the page", 403, p.Status),
		check.Same("the reference on the page", v.Reference, referenceOn(p)))
}
