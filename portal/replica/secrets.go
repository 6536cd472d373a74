package replica

import (
	"crypto/subtle"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// secrets are what this Region shows to others, in this order, and what it accepts.
func (c *Config) secrets() []string {
	if c.Secret == "" {
		return nil
	}
	return append([]string{c.Secret}, c.OldSecrets...)
}

// An authenticator authenticates clients of the embedded server, and counts the
// peers. A connection that isn't authenticated yet doesn't count.
type authenticator struct {
	cfg       *Config
	own, peer *server.User
	alive     func(id uint64) bool // reports whether a connection still exists

	refusals limiter

	mu    sync.Mutex
	peers map[uint64]struct{} // connections that were let in
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
		a.refuse("replica: a client showed no Secret of this Region: see Config.OldSecrets", addr)
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

// admit counts a peer's connection, if there is room. The server doesn't tell when a
// connection ends, so those that ended are removed when there is no room.
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
