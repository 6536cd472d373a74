package natsstore

import (
	"cmp"
	"regexp"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Config describes a [Store]. [New] validates and copies it. All nodes of a Region use the same values.
type Config struct {
	// JetStream is the JetStream with the streams. The caller owns its connection, and should open it with
	// [ConnectOptions]. Required.
	JetStream jetstream.JetStream
	// Prefix is the prefix of the names of the streams ("<Prefix>_requests" and "<Prefix>_records") and of their
	// subjects ("<Prefix>.>"). Regions that share an account need different prefixes. At most 64 letters, digits,
	// '-' and '_'. Empty: "meridian".
	Prefix string
	// Replicas is the number of servers that store each record. With 3, one server may be down. Zero: 1.
	Replicas int
	// Storage is where the servers store the records. With MemoryStorage, a restart of all servers loses them, and
	// unsolicited assertions issued before it are refused. Zero: FileStorage.
	Storage jetstream.StorageType
	// MaxRequests is the maximum number of pending requests in the whole Region. Any client can start one, and
	// each takes up to about 4 KiB. The node that started last sets the value for all. Zero: 100,000.
	MaxRequests int
	// Margin is added to the marker's time to compute Since. Set it if the clock of the identity provider or of a
	// node may be ahead of the server's by that much. Zero: none.
	Margin time.Duration
	// Timeout bounds every call, New included. Zero: 5 s.
	Timeout time.Duration
	// Sealer seals the values: pending requests and, in NewSessions, sessions. All nodes of a Region need Sealers of
	// one key. Required without InsecurePlaintext.
	Sealer acs.Sealer
	// InsecurePlaintext stores the values as they are. Who can read the database, or a backup of it, then reads them.
	InsecurePlaintext bool
	// InsecureOpenPlaintext accepts values that were stored without a Sealer, in the time of an upgrade. Until it is
	// unset, a client that can write to the database can add such values. Zero: a request that is pending then is
	// refused, and such a session is not found.
	InsecureOpenPlaintext bool
}

// ConnectOptions returns the options that this package needs for a connection. The client reconnects without
// limit. If a server doesn't answer for six seconds, the client connects to another server of the list, even if
// the connection stays open, as that of a suspended process does. With the default options a client notices that
// after four minutes or more, and until then every call fails. Append your own options.
func ConnectOptions() []nats.Option {
	return []nats.Option{
		nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.Timeout(2 * time.Second),
		nats.PingInterval(2 * time.Second), nats.MaxPingsOutstanding(2),
	}
}

var prefixes = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (cfg *Config) setDefaults() error {
	cfg.Prefix = cmp.Or(cfg.Prefix, "meridian")
	switch {
	case cfg.JetStream == nil:
		return badConfig("JetStream", "is required")
	case !prefixes.MatchString(cfg.Prefix):
		return badConfig("Prefix", `want 1 to 64 letters, digits, '-' and '_', got `+storeerr.Quote(cfg.Prefix))
	case cfg.Replicas < 0 || cfg.Replicas > 5:
		return badConfig("Replicas", "want 0 to 5, got "+strconv.Itoa(cfg.Replicas))
	case cfg.Storage != jetstream.FileStorage && cfg.Storage != jetstream.MemoryStorage:
		return badConfig("Storage", "want FileStorage or MemoryStorage")
	}
	cfg.Replicas = max(cfg.Replicas, 1)
	if field, detail := cfg.sealing().Check(cfg.InsecurePlaintext); field != "" {
		return badConfig(field, detail)
	}
	if field := storeerr.SetDefaults(&cfg.MaxRequests, &cfg.Margin, &cfg.Timeout); field != "" {
		return badConfig(field, "is negative")
	}
	return nil
}

// sealing seals the values of a Store.
func (cfg *Config) sealing() storeerr.Sealing {
	return storeerr.Sealing{Sealer: cfg.Sealer, Store: "nats " + cfg.Prefix, Plain: cfg.InsecureOpenPlaintext}
}

func badConfig(field, detail string) error {
	return &Error{Reason: ReasonConfig, Rule: "Config." + field, Detail: detail}
}
