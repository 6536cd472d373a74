package replica

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal/audit"
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

	// Dir is the embedded server's directory. Required without URL. Only one Node can use it: if the system has file
	// locks, a second one is refused. Open makes it accessible to its owner only, unless it contains other files.
	Dir string
	// Restored accepts the content of Dir or URL as the Region's state, although messages may be missing: a backup or a
	// snapshot was restored, a disk lost its last writes, or the Region begins again on an empty disk. Without it, Open
	// fails or the Region stops, with Reason Damaged. Lost messages stay lost, including the Region's own revocations;
	// Recover restores them from other Regions. An unreadable part of its log is dropped, and damaged copies of other
	// Regions' streams are accepted. Set it for one start only: after each such start, all other Regions read this
	// one's streams from the beginning. With URL, stop every Node of the Region first. Zero: no.
	Restored bool
	// Recover names Peers whose copies restore this Region's lost messages. Open merges the copies with the readable
	// messages here. No ended access is restored: if copies differ, a user who is disabled or removed in one of them is
	// disabled. If users of one identity provider have the same userName in different copies, they are disabled too. So
	// is a user who moved to another identity provider in one copy and was changed without that in another. Set it for
	// one start after the damage, and name all Regions that may have copies: later starts can't add more. With URL,
	// stop every other Node first.
	//
	// The merged content is first written beside the streams, which needs the same space again, so the readable
	// messages here are safe. If the start is interrupted, start again with Recover. (With Dir, a start without it
	// completes the recovery if that needs no other Region, and otherwise fails with Reason Damaged.) If Dir is empty,
	// or the Region's identity in it is lost or unreadable, the copies can't be verified, so name only Regions that you
	// trust. A primary needs no Seed then, and none is written. Otherwise only messages that this Region can verify as
	// its own are restored. Open fails with Reason Unavailable if a named Region doesn't answer before its context
	// ends, and the Region stays damaged. Empty: none.
	Recover []string
	// MaxRecover bounds what each Region in Recover may send, in bytes, with 200 more for each message: Open holds
	// it in memory. Beyond that Open fails with Reason TooLarge, and the Region stays damaged. Zero: 1 GiB.
	MaxRecover int64
	// Backup is the file of a backup of this Region ([Node.BackUp]), for one start on an empty Dir or URL. Name in
	// Recover all Regions that may have copies of what this one wrote: what ended since the backup stays ended, and
	// nothing is lost that one of them has. If no other Region is left, set Restored, and no Peers: users who were
	// removed or disabled since then are back, and the Region lets in no session from before. Open reads and checks the
	// whole file, which MaxRecover bounds, before it writes anything. It fails with Reason Config for a backup of
	// another Region or instance, or if the Region isn't empty; Corrupt for a file that was changed or cut; Key if the
	// key may not be used. If the start is interrupted, start again with Backup. Nil: none.
	Backup io.Reader
	// Listen is the address at which other Regions read, such as "127.0.0.1:0". An address that isn't loopback is
	// refused without TLS. Use a firewall that admits only the other Regions: a client without Secret is disconnected
	// after seconds, but the number of connections is limited to 8,192. Empty: no Region can follow this one.
	Listen string
	// TLS is for Listen. Nil: plain, on loopback only.
	TLS *tls.Config
	// Secret is the password with which Regions read from each other; the same in all of them, at least 16 bytes.
	// Required with Listen, and with Peers without their own credentials.
	Secret string
	// OldSecrets are accepted like Secret, and sent to a Region that refuses Secret, so that Secret can be changed
	// Region by Region: see OPERATING.md. Each has at least 16 bytes. Empty: none.
	OldSecrets []string

	// URL is the Region's own NATS server or cluster, with JetStream, instead of the embedded one. Nodes of one
	// Region share it. Its operator configures what it syncs to disk (sync_interval: always) and its users'
	// permissions, for which PeerPermissions is the pattern. An address that isn't loopback is refused without TLS:
	// the scheme tls or wss, or nats.Secure or its like in Options, or a dialer there, which must encrypt.
	URL string
	// Options are for the connection to URL: credentials, TLS. They are applied twice, and after the package's own
	// options. A PingInterval here replaces the package's, which is one second: a longer one delays the detection of a
	// server that doesn't answer.
	Options []nats.Option
	// Replicas is how many servers of the cluster at URL keep each stream. Zero: 1.
	Replicas int

	// Peers are the other Regions that can be followed. AddPeer adds more.
	Peers map[string]Peer

	// Sealer seals what is stored and sent: names, mail addresses, sessions, and who was signed out. All Regions need
	// Sealers of the same instance, with copies of one key. Required without InsecurePlaintext.
	Sealer Sealer
	// InsecurePlaintext stores and sends values unsealed. Read access to Dir, to a backup of it, to the servers at
	// URL or to an unencrypted connection is then enough to read every user's data. It can't be set with Sealer.
	InsecurePlaintext bool
	// InsecureOpenPlaintext accepts values that an earlier start, or a Region without Sealer, has stored or sent
	// unsealed: see OPERATING.md. The first start with it seals all that the Region has written. Until it is unset, a
	// client that can write to a stream can write what it likes. Zero: the Region stops at such a value, or fails to
	// start.
	InsecureOpenPlaintext bool

	// MaxSession is the longest lifetime of a session. Revocations are kept for that long. It must be the same in all
	// Regions, and no less than any portal's SessionLifetime: longer sessions are refused. Zero: 12 hours.
	MaxSession time.Duration
	// Skew is the allowed difference between the clocks of two Regions. Messages are kept for that much longer than
	// their lifetime. Zero: 5 minutes.
	Skew time.Duration
	// TouchEvery is how much Session.Seen changes before it is written to disk. A restart loses smaller changes. Zero:
	// a minute.
	TouchEvery time.Duration
	// CodeWait is how long TakeCode waits for a code that another Region has put. Zero: 3 seconds.
	CodeWait time.Duration
	// EraseAfter is how long user data that an update removes or replaces may stay in the primary's log. After that the
	// log is written again, padded with at most 4.25 MiB, so that the server rewrites its files, here and in each
	// reachable Region. The cost grows with the instance, once in EraseAfter at most. Zero: a minute.
	EraseAfter time.Duration
	// RemoveAfter is how long the primary keeps a Region with status REMOVING in the list, before it removes the Region
	// and so erases its data. Meanwhile the Region stops serving, and what ended there reaches the others. A start of the
	// primary begins again. Zero: 10 seconds.
	RemoveAfter time.Duration
	// Heartbeat is the interval of questions to each peer, or half of it while nothing changes. News don't wait for it.
	// Zero: a second.
	Heartbeat time.Duration
	// Support says what an application works with: see center.Config. The same in every Region. Nil: every application
	// works with everything.
	Support func(center.Application) center.AppSupport
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger receives a record for each fault and its end, and the embedded server's warnings at their level. Nil:
	// slog.Default().
	Logger *slog.Logger
	// Audit receives an event for each change of the configuration, of every Region, and the values that Observer gets,
	// for its alerts. Close it after the Node. Nil: none.
	Audit *audit.Log
	// Observer receives the state of the Node. Nil: none.
	Observer Observer
	// ObserveEvery is the interval of these reports. Zero: 10 seconds.
	ObserveEvery time.Duration

	// What this version understands and writes. Tests act as another version.
	formats merge.Formats
	writes  int
	kinds   []center.Kind
	entries []merge.EntryKind
	passes  func(step string) error // ends a start, in tests
	// seals and opens are called with each value that is sealed or opened, in tests.
	seals, opens func(subject string, v []byte) error
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
	c.RemoveAfter = cmp.Or(c.RemoveAfter, 10*time.Second)
	c.Heartbeat = cmp.Or(c.Heartbeat, time.Second)
	c.ObserveEvery = cmp.Or(c.ObserveEvery, 10*time.Second)
	if c.formats == (merge.Formats{}) {
		c.formats, c.writes = merge.ThisFormats(), merge.FormatWritten
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.Default()).With("region", c.Region)
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
	case c.Backup != nil && c.Sealer == nil:
		return bad("Backup", "none without Sealer: a backup is sealed", "one")
	case c.Backup != nil && len(c.Recover) == 0 && (!c.Restored || len(c.Peers) > 0):
		return bad("Backup", "Recover with it, or Restored without Peers if no other Region is left", "neither")
	case c.Listen != "" && len(c.Secret) < minSecret:
		return bad("Secret", "at least 16 bytes", "fewer")
	case slices.ContainsFunc(c.OldSecrets, func(s string) bool { return len(s) < minSecret }):
		return bad("OldSecrets", "at least 16 bytes each", "fewer")
	case len(c.OldSecrets) > 0 && c.Secret == "":
		return bad("Secret", "one, with OldSecrets", "")
	case c.Listen != "" && c.TLS == nil && !loopback(c.Listen):
		return bad("Listen", "a loopback address, or TLS", c.Listen)
	case c.Audit != nil && c.Audit.Region() != c.Region:
		return bad("Audit", "a Log of Region "+c.Region, c.Audit.Region())
	case c.Sealer == nil && !c.InsecurePlaintext:
		return bad("Sealer", "one, or InsecurePlaintext", "")
	case c.Sealer != nil && c.InsecurePlaintext:
		return bad("InsecurePlaintext", "false with Sealer", "true")
	case c.Sealer == nil && c.InsecureOpenPlaintext:
		return bad("InsecureOpenPlaintext", "false without Sealer", "true")
	case min(c.MaxSession, c.Skew, c.TouchEvery, c.CodeWait, c.EraseAfter, c.RemoveAfter, c.Heartbeat,
		c.ObserveEvery) <= 0:
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
