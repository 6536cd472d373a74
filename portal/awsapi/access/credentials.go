package access

import (
	"context"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/center"
)

type roleCredentials struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`
	Expiration      int64  `json:"expiration"` // milliseconds
}

type credentialsResult struct {
	RoleCredentials roleCredentials `json:"roleCredentials"`
}

// roleCredentials issues credentials for a permission set that the user has now.
func (a *API) roleCredentials(ctx context.Context, call *awsapi.Call, g awsapi.Grant) (any, error) {
	account, err := required(call, "account_id")
	if err != nil {
		return nil, err
	}
	role, err := required(call, "role_name")
	if err != nil {
		return nil, err
	}
	found, _ := a.account(g.UserID, account)
	i := slices.IndexFunc(found.PermissionSets, func(p center.PermissionSet) bool { return p.Name == role })
	if i < 0 {
		return nil, noAccess("permission set of the user in the account")
	}
	c, err := a.issue(ctx, g.UserID, g.UserName, g.Tags, account, found.PermissionSets[i], call.RequestID)
	if err != nil {
		return nil, err
	}
	if a.cfg.Audit.Log != nil {
		e := call.Event()
		e.Identity = audit.User(g.UserID, g.UserName, "")
		e.Request = map[string]string{"accountId": account, "roleName": role}
		e.Response = map[string]string{
			"accessKeyId": c.AccessKeyID, "expiration": c.Expires.UTC().Format(time.RFC3339),
		}
		if err := a.cfg.Audit.Log.Grant(ctx, e); err != nil {
			return nil, &awsapi.Error{Reason: awsapi.ReasonUnavailable, Rule: "event of credentials", Err: err}
		}
	}
	return credentialsResult{roleCredentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		Expiration: c.Expires.UnixMilli(),
	}}, nil
}

// issue issues credentials for a permission set that a user has now, and logs that.
func (a *API) issue(ctx context.Context, userID, userName string, tags map[string]string, account string,
	set center.PermissionSet, requestID string) (awsapi.RoleCredentials, error) {
	now := a.cfg.Now().Round(0)
	c, err := a.cfg.Issuer.IssueRole(ctx, awsapi.RoleSession{
		Account: account, PermissionSet: set.Name, RoleSuffix: a.cfg.RoleSuffix(account, set.Name), UserID: userID,
		UserName: userName, Region: a.cfg.Region, Tags: tags, Issued: now, Expires: now.Add(a.duration(set)),
	})
	if err != nil {
		return c, err
	}
	a.log.InfoContext(ctx, "role credentials issued", "user", userName, "account", account, "role", set.Name,
		"accessKey", c.AccessKeyID, "expires", c.Expires, "request", requestID)
	return c, nil
}

// duration is how long credentials of a permission set are valid. They may outlive the sign-in, as at AWS.
func (a *API) duration(p center.PermissionSet) time.Duration {
	d := p.SessionDuration
	if d <= 0 {
		d = time.Hour // as package center fills in
	}
	if a.cfg.MaxDuration > 0 {
		d = min(d, a.cfg.MaxDuration)
	}
	return d
}
