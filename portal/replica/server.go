package replica

import (
	"crypto/rand"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Users of the embedded server, and the prefixes of subjects for answers. Peers can't
// listen to a Node's own.
const (
	userNode  = "node"
	userPeer  = "peer"
	inboxPeer = "_PEER"
	inboxNode = "_NODE"
)

// Bounds of connections. A follower has one, with a subscription for each stream; the
// Node's own has some for each Region. Peers are counted when they have shown Secret.
// Connections are counted before that, when any client can have them, so there is room
// for many, and each has little time.
const (
	maxPeers     = 256
	maxConns     = 8192
	loginTimeout = 2 // seconds, for TLS and then for showing Secret
	maxSubs      = 256
	maxSubTokens = 8
)

// PeerPermissions returns the subjects that another Region may use on a Region's
// server: to ask the Region's Nodes for its own streams, and to listen to the answers.
// No stream listens to them, and they are not JetStream's.
//
// With external servers this is the pattern for the user that peers connect as.
func PeerPermissions(region string) (publish, subscribe []string) {
	return []string{peerSubject(region)}, []string{inboxPeer + ".>"}
}

// startServer starts the embedded server and returns a connection to it from within
// this process. No other client can log in as its user.
func startServer(cfg *Config) (*server.Server, *nats.Conn, error) {
	password := rand.Text() + rand.Text()
	publish, subscribe := PeerPermissions(cfg.Region)
	auth := &authenticator{cfg: cfg, own: &server.User{Username: userNode, Password: password}, peers: map[uint64]struct{}{}}
	badListen := func(want string, err error) error {
		return &Error{Reason: ReasonConfig, Rule: "Listen", Want: want, Got: cfg.Listen, Err: err}
	}
	opts := &server.Options{
		ServerName: cfg.Region, DontListen: cfg.Listen == "",
		JetStream: true, StoreDir: cfg.Dir, SyncAlways: true, JetStreamMaxStore: maxStore,
		NoSigs: true, MaxControlLine: 4096, MaxPayload: maxPayload,
		MaxConn: maxConns, MaxSubs: maxSubs, MaxSubTokens: maxSubTokens,
		TLSConfig: cfg.TLS, TLS: cfg.TLS != nil, TLSTimeout: loginTimeout, AuthTimeout: loginTimeout,
		CustomClientAuthentication: auth,
	}
	if cfg.Listen != "" {
		host, port, err := net.SplitHostPort(cfg.Listen)
		if err != nil {
			return nil, nil, badListen("host:port", err)
		}
		p, err := strconv.Atoi(port)
		if err != nil {
			return nil, nil, badListen("a port number", err)
		}
		if p == 0 {
			p = server.RANDOM_PORT
		}
		opts.Host, opts.Port = host, p
		auth.peer = &server.User{Username: userPeer, Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: publish},
			Subscribe: &server.SubjectPermission{Allow: subscribe},
		}}
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonConfig, Rule: "embedded server", Want: "one that starts", Err: err}
	}
	auth.alive = func(id uint64) bool { return s.GetClient(id) != nil }
	s.SetLoggerV2(&serverLog{logger: cfg.Logger}, false, false, false)
	s.Start()
	nc, err := connectInProcess(s, password)
	if err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, nil, unavailable("start of the embedded server", err)
	}
	return s, nc, nil
}

func connectInProcess(s *server.Server, password string) (*nats.Conn, error) {
	if !s.ReadyForConnections(30*time.Second) || !s.JetStreamEnabled() {
		return nil, errors.New("it did not start; is its directory in use?")
	}
	return nats.Connect("", nats.InProcessServer(s), nats.UserInfo(userNode, password),
		nats.CustomInboxPrefix(inboxNode), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond),
		nats.Name("meridian"), nats.Timeout(30*time.Second))
}

// ownOptions are for the connection to the servers at Config.URL. A frozen server,
// which holds the connection and doesn't answer, is left for another one after three
// seconds. By default a client notices that after four minutes or more, and until then
// every write fails.
func ownOptions(region string) []nats.Option {
	return []nats.Option{
		nats.Name("meridian " + region), nats.CustomInboxPrefix(inboxNode),
		nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.Timeout(2 * time.Second),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2),
	}
}
