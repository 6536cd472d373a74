package access

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/center"
)

// Directory looks up what users may do. It answers from the Region's own copy. *center.View and *center.Snapshot
// implement it. If it also has the method Check of *center.View, operations must be allowed by the table of tasks.
type Directory interface {
	// Accounts returns the accounts and permission sets of an active user, sorted by name, without duplicates.
	Accounts(userID string) []center.AccountAccess
}

// Config describes the API of one Region. New copies it.
type Config struct {
	Region    string        // required
	Grants    awsapi.Grants // knows the access tokens; required
	Directory Directory     // required
	// RoleSuffix returns the end of the name of the role that a permission set is in an account: 16 hexadecimal digits,
	// the same in every Region. Required.
	RoleSuffix func(accountID, permissionSet string) string
	// Issuer issues the credentials. Required.
	Issuer awsapi.RoleIssuer
	// Tokens seal the tokens of pages. All nodes of the Region have the same keys and Audience. Required.
	Tokens awsapi.Tokens
	// MaxDuration is how long credentials are valid at most. Zero: as long as the permission set says.
	MaxDuration time.Duration
	// Audit receives an event for each refused request and for all credentials, which are issued when it is on disk.
	Audit awsapi.AuditConfig
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger receives a record for every refused request and all credentials, without secrets. Nil: slog.Default().
	Logger *slog.Logger
}

// API serves the operations. It is safe for concurrent use.
type API struct {
	*awsapi.Service
	cfg   Config
	pages awsapi.Pages
	log   *slog.Logger
}

// New returns the API that cfg describes. The error is an *awsapi.Error with ReasonConfig.
func New(cfg Config) (*API, error) {
	for field, missing := range map[string]bool{
		"Config.Grants": cfg.Grants == nil, "Config.Directory": cfg.Directory == nil,
		"Config.RoleSuffix": cfg.RoleSuffix == nil, "Config.Issuer": cfg.Issuer == nil,
		"Config.Tokens": cfg.Tokens.Sealer == nil || cfg.Tokens.Audience == "",
	} {
		if missing {
			return nil, &awsapi.Error{Reason: awsapi.ReasonConfig, Rule: field, Want: "a value", Got: "none"}
		}
	}
	if cfg.MaxDuration < 0 {
		return nil, &awsapi.Error{
			Reason: awsapi.ReasonConfig, Rule: "Config.MaxDuration", Want: "zero or more", Got: cfg.MaxDuration.String(),
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	a := &API{cfg: cfg, log: cfg.Logger.With("region", cfg.Region), pages: awsapi.Pages{Tokens: cfg.Tokens, Max: 100}}
	var err error
	a.Service, err = awsapi.New(awsapi.Config{
		Name: "sso", Region: cfg.Region, MaxBody: 4 << 10, Now: cfg.Now, Logger: cfg.Logger, Audit: cfg.Audit,
		Operations: map[string]awsapi.Handler{
			"GET /assignment/accounts":    a.user(a.listAccounts),
			"GET /assignment/roles":       a.user(a.listAccountRoles),
			"GET /federation/credentials": a.user(a.roleCredentials),
			"POST /logout":                a.logout,
		},
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// userHandler serves an operation for the user of an access token.
type userHandler func(ctx context.Context, call *awsapi.Call, g awsapi.Grant) (any, error)

// user finds the grant of the request's access token.
func (a *API) user(h userHandler) awsapi.Handler {
	return func(ctx context.Context, call *awsapi.Call) (any, error) {
		token, err := bearer(call)
		if err != nil {
			return nil, err
		}
		g, err := a.cfg.Grants.Grant(ctx, token)
		if err != nil {
			return nil, unauthorized(err)
		}
		if err := a.allowed(center.Attempt{Task: center.TaskAccountAccess}); err != nil {
			return nil, err
		}
		for _, scope := range g.Scopes {
			if scope == awsapi.ScopeAccounts {
				return h(ctx, call, g)
			}
		}
		return nil, noAccess("scope of the access token")
	}
}

// maxToken is the longest access token that is looked up.
const maxToken = 8 << 10

func bearer(call *awsapi.Call) (string, error) {
	values := call.HTTP.Header.Values("X-Amz-Sso_bearer_token")
	if len(values) != 1 || values[0] == "" || len(values[0]) > maxToken {
		return "", unauthorized(&awsapi.Error{
			Reason: awsapi.ReasonNoGrant, Rule: "X-Amz-Sso_bearer_token", Want: "one access token",
			Got: strconv.Itoa(len(values)) + " values",
		})
	}
	return values[0], nil
}

// unauthorized is what the CLI answers with "aws sso login" for.
func unauthorized(err error) error {
	var e *awsapi.Error
	if !errors.As(err, &e) || e.Reason != awsapi.ReasonNoGrant {
		return err
	}
	return &awsapi.Exception{
		Name: "UnauthorizedException", Status: http.StatusUnauthorized, Message: "Session token not found or invalid",
		Err: err,
	}
}

// noAccess is the one answer about accounts and roles that a user doesn't have.
func noAccess(why string) error {
	return &awsapi.Exception{
		Name: "ForbiddenException", Status: http.StatusForbidden, Message: "No access",
		Err: errors.New(why),
	}
}

// logout ends the sign-in of an access token, of whichever Region it is: the CLI sends the tokens of all of its
// sessions to one Region.
func (a *API) logout(ctx context.Context, call *awsapi.Call) (any, error) {
	token, err := bearer(call)
	if err == nil {
		err = unauthorized(a.cfg.Grants.EndGrant(ctx, token))
	}
	return nil, err
}

// allowed checks an operation against the table of tasks, if the Directory has it.
func (a *API) allowed(task center.Attempt) error {
	table, ok := a.cfg.Directory.(interface{ Check(center.Attempt) error })
	if !ok {
		return nil
	}
	if err := table.Check(task); err != nil {
		return noAccess(err.Error())
	}
	return nil
}
