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

// policy is what the scripts insist on. Empty: nothing.
func (cfg *Config) policy() string {
	if cfg.InsecureSkipPolicyCheck {
		return ""
	}
	return noEviction
}

func wrongPolicy(got string) error {
	return &Error{Reason: ReasonPolicy, Rule: policy, Want: noEviction, Got: got}
}

// checkPolicyAtStart refuses a Redis that would drop a live record to make room.
func checkPolicyAtStart(ctx context.Context, client redis.UniversalClient) error {
	if cluster, ok := client.(everyMaster); ok {
		return asError("CONFIG GET", cluster.ForEachMaster(ctx, func(ctx context.Context, one *redis.Client) error {
			return checkPolicyOf(ctx, one)
		}))
	}
	return checkPolicyOf(ctx, client)
}

func checkPolicyOf(ctx context.Context, client redis.Cmdable) error {
	settings, err := client.ConfigGet(ctx, policy).Result()
	var said redis.Error
	switch {
	case errors.As(err, &said): // it answered, with no
		return &Error{Reason: ReasonPolicy, Rule: policy, Detail: "Redis does not say; see Config.InsecureSkipPolicyCheck", Err: err}
	case err != nil:
		return asError("CONFIG GET", err)
	case settings[policy] != noEviction:
		return wrongPolicy(settings[policy])
	}
	return nil
}

// asError leaves errors of this package as they are.
func asError(call string, err error) error {
	var ours *Error
	if err == nil || errors.As(err, &ours) {
		return err
	}
	return unavailable(call, err)
}
