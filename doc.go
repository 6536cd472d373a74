// Package meridian is SAML 2.0 sign-in for a service in several Regions. It has
// one service provider with one entity ID and an ordered list of assertion
// consumer service (ACS) URLs, a strict consumer for each URL, an access portal
// in every Region, and an Okta-like mock identity provider for tests.
//
// This package has no code. The packages below it are:
//
//   - saml: the protocol core. It makes AuthnRequests and metadata, and verifies
//     responses. It keeps nothing and knows no HTTP.
//   - acs: the assertion consumer of a Region, with its state. It handles the POST,
//     binds requests to browsers, and accepts every assertion once.
//   - acs/natsstore, acs/redisstore: stores for a Region of several nodes, of
//     records and of sessions. acs/storetest tests a store of your own.
//   - acs/scsstore: sessions in a store of alexedwards/scs.
//   - acs/sessions: sessions and how they end. acs/sessions/sessionstest tests a
//     store of your own.
//   - acs/middleware: protects the handlers of a program, with sessions.
//     acs/samlspcompat has it for programs written for samlsp of crewjam/saml.
//   - acs/federation: metadata of identity providers, fetched, verified and
//     refreshed.
//   - acs/theme: name, logo, colors and languages of the pages.
//   - acs/telemetry: OpenTelemetry metrics and traces.
//   - acs/discovery: the page on which users choose an identity provider.
//   - portal: the access portal of a Region. portal/codestest tests an
//     implementation of its Codes.
//   - portal/center: the instance that a portal serves: users, groups, permission
//     sets and assignments.
//   - portal/keys: multi-Region keys that seal identity data.
//   - portal/audit: the events of a Region, sealed, and their export.
//   - portal/replica: replication of instance, sessions and revocations between
//     Regions, on NATS JetStream.
//   - portal/residency: a report of where each kind of data is.
//   - portal/shortcuts: what users opened last and marked as favorites.
//   - portal/failover: a redirector to the nearest healthy Region.
//   - portal/scim: users and groups from the identity provider by SCIM.
//   - portal/awsnames: the addresses of AWS's Regions.
//   - portal/awsapi: the base of the APIs that AWS's CLI and SDKs speak.
//   - portal/awsapi/oidc: sign-in of AWS's CLI and SDKs.
//   - portal/awsapi/access: accounts, roles and role credentials for them.
//   - portal/awsapi/sts: GetCallerIdentity, for role credentials.
//   - mockidp: an identity provider for tests and demonstrations, in process or
//     as a program. Never for production.
//   - mockidp/attack: a catalogue of hostile responses. mockidp/hostile makes the
//     mock send them. mockidp/attack/run sends them to any service provider.
//   - mockidp/configfile: the configuration of the mock as a JSON file.
//   - mockidp/oktaapi: an API like Okta's and an Admin Console for the mock.
//   - mockidp/scimpush: pushes the mock's users and groups by SCIM.
//   - mockidp/testkit: a browser, a clock and keys for tests of a sign-in.
//   - examples: programs to run. Start with `go run ./examples/demo`.
//
// # Layout
//
// Files that aren't tests import only the packages of the module in this table.
// Programs under examples may import any package. A test reads the table.
//
//	saml                              saml/internal/xmltree, saml/internal/dsig,
//	                                  saml/internal/xmlenc
//	saml/internal/xmltree             –
//	saml/internal/dsig                saml/internal/xmltree
//	saml/internal/xmlenc              saml/internal/xmltree
//	acs                               saml, acs/internal/storeerr
//	acs/sessions                      –
//	acs/sessions/sessionstest         acs/sessions
//	acs/federation                    saml
//	acs/discovery                     saml, acs, acs/theme
//	acs/middleware                    saml, acs, acs/sessions,
//	                                  acs/internal/storeerr
//	acs/samlspcompat                  saml, acs, acs/middleware, acs/sessions,
//	                                  acs/internal/storeerr
//	acs/telemetry                     saml, acs
//	acs/storetest                     acs
//	acs/natsstore                     acs, acs/sessions, acs/internal/storeerr
//	acs/redisstore                    acs, acs/sessions, acs/internal/storeerr
//	acs/scsstore                      acs/sessions
//	acs/theme                         saml, acs
//	acs/internal/storeerr             –
//	acs/internal/testserver           acs, mockidp/testkit
//	portal                            saml, acs, acs/sessions, acs/theme,
//	                                  portal/audit, portal/awsnames,
//	                                  portal/center, portal/internal/refusal,
//	                                  portal/residency, portal/shortcuts
//	portal/awsnames                   –
//	portal/awsapi                     portal/audit, portal/keys,
//	                                  portal/awsapi/internal/sigv4,
//	                                  portal/internal/refusal
//	portal/awsapi/access              portal/audit, portal/awsapi, portal/center
//	portal/awsapi/oidc                acs, portal, portal/audit, portal/awsapi,
//	                                  portal/internal/refusal
//	portal/awsapi/sts                 portal/awsapi
//	portal/awsapi/internal/sigv4      –
//	portal/awsapi/internal/sigv4test  –
//	portal/center                     –
//	portal/codestest                  portal
//	portal/keys                       –
//	portal/audit                      –
//	portal/internal/refusal           –
//	portal/replica                    portal, acs/sessions, portal/audit,
//	                                  portal/center, portal/keys,
//	                                  portal/internal/refusal, portal/shortcuts,
//	                                  portal/residency,
//	                                  portal/replica/internal/merge,
//	                                  portal/replica/internal/integrity
//	portal/replica/internal/integrity –
//	portal/replica/internal/merge     acs/sessions, portal/center,
//	                                  portal/internal/refusal, portal/shortcuts
//	portal/scim                       portal/center, portal/internal/refusal
//	portal/residency                  –
//	portal/shortcuts                  –
//	portal/failover                   acs, acs/theme, portal/internal/refusal
//	mockidp                           –
//	mockidp/attack                    –
//	mockidp/attack/run                mockidp/attack
//	mockidp/configfile                mockidp
//	mockidp/hostile                   mockidp, mockidp/attack
//	mockidp/oktaapi                   mockidp, mockidp/configfile
//	mockidp/scimpush                  mockidp
//	mockidp/testkit                   –
//
// # Regions
//
// All Regions are one service provider: they have the same entity ID, the same
// metadata and the same app at the identity provider. Only the ACS URL differs.
// The first URL of the list is the default: identity providers send the
// sign-ins that they start to it. A request of a Region names that Region's
// URL, and the response is sent there. An assertion is valid at one URL only.
// So a Region verifies it without the other Regions, even if all of them are
// down.
//
// Shared data is written in one Region and copied to the others. The
// configuration of an instance is written in the primary Region, which never
// changes. Applications, sessions and revocations are written in the Region
// where they begin. Every Region serves from its own copy. A Region without a
// connection continues to serve, and shows how old its copy is. When the
// connection is back, the changes of both sides are merged; the order in which
// they arrive doesn't matter.
//
// # Trust
//
// Trusted keys come from the identity provider's metadata or from the operator.
// A message can't add one. Values are read only from bytes that a verified
// signature covers. A response is accepted once, in the browser and the Region
// that sent the request. If the operator allows sign-ins that the identity
// provider starts, such a response is accepted once, in any browser. If one of
// these checks can't be made, no user is signed in.
package meridian
