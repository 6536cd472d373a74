package mockidp

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// tenantName has no dots and slashes: the name is a segment of a path, and stays one in every encoding.
var tenantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,63}$`)

// tenantPart divides the bounds of a Server's tables for each of its tenants, so that all of them together keep to a
// bound, too.
const tenantPart = 64

// Tenant returns the identity provider at /t/NAME of the Server's address, and makes it if there is none: tests that
// run at the same time in one Server don't meet. A name is 1 to 64 letters, digits and "-", and begins with a letter or
// digit; case counts. A request to an address below /t/NAME/ makes a tenant as well.
//
// A tenant begins with the initial users, groups, apps, faults and mutations of the Server, those that Reset goes back
// to. Its apps have the same IDs, but entity IDs of their own: an Issuer is followed by "/t/NAME", and the ID of an
// Entra tenant is another one. Sessions, cookies, messages, queues and clock are its own; Config.Mutate and Logger are
// shared. It signs with the initial key of the Server (see Config.TenantKeys).
//
// There are at most Config.MaxTenants. If another is needed, the one whose last request is the oldest is dropped, among
// those that neither this method returned nor any user signed in to. If there is none, Tenant fails, and a request gets
// 503. Close removes a tenant. A tenant has no tenants. Start and StartTLS are for the Server itself, and panic.
func (s *Server) Tenant(name string) (*Server, error) {
	t, err := s.tenant(name, true)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Tenants returns the tenants by name.
func (s *Server) Tenants() []*Server {
	s.tenants.mu.Lock()
	defer s.tenants.mu.Unlock()
	var out []*Server
	for _, name := range slices.Sorted(maps.Keys(s.tenants.byName)) {
		out = append(out, s.tenants.byName[name].server)
	}
	return out
}

// TenantName returns the name of a tenant; "" for a Server that isn't one.
func (s *Server) TenantName() string { return s.name }

// listening returns the Server with the listener.
func (s *Server) listening() *Server { return cmp.Or(s.root, s) }

func (s *Server) mustBeRoot() {
	if s.root != nil {
		panic("mockidp: a tenant is served by the Server that it belongs to")
	}
}

// tenants holds the tenants of a Server.
type tenants struct {
	making sync.Mutex // held while one is made, which may take a key
	mu     sync.Mutex // guards the rest; held briefly
	byName map[string]*tenant
	uses   int64         // counts requests
	keys   []*signingKey // of tenants that were removed
}

// tenant is an entry of the table.
type tenant struct {
	server *Server
	key    *signingKey // made for it by Config.TenantKeys; else nil
	used   int64       // tenants.uses at its last use
	asked  bool        // Server.Tenant returned it
	signed bool        // a user signed in
}

// tenant returns a tenant, and makes it if there is none. asked says that the program asked, not a request.
func (s *Server) tenant(name string, asked bool) (*Server, *Error) {
	switch {
	case s.root != nil:
		return nil, errorf(ReasonNoSuchTenant, "a tenant has no tenants")
	case s.config.MaxTenants < 0:
		return nil, errorf(ReasonNoSuchTenant, "this server has no tenants")
	case !tenantName.MatchString(name):
		return nil, errorf(ReasonNoSuchTenant, "the name of a tenant is 1 to 64 letters, digits and -, got %s", quote(name))
	}
	if t := s.tenants.use(name, asked); t != nil {
		return t, nil
	}
	s.tenants.making.Lock()
	defer s.tenants.making.Unlock()
	if t := s.tenants.use(name, asked); t != nil {
		return t, nil
	}
	key, ok := s.tenants.makeRoom(s.config.MaxTenants)
	if !ok {
		return nil, errorf(ReasonTooManyTenants, "%d tenants are in use, which is the most", s.config.MaxTenants)
	}
	if key == nil && s.config.TenantKeys {
		var err *Error
		if key, err = s.tenantKey(); err != nil {
			return nil, err
		}
	}
	t := s.newTenant(name, key)
	s.tenants.add(&tenant{server: t, key: key, asked: asked})
	s.config.Logger.Info("mockidp: new tenant", "tenant", name)
	return t, nil
}

// use returns a tenant, or nil.
func (ts *tenants) use(name string, asked bool) *Server {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.byName[name]
	if t == nil {
		return nil
	}
	ts.uses++
	t.used, t.asked = ts.uses, t.asked || asked
	return t.server
}

// makeRoom drops the tenant that was unused for the longest time if there are most of them, and reports whether there
// is room. It returns a key that no tenant uses any more, or nil.
func (ts *tenants) makeRoom(most int) (*signingKey, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.byName) >= most {
		var oldest *tenant
		for _, t := range ts.byName {
			if !t.asked && !t.signed && (oldest == nil || t.used < oldest.used) {
				oldest = t
			}
		}
		if oldest == nil {
			return nil, false
		}
		ts.drop(oldest)
	}
	if len(ts.keys) == 0 {
		return nil, true
	}
	last := len(ts.keys) - 1
	key := ts.keys[last]
	ts.keys = ts.keys[:last]
	return key, true
}

// drop is called with mu held.
func (ts *tenants) drop(t *tenant) {
	delete(ts.byName, t.server.name)
	if t.key != nil {
		ts.keys = append(ts.keys, t.key)
	}
}

func (ts *tenants) add(t *tenant) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.byName == nil {
		ts.byName = map[string]*tenant{}
	}
	ts.uses++
	t.used = ts.uses
	s := t.server
	ts.byName[s.name] = t
	if base := s.root.baseURL.Load(); base != nil {
		s.URL = *base + pathTenants + s.name
	}
}

// remove follows Close of a tenant.
func (ts *tenants) remove(s *Server) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.byName[s.name]; t != nil && t.server == s {
		ts.drop(t)
	}
}

// signedIn keeps a tenant from being dropped.
func (ts *tenants) signedIn(s *Server) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.byName[s.name]; t != nil && t.server == s {
		t.signed = true
	}
}

// setURL tells tenants that were made before Start their address.
func (ts *tenants) setURL(base string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for name, t := range ts.byName {
		t.server.URL = base + pathTenants + name
	}
}

// reset resets each tenant, which ends its sessions.
func (ts *tenants) reset() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, t := range ts.byName {
		t.server.Reset()
		t.signed = false
	}
}

// tenantKey makes the key of a tenant.
func (s *Server) tenantKey() (*signingKey, *Error) {
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, internal("generating a key", err)
	}
	key, err := newSigningKey(s.keySource(0), own, nil)
	if err != nil {
		return nil, internal("making the key of a tenant", err)
	}
	return key, nil
}

// newTenant makes a tenant with a key, or if that is nil with the keys of the Server.
func (s *Server) newTenant(name string, key *signingKey) *Server {
	t := &Server{root: s, name: name, config: s.config, pages: s.pages, prefix: s.prefix + pathTenants + name,
		ordered: s.ordered}
	t.initial.Store(s.initial.Load().forTenant(name, key))
	t.config.Rand = readerFunc(s.readRandom) // one lock
	t.config.Logger = s.config.Logger.With("tenant", name)
	t.bound(tenantPart)
	t.Reset()
	t.handler = t.routes()
	return t
}

// forTenant returns the initial state of a tenant. It shares what doesn't change. key nil keeps the keys.
func (st *state) forTenant(name string, key *signingKey) *state {
	n := *st
	n.tenant, n.apps = name, nil
	if key != nil {
		n.keys, n.signing, n.rings = []*signingKey{key}, key.id, map[string][]*signingKey{}
	}
	for _, a := range st.apps {
		b := a.clone()
		if b.Kind == SAML {
			b.Issuer = issuerIn(name, b.Issuer)
		}
		if key != nil {
			b.KeyID = ""
		}
		n.apps = append(n.apps, &b)
	}
	return &n
}

// issuerIn returns the entity ID in a tenant of what has this one at the Server.
func issuerIn(tenant, issuer string) string {
	if tenant == "" {
		return issuer
	}
	if m := tenantIssuer.FindStringSubmatch(issuer); m != nil {
		return strings.Replace(issuer, m[1], tenantIDIn(tenant, m[1]), 1)
	}
	return strings.TrimRight(issuer, "/") + pathTenants + tenant
}

// tenantIDIn is issuerIn for the ID of an Entra tenant.
func tenantIDIn(tenant, id string) string {
	if tenant == "" {
		return id
	}
	return derivedGUID("tenant\x00" + tenant + "\x00" + strings.ToLower(id))
}

// withTenants serves the addresses of tenants below pathTenants, and all others by own.
func (s *Server) withTenants(own http.Handler) http.Handler {
	if s.root != nil {
		return own
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, below := strings.CutPrefix(r.URL.Path, s.prefix+pathTenants)
		if !below {
			own.ServeHTTP(w, r)
			return
		}
		name, _, inside := strings.Cut(rest, "/")
		t, err := s.tenant(name, false)
		switch {
		case err != nil:
			s.refuse(w, r, err)
		case !inside:
			s.redirect(w, r, pathTenants+name+"/")
		default:
			t.handler.ServeHTTP(w, r)
		}
	})
}
