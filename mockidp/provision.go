package mockidp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Provisioning says where users and groups are pushed: to a SCIM 2.0 service
// provider (RFC 7644), in the way of Okta's provisioning.
type Provisioning struct {
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

func (p Provisioning) prepared(s *Server) (Provisioning, *Error) {
	u, err := url.Parse(p.BaseURL)
	if err != nil || !webScheme(u.Scheme) || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return p, &Error{Reason: ReasonConfig, Detail: "Provisioning.BaseURL is not an absolute http or https URL", Want: "https://sp.example/scim/v2", Got: withoutUser(p.BaseURL)}
	}
	p.BaseURL = strings.TrimRight(p.BaseURL, "/")
	if p.Token == "" || p.Concurrency < 0 || p.Backoff < 0 {
		return p, badConfig("Provisioning needs a Token, and no negative Concurrency or Backoff")
	}
	if p.App != "" {
		if _, err := s.state.Load().app(p.App); err != nil {
			return p, err
		}
	}
	if p.Client == nil {
		p.Client = s.OutboundClient()
	}
	once := *p.Client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p.Client = &once
	if p.Concurrency == 0 {
		p.Concurrency = 4
	}
	if p.Retries == 0 {
		p.Retries = 8
	}
	if p.Backoff == 0 {
		p.Backoff = 100 * time.Millisecond
	}
	return p, nil
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

// Provision brings the service provider to what is held here, and returns when
// it is so or something failed for good. Everybody is looked up by userName,
// made or changed; who is deprovisioned or staged, or was removed here since,
// is deactivated and never deleted; groups are looked up by displayName, and
// get and lose members by PATCH. Doing it again changes nothing.
//
// The error joins what went wrong with each user or group; the others were
// pushed nevertheless.
func (s *Server) Provision(ctx context.Context, p Provisioning) (Report, error) {
	p, err := p.prepared(s)
	if err != nil {
		return Report{}, err
	}
	defer p.Client.CloseIdleConnections()
	return s.newPush(p).round(ctx)
}

// KeepProvisioned is Provision, and again for whatever changes, until ctx ends;
// its error is ctx's then. A round that failed is tried again after a while.
// report, which may be nil, hears of every round.
func (s *Server) KeepProvisioned(ctx context.Context, p Provisioning, report func(Report, error)) error {
	p, perr := p.prepared(s)
	if perr != nil {
		return perr
	}
	defer p.Client.CloseIdleConnections()
	run := s.newPush(p)
	pause := p.Backoff
	for {
		changed := s.changed.wait() // before looking, so that nothing is missed
		r, err := run.round(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if report != nil {
			report(r, err)
		}
		again := (<-chan time.Time)(nil)
		if err != nil {
			s.config.Logger.Warn("mockidp: provisioning failed", "error", err.Error())
			again, pause = time.After(pause), min(2*pause, 10*time.Second)
		} else {
			pause = p.Backoff
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// links are what the service provider calls our users and groups, by our IDs.
// The Server keeps them for each BaseURL, as Okta does: who is renamed is found
// again. They outlive Reset, because the service provider does too.
type links struct {
	mu            sync.Mutex
	users, groups map[string]string
}

func (l *links) get(table map[string]string, id string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return table[id]
}

// set forgets the link if remote is "".
func (l *links) set(table map[string]string, id, remote string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if table[id] = remote; remote == "" {
		delete(table, id)
	}
}

// linksTo are those of one service provider.
func (s *Server) linksTo(base string) *links {
	l, _ := s.provisioned.LoadOrStore(base, &links{users: map[string]string{}, groups: map[string]string{}})
	return l.(*links)
}
