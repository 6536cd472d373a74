package discovery

import (
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/saml"
)

// Providers is a list of identity providers. A Federation of package federation
// implements it. Implementations are safe for concurrent use.
type Providers interface {
	// Version returns a number that changes when the list does. It is called for each
	// request.
	Version() uint64
	// Descriptions yields the identity providers. It is called when Version changed.
	Descriptions() iter.Seq[saml.Description]
}

// Config describes a page.
type Config struct {
	// Providers are the identity providers to choose from. Those that ask not to be
	// shown are left out. Required.
	Providers Providers
	// Filter reports whether an identity provider is shown. Nil: all.
	Filter func(saml.Description) bool
	// Returns has the service providers that may use the page: for each entity ID, the
	// URLs that a choice is sent to, as in the DiscoveryResponse elements of its
	// metadata. The first is the default. A request may add a query to them. Required.
	Returns map[string][]string
	// Service is the name that users know the service by, for the text of the page.
	// Empty: none.
	Service string
	// NoLogos shows no logos. Otherwise a browser loads those on the page from the
	// identity providers, which so learn its address.
	NoLogos bool
	// Theme gives the page a name, a logo, colors and further languages. Its texts are those of package theme: English
	// and German. The zero value is valid.
	Theme theme.Config
	// Logger gets a record for each refused request. Nil: slog.Default().
	Logger *slog.Logger
}

// Page is the page. It is an http.Handler for one path, and safe for concurrent use.
type Page struct {
	cfg     Config
	theme   *theme.Theme
	policy  string // the content security policy
	index   atomic.Pointer[index]
	loading sync.Mutex // held while the index is replaced
}

// New returns a page. The error is a [*Error] with ReasonConfig.
func New(cfg Config) (*Page, error) {
	if cfg.Providers == nil {
		return nil, &Error{Reason: ReasonConfig, Rule: "Config.Providers", Detail: "is required"}
	}
	if len(cfg.Returns) == 0 {
		return nil, &Error{Reason: ReasonConfig, Rule: "Config.Returns", Detail: "is required"}
	}
	cfg.Returns = maps.Clone(cfg.Returns)
	for sp, list := range cfg.Returns {
		if sp == "" || len(list) == 0 {
			return nil, &Error{Reason: ReasonConfig, Rule: "Config.Returns", Detail: "needs a URL for each entity ID", Got: sp}
		}
		for _, raw := range list {
			u, err := url.Parse(raw)
			if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(raw, "?#\\") ||
				u.Scheme != "https" && (u.Scheme != "http" || !saml.IsLoopback(u.Hostname())) {
				return nil, &Error{Reason: ReasonConfig, Rule: "Config.Returns", Want: "an https URL without a query", Got: sp}
			}
		}
		cfg.Returns[sp] = slices.Clone(list)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	look, err := theme.New(cfg.Theme)
	if err != nil {
		return nil, &Error{Reason: ReasonConfig, Rule: "Config.Theme", Err: err}
	}
	p := &Page{cfg: cfg, theme: look, policy: contentPolicy(style + look.Style())}
	p.index.Store(newIndex(&cfg))
	return p, nil
}

// current returns the index. If the list changed, one request replaces it, and the others
// use the previous one meanwhile.
func (p *Page) current() *index {
	old := p.index.Load()
	if p.cfg.Providers.Version() == old.version || !p.loading.TryLock() {
		return old
	}
	defer p.loading.Unlock()
	if old = p.index.Load(); p.cfg.Providers.Version() != old.version {
		p.index.Store(newIndex(&p.cfg))
	}
	return p.index.Load()
}

// setHeaders sets the headers of every answer.
func setHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
