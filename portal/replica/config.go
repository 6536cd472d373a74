package replica

import (
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

// Config says what a Node is. Open copies it.
type Config struct {
	// Region is the Region that this Node is of. Required.
	Region string
	// Primary is the instance's primary Region. Empty: Region itself.
	Primary string
	// Seed is what the instance holds when the primary is started for the very
	// first time; later it is ignored. Required there, unused elsewhere.
	Seed center.Data

	// Dir is where the embedded server keeps everything. Required without URL.
	// One directory belongs to one Node; where the system has locks on files a
	// second one is refused. It is made for its owner alone, and one that exists
	// becomes that, unless there are other files in it.
	Dir string
	// Restored says that what Dir or URL keeps is to count, although it isn't, or
	// may not be, all that the Region wrote: a backup or a snapshot was put back,
	// a disk lost its end, or the Region begins anew on an empty disk. Without it
	// a Region that lacks what it once had doesn't start, or stops, with Reason
	// Damaged. What is lost stays lost, what the Region itself ended since
	// included; Recover takes it from other Regions. Set it for the one start
	// after it was put back; each start with it makes all other Regions read this
	// one's streams from the beginning. With URL, stop every Node of the Region
	// before the copy is put back. It also says that what can be read of this
	// Region's log is all, where a part can't be read any more; without it
	// nothing is written to such a log. And copies of what other Regions wrote
	// count as they are, where they were damaged. Zero: no.
	Restored bool
	// Recover names Peers from whose copies this Region takes back what it wrote:
	// Open asks them and puts what they have together with what is readable here.
	// Nothing comes back that was ended: where copies went apart, a user whom one
	// of them disabled or removed is disabled, and so are users to whom they gave
	// one userName. Set it for the one start after the
	// damage, and name all Regions that may know something: those that aren't
	// named can't add to it later. With URL, stop every other Node of the Region
	// before. What is readable here is safe until that is done: all is written
	// beside the streams first, which takes as much space again. If the start is
	// interrupted, start again with Recover. (With Dir, one without it completes
	// what needs no other Region, or fails and says so.) Where Dir is empty, or the
	// Region's identity in it is lost or can't be read, what the named Regions
	// have is believed as it is, so name only those that you trust with that; a
	// primary needs no Seed then, and none is written. Otherwise only what this Region recognises as its own is taken. Open fails
	// with Reason Unavailable if one of them doesn't answer before its context
	// ends, and the Region stays damaged. Empty: none.
	Recover []string
	// MaxRecover bounds what each Region that Recover names may send, in bytes,
	// with 200 more for each message: Open holds it in memory. If a Region sends
	// more, Open fails with Reason TooLarge, and the Region stays damaged. Zero: 1 GiB.
	MaxRecover int64
	// Listen is the address at which the embedded server lets other Regions
	// read, such as "127.0.0.1:0". Empty: none, so nobody can follow this
	// Region. An address that isn't loopback is refused without TLS. Let a
	// firewall admit the other Regions alone: a client without Secret is closed
	// after seconds, but there is room for 8,192 connections at most.
	Listen string
	// TLS is for Listen. Nil: plain, on loopback only.
	TLS *tls.Config
	// Secret is the password that Regions show each other to read; the same in
	// all of them, at least 16 bytes. Required with Listen, and with Peers that
	// bring no credentials of their own.
	Secret string
	// OldSecrets are accepted as Secret is, and shown to a Region that refuses
	// Secret, so that Secret can be changed Region by Region. Each has at least
	// 16 bytes. Empty: none. See "Changing Secret" in the package's documentation.
	OldSecrets []string

	// URL is the Region's own NATS server or cluster, with JetStream, instead
	// of the embedded one. Nodes of one Region share it. What it syncs to disk
	// is for its operator to say (sync_interval: always), and so are its users'
	// permissions, for which PeerPermissions is the pattern. An address that
	// isn't loopback is refused without TLS: the scheme tls or wss, or nats.Secure
	// and its like in Options, or a dialer there, which is then to encrypt.
	URL string
	// Options are for the connection to URL: credentials, TLS. They are applied
	// twice, and after the package's own: a PingInterval here replaces the one
	// second after which a server that doesn't answer begins to be suspected.
	Options []nats.Option
	// Replicas is how many servers of the cluster at URL keep each stream.
	// Zero: 1.
	Replicas int

	// Peers are the other Regions that can be followed. AddPeer adds more.
	Peers map[string]Peer

	// Codec seals what is stored and sent: names, mail addresses, sessions.
	// Required, unless InsecurePlaintext is set.
	Codec Codec
	// InsecurePlaintext stores and sends values as they are where there is no
	// Codec. Who can read Dir, a backup of it or the servers at URL then reads
	// every user's data.
	InsecurePlaintext bool

	// MaxSession is the longest that any session lives, and so the longest that
	// what ends sessions is remembered. It must be the same in all Regions, and
	// not less than any portal's SessionLifetime: a session that would live
	// longer is refused. Zero: 12 hours.
	MaxSession time.Duration
	// Skew is how far the clocks of two Regions may be apart. What expires is
	// kept that much longer. Zero: 5 minutes.
	Skew time.Duration
	// TouchEvery is how far Session.Seen moves before it is written to disk. A
	// Region that restarts has forgotten at most that much. Zero: a minute.
	TouchEvery time.Duration
	// CodeWait is how long TakeCode waits for a code on its way from another
	// Region. Zero: 3 seconds.
	CodeWait time.Duration
	// EraseAfter is how long what an update removes of a user, or replaces, may
	// stay in the primary's log. Then the log is written anew, padded with at most
	// 4.25 MiB, so that the server rewrites its files, here and in each Region that
	// is reached. What it costs grows with the instance, and is paid once in
	// EraseAfter at most. Zero: a minute.
	EraseAfter time.Duration
	// Heartbeat is how often each peer is asked how far it is. Zero: a second.
	Heartbeat time.Duration
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger is told what goes wrong and what is mended, and the warnings of the
	// embedded server, at their level. Nil: slog.Default().
	Logger *slog.Logger
	// Observer is told how the Node is. Nil: none.
	Observer Observer
	// ObserveEvery is how often. Zero: 10 seconds.
	ObserveEvery time.Duration

	// What this version understands and writes. A test plays another one.
	formats merge.Formats
	writes  int
	kinds   []center.Kind
	entries []merge.EntryKind
	passes  func(step string) error // a test ends a start there
}

// A Peer is how another Region is reached. There is a connection to each, and
// none goes through a third.
type Peer struct {
	// URL is that Region's server: what its Node's Addr says, or its cluster's,
	// separated by commas. One that isn't loopback is refused without TLS.
	URL string
	// TLS is for a server with TLS. Nil: by the URL's scheme, with the system's
	// roots.
	TLS *tls.Config
	// Options are added last: a dialer, or credentials instead of
	// Config.Secret.
	Options []nats.Option
}

// A Codec seals values. Key is where a value is kept, so that a sealed value
// that was moved elsewhere does not open. Both fields are required.
type Codec struct {
	Seal func(key string, plain []byte) ([]byte, error)
	Open func(key string, sealed []byte) ([]byte, error)
}

// minSecret is the fewest bytes of a Secret: 128 bits, if they are random.
const minSecret = 16

var regionName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

func (c *Config) defaults() {
	if c.Primary == "" {
		c.Primary = c.Region
	}
	c.Replicas = max(c.Replicas, 1)
	if c.MaxRecover == 0 {
		c.MaxRecover = 1 << 30
	}
	c.OldSecrets = slices.Clone(c.OldSecrets)
	def(&c.MaxSession, 12*time.Hour)
	def(&c.Skew, 5*time.Minute)
	def(&c.TouchEvery, time.Minute)
	def(&c.CodeWait, 3*time.Second)
	def(&c.EraseAfter, time.Minute)
	def(&c.Heartbeat, time.Second)
	def(&c.ObserveEvery, 10*time.Second)
	if c.formats == (merge.Formats{}) {
		c.formats, c.writes = merge.ThisFormats(), merge.FormatWritten
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.InsecurePlaintext && c.Codec.Seal == nil && c.Codec.Open == nil {
		plain := func(_ string, v []byte) ([]byte, error) { return v, nil }
		c.Codec = Codec{Seal: plain, Open: plain}
	}
}

func def(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

func (c *Config) check() *Error {
	bad := func(what, want, got string) *Error {
		return &Error{Reason: ReasonConfig, Rule: what, Want: want, Got: got}
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
	all, err := servers("URL", c.URL)
	if err != nil {
		return err
	}
	if !encrypted(all, c.dialsSecurely()) {
		return bad("URL", "loopback addresses, or TLS: the scheme tls or wss, or in Options", refusal.WithoutUser(c.URL))
	}
	return nil
}

// dialsSecurely says whether Options ask for TLS, or take the connection into
// their own hands.
func (c *Config) dialsSecurely() bool {
	o := nats.GetDefaultOptions()
	for _, set := range c.Options {
		if set != nil {
			_ = set(&o) // nats.Connect will say so
		}
	}
	return o.Secure || o.CustomDialer != nil || o.InProcessServer != nil
}

// checkURL refuses addresses at which Secret, and all that is replicated, would
// cross a network in the clear.
func (p Peer) checkURL(region string) *Error {
	what := "URL of peer " + region
	all, err := servers(what, p.URL)
	if err != nil {
		return err
	}
	if !encrypted(all, p.TLS != nil) {
		return &Error{Reason: ReasonConfig, Rule: what, Want: "loopback addresses, or TLS: the scheme tls or wss, or Peer.TLS", Got: refusal.WithoutUser(p.URL)}
	}
	return nil
}

// encrypted says whether nothing crosses a network in the clear on the way to
// these servers. secure: all connections have TLS, whatever the scheme.
func encrypted(all []*url.URL, secure bool) bool {
	return secure || !slices.ContainsFunc(all, func(u *url.URL) bool {
		return u.Scheme != "tls" && u.Scheme != "wss" && !loopback(net.JoinHostPort(u.Hostname(), "0"))
	})
}

// servers reads a list of addresses as the client of NATS does. What that would
// refuse is refused here, since its error repeats an address with its password.
func servers(what, list string) ([]*url.URL, *Error) {
	var out []*url.URL
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		// An "@" elsewhere ends a password that isn't percent-encoded: the host
		// would be the user's name, and errors of the connection would say it.
		if err != nil || u.Hostname() == "" || u.User == nil && strings.Contains(one, "@") {
			out = nil
			break
		}
		out = append(out, u)
	}
	if len(out) == 0 {
		return nil, &Error{Reason: ReasonConfig, Rule: what, Want: "the addresses of servers", Got: refusal.WithoutUser(list)}
	}
	return out, nil
}

// loopback says whether a connection to an address stays on this machine. It is
// Go that connects: it asks DNS for every name but localhost.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	return err == nil && center.IsLoopback(host) && (host == "localhost" || net.ParseIP(host) != nil)
}
