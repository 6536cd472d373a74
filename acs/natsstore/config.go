package natsstore

import (
	"cmp"
	"regexp"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Config describes a [Store]. [New] checks and copies it. All nodes of a Region use the same.
type Config struct {
	// JetStream is where the streams are. The caller owns its connection, which should be made with
	// [ConnectOptions]. Required.
	JetStream jetstream.JetStream
	// Prefix begins the names of the streams ("<Prefix>_requests" and "<Prefix>_records") and of their
	// subjects ("<Prefix>.>"). Regions that share an account need different ones. Letters, digits, '-' and
	// '_', at most 64. Empty: "meridian".
	Prefix string
	// Replicas is how many servers hold each record. With 3, one server may be down; one that hangs is
	// replaced as [ConnectOptions] says. Zero: 1.
	Replicas int
	// Storage is where the servers hold the records. With MemoryStorage nothing survives the restart of all
	// of them, and unsolicited sign-ins that began before it are refused. Zero: FileStorage.
	Storage jetstream.StorageType
	// MaxRequests is how many requests may wait for an answer at once, in the whole Region. Any client can
	// start one, and each takes up to about 4 KiB. The node that started last decides. Zero: 100,000.
	MaxRequests int
	// Margin is added to the time of the marker to give Since, for an identity provider or a node whose
	// clock may be ahead of the server's by that much. Zero: none.
	Margin time.Duration
	// Timeout bounds every call, New included. Zero: 5 s.
	Timeout time.Duration
}

// ConnectOptions returns the options that a connection needs for what this package promises. It reconnects
// without limit. It replaces a server that doesn't answer within six seconds by another of the list, even
// one that keeps the connection, as a suspended process does: by default a client notices that after four
// minutes or more, and until then every call fails. Append your own options.
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
	if field := storeerr.SetDefaults(&cfg.MaxRequests, &cfg.Margin, &cfg.Timeout); field != "" {
		return badConfig(field, "is negative")
	}
	return nil
}

func badConfig(field, detail string) error {
	return &Error{Reason: ReasonConfig, Rule: "Config." + field, Detail: detail}
}
