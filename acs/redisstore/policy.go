package redisstore

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// everyMaster is what a *redis.ClusterClient has.
type everyMaster interface {
	ForEachMaster(context.Context, func(context.Context, *redis.Client) error) error
}

const (
	policy     = "maxmemory-policy"
	noEviction = "noeviction"
)

// policy returns the policy that the scripts require. Empty: any.
func (cfg *Config) policy() string {
	if cfg.InsecureSkipPolicyCheck {
		return ""
	}
	return noEviction
}

func wrongPolicy(got string) error {
	return &Error{Reason: ReasonPolicy, Rule: policy, Want: noEviction, Got: got}
}

// checkPolicy refuses a Redis that would drop a live record to make room.
func checkPolicy(ctx context.Context, client redis.UniversalClient) error {
	cluster, ok := client.(everyMaster)
	if !ok {
		return checkPolicyOf(ctx, client)
	}
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, one *redis.Client) error { return checkPolicyOf(ctx, one) })
	if err == nil || errors.As(err, new(*Error)) {
		return err
	}
	return unavailable("CONFIG GET", err)
}

func checkPolicyOf(ctx context.Context, client redis.Cmdable) error {
	settings, err := client.ConfigGet(ctx, policy).Result()
	var refused redis.Error
	switch {
	case errors.As(err, &refused):
		return &Error{Reason: ReasonPolicy, Rule: policy, Detail: "Redis refuses CONFIG GET; see Config.InsecureSkipPolicyCheck", Err: err}
	case err != nil:
		return unavailable("CONFIG GET", err)
	case settings[policy] != noEviction:
		return wrongPolicy(settings[policy])
	}
	return nil
}
