// Package access is the API by which the AWS CLI and the AWS SDKs list a user's accounts and roles, and get credentials
// for a role. At AWS it is named "sso", and its host is portal.sso.{region}.amazonaws.com.
//
//	handler, err := access.New(access.Config{
//		Region:     "eu-central-1",
//		Grants:     grants,    // package oidc
//		Directory:  frankfurt, // a *center.View
//		RoleSuffix: frankfurt.RoleSuffix,
//		Issuer:     roles, // an awsapi.SealedRoles, or your own cloud's issuer
//		Tokens:     tokens,
//	})
//
// It has the operations ListAccounts, ListAccountRoles, GetRoleCredentials and Logout. Every request has an access
// token that package oidc issued in the same Region. The token of another Region is answered with
// UnauthorizedException, as at AWS: users sign in in each Region.
//
// # What ends access
//
// Every call looks the sign-in and the assignment up in the Region's own copy. So after a sign-out, a revocation, or
// the removal of an assignment, the next call is refused in every Region that the change has reached. Credentials that
// were issued before stay valid until they expire, as at AWS: no service that verifies them asks the portal. They may
// also outlive the sign-in. The permission set's SessionDuration says for how long, and Config.MaxDuration cuts it.
//
// The AWS CLI keeps credentials in ~/.aws/cli/cache until shortly before they expire, so a user sees the end of their
// access only then.
//
// Logout ends the whole sign-in, in every Region and with its browser's sessions.
//
// # What a refused client learns
//
// An account or a role that doesn't exist, that isn't assigned to the user, or that the user no longer has, is answered
// with one and the same ForbiddenException, "No access".
package access
