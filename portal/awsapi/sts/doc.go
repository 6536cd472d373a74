// Package sts has the operation GetCallerIdentity of AWS's Security Token Service, with which clients show as whom
// their credentials act. Its host is sts.{region}.amazonaws.com.
//
//	handler, err := sts.New(sts.Config{Region: "eu-central-1", Credentials: roles}) // an awsapi.SealedRoles
//
// A request is signed with role credentials. Any Region's handler verifies them: it reads no store, and asks neither
// the portal nor the Region that issued them.
package sts
