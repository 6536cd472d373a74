// Package awsapi is the base of the APIs that AWS's own clients speak to a Region: the AWS CLI and the AWS SDKs. The
// packages below it are the services.
//
// A [Service] is an http.Handler for one service. It finds the operation, limits and reads the input, verifies the
// signature if the service has signed requests, and writes results and exceptions in the form that the CLI and the Go
// and JavaScript SDKs make typed errors from:
//
//	service, err := awsapi.New(awsapi.Config{
//		Name: "example", Region: "eu-central-1",
//		Operations: map[string]awsapi.Handler{"POST /greeting": awsapi.Typed(greet)},
//	})
//
// An operation's errors are [Exception] values. Every other error becomes an internal error whose details are only in
// the log.
//
// # Requests
//
// A body is at most 1 MiB, and JSON nests at most 16 levels deep. A duplicate member is refused at every level. Members
// that an operation doesn't know are ignored. Names are compared exactly.
//
// A signature (Signature Version 4) is accepted only if it is at most five minutes from the clock, for this Region and
// this service, with a body whose hash was computed here, and if it covers the headers Host, X-Amz-Date,
// X-Amz-Security-Token and X-Amz-Target. Signatures in a URL are refused. A client can't tell an unknown key from a
// wrong signature.
//
// # What clients keep
//
// [Tokens] seals a value for one purpose and one audience, so that nothing has to be stored for a client. A [Sealer]
// has the keys; [NewSealer] makes one from 32 random bytes that all nodes have. [Page] cuts lists and seals where the
// next page begins, bound to the request.
//
// [SealedRoles] issues role credentials and verifies them in any Region, without a store and without a call. They can't
// be revoked: what ends is the permission to get new ones. Choose the permission set's session duration with that in
// mind; AWS has the same property.
//
// # Credentials of your own issuer
//
// A [RoleIssuer] takes the place of SealedRoles where the accounts are another cloud's. With AWS, the issuer signs a
// SAML assertion for the role and exchanges it at AWS's STS, once for each call:
//
//	func (i issuer) IssueRole(ctx context.Context, role awsapi.RoleSession) (awsapi.RoleCredentials, error) {
//		out, err := i.sts.AssumeRoleWithSAML(ctx, &sts.AssumeRoleWithSAMLInput{
//			PrincipalArn:    aws.String("arn:aws:iam::" + role.Account + ":saml-provider/meridian"),
//			RoleArn:         aws.String("arn:aws:iam::" + role.Account + ":role/" + role.RoleName()),
//			SAMLAssertion:   aws.String(i.assertion(role)),
//			DurationSeconds: aws.Int32(int32(time.Until(role.Expires).Seconds())),
//		})
//		if err != nil {
//			return awsapi.RoleCredentials{}, err
//		}
//		c := out.Credentials
//		return awsapi.RoleCredentials{
//			AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken,
//			Expires: *c.Expiration,
//		}, nil
//	}
//
// RoleSession.Tags go into that assertion as attributes named https://aws.amazon.com/SAML/Attributes/PrincipalTag:KEY.
package awsapi
