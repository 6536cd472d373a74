package redisstore

import (
	"cmp"
	"regexp"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Config describes a [Store]. [New] validates and copies it. All nodes of a Region use the same values.
type Config struct {
	// Client is the client for Redis, which the caller owns: a *redis.Client (including that of
	// redis.NewFailoverClient) or a *redis.ClusterClient. A *redis.Ring is refused, because it moves keys between
	// servers. Required.
	Client redis.UniversalClient
	// Prefix separates the Regions that share a Redis. Keys begin with "meridian:{<Prefix>}:". At most 64 letters,
	// digits, '-', '_' and '.'. Empty: "region".
	Prefix string
	// MaxRequests is the maximum number of pending requests in the whole Region. Any client can start one, and
	// each takes up to about 4 KiB. Zero: 100,000.
	MaxRequests int
	// Margin is added to the marker's time to compute Since. Set it if the clock of the identity provider or of a
	// node may be ahead of that of Redis by that much. Zero: none.
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
	// InsecureSkipPolicyCheck accepts any maxmemory-policy. Use it only if INFO doesn't report the policy, and set
	// noeviction on every server that can become the primary. With another policy, a client that starts many
	// sign-ins can cause the eviction of records of used assertions. Sign-in is then safe only if Redis counts
	// evicted keys correctly, and fails while Since moves.
	InsecureSkipPolicyCheck bool
}

var prefixes = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func (cfg *Config) setDefaults() error {
	cfg.Prefix = cmp.Or(cfg.Prefix, "region")
	_, ring := cfg.Client.(*redis.Ring)
	switch {
	case cfg.Client == nil:
		return badConfig("Client", "is required")
	case ring:
		return badConfig("Client", "want a *redis.Client or a *redis.ClusterClient, got a *redis.Ring")
	case !prefixes.MatchString(cfg.Prefix):
		return badConfig("Prefix", `want 1 to 64 letters, digits, '-', '_' and '.', got `+storeerr.Quote(cfg.Prefix))
	}
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
	return storeerr.Sealing{Sealer: cfg.Sealer, Store: "redis " + cfg.Prefix, Plain: cfg.InsecureOpenPlaintext}
}

// policy returns the maxmemory-policy that the scripts require, or the empty string for any.
func (cfg *Config) policy() string {
	if cfg.InsecureSkipPolicyCheck {
		return ""
	}
	return "noeviction"
}

func badConfig(field, detail string) error {
	return &Error{Reason: ReasonConfig, Rule: "Config." + field, Detail: detail}
}
