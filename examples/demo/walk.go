package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

type step = check.Step[*walker]

// steps are numbered by their position. The first six extend the instance, which the others need.
var steps = []step{
	singleRegion,
	regionsRefused,
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
	commandLine,
	changeArrives,
	accountFound,
	tasksTried,
	swapped,
	unlistedURL,
	wrongRecipient,
	sameResponseTwice,
	otherBrowser,
	wrongRegion,
	drained,
	regionLost,
	redirected,
	commandLineAlone,
	startURLFollowed,
	regionBack,
	revokedMeanwhile,
	signedOut,
	signedOutByIdP,
	lateAssertion,
	policyDrifted,
	keyDisabled,
	keyRotated,
	audited,
	nothingPlain,
	nothingMissing,
	regionRemoved,
	regionAddedAgain,
}

// walk runs all steps and prints a line for each. It reports whether all succeeded. Nothing else may use the world at
// the same time.
func walk(ctx context.Context, w *world, steps []step, out io.Writer) bool {
	limited, cancel := context.WithTimeout(ctx, 5*time.Minute) // far more than all steps need
	defer cancel()
	return check.Walk(ctx, out, steps, func() *walker { return newWalker(limited, w) })
}

// walker is the user of the world in a step.
type walker struct {
	*world
	ctx      context.Context
	who      string        // the login
	patience time.Duration // limit of until
	users    int           // how many sign in at once when the primary is killed
}

func newWalker(ctx context.Context, w *world) *walker {
	return &walker{w, ctx, corp.Alice, time.Minute, 40}
}

func (k *walker) browser() *testkit.Browser { return k.browsers.add(testkit.NewBrowser(k.ctx)) }

// browsers are all of a walk.
type browsers struct {
	mu   sync.Mutex
	list []*testkit.Browser // guarded by mu
}

func (b *browsers) add(one *testkit.Browser) *testkit.Browser {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, one)
	return one
}

func (b *browsers) all() []*testkit.Browser {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.list)
}

// until calls try until it returns nil or patience has passed.
func (k *walker) until(try func() error) error { return check.Until(k.ctx, k.patience, try) }

// verdict returns the one verdict since mark.
func (k *walker) verdict(mark int) (signIn, error) {
	all := k.signIns.since(mark)
	if len(all) != 1 {
		return signIn{}, check.Differ("verdicts of the Regions", "1", fmt.Sprint(len(all)))
	}
	return all[0], nil
}

// accepted requires exactly one response since mark: it was posted to that Region's ACS and accepted. Verdicts of
// other processes are unknown.
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

// refused requires exactly one response since mark: it was posted to that Region's ACS and refused for that Reason,
// and p shows the refusal. It returns the verdict.
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

// person returns the user who signs in.
func (k *walker) person() person.Person { return person.Person{Login: k.who, IdP: k.idpURL} }

// signedIn opens a Region's portal and signs in.
func (k *walker) signedIn(b *testkit.Browser, s *site) (*testkit.Page, error) {
	return k.person().Enter(b, s.url+"/")
}

// beginning signs in at the identity provider, up to its answer.
type beginning func(*testkit.Browser) (*testkit.Page, testkit.Form, error)

// begin opens a Region's portal, up to the identity provider's answer.
func (k *walker) begin(r *site) beginning {
	return func(b *testkit.Browser) (*testkit.Page, testkit.Form, error) {
		p, err := b.Open(r.url + "/")
		if err != nil {
			return nil, testkit.Form{}, err
		}
		return k.person().UpToAnswer(b, p)
	}
}

// dashboard signs in at the identity provider, if the browser is not signed in there already.
func (k *walker) dashboard(b *testkit.Browser) (*testkit.Page, error) {
	p, err := b.SignIn(k.idp.DashboardURL(), k.who, mockidp.DefaultPassword)
	if err != nil {
		return nil, err
	}
	return p, check.Same("the page after signing in at the identity provider", k.idp.DashboardURL(), p.URL.String())
}

// tile clicks the SAML app's tile, up to the identity provider's answer.
func (k *walker) tile(b *testkit.Browser) (*testkit.Page, testkit.Form, error) {
	p, err := k.dashboard(b)
	if err == nil {
		p, err = b.Click(p, corp.SAMLLabel)
	}
	if err != nil {
		return nil, testkit.Form{}, err
	}
	return k.person().UpToAnswer(b, p)
}

// atPortal requires that p is the home page of a Region's portal, for Alice.
func atPortal(p *testkit.Page, s *site) error {
	return person.Person{Login: corp.Alice}.Sees(p, s.Place, s.url, corp.Sandbox)
}

// errorNotice finds an error on the control page.
var errorNotice = regexp.MustCompile(`<p class="notice bad"[^>]*>([^<]*)</p>`)

// press presses a button of the control page, with these values.
func (k *walker) press(action string, values url.Values) error {
	b := k.browser()
	p, err := b.Open(k.control.url + "/")
	if err != nil {
		return err
	}
	f, ok := p.FormFor(action)
	if !ok {
		return check.Differ("the control page", "a button for "+action, "none")
	}
	if p, err = b.Submit(p, f, values); err != nil {
		return err
	}
	if m := errorNotice.FindStringSubmatch(p.Body); m != nil {
		return check.Differ("the notice on the control page", "no error", m[1])
	}
	return check.Same("the status of the control page", 200, p.Status)
}
