// Package samlspcompat lets a program that was written for package samlsp of crewjam/saml (0.6) run on Meridian. The
// call of the constructor changes, and the handlers stay as they are:
//
//	samlSP, err := samlspcompat.New(samlsp.Options{ // was: samlsp.New
//		URL:         *rootURL,
//		Key:         key,
//		Certificate: certificate,
//		IDPMetadata: idpMetadata,
//	})
//	http.Handle("/hello", samlSP.RequireAccount(hello))
//	http.Handle("/saml/", samlSP)
//
// [samlsp.SessionFromContext], [samlsp.AttributeFromContext] and [samlsp.RequireAttribute] work in the handlers.
// Messages are verified by package saml, requests and replays are recorded by package acs, and sessions are those of
// package middleware: on the server, so that single logout ends them everywhere. What samlsp accepts by default and
// SAML forbids is refused.
//
// # Keys of attributes
//
// The session has attributes by their Name. samlsp also finds them by the FriendlyName in the message, which SAML Core
// 2.7.3.1 forbids: an identity provider could give any attribute any FriendlyName. Here a program lists the keys that
// its handlers use, with their Names, in [Config].FriendlyNames. If an assertion has an attribute with a FriendlyName
// that is not listed, the log says so once for each Name.
//
// # What can't be kept
//
// [New] returns an error for an option that it can't honour. MIGRATING.md lists what else is different, and how
// a program moves on to package middleware, with several Regions and nodes.
package samlspcompat
