package replica

import (
	"crypto/rand"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Users of the embedded server, and where peers get their answers. A Node's
// own answers come under another prefix, which peers can't listen to.
const (
	userNode  = "node"
	userPeer  = "peer"
	inboxPeer = "_PEER"
	inboxNode = "_NODE"
)

// Bounds of what connections may take. A follower has one, with a subscription
// for each stream; the Node's own has some for each Region. Peers are counted when
// they have shown Secret. Connections are counted before, when they can be
// anybody's, so there is room for many, and each has little time.
const (
	maxPeers     = 256
	maxConns     = 8192
	loginTimeout = 2 // seconds, for TLS and then for showing Secret
	maxSubs      = 256
	maxSubTokens = 8
)

// PeerPermissions is what another Region may do on a Region's server: ask the
// Region's Nodes for what is in its own streams, and listen to the answers. It
// publishes to no subject that a stream listens to, and reaches nothing of
// JetStream.
//
// With external servers this is the pattern for the user that peers connect as.
func PeerPermissions(region string) (publish, subscribe []string) {
	return []string{peerSubject(region)}, []string{inboxPeer + ".>"}
}

// startServer starts the embedded server and returns a connection to it that
// is made in this process. No one else can log in as it.
func startServer(cfg *Config) (*server.Server, *nats.Conn, error) {
	password := rand.Text() + rand.Text()
	publish, subscribe := PeerPermissions(cfg.Region)
	auth := &authenticator{cfg: cfg, own: &server.User{Username: userNode, Password: password}, peers: map[uint64]struct{}{}}
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
			return nil, nil, &Error{Reason: ReasonConfig, Rule: "Listen", Want: "host:port", Got: cfg.Listen, Err: err}
		}
		p, err := strconv.Atoi(port)
		if err != nil {
			return nil, nil, &Error{Reason: ReasonConfig, Rule: "Listen", Want: "a port number", Got: cfg.Listen, Err: err}
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
	s.SetLoggerV2(newServerLog(cfg.Logger.With("region", cfg.Region)), false, false, false)
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
		return nil, fmt.Errorf("it did not come up; is its directory in use?")
	}
	return nats.Connect("", nats.InProcessServer(s), nats.UserInfo(userNode, password),
		nats.CustomInboxPrefix(inboxNode), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.Name("meridian"), nats.Timeout(30*time.Second))
}
