package main

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/browse"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
)

type step = check.Step[*walker]

// steps are numbered by their place.
var steps = []step{
	oneMetadata,
	signInAt(0),
	signInAt(1),
	signInAt(2),
	nearest,
	oneSignIn,
	primaryKilled,
	redirected,
	signOutReaches,
	revocationReaches,
	onlyPrimaryWrites,
	primaryBack,
	allBack,
}

// walkers is how many people sign in at the same moment when the primary is
// killed.
const walkers = 40

// walkLimit is far above what all steps take together.
const walkLimit = 5 * time.Minute

// walk takes all steps and prints a line for each. It tells whether all held.
func walk(ctx context.Context, w *world, people int, out io.Writer) bool {
	limited, cancel := context.WithTimeout(ctx, walkLimit)
	defer cancel()
	return check.Walk(ctx, out, steps, func() *walker { return newWalker(limited, w, people) })
}

// walker is what a step works with.
type walker struct {
	*world
	ctx      context.Context
	people   int
	patience time.Duration // with what takes a moment
}

func newWalker(ctx context.Context, w *world, people int) *walker {
	return &walker{w, ctx, people, time.Minute}
}

func (k *walker) browser() *browse.Browser { return browse.New(k.ctx) }

func (k *walker) alice() person.Person { return person.Person{Login: corp.Alice, IdP: k.idpURL()} }
func (k *walker) bob() person.Person   { return person.Person{Login: corp.Bob, IdP: k.idpURL()} }

// until tries until there is no error, for as long as there is patience.
func (k *walker) until(try func() error) error { return check.Until(k.ctx, k.patience, try) }

// kept are the sessions that people were given: a promise that the loss of a
// process doesn't break.
type kept struct {
	mu   sync.Mutex
	list []session // guarded by mu
}

// session is one that a browser has at a Region.
type session struct {
	at *site
	b  *browse.Browser
}

func (k *kept) add(at *site, b *browse.Browser) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, session{at, b})
}

func (k *kept) all() []session {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]session(nil), k.list...)
}

// signedIn says whether the session opens its portal, without a sign-in.
func (s session) signedIn() (bool, error) {
	p, err := s.b.Look(s.at.url() + "/")
	if err != nil {
		return false, err
	}
	return p.Status == 200, nil
}
