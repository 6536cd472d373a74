package federation_test

import (
	"context"
	"crypto"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// loadMembers are the tenants with which users sign in: two of the aggregate, and two of
// the query service.
var loadRegions, loadMembers = []string{"us-east-1", "eu-central-1"}, []string{"a1", "a2", "b1", "b2"}

// loadWorld has two Regions, each with its own federation.Federation of an aggregate and
// a query service. They share a clock.
type loadWorld struct {
	t       *testing.T
	clock   clock
	inside  *mockidp.Server // publishes the aggregate
	outside *mockidp.Server // has the query service
	members map[string]*mockidp.Server
	issuers map[string]string // entity IDs by the tenant's name

	queries   *publisher // in front of the query service
	asked     sync.Map   // the names that it was asked for: *atomic.Int64
	aggregate *publisher // in front of the aggregate

	hosts   testkit.Handlers
	known   map[string]*federation.Federation // by Region
	reports map[string]*loadReports           // by Region
	log     loadLog

	// steps is held for reading by each sign-in, and for writing while what they expect is
	// changed.
	steps   sync.RWMutex
	expect  expectation
	signIns atomic.Int64
	refused atomic.Int64 // for expired metadata
	took    loadTimes
}

// expectation is what a sign-in with a known identity provider must do.
type expectation int

const (
	succeeds expectation = iota
	expires              // it is refused, because the metadata expired
	recovers             // either of them
)

func newLoadWorld(t *testing.T) *loadWorld {
	w := &loadWorld{t: t, members: map[string]*mockidp.Server{}, issuers: map[string]string{},
		known: map[string]*federation.Federation{}, reports: map[string]*loadReports{}}
	w.inside = w.mock(0, "a1", "a2")
	w.outside = w.mock(1_000, "b1", "b2", "new-us-east-1", "new-eu-central-1", "posted")
	w.aggregate, w.queries = newPublisher(t, ""), newPublisher(t, "")
	w.aggregate.handle(w.inside.Handler().ServeHTTP)
	w.queries.handle(func(rw http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/federation/entities/")
		n, _ := w.asked.LoadOrStore(name, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		w.outside.Handler().ServeHTTP(rw, r)
	})
	w.hosts = testkit.Handlers{"discovery.example": http.HandlerFunc(choiceInHeader)}
	for _, region := range loadRegions {
		w.start(region)
	}
	rec := httptest.NewRecorder()
	w.hosts[loadHost(loadRegions[0])].ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metadata", nil))
	for _, member := range w.members {
		_, err := member.AddSP(rec.Body.Bytes())
		require.NoError(t, err)
	}
	return w
}

// mock returns a mock with a federation of these tenants.
func (w *loadWorld) mock(generated int, tenants ...string) *mockidp.Server {
	idp := mockidp.New(mockidp.Config{Now: w.clock.now, Key: testkit.ECDSAKey("identity provider"),
		Federation: mockidp.Federation{Entities: generated, Key: trusted()}})
	w.t.Cleanup(idp.Close)
	for _, name := range tenants {
		tenant, err := idp.Tenant(name)
		require.NoError(w.t, err)
		w.members[name], w.issuers[name] = tenant, tenant.Apps()[0].Issuer
	}
	return idp
}

func loadHost(region string) string { return region + ".signin.example" }

// start starts a Region.
func (w *loadWorld) start(region string) {
	t, reports := w.t, &loadReports{n: map[string]int{}}
	keys := []crypto.PublicKey{trusted().Public()}
	f, err := federation.Open(t.Context(), federation.Config{
		Sources: []federation.Source{
			{Name: "aggregate", URL: w.aggregate.URL + "/federation/metadata.xml", Keys: keys, MaxValidity: monthly,
				AllowPrivateAddresses: true},
			{Name: "query", Query: w.queries.URL + "/federation/", Keys: keys, MaxValidity: monthly,
				AllowPrivateAddresses: true},
		},
		MinRefresh: 20 * time.Millisecond, MaxRefresh: 100 * time.Millisecond, Timeout: 10 * time.Second,
		Now: w.clock.now, Observer: reports, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	w.known[region], w.reports[region] = f, reports
	var list []saml.Endpoint
	for _, name := range loadRegions {
		list = append(list, saml.Endpoint{URL: "https://" + loadHost(name) + "/acs", Region: name})
	}
	sp, err := saml.New(saml.Config{EntityID: "https://signin.example/saml", ACS: list, IdPs: f, Now: w.clock.now})
	require.NoError(t, err)
	node, err := acs.NewRegion(acs.Config{
		SP: sp, Region: region, Store: acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.now}),
		DiscoveryURL: "https://discovery.example/ds", DiscoveredPath: "/login/idp", FindIdP: f.Find,
		ClientAddr: func(r *http.Request) string { return r.Header.Get("X-Client") }, // as a proxy sets it
		OnLogin: func(rw http.ResponseWriter, _ *http.Request, l *acs.Login) {
			fmt.Fprintf(rw, "%s %s", l.Region, l.Assertion.Issuer())
		},
		Logger: slog.New(&w.log),
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	node.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	w.hosts[loadHost(region)] = mux
}

// choiceInHeader is a discovery service at which the test chooses.
func choiceInHeader(w http.ResponseWriter, r *http.Request) {
	back, err := url.Parse(r.URL.Query().Get("return"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	q := back.Query()
	q.Set("entityID", r.Header.Get("X-Choice"))
	back.RawQuery = q.Encode()
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}

// browser returns a browser of a client that will choose an identity provider.
func (w *loadWorld) browser(client, entityID string) *testkit.Browser {
	b := testkit.NewBrowser(context.Background())
	b.Transport, b.Header = w.hosts, http.Header{"X-Client": {client}, "X-Choice": {entityID}}
	return b
}

// chosen begins a sign-in, up to the address of the identity provider. The page is that
// redirect, or says why there is none.
func (w *loadWorld) chosen(b *testkit.Browser, region string) *testkit.Page {
	b.Stay = func(to *url.URL) bool { return w.hosts[to.Host] == nil }
	defer func() { b.Stay = nil }()
	p, err := b.Open("https://" + loadHost(region) + "/login")
	if !assert.NoError(w.t, err) {
		return &testkit.Page{}
	}
	return p
}
