package replica

import (
	"crypto/subtle"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// secrets are what this Region shows others, in this order, and what it
// accepts.
func (c *Config) secrets() []string {
	if c.Secret == "" {
		return nil
	}
	return append([]string{c.Secret}, c.OldSecrets...)
}

// An authenticator decides who may connect to the embedded server, and counts
// the peers that may. A connection that has shown nothing yet doesn't count.
type authenticator struct {
	cfg       *Config
	own, peer *server.User
	alive     func(id uint64) bool // whether a connection still is

	mu      sync.Mutex
	peers   map[uint64]struct{} // connections that were let in
	refused int                 // since this was last logged
	logged  time.Time
}

// Check implements server.Authentication.
func (a *authenticator) Check(c server.ClientAuthentication) bool {
	switch o := c.GetOpts(); {
	case o.Username == userNode && inProcess(c.RemoteAddress()) && same(o.Password, a.own.Password):
		c.RegisterUser(a.own)
		return true
	case a.peer == nil || o.Username != userPeer || !a.known(o.Password):
		a.refuse("replica: a client showed no Secret of this Region's: see Config.OldSecrets", c.RemoteAddress())
		return false
	case !a.admit(c.GetID()):
		a.refuse("replica: too many connections of peers", c.RemoteAddress())
		return false
	}
	c.RegisterUser(a.peer)
	return true
}

// inProcess says whether a connection was made within the process.
func inProcess(addr net.Addr) bool { return addr != nil && addr.Network() == "pipe" }

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (a *authenticator) known(password string) (ok bool) {
	for _, s := range a.cfg.secrets() {
		ok = same(password, s) || ok
	}
	return ok
}

// admit counts a peer's connection, if there is room. The server doesn't tell
// when one ends, so those that ended are looked for when there seems to be none.
func (a *authenticator) admit(id uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.peers) >= maxPeers {
		for id := range a.peers {
			if !a.alive(id) {
				delete(a.peers, id)
			}
		}
	}
	if len(a.peers) >= maxPeers {
		return false
	}
	a.peers[id] = struct{}{}
	return true
}

// refusalsEvery is how often refused clients are logged, so that they can't
// fill the log.
const refusalsEvery = time.Minute

func (a *authenticator) refuse(why string, from net.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused++
	if now := time.Now(); now.Sub(a.logged) >= refusalsEvery {
		a.cfg.Logger.Warn(why, "region", a.cfg.Region, "from", from, "refused", a.refused)
		a.logged, a.refused = now, 0
	}
}

// connect dials the peer. Where it refuses Secret, which is being changed then,
// the old ones are shown too.
func (f *follower) connect(lost func(error)) (nc *nats.Conn, err error) {
	all := f.n.cfg.secrets()
	if len(all) == 0 {
		all = []string{""} // Options of the peer have the credentials
	}
	for _, secret := range all {
		if nc, err = f.dial(secret, lost); !errors.Is(err, nats.ErrAuthorization) {
			break
		}
	}
	f.refusal(err)
	return nc, err
}

// refusal logs that a peer refuses this Region's credentials, once until it no
// longer does.
func (f *follower) refusal(err error) {
	refused := errors.Is(err, nats.ErrAuthorization)
	f.mu.Lock()
	changed := refused != f.refused && (refused || err == nil)
	if changed {
		f.refused = refused
	}
	f.mu.Unlock()
	switch {
	case changed && refused:
		f.n.cfg.Logger.Warn("replica: a peer refuses the credentials of this Region, such as its Secret", "region", f.n.cfg.Region, "peer", f.region, "error", err)
	case changed:
		f.n.cfg.Logger.Info("replica: a peer accepts the credentials of this Region again", "region", f.n.cfg.Region, "peer", f.region)
	}
}
