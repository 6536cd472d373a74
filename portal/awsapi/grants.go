package awsapi

import (
	"context"
	"time"
)

// Grant is what an access token stands for: a user who allowed a client to act for them in one Region.
type Grant struct {
	UserID   string
	UserName string
	Scopes   []string          // such as "sso:account:access"
	Tags     map[string]string // the attributes for access control of the sign-in
	Expires  time.Time         // of the token
}

// ScopeAccounts lets a client list a user's accounts and get role credentials.
const ScopeAccounts = "sso:account:access"

// Grants knows the access tokens of a Region. Package oidc implements it.
type Grants interface {
	// Grant returns what an access token stands for, if its sign-in is still alive, the user is active and the Region is
	// in use. The error is an *Error. ReasonNoGrant: it isn't, or the token is another Region's. ReasonUnavailable: a
	// store can't answer, or the Region hasn't heard the others for too long.
	Grant(ctx context.Context, accessToken string) (Grant, error)
	// EndGrant ends the sign-in that an access token of any Region belongs to, in every Region. ReasonNoGrant: the token
	// was never issued. For a token that has ended already there is no error.
	EndGrant(ctx context.Context, accessToken string) error
}
