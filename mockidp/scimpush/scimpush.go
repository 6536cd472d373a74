// Package scimpush pushes the users and groups of package mockidp to a SCIM 2.0 service provider (RFC 7644), as Okta
// does. Like mockidp it is NOT FOR PRODUCTION.
//
//	p, err := scimpush.New(idp, scimpush.Config{BaseURL: "https://sp.example/scim/v2", Token: token})
//	report, err := p.Push(ctx)    // once
//	err = p.Keep(ctx, nil)        // and again after every change
//
// Requests are sent again after 429, 5xx and broken connections, and nothing is created twice. Errors are of
// type *mockidp.Error, with the Reasons Config, NoSuchApp and Provisioning.
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

// Config describes where users and groups are pushed.
type Config struct {
	// BaseURL is the service provider's, such as https://sp.example/scim/v2. Required.
	BaseURL string
	// Token is the bearer token. Required.
	Token string
	// Client sends the requests. It follows no redirect with the token. Nil: one that reaches *.localhost and
	// times out after 30 s.
	Client *http.Client
	// App is the ID of the app whose users and groups are pushed. Empty: all users, and all groups except Everyone.
	App string
	// Concurrency is how many requests may be under way at once. Zero: 4.
	Concurrency int
	// Retries is how often a request is sent again after 429, 5xx or a broken connection. Zero: 8; negative:
	// never.
	Retries int
	// Backoff is how long the first retry waits. Each further one waits twice as long, at most 10 s.
	// Retry-After is obeyed up to a minute. Zero: 100 ms.
	Backoff time.Duration
}

// withDefaults checks the Config and fills in what is zero.
func (c Config) withDefaults(idp *mockidp.Server) (Config, *mockidp.Error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" ||
		u.Fragment != "" {
		got := c.BaseURL[strings.LastIndexByte(c.BaseURL, '@')+1:] // without a password
		if err != nil {
			got = ""
		}
		return c, &mockidp.Error{Reason: mockidp.ReasonConfig, Detail: "scimpush.Config.BaseURL",
			Want: "an absolute http or https URL, such as https://sp.example/scim/v2", Got: got}
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.Token == "" || c.Concurrency < 0 || c.Backoff < 0 {
		return c, &mockidp.Error{Reason: mockidp.ReasonConfig,
			Detail: "scimpush.Config needs a Token, and no negative Concurrency or Backoff"}
	}
	if _, known := idp.Snapshot().App(c.App); c.App != "" && !known {
		return c, &mockidp.Error{Reason: mockidp.ReasonNoSuchApp, Detail: "no app has the ID " + strconv.Quote(c.App)}
	}
	client := *cmp.Or(c.Client, idp.OutboundClient())
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Client = &client
	c.Concurrency, c.Retries = cmp.Or(c.Concurrency, 4), cmp.Or(c.Retries, 8)
	c.Backoff = cmp.Or(c.Backoff, 100*time.Millisecond)
	return c, nil
}

// Report describes what a push did.
type Report struct {
	Users, Groups Pushed
	Requests      int // sent, with the retries
	Retries       int
}

// Pushed counts users, or groups.
type Pushed struct {
	Created, Changed, Unchanged int
	Removed                     int // users that were deactivated, groups that were deleted
}

// Pusher pushes the users and groups of a mockidp.Server to one service provider. It is safe for concurrent
// use.
type Pusher struct {
	idp           *mockidp.Server
	c             Config
	users, groups links
}

// New returns a Pusher. It sends nothing.
func New(idp *mockidp.Server, c Config) (*Pusher, error) {
	c, err := c.withDefaults(idp)
	if err != nil {
		return nil, err
	}
	return &Pusher{idp: idp, c: c}, nil
}

// Push brings the service provider to the identity provider's state. Users are looked up by userName, and
// created or changed. Users who are deprovisioned, staged or removed are deactivated and never deleted. Groups
// are looked up by displayName; PATCH adds and removes members. A second Push changes nothing.
//
// The error joins the errors of single users and groups. The others were pushed.
func (p *Pusher) Push(ctx context.Context) (Report, error) {
	defer p.c.Client.CloseIdleConnections()
	return p.newPush().round(ctx)
}

// Keep pushes once, and again after every change, until ctx ends; it returns ctx's error. A round that failed
// is repeated after a pause. report, which may be nil, is called with the result of every round.
func (p *Pusher) Keep(ctx context.Context, report func(Report, error)) error {
	defer p.c.Client.CloseIdleConnections()
	run := p.newPush()
	pause := p.c.Backoff
	for {
		changed := p.idp.Changed() // before the round, so that no change is missed
		r, err := run.round(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if report != nil {
			report(r, err)
		}
		var retry <-chan time.Time
		if err != nil {
			retry, pause = time.After(pause), min(2*pause, 10*time.Second)
		} else {
			pause = p.c.Backoff
		}
		select {
		case <-changed:
		case <-retry:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
