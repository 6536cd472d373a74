package redisstore

import (
	"cmp"
	"regexp"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Config describes a [Store]. [New] checks and copies it. All nodes of a Region use the same.
type Config struct {
	// Client is the connection to Redis, which the caller owns: a *redis.Client (also one of redis.NewFailoverClient) or
	// a *redis.ClusterClient. A *redis.Ring is refused, because it moves keys to other servers. Required.
	Client redis.UniversalClient
	// Prefix separates the Regions that share a Redis; keys begin with "meridian:{<Prefix>}:". Letters,
	// digits, '-', '_' and '.', at most 64. Empty: "region".
	Prefix string
	// MaxRequests is how many requests may wait for an answer at once, in the whole Region. Any client can
	// start one, and each takes up to about 4 KiB. Zero: 100,000.
	MaxRequests int
	// Margin is added to the marker's instant to give Since, for an identity provider or a node whose clock
	// may be ahead of Redis's by that much. Zero: none.
	Margin time.Duration
	// Timeout bounds every call, New included. Zero: 5 s.
	Timeout time.Duration
	// InsecureSkipPolicyCheck accepts any maxmemory-policy, for a Redis whose INFO doesn't tell it. Make sure
	// yourself that it is noeviction on every server that can become the primary. With any other, a client
	// that makes many requests can have the records of used assertions evicted. Then Since moves and sign-in
	// fails meanwhile, as long as Redis counts evicted keys correctly.
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
	if field := storeerr.SetDefaults(&cfg.MaxRequests, &cfg.Margin, &cfg.Timeout); field != "" {
		return badConfig(field, "is negative")
	}
	return nil
}

// policy returns the maxmemory-policy that the scripts require. Empty: any.
func (cfg *Config) policy() string {
	if cfg.InsecureSkipPolicyCheck {
		return ""
	}
	return "noeviction"
}

func badConfig(field, detail string) error {
	return &Error{Reason: ReasonConfig, Rule: "Config." + field, Detail: detail}
}
