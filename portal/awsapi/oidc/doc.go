// Package oidc is the OIDC service that AWS's clients sign in with: RegisterClient, StartDeviceAuthorization and
// CreateToken, and the address to which they send a browser. Users answer on the pages of package portal.
//
// A [Server] serves one Region. It takes the Region's portal, and its Pages take the portal's place on the portal's
// hosts:
//
//	p, err := portal.New(portal.Config{Region: "eu-central-1", …})
//	sealer, err := awsapi.NewSealer(key) // 32 random bytes, the same in all Regions
//	clients, err := oidc.New(oidc.Config{
//		Portal: p, Store: store, Sealer: sealer, Instance: "ssoins-7223aaaabbbbcccc",
//		StartURLs: []string{"https://ssoins-7223aaaabbbbcccc.portal.eu-central-1.app.aws"},
//	})
//	mux.Handle("eu-central-1.portal.example/", clients.Pages())
//	mux.Handle("/", awsapi.Mux("eu-central-1", awsapi.Services{OIDC: clients, …}))
//
// The Server is also the awsapi.Grants that package access needs. Clients open its /authorize, /client/register,
// /device_authorization and /token, on a host of its own or beside the other services; Pages are for the portal's
// hosts.
//
// # Two ways to sign in
//
// By authorization code (RFC 6749 4.1) with PKCE (RFC 7636) the program opens the user's browser at /authorize and
// waits on a port of the same computer. The challenge is required, and S256 only. The redirect URI is a registered one,
// equal but for the port: http, 127.0.0.1 or [::1], path /oauth/callback. A wrong client or redirect URI shows a page
// and redirects nowhere. The browser goes on to the portal, where the user signs in and answers.
//
// By device code (RFC 8628) the program shows a code of eight letters, which a signed-in user enters at the portal. The
// program may be on another computer, which the page says, with the address and the time of its request. An attacker
// can talk a user into entering the code of the attacker's program, so [Config].RefuseDevices can turn this way off.
//
// # What is kept
//
// For programs that aren't let in, the Region keeps only the record of each user code, for ten minutes at most; how
// many there can be is bounded by the program's network and in all. Registrations, device codes and requests are sealed
// and kept by the client. They stay valid after a restart and at every node, and in their own Region only. The store
// has hashes of codes and of used refresh tokens, and the sessions' store the hash of each authorization's secret.
//
// An authorization code is valid once, for two minutes, for the client, redirect URI and challenge that asked for it. A
// wrong one of these doesn't use it up. A second use ends what the first one got; the same holds for a device code. A
// user code can be entered once, in any case, with or without its hyphen. A user may enter 5 wrong ones in 15
// minutes, and all users of a node 50 in a minute.
//
// # Tokens
//
// An access token is valid for [Config].TokenLifetime, in its own Region. What it stands for is looked up at each use,
// so it ends at once with its authorization: see package portal. The same holds for refresh tokens. Each use of a
// refresh token returns a new one. The used one is answered for another minute, because several command lines of one
// user renew the same token at the same time. A later use ends the authorization, because one of its users must have
// stolen it. Signing out with an access token works in every Region, and ends the whole sign-in.
//
// Role credentials that a program got before live on until they expire: see package access.
//
// # Errors
//
// The exceptions are those of AWS's model, with the members error and error_description of RFC 6749. They don't tell
// whether a user, an account or a role exists. The log has the [Reason], without codes, tokens and secrets; REASONS.md
// of package portal lists them.
package oidc
