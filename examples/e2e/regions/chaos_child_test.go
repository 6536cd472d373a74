//go:build unix

package regions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/saml"
)

// chaosOrder is an environment variable. With it the test binary runs as one
// process of the test: a node of a Region, or one of a Region's NATS servers.
// It ends when its standard input is closed.
const chaosOrder = "MERIDIAN_CHAOS_ORDER"

func TestMain(m *testing.M) {
	text := os.Getenv(chaosOrder)
	if text == "" {
		testkit.MainLong(m, "they start processes")
		return
	}
	var o order
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = o.run()
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// order describes a process.
type order struct {
	NATS *natsOrder // nil: a node

	Place   corp.Place
	Origin  string            // of the Region's portal
	Portal  int               // the node's own port
	Control int               // port of the node's controlHandler
	Peers   map[string]string // by Region

	Dir, Listen string // of the embedded server
	URL         string // the Region's own servers, in its place

	Plan    []placed // all Regions, the primary first
	Users   int
	IdP     []byte   // metadata
	Recover []string // see replica.Config
	Keyring sealed.Location
}

type placed struct {
	corp.Place
	Origin string
}

type natsOrder struct {
	Name, Region, Dir string
	Port, Route       int
	Routes            []int
}

const (
	chaosSecret   = "the secret of the Regions in the chaos"
	chaosPassword = "the password of the Region's own nodes"
)

func (o order) run() error {
	stop, err := func() (func(), error) {
		if o.NATS != nil {
			return o.NATS.start()
		}
		return o.startNode()
	}()
	if err != nil {
		return err
	}
	fmt.Println("up")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test is over
	stop()
	return nil
}

func (o natsOrder) start() (func(), error) {
	publish, subscribe := replica.PeerPermissions(o.Region)
	opts := &server.Options{
		ServerName: o.Name, Host: "127.0.0.1", Port: o.Port, NoLog: true, NoSigs: true, MaxPayload: 1 << 20,
		JetStream: true, StoreDir: o.Dir, SyncAlways: true,
		Cluster: server.ClusterOpts{Name: o.Region, Host: "127.0.0.1", Port: o.Route},
		Users: []*server.User{
			{Username: "meridian", Password: chaosPassword},
			{Username: "peer", Password: chaosSecret, Permissions: &server.Permissions{
				Publish: &server.SubjectPermission{Allow: publish}, Subscribe: &server.SubjectPermission{Allow: subscribe},
			}},
		},
	}
	for _, port := range o.Routes {
		opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats", Host: loopback.Address(port)})
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(30*time.Second) || s.ClusterAddr() == nil {
		return nil, fmt.Errorf("port %d or %d is taken", o.Port, o.Route)
	}
	return s.Shutdown, nil
}

func (o order) startNode() (func(), error) {
	idp, err := saml.ParseIdPMetadata(o.IdP)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cfg := region.Config{
		Place: o.Place, Primary: o.Plan[0].Name, Origin: o.Origin, Dir: o.Dir, Listen: o.Listen, Secret: chaosSecret,
		Peers: o.Peers, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: chaosLevel()})),
	}
	var list []saml.Endpoint
	var entries []center.Region
	for i, p := range o.Plan {
		status := center.RegionAdding
		if i == 0 {
			status = center.RegionActive
		}
		list = append(list, saml.Endpoint{URL: region.ACS(p.Origin), Region: p.Name})
		entries = append(entries, region.Entry(p.Place, p.Origin, status))
	}
	if cfg.SP, err = saml.New(saml.Config{EntityID: o.Plan[0].Origin + corp.SPPath, ACS: list, IdP: idp}); err != nil {
		return nil, err
	}
	cfg.Seed = corp.Data(entries...)
	for i := range o.Users {
		cfg.Seed.Users = append(cfg.Seed.Users, center.User{ID: chaosUser(i), UserName: chaosUser(i)})
	}
	keyring, err := o.Keyring.Open(o.Place.Name)
	if err != nil {
		return nil, err
	}
	sealer, err := keyring.Sealer(o.Place.Name)
	if err != nil {
		return nil, err
	}
	cfg.Sealer = sealer
	cfg.Replica = func(c *replica.Config) { o.adapt(c) }
	closing := func() {}
	if o.URL != "" {
		opts := append(natsstore.ConnectOptions(), nats.UserInfo("meridian", chaosPassword))
		nc, err := nats.Connect(o.URL, opts...)
		if err != nil {
			return nil, err
		}
		js, err := jetstream.New(nc)
		if err != nil {
			return nil, err
		}
		cfg.Store, err = natsstore.New(ctx, natsstore.Config{Sealer: sealer, JetStream: js, Replicas: 3})
		if err != nil {
			return nil, err
		}
		closing = nc.Close
	}
	r, err := region.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	for port, h := range map[int]http.Handler{o.Portal: r, o.Control: controlHandler(r)} {
		l, err := net.Listen("tcp", loopback.Address(port))
		if err != nil {
			return nil, err
		}
		loopback.Serve(l, h)
	}
	return func() { r.Close(); closing() }, nil
}

// adapt configures a node to use its Region's separate NATS servers, if the
// Region has them.
func (o order) adapt(c *replica.Config) {
	c.Heartbeat, c.Recover = 200*time.Millisecond, o.Recover
	if o.URL == "" {
		return
	}
	c.Dir, c.Listen, c.URL, c.Replicas = "", "", o.URL, 3
	c.Options = []nats.Option{nats.UserInfo("meridian", chaosPassword)}
}

// chaosMark is in the names of all users, and so in everything that names one.
const chaosMark = "quokka@example.com"

func chaosUser(i int) string { return fmt.Sprintf("user%d-%s", i, chaosMark) }

// chaosLevel is the level of the processes' logs; with MERIDIAN_TEST_LOG, all.
func chaosLevel() slog.Level {
	if os.Getenv("MERIDIAN_TEST_LOG") != "" {
		return slog.LevelInfo
	}
	return slog.LevelError + 1
}
