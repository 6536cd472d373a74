package replica

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Users of the embedded server, and the prefixes of subjects for answers. Peers can't listen to a Node's own.
const (
	userNode  = "node"
	userPeer  = "peer"
	inboxPeer = "_PEER"
	inboxNode = "_NODE"
)

// PeerPermissions returns the subjects that another Region may use on a Region's server: to ask the Region's Nodes
// for its own streams, and to listen to the answers. No stream listens to them, and they are not JetStream's.
//
// With external servers this is the pattern for the user that peers connect as.
func PeerPermissions(region string) (publish, subscribe []string) {
	return []string{peerSubject(region)}, []string{inboxPeer + ".>"}
}

// startServer starts the embedded server. It returns the only connection as its own user, from within this process.
func startServer(cfg *Config) (*server.Server, *nats.Conn, error) {
	password := rand.Text() + rand.Text()
	publish, subscribe := PeerPermissions(cfg.Region)
	auth := &authenticator{cfg: cfg, own: &server.User{Username: userNode, Password: password},
		peers: map[uint64]struct{}{}}
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
		if err == nil {
			opts.Port, err = strconv.Atoi(port)
		}
		if err != nil {
			return nil, nil, &Error{Reason: ReasonConfig, Rule: "Listen", Want: "host:port", Got: cfg.Listen, Err: err}
		}
		opts.Host, opts.Port = host, cmp.Or(opts.Port, server.RANDOM_PORT)
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
	if !s.ReadyForConnections(30*time.Second) || !s.JetStreamEnabled() {
		err = errors.New("it did not start; is its directory in use?")
	}
	var nc *nats.Conn
	if err == nil {
		nc, err = nats.Connect("", nats.InProcessServer(s), nats.UserInfo(userNode, password),
			nats.CustomInboxPrefix(inboxNode), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond),
			nats.Name("meridian"), nats.Timeout(30*time.Second))
	}
	if err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, nil, unavailable("start of the embedded server", err)
	}
	return s, nc, nil
}

// secrets are the passwords that this Region sends to others, in this order, and that it accepts.
func (c *Config) secrets() []string {
	if c.Secret == "" {
		return nil
	}
	return append([]string{c.Secret}, c.OldSecrets...)
}

// An authenticator authenticates clients of the embedded server, and counts peers that are authenticated.
type authenticator struct {
	cfg       *Config
	own, peer *server.User
	alive     func(id uint64) bool // reports whether a connection still exists

	refusals limiter

	mu    sync.Mutex
	peers map[uint64]struct{} // admitted connections
}

// Check implements server.Authentication.
func (a *authenticator) Check(c server.ClientAuthentication) bool {
	addr := c.RemoteAddress()
	inProcess := addr != nil && addr.Network() == "pipe"
	switch o := c.GetOpts(); {
	case o.Username == userNode && inProcess && same(o.Password, a.own.Password):
		c.RegisterUser(a.own)
		return true
	case a.peer == nil || o.Username != userPeer || !a.known(o.Password):
		a.refuse("replica: a client sent no valid Secret of this Region: see Config.OldSecrets", addr)
		return false
	case !a.admit(c.GetID()):
		a.refuse("replica: too many connections of peers", addr)
		return false
	}
	c.RegisterUser(a.peer)
	return true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (a *authenticator) known(password string) (ok bool) {
	for _, s := range a.cfg.secrets() {
		ok = same(password, s) || ok
	}
	return ok
}

// admit counts a peer's connection, if there is room. The server doesn't tell when a connection ends.
func (a *authenticator) admit(id uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.peers) >= maxPeers {
		maps.DeleteFunc(a.peers, func(id uint64, _ struct{}) bool { return !a.alive(id) })
	}
	if len(a.peers) >= maxPeers {
		return false
	}
	a.peers[id] = struct{}{}
	return true
}

// refuse logs refused clients, at most one a minute.
func (a *authenticator) refuse(why string, from net.Addr) {
	if n, before := a.refusals.count("", time.Now()); n == 1 {
		a.cfg.Logger.Warn(why, "from", from, "refused", max(before, 1))
	}
}

// serverLog passes on the warnings and errors of the embedded server, at their level. An unauthenticated client can
// cause some of them as often as it likes, so only the first few of each kind in a minute are passed on.
type serverLog struct {
	logger *slog.Logger
	limiter
}

func (l *serverLog) Noticef(string, ...any) {}
func (l *serverLog) Debugf(string, ...any)  {}
func (l *serverLog) Tracef(string, ...any)  {}

// Warnf logs a warning, except two about intended settings: Secret is a password, and the operator chose Dir.
func (l *serverLog) Warnf(f string, v ...any) {
	if !strings.HasPrefix(f, "Plaintext passwords detected") && !strings.HasPrefix(f, "Temporary storage directory used") {
		l.pass(slog.LevelWarn, f, v)
	}
}

// Errorf logs an error after which the server goes on.
func (l *serverLog) Errorf(f string, v ...any) { l.pass(slog.LevelError, f, v) }

// Fatalf logs an error after which the server stops.
func (l *serverLog) Fatalf(f string, v ...any) { l.pass(slog.LevelError, f, v) }

func (l *serverLog) pass(level slog.Level, format string, v []any) {
	more := []any{"message", fmt.Sprintf(format, v...)}
	switch n, _ := l.count(strings.Map(withoutDigits, format), time.Now()); {
	case n > maxServerLines:
		return
	case n == maxServerLines:
		more = append(more, "note", "more of this kind are left out for a minute")
	}
	l.logger.Log(context.Background(), level, "replica: server", more...)
}

// withoutDigits removes the client's address and number from a format, so that the messages of all clients are of one
// kind.
func withoutDigits(r rune) rune {
	if '0' <= r && r <= '9' {
		return -1
	}
	return r
}

// A limiter counts events of several kinds by the minute, so that they can't fill the log.
type limiter struct {
	mu           sync.Mutex
	since        time.Time
	seen, before map[string]int // in this minute, and in the one before
}

// count counts an event. It returns how many of its kind there were in this minute, and in the one before.
func (l *limiter) count(kind string, now time.Time) (n, before int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) >= time.Minute {
		l.since, l.before, l.seen = now, l.seen, map[string]int{}
	}
	if _, known := l.seen[kind]; !known && len(l.seen) >= maxServerKinds {
		kind = ""
	}
	l.seen[kind]++
	return l.seen[kind], l.before[kind]
}
