package replica

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Config describes a Node. Open copies it.
type Config struct {
	// Region is the Region of this Node. Required.
	Region string
	// Primary is the instance's primary Region. Empty: Region itself.
	Primary string
	// Seed is the initial content of the instance, for the first start of the primary alone. Required there.
	Seed center.Data

	// Dir is the embedded server's directory. Required without URL. It belongs to one Node; where the system has
	// file locks a second one is refused. It is restricted to its owner, unless other files are in it.
	Dir string
	// Restored declares that the content of Dir or URL is the Region's state, although messages may be missing: a
	// backup or a snapshot was put back, a disk lost its end, or the Region begins anew on an empty disk. Without
	// it such a Region doesn't start, or stops, with Reason Damaged. What is lost stays lost, including what the
	// Region itself ended since; Recover takes it from other Regions. An unreadable part of its log is dropped, and
	// damaged copies of other Regions' streams count as they are. Set it for one start: each makes all other
	// Regions read this one's streams from the beginning. With URL, stop every Node of the Region first. Zero: no.
	Restored bool
	// Recover names Peers from whose copies this Region takes back what it wrote. Open merges them with what is
	// readable here. Nothing that was ended comes back: if copies differ, a user whom one of them disabled or removed
	// is disabled, and so are users to whom they gave one userName. Set it for one start after the damage, and name
	// all Regions that may know something: others can't add to it later. With URL, stop every other Node first.
	//
	// Everything is written beside the streams first, which takes as much space again, so what is readable here is
	// safe. If the start is interrupted, start again with Recover. (With Dir, a start without it completes what
	// needs no other Region, or fails and says so.) If Dir is empty, or the Region's identity in it is lost or
	// unreadable, the copies are believed as they are, so name only Regions that you trust with that; a primary
	// needs no Seed then, and none is written. Otherwise only what this Region recognises as its own is taken. Open
	// fails with Reason Unavailable if a named Region doesn't answer before its context ends, and the Region stays
	// damaged. Empty: none.
	Recover []string
	// MaxRecover bounds what each Region in Recover may send, in bytes, with 200 more for each message: Open holds
	// it in memory. Beyond that Open fails with Reason TooLarge, and the Region stays damaged. Zero: 1 GiB.
	MaxRecover int64
	// Listen is the address at which other Regions read, such as "127.0.0.1:0". An address that isn't loopback is
	// refused without TLS. Firewall it to admit only the other Regions: a client without Secret is disconnected
	// after seconds, but there are 8,192 connections at most. Empty: no Region can follow this one.
	Listen string
	// TLS is for Listen. Nil: plain, on loopback only.
	TLS *tls.Config
	// Secret is the password with which Regions read from each other; the same in all of them, at least 16 bytes.
	// Required with Listen, and with Peers without their own credentials.
	Secret string
	// OldSecrets are accepted like Secret, and shown to a Region that refuses Secret, so that Secret can be changed
	// Region by Region: see OPERATING.md. Each has at least 16 bytes. Empty: none.
	OldSecrets []string

	// URL is the Region's own NATS server or cluster, with JetStream, instead of the embedded one. Nodes of one
	// Region share it. Its operator configures what it syncs to disk (sync_interval: always) and its users'
	// permissions, for which PeerPermissions is the pattern. An address that isn't loopback is refused without TLS:
	// the scheme tls or wss, or nats.Secure or its like in Options, or a dialer there, which must encrypt.
	URL string
	// Options are for the connection to URL: credentials, TLS. They are applied twice, and after the package's own:
	// a PingInterval here replaces the one second after which a server that doesn't answer begins to be suspected.
	Options []nats.Option
	// Replicas is how many servers of the cluster at URL keep each stream. Zero: 1.
	Replicas int

	// Peers are the other Regions that can be followed. AddPeer adds more.
	Peers map[string]Peer

	// Codec seals what is stored and sent: names, mail addresses, sessions. Required without InsecurePlaintext.
	Codec Codec
	// InsecurePlaintext stores and sends values unsealed if there is no Codec. Anyone who can read Dir, a backup of
	// it or the servers at URL can then read every user's data.
	InsecurePlaintext bool

	// MaxSession is the longest lifetime of a session, and so how long what ends sessions is remembered. It must be
	// the same in all Regions, and no less than any portal's SessionLifetime: longer sessions are refused. Zero: 12
	// hours.
	MaxSession time.Duration
	// Skew is how far the clocks of two Regions may differ. What expires is kept that much longer. Zero: 5 minutes.
	Skew time.Duration
	// TouchEvery is how far Session.Seen moves before it is written to disk: a restart loses that. Zero: a minute.
	TouchEvery time.Duration
	// CodeWait is how long TakeCode waits for a code that another Region has put. Zero: 3 seconds.
	CodeWait time.Duration
	// EraseAfter is how long what an update removes or replaces of a user may stay in the primary's log. Then the
	// log is written anew, padded with at most 4.25 MiB, so that the server rewrites its files, here and in each
	// Region that is reached. The cost grows with the instance, once in EraseAfter at most. Zero: a minute.
	EraseAfter time.Duration
	// Heartbeat is how often each peer is asked for news. Zero: a second.
	Heartbeat time.Duration
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger gets faults, their ends, and the embedded server's warnings, at their level. Nil: slog.Default().
	Logger *slog.Logger
	// Observer gets the state of the Node. Nil: none.
	Observer Observer
	// ObserveEvery is how often. Zero: 10 seconds.
	ObserveEvery time.Duration

	// What this version understands and writes. Tests act as another version.
	formats merge.Formats
	writes  int
	kinds   []center.Kind
	entries []merge.EntryKind
	passes  func(step string) error // ends a start, in tests
}

// A Peer is the address of another Region. There is a direct connection to each.
type Peer struct {
	// URL is that Region's server: its Node's Addr, or its cluster's addresses, separated by commas. One that isn't
	// loopback is refused without TLS.
	URL string
	// TLS is for a server with TLS. Nil: by the URL's scheme, with the system's roots.
	TLS *tls.Config
	// Options are added last: a dialer, or credentials instead of Config.Secret.
	Options []nats.Option
}

// A Codec seals values. One that was moved from its key must not open. Both fields are required.
type Codec struct {
	Seal func(key string, plain []byte) ([]byte, error)
	Open func(key string, sealed []byte) ([]byte, error)
}

var regionName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

func (c *Config) defaults() {
	c.Primary = cmp.Or(c.Primary, c.Region)
	c.Replicas = max(c.Replicas, 1)
	c.MaxRecover = cmp.Or(c.MaxRecover, 1<<30)
	c.OldSecrets = slices.Clone(c.OldSecrets)
	c.MaxSession = cmp.Or(c.MaxSession, 12*time.Hour)
	c.Skew = cmp.Or(c.Skew, 5*time.Minute)
	c.TouchEvery = cmp.Or(c.TouchEvery, time.Minute)
	c.CodeWait = cmp.Or(c.CodeWait, 3*time.Second)
	c.EraseAfter = cmp.Or(c.EraseAfter, time.Minute)
	c.Heartbeat = cmp.Or(c.Heartbeat, time.Second)
	c.ObserveEvery = cmp.Or(c.ObserveEvery, 10*time.Second)
	if c.formats == (merge.Formats{}) {
		c.formats, c.writes = merge.ThisFormats(), merge.FormatWritten
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.Default()).With("region", c.Region)
	if c.InsecurePlaintext && c.Codec.Seal == nil && c.Codec.Open == nil {
		plain := func(_ string, v []byte) ([]byte, error) { return v, nil }
		c.Codec = Codec{Seal: plain, Open: plain}
	}
}

func (c *Config) check() *Error {
	bad := func(what, want, got string) *Error {
		return newError(ReasonConfig, what, want, got)
	}
	switch {
	case !regionName.MatchString(c.Region):
		return bad("Region", "a Region code such as eu-central-1", c.Region)
	case !regionName.MatchString(c.Primary):
		return bad("Primary", "a Region code such as us-east-1", c.Primary)
	case c.URL == "" && c.Dir == "":
		return bad("Dir", "a directory, or URL", "")
	case c.URL != "" && (c.Dir != "" || c.Listen != "" || c.TLS != nil):
		return bad("URL", "none with Dir, Listen or TLS: they are the embedded server's", refusal.WithoutUser(c.URL))
	case c.Restored && len(c.Recover) > 0:
		return bad("Restored", "none with Recover", "both")
	case slices.ContainsFunc(c.Recover, func(name string) bool { return c.Peers[name].URL == "" }):
		return bad("Recover", "names of Peers", strings.Join(c.Recover, ", "))
	case c.Listen != "" && len(c.Secret) < minSecret:
		return bad("Secret", "at least 16 bytes", "fewer")
	case slices.ContainsFunc(c.OldSecrets, func(s string) bool { return len(s) < minSecret }):
		return bad("OldSecrets", "at least 16 bytes each", "fewer")
	case len(c.OldSecrets) > 0 && c.Secret == "":
		return bad("Secret", "one, with OldSecrets", "")
	case c.Listen != "" && c.TLS == nil && !loopback(c.Listen):
		return bad("Listen", "a loopback address, or TLS", c.Listen)
	case c.Codec.Seal == nil || c.Codec.Open == nil:
		return bad("Codec", "Seal and Open, or InsecurePlaintext", "")
	case min(c.MaxSession, c.Skew, c.TouchEvery, c.CodeWait, c.EraseAfter, c.Heartbeat, c.ObserveEvery) <= 0:
		return bad("duration", "positive ones", "a negative one")
	case c.MaxRecover < 0:
		return bad("MaxRecover", "a positive number of bytes", fmt.Sprint(c.MaxRecover))
	}
	if c.URL == "" {
		return nil
	}
	// Options that ask for TLS, or make the connection themselves.
	o := nats.GetDefaultOptions()
	for _, set := range c.Options {
		if set != nil {
			_ = set(&o) // nats.Connect returns the error
		}
	}
	secure := o.Secure || o.CustomDialer != nil || o.InProcessServer != nil
	return checkURL("URL", c.URL, secure, "the scheme tls or wss, or in Options")
}

func (p Peer) checkURL(region string) *Error {
	return checkURL("URL of peer "+region, p.URL, p.TLS != nil, "the scheme tls or wss, or Peer.TLS")
}

// checkURL refuses addresses at which Secret, and all replicated data, would cross a network unencrypted. secure:
// all connections have TLS, whatever the scheme.
func checkURL(what, list string, secure bool, remedy string) *Error {
	all := servers(list)
	e := newError(ReasonConfig, what, "the addresses of servers", refusal.WithoutUser(list))
	if len(all) == 0 {
		return e
	}
	plain := func(u *url.URL) bool {
		return u.Scheme != "tls" && u.Scheme != "wss" && !loopback(net.JoinHostPort(u.Hostname(), "0"))
	}
	if !secure && slices.ContainsFunc(all, plain) {
		e.Want = "loopback addresses, or TLS: " + remedy
		return e
	}
	return nil
}

// servers parses a list of addresses like the client of NATS. It returns nil for a list that the client would
// refuse, whose error repeats an address with its password.
func servers(list string) (out []*url.URL) {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		// An "@" elsewhere ends a password that isn't percent-encoded: the host would be the user's name, and
		// errors of the connection would include it.
		if err != nil || u.Hostname() == "" || u.User == nil && strings.Contains(one, "@") {
			return nil
		}
		out = append(out, u)
	}
	return out
}

// loopback reports whether an address is on this machine. Go asks DNS for every name but localhost.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	return err == nil && center.IsLoopback(host) && (host == "localhost" || net.ParseIP(host) != nil)
}
