// Package scimpush is the provisioning of package mockidp: it pushes users and
// groups to a SCIM 2.0 service provider (RFC 7644), in the way of Okta's. Like
// mockidp it is NOT FOR PRODUCTION.
//
//	p, err := scimpush.New(idp, scimpush.Config{BaseURL: "https://sp.example/scim/v2", Token: token})
//	report, err := p.Push(ctx)    // once
//	err = p.Keep(ctx, nil)        // and again for whatever changes
//
// Requests are sent again after 429, 5xx and connections that broke, and nothing
// is made twice. Errors are of type *mockidp.Error, with the Reasons Config,
// NoSuchApp and Provisioning.
package scimpush

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// Config says where users and groups are pushed.
type Config struct {
	// BaseURL is the service provider's, such as https://sp.example/scim/v2. Required.
	BaseURL string
	// Token is the bearer token. Required.
	Token string
	// Client sends the requests; it follows no redirect with the token. Zero
	// (nil): one that reaches *.localhost and waits 30 s.
	Client *http.Client
	// App is the ID of the app whose people and groups are pushed. Zero:
	// everybody, and all groups but Everyone.
	App string
	// Concurrency is how many requests are under way at once. Zero: 4.
	Concurrency int
	// Retries is how often a request is sent again after 429, 5xx or a
	// connection that broke. Zero: 8; negative: never.
	Retries int
	// Backoff is how long the first retry waits; each further one waits twice
	// as long, at most 10 s. Retry-After is obeyed up to a minute. Zero: 100 ms.
	Backoff time.Duration
}

func (c Config) prepared(idp *mockidp.Server) (Config, *mockidp.Error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		got := c.BaseURL[strings.LastIndexByte(c.BaseURL, '@')+1:] // without a password
		if err != nil {
			got = ""
		}
		return c, &mockidp.Error{Reason: mockidp.ReasonConfig, Detail: "scimpush.Config.BaseURL is not an absolute http or https URL", Want: "https://sp.example/scim/v2", Got: got}
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.Token == "" || c.Concurrency < 0 || c.Backoff < 0 {
		return c, &mockidp.Error{Reason: mockidp.ReasonConfig, Detail: "scimpush.Config needs a Token, and no negative Concurrency or Backoff"}
	}
	if _, known := idp.Snapshot().App(c.App); c.App != "" && !known {
		return c, &mockidp.Error{Reason: mockidp.ReasonNoSuchApp, Detail: "no app has the ID " + strconv.Quote(c.App)}
	}
	if c.Client == nil {
		c.Client = idp.OutboundClient()
	}
	once := *c.Client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Client = &once
	c.Concurrency, c.Retries, c.Backoff = cmp.Or(c.Concurrency, 4), cmp.Or(c.Retries, 8), cmp.Or(c.Backoff, 100*time.Millisecond)
	return c, nil
}

// Report is what a push did.
type Report struct {
	Users, Groups Pushed
	Requests      int // that were sent, with the retries
	Retries       int
}

// Pushed counts users, or groups.
type Pushed struct {
	Created, Changed, Unchanged int
	Removed                     int // users that were deactivated, groups that were deleted
}

// Pusher pushes what a mockidp.Server holds to one service provider. Its methods
// may be used at the same time from many goroutines.
type Pusher struct {
	idp           *mockidp.Server
	c             Config
	users, groups table
}

// New makes a Pusher, and sends nothing.
func New(idp *mockidp.Server, c Config) (*Pusher, error) {
	c, err := c.prepared(idp)
	if err != nil {
		return nil, err
	}
	return &Pusher{idp: idp, c: c}, nil
}

// Push brings the service provider to what the identity provider holds, and
// returns when it is so or something failed for good. Every user is looked up by
// userName, made or changed; one who is deprovisioned or staged, or was removed
// since, is deactivated and never deleted; groups are looked up by displayName,
// and get and lose members by PATCH. Doing it again changes nothing.
//
// The error joins what went wrong with each user or group; the others were
// pushed nevertheless.
func (p *Pusher) Push(ctx context.Context) (Report, error) {
	defer p.c.Client.CloseIdleConnections()
	return p.newPush().round(ctx)
}

// Keep is Push, and again for whatever changes, until ctx ends; its error is
// ctx's then. A round that failed is tried again after a while. report, which
// may be nil, is called with the result of every round.
func (p *Pusher) Keep(ctx context.Context, report func(Report, error)) error {
	defer p.c.Client.CloseIdleConnections()
	run := p.newPush()
	pause := p.c.Backoff
	for {
		changed := p.idp.Changed() // before looking, so that nothing is missed
		r, err := run.round(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if report != nil {
			report(r, err)
		}
		again := (<-chan time.Time)(nil)
		if err != nil {
			again, pause = time.After(pause), min(2*pause, 10*time.Second)
		} else {
			pause = p.c.Backoff
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
