//go:build unix

package regions_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/mockidp"
)

// chaosWorld is three Regions: two of one node each that has its server in it,
// and one of two nodes on a cluster of three servers. All are processes.
// Regions communicate over wires that the test can cut.
type chaosWorld struct {
	t       *testing.T
	idp     *mockidp.Server
	regions []*chaosRegion        // the primary first
	servers []*process            // of the cluster
	wires   map[[2]string][]*wire // from, to
	dir     string                // all disks
	between *sealed.Search        // of all wires

	plan      []placed
	damage    sync.Mutex   // held for as long as a Region's disk is damaged
	recovered atomic.Int32 // how often a Region recovered its log from others
}

type chaosRegion struct {
	placed
	nodes  []*process
	listen []string // its servers
	turn   atomic.Uint32
	use    sync.RWMutex // held by who writes there
}

func newChaosWorld(t *testing.T, users int) *chaosWorld {
	t.Helper()
	w := &chaosWorld{t: t, wires: map[[2]string][]*wire{}}
	dir := t.TempDir()
	w.dir, w.between = dir, newChaosSearch(t)
	keyring, err := sealed.All(filepath.Join(dir, "keys"), corp.Virginia.Name, corp.Frankfurt.Name, corp.Sydney.Name)
	require.NoError(t, err)
	for _, place := range []corp.Place{corp.Virginia, corp.Frankfurt, corp.Sydney} {
		r := &chaosRegion{}
		l, err := loopback.Listen(0)
		require.NoError(t, err)
		r.placed = placed{place, loopback.Origin(place.Host(), loopback.Port(l))}
		front := loopback.Serve(l, r)
		t.Cleanup(front.Stop)
		w.regions, w.plan = append(w.regions, r), append(w.plan, r.placed)
	}
	w.startIdP(users)
	ports := freePortsOf(t, 2*4+2+6)
	take := func() (port int) { port, ports = ports[0], ports[1:]; return port }
	routes := []int{take(), take(), take()}
	var cluster []string
	for i, route := range routes {
		p := &process{order: order{NATS: &natsOrder{
			Name: "server-" + string(rune('a'+i)), Region: corp.Sydney.Name,
			Dir:  filepath.Join(dir, "server", string(rune('a'+i))),
			Port: take(), Route: route, Routes: routes,
		}}}
		cluster = append(cluster, "nats://"+loopback.Address(p.order.NATS.Port))
		w.servers = append(w.servers, p)
		w.regions[2].listen = append(w.regions[2].listen, loopback.Address(p.order.NATS.Port))
	}
	for _, r := range w.regions[:2] {
		r.listen = []string{loopback.Address(take())}
	}
	for i, r := range w.regions {
		o := order{Place: r.Place, Origin: r.Origin, Plan: w.plan, Users: users, IdP: w.idp.Metadata(""),
			Keyring: keyring.Location}
		o.Peers = w.startWires(r)
		nodes := 1
		if i == 2 {
			nodes, o.URL = 2, strings.Join(cluster, ",")
		} else {
			o.Dir, o.Listen = filepath.Join(dir, r.Name), r.listen[0]
		}
		for range nodes {
			o.Portal, o.Control = take(), take()
			r.nodes = append(r.nodes, &process{order: o})
		}
	}
	t.Cleanup(func() {
		for _, p := range append(w.nodes(), w.servers...) {
			p.kill()
		}
	})
	return w
}

// newChaosSearch searches for what names a user, and for a Region's name, which is found wherever the search works.
func newChaosSearch(t *testing.T) *sealed.Search {
	t.Helper()
	s, err := sealed.NewSearch(chaosMark, corp.Frankfurt.Name)
	require.NoError(t, err)
	return s
}

// requireSealed fails if a file of a Region or a byte between Regions names a user.
func (w *chaosWorld) requireSealed() {
	w.t.Helper()
	disks := newChaosSearch(w.t)
	files, err := disks.Files(w.dir)
	require.NoError(w.t, err)
	for where, s := range map[string]*sealed.Search{"disks": disks, "wires": w.between} {
		found, searched := s.Found()
		assert.Equal(w.t, []string{corp.Frankfurt.Name}, found, where)
		assert.Greater(w.t, searched, int64(100_000), where)
		w.t.Logf("searched %d KiB of the %s", searched>>10, where)
	}
	w.t.Logf("%d files", files)
}

// freePortsOf returns ports that are free. They are outside of what systems
// give to sockets that are bound to any port, so they are still free when a
// process restarts.
func freePortsOf(t *testing.T, count int) (out []int) {
	t.Helper()
	for range 100 {
		port := 12000 + rand.N(18000)
		l, err := net.Listen("tcp", loopback.Address(port))
		if err != nil {
			continue
		}
		_ = l.Close()
		if !slices.Contains(out, port) {
			out = append(out, port)
		}
		if len(out) == count {
			return out
		}
	}
	require.FailNow(t, "no free ports on loopback")
	return nil
}

func (w *chaosWorld) startIdP(users int) {
	app := corp.SAMLApp()
	app.Audience = w.plan[0].Origin + corp.SPPath
	for _, p := range w.plan {
		app.ACS = append(app.ACS, mockidp.ACS{URL: region.ACS(p.Origin)})
	}
	cfg := mockidp.Config{BaseURL: "http://" + corp.IdPHost + ":0", Apps: []mockidp.App{app}}
	for i := range users {
		cfg.Users = append(cfg.Users, mockidp.User{Login: chaosUser(i)})
	}
	w.idp = mockidp.New(cfg)
	w.t.Cleanup(w.idp.Close)
}

// startWires starts the wires from a Region to all others, and returns the addresses.
func (w *chaosWorld) startWires(from *chaosRegion) map[string]string {
	out := map[string]string{}
	for _, to := range w.regions {
		if to == from {
			continue
		}
		var urls []string
		for _, addr := range to.listen {
			one, err := newWire(addr, w.between)
			require.NoError(w.t, err)
			w.t.Cleanup(one.end)
			key := [2]string{from.Name, to.Name}
			w.wires[key] = append(w.wires[key], one)
			urls = append(urls, one.url())
		}
		out[to.Name] = strings.Join(urls, ",")
	}
	return out
}

// cut cuts all wires between two Regions, or restores them.
func (w *chaosWorld) cut(a, b string, cut bool) {
	for _, key := range [][2]string{{a, b}, {b, a}} {
		for _, one := range w.wires[key] {
			one.set(cut)
		}
	}
}

// nodes returns the nodes of all Regions.
func (w *chaosWorld) nodes() (out []*process) {
	for _, r := range w.regions {
		out = append(out, r.nodes...)
	}
	return out
}

// start starts everything, and returns when users can sign in everywhere.
func (w *chaosWorld) start() {
	w.t.Helper()
	for _, p := range append(w.servers, w.nodes()...) {
		require.Eventually(w.t, func() bool { // a cluster has to find a leader first
			err := p.start()
			if err != nil {
				w.t.Log(err)
			}
			return err == nil
		}, 2*time.Minute, 100*time.Millisecond)
	}
	w.healthy()
}

// healthy waits until every node is healthy.
func (w *chaosWorld) healthy() {
	w.t.Helper()
	for _, p := range w.nodes() {
		require.Eventually(w.t, func() bool {
			res, err := controlHTTP.Get("http://" + loopback.Address(p.order.Portal) + "/health")
			if err == nil {
				_ = res.Body.Close()
			}
			return err == nil && res.StatusCode == http.StatusOK
		}, 2*time.Minute, 50*time.Millisecond, "%s is not healthy", p.name())
	}
}

// ServeHTTP is the Region's balancer: its nodes in turn.
func (r *chaosRegion) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	if !r.use.TryRLock() {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	defer r.use.RUnlock()
	n := r.nodes[int(r.turn.Add(1))%len(r.nodes)]
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: loopback.Address(n.order.Portal)})
			p.Out.Host = p.In.Host
		},
		Transport:    &http.Transport{DisableKeepAlives: true, ResponseHeaderTimeout: 10 * time.Second},
		ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) },
	}
	proxy.ServeHTTP(rw, req)
}

// do makes a change at one of the Region's nodes.
func (r *chaosRegion) do(path string, form url.Values) error {
	if !r.use.TryRLock() {
		return errors.New("out of use")
	}
	defer r.use.RUnlock()
	return controlOf(r.nodes[int(r.turn.Add(1))%len(r.nodes)]).do(path, form)
}

func controlOf(p *process) controlClient { return controlClient(p.order.Control) }
