// Package oktaapi controls a mockidp.Server from outside: an HTTP API with the shapes of Okta's for users, groups,
// apps, assignments and keys, and an Admin Console. Like mockidp it is NOT FOR PRODUCTION.
//
//	api := oktaapi.New(idp, oktaapi.Config{})
//	srv := &http.Server{Addr: "127.0.0.1:8702", Handler: api, ReadHeaderTimeout: 10 * time.Second}
//	fmt.Println(api.Token()) // the token that clients send
//
// Under /api/v1/users, /groups and /apps it has Okta's lifecycles, assignments, keys, times and errors, so that
// Okta's own clients work. An app signs with the key that its credentials.signing.kid names. Times are those of
// the Server's clock. Lists take filter and search with all of SCIM's operators, and, or, not and parentheses
// (Okta refuses some of these in some places: ne, ew and not, and more than one comparison for apps); sortBy
// and sortOrder apply to a search. Times are compared to the millisecond.
//
// Under /control/ it has what tests need in addition: reset, clock, queue, faults, messages (with wait, which waits
// for one), deliver, logout (of a user), attack (for the next answer), attacks (those that are switched on), keys,
// tenants, and config (everything as one file).
//
// Below /t/NAME/ it has all of this for the Server's tenant NAME. GET /healthz returns 200 without a token, for probes.
//
// At / is the Admin Console: pages that edit apps, users, groups and keys, set the clock, the queue, attacks and
// faults, and explain messages. They work without script; with script they refresh themselves. Their links stay below
// a prefix that http.StripPrefix removes.
package oktaapi

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/meridian-saml/meridian/mockidp"
)

const maxBody = 1 << 20 // bytes of a request

// Config describes an API.
type Config struct {
	// Token is what clients authenticate with. Zero: a random one; API.Token returns it.
	Token string
	// Logger logs requests that are refused. Nil: nothing is logged.
	Logger *slog.Logger
	// Hosts are names by which the page may be opened, besides those of loopback, and by which browsers may call the API
	// (see Origins). Calls that have the token may use any, if it has at least 16 characters. Zero: none.
	Hosts []string
	// Origins are the web origins whose pages may call the API with the token (CORS), such as "http://localhost:5173"
	// or, for any port, "http://localhost:*". Zero: none. New panics if CheckOrigin refuses one.
	Origins []string
}

// API is the API and the Admin Console, an http.Handler. Programs send "Authorization: SSWS " and the token;
// users type the token into the page.
//
// Serve it at a separate listener, never at the one where users sign in. Against DNS rebinding, it serves only requests
// whose Host is a loopback name or one of Config.Hosts, and calls that have a long token. On an address that other
// machines can reach, the token has to be one that can't be guessed.
type API struct {
	idp            *mockidp.Server
	token          string
	logger         *slog.Logger
	hosts, origins []string
	pages          map[string]*template.Template
	handler        http.Handler
	prefix         string // of a tenant's paths; else ""

	mu      sync.Mutex
	tenants map[*mockidp.Server]*API // guarded by mu
}

// New returns an API that controls idp.
func New(idp *mockidp.Server, c Config) *API {
	// The token isn't from mockidp.Config.Rand: a Seed must not make it known.
	token := cmp.Or(c.Token, rand.Text())
	logger := cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	for _, o := range c.Origins {
		if err := CheckOrigin(o); err != nil {
			panic("oktaapi: Config.Origins: " + err.Error())
		}
	}
	s := &API{idp: idp, token: token, logger: logger, pages: parsePages(), tenants: map[*mockidp.Server]*API{},
		hosts: slices.Clone(c.Hosts), origins: slices.Clone(c.Origins)}
	s.handler = s.routes()
	return s
}

func (s *API) routes() http.Handler {
	mux := http.NewServeMux()
	api := func(pattern string, h handler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serveAPI(w, r, h) })
	}
	userRoutes(api)
	groupRoutes(api)
	appRoutes(api)
	keyRoutes(api)
	controlRoutes(api)
	messageRoutes(api)
	attackRoutes(api)
	configRoutes(api)
	if s.prefix == "" {
		tenantRoutes(api)
	}
	for _, under := range []string{"/api/", "/control/"} {
		api(under, func(c *call) *apiError { return notFound(c.r.URL.Path, "Endpoint") })
	}
	s.pageRoutes(mux)
	return mux
}

// Token returns Config.Token, or the random one.
func (s *API) Token() string { return s.token }

// ServeHTTP serves the API and the page.
func (s *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "+
		"connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	switch {
	case health(w, r):
	case !s.ownHost(r):
		http.Error(w, "oktaapi: the Host must be a loopback name, such as localhost, or one of Config.Hosts "+
			"(-control-host)", http.StatusMisdirectedRequest)
	case s.cors(w, r):
	default:
		s.route(w, r)
	}
}

// call is one request of the API, with a snapshot of the state and the objects that its path names.
type call struct {
	*API
	view
	w    http.ResponseWriter
	r    *http.Request
	base string // the origin of links, and the prefix of a tenant

	app     mockidp.App
	user    mockidp.User
	group   mockidp.Group
	message mockidp.Message
}

// handler answers a call or returns an error.
type handler = func(*call) *apiError

type router = func(pattern string, h handler)

func (s *API) serveAPI(w http.ResponseWriter, r *http.Request, h handler) {
	id := "req" + rand.Text()
	w.Header().Set("X-Okta-Request-Id", id)
	c := &call{API: s, w: w, r: r, base: "http://" + r.Host + s.prefix}
	if r.TLS != nil {
		c.base = "https://" + r.Host + s.prefix
	}
	err := errToken
	if s.hasToken(r) {
		err = c.load(r.PathValue("app"), r.PathValue("user"), r.PathValue("group"), r.PathValue("message"))
		if err == nil {
			err = h(c)
		}
	}
	if err != nil {
		s.logger.Info("oktaapi: refused", "method", r.Method, "path", cut(r.URL.Path), "code", err.Code)
		err.write(w, id)
	}
}

// load reads the current state and the named objects; an empty name is ignored.
func (c *call) load(app, user, group, message string) *apiError {
	c.view = c.API.view()
	var ok bool
	if app != "" {
		if c.app, ok = c.App(app); !ok {
			return notFound(app, "AppInstance")
		}
	}
	if user != "" {
		if c.user, ok = c.find(user); !ok {
			return notFound(user, "User")
		}
	}
	if group != "" {
		if c.group, ok = c.GroupByID(group); !ok {
			return notFound(group, "UserGroup")
		}
	}
	if message != "" {
		if c.message, ok = c.findMessage(message); !ok {
			return notFound(message, "Message")
		}
	}
	return nil
}

// changed answers after a change: with the error, which names a field or an ID, or with show, which reads the new
// state.
func (c *call) changed(err error, about string, show handler) *apiError {
	if err != nil {
		return fromError(err, about)
	}
	if err := c.load(c.app.ID, c.user.ID, c.group.ID, ""); err != nil {
		return err
	}
	return show(c)
}

// done answers after a change without a result.
func (c *call) done(err error, about string) *apiError {
	if err != nil {
		return fromError(err, about)
	}
	return c.noContent()
}

// withBody returns a handler that decodes the request's body first.
func withBody[T any](h func(*call, T) *apiError) handler {
	return func(c *call) *apiError {
		var body T
		if err := c.read(&body); err != nil {
			return err
		}
		return h(c, body)
	}
}

func (c *call) read(into any) *apiError {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return &apiError{Status: http.StatusRequestEntityTooLarge, Code: "E0000003",
			Summary: "The request body was too large."}
	}
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err == nil && strings.HasPrefix(c.r.URL.Path, "/control/") {
		// Okta ignores unknown fields. Here a misspelling would turn an attack on one user into one on all.
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		err = d.Decode(into)
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "E0000003", "The request body was not well-formed.", cut(err.Error()))
	}
	return nil
}

// answer writes v as JSON.
func (c *call) answer(status int, v any) *apiError {
	b, err := json.Marshal(v)
	if err != nil {
		return internal(err.Error())
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b)
	return nil
}

func (c *call) ok(v any) *apiError { return c.answer(http.StatusOK, v) }

func (c *call) noContent() *apiError {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// object is a JSON object.
type object = map[string]any

// link is one of Okta's _links.
func (c *call) link(path string) object { return object{"href": c.base + path} }
