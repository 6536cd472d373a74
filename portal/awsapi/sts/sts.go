package sts

import (
	"context"
	"log/slog"
	"time"

	"github.com/meridian-saml/meridian/portal/awsapi"
)

// Config describes the service of one Region. New copies it.
type Config struct {
	Region      string             // required
	Credentials awsapi.Credentials // verify the callers; required
	// Audit receives an event for each refused request.
	Audit awsapi.AuditConfig
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger receives a record for every refused request. Nil: slog.Default().
	Logger *slog.Logger
}

// callerIdentity is the result of GetCallerIdentity.
type callerIdentity struct{ Arn, UserId, Account string }

// New returns the service that cfg describes, or an *awsapi.Error with ReasonConfig.
func New(cfg Config) (*awsapi.Service, error) {
	if cfg.Credentials == nil {
		return nil, &awsapi.Error{
			Reason: awsapi.ReasonConfig, Rule: "Config.Credentials", Want: "credentials", Got: "nil",
		}
	}
	return awsapi.New(awsapi.Config{
		Name: "sts", Protocol: awsapi.Query, Region: cfg.Region, Version: "2011-06-15",
		Namespace: "https://sts.amazonaws.com/doc/2011-06-15/", Credentials: cfg.Credentials, MaxBody: 64 << 10,
		Now: cfg.Now, Logger: cfg.Logger, Audit: cfg.Audit,
		Operations: map[string]awsapi.Handler{
			"GetCallerIdentity": func(_ context.Context, call *awsapi.Call) (any, error) {
				return callerIdentity{Arn: call.Caller.ARN, UserId: call.Caller.UserID, Account: call.Caller.Account}, nil
			},
		},
	})
}
