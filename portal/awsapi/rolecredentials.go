package awsapi

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"regexp"
	"time"
)

// RoleSession is what role credentials stand for: a user with a permission set in an account.
type RoleSession struct {
	Account       string `json:"a"` // 12 digits
	PermissionSet string `json:"p"`
	RoleSuffix    string `json:"s"` // the 16 hexadecimal digits that end the role's name
	UserID        string `json:"u"`
	UserName      string `json:"n"`
	Region        string `json:"r"` // that issued them
	// Tags are the attributes for access control of the sign-in, for AWS's session tags. Policies decide by them.
	Tags    map[string]string `json:"t,omitempty"`
	Issued  time.Time         `json:"-"`
	Expires time.Time         `json:"-"`
}

// RoleName returns the name of the role that a permission set is in an account.
func (r RoleSession) RoleName() string {
	return "AWSReservedSSO_" + r.PermissionSet + "_" + r.RoleSuffix
}

// sessionName is what a role session may be named.
var sessionName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{2,64}$`)

// SessionName returns the name of the role session: the user's name. An ARN can't have every name, and programs cut it
// at each slash. A user with another name has their ID instead, or else a hash of it.
func (r RoleSession) SessionName() string {
	for _, name := range []string{r.UserName, r.UserID} {
		if sessionName.MatchString(name) {
			return name
		}
	}
	sum := sha256.Sum256([]byte(r.UserID))
	return "user-" + base32Of(sum[:])[:26]
}

// ARN returns the ARN of the assumed role.
func (r RoleSession) ARN() string {
	return "arn:aws:sts::" + r.Account + ":assumed-role/" + r.RoleName() + "/" + r.SessionName()
}

// UniqueID returns the role's unique ID and the session's name, as STS does.
func (r RoleSession) UniqueID() string {
	sum := sha256.Sum256([]byte("role|" + r.Account + "|" + r.RoleName()))
	return "AROA" + base32Of(sum[:])[:17] + ":" + r.SessionName()
}

// RoleCredentials are temporary credentials. Everyone who has them can act as their RoleSession until Expires.
type RoleCredentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expires                                    time.Time
}

// RoleIssuer issues credentials for a role. The caller has checked that the user has the permission set in the account
// now. [SealedRoles] is the module's own. A program that gives access to another cloud implements it with the cloud's
// own service, such as AssumeRoleWithSAML.
type RoleIssuer interface {
	IssueRole(ctx context.Context, role RoleSession) (RoleCredentials, error)
}

// SealedRoles issues and verifies credentials that no Region stores: the session token holds the session and the key of
// the secret. Any Region with the same Sealer's keys verifies them, with all other Regions down. So they can't be
// revoked: they live until they expire, as AWS's do. It implements [RoleIssuer] and [Credentials].
type SealedRoles struct {
	// Sealer has the same keys in every Region of the instance. Required.
	Sealer Sealer
	// Instance names the instance: credentials of another one are refused. Required.
	Instance string
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

const roleKind = "role credentials"

type sealedRole struct {
	RoleSession
	Issued  int64  `json:"i"`
	Expires int64  `json:"e"`
	Key     string `json:"k"` // the access key's ID
	Secret  []byte `json:"h"` // the secret access key is an HMAC of the whole token under it
}

// IssueRole implements [RoleIssuer]. RoleSession.Expires says how long the credentials are valid.
func (s SealedRoles) IssueRole(ctx context.Context, role RoleSession) (RoleCredentials, error) {
	in := sealedRole{RoleSession: role, Issued: s.tokens().now().Unix(), Expires: role.Expires.Unix()}
	random := make([]byte, 10+sha256.Size)
	rand.Read(random)
	in.Key, in.Secret = "ASIA"+base32Of(random[:10]), random[10:] // 80 bits are 16 characters
	token, err := s.tokens().Seal(ctx, roleKind, role.Expires, in)
	if err != nil {
		return RoleCredentials{}, err
	}
	return RoleCredentials{
		AccessKeyID: in.Key, SecretAccessKey: secretOf(in.Secret, token), SessionToken: token,
		Expires: time.Unix(in.Expires, 0).UTC(),
	}, nil
}

// Credential implements [Credentials].
func (s SealedRoles) Credential(ctx context.Context, accessKeyID, sessionToken string) (string, Caller, error) {
	var in sealedRole
	err := s.tokens().Open(ctx, roleKind, sessionToken, &in)
	var e *Error
	expired := errors.As(err, &e) && e.Reason == ReasonExpired
	if err != nil && !expired {
		return "", Caller{}, err
	}
	if !hmac.Equal([]byte(in.Key), []byte(accessKeyID)) {
		return "", Caller{}, &Error{Reason: ReasonToken, Rule: roleKind, Want: "the session token of this key"}
	}
	role := in.RoleSession
	role.Issued, role.Expires = time.Unix(in.Issued, 0).UTC(), time.Unix(in.Expires, 0).UTC()
	caller := Caller{Account: role.Account, ARN: role.ARN(), UserID: role.UniqueID(), Role: role}
	return secretOf(in.Secret, sessionToken), caller, err
}

// tokens are those of all Regions of the instance.
func (s SealedRoles) tokens() Tokens {
	return Tokens{Sealer: s.Sealer, Audience: s.Instance, Now: s.Now}
}

// secretOf returns 40 characters, as AWS's secrets have.
func secretOf(key []byte, token string) string {
	return base64.StdEncoding.EncodeToString(mac(key, "meridian secret access key", []byte(token))[:30])
}

func base32Of(b []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}
