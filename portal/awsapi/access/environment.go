package access

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/center"
)

// Environment issues the same credentials as an API, as the environment variables that AWS's clients read. It is a
// portal.CredentialIssuer: the portal shows them to users. Its fields are as those of [Config].
type Environment struct {
	Region      string            // required
	Issuer      awsapi.RoleIssuer // required
	MaxDuration time.Duration
	Now         func() time.Time
	Logger      *slog.Logger
}

// Environment issues credentials for a role that a user has now, which the caller has checked. tags are the attributes
// for access control of the user's sign-in.
func (e Environment) Environment(ctx context.Context, user center.User, role center.Role, tags map[string]string) (
	vars map[string]string, expires time.Time, err error) {
	a := API{
		cfg: Config{
			Region: e.Region, Issuer: e.Issuer, MaxDuration: e.MaxDuration, Now: e.Now,
			RoleSuffix: func(string, string) string { return role.Suffix },
		},
		log: cmp.Or(e.Logger, slog.Default()).With("region", e.Region),
	}
	if a.cfg.Now == nil {
		a.cfg.Now = time.Now
	}
	c, err := a.issue(ctx, user.ID, user.UserName, tags, role.Account.ID, role.PermissionSet, "")
	if err != nil {
		return nil, time.Time{}, err
	}
	return map[string]string{
		"AWS_ACCESS_KEY_ID": c.AccessKeyID, "AWS_SECRET_ACCESS_KEY": c.SecretAccessKey,
		"AWS_SESSION_TOKEN": c.SessionToken, "AWS_REGION": e.Region,
	}, c.Expires, nil
}
