// Package meridian is SAML 2.0 sign-in for a service in several Regions. It has
// one service provider with one entity ID and an ordered list of assertion
// consumer service (ACS) URLs, a strict consumer for each URL, an access portal
// in every Region, and an Okta-like mock identity provider for tests.
//
// This package has no code. The packages below it are:
//
//   - saml: the protocol core. It makes AuthnRequests and metadata, and verifies
//     responses. It keeps nothing and knows no HTTP.
//   - acs: the stateful edge of a Region. It takes the POST, binds requests to
//     browsers, and admits every assertion once. acs/natsstore and
//     acs/redisstore are for a Region of several nodes, acs/storetest for a
//     store of your own. acs/sessions: what a session is and what ends it;
//     acs/sessions/sessionstest for a store of your own. acs/federation: identity
//     providers by metadata, fetched, verified and kept fresh.
//   - portal and portal/center: the access portal of one Region, and the
//     instance that it serves: users, groups, permission sets, assignments.
//     portal/codestest: for codes of your own.
//   - portal/replica: the instance, its sessions and what ends them, in several
//     Regions, on NATS JetStream. portal/failover: an address that leads to the
//     nearest healthy Region. portal/scim: users and groups as the identity
//     provider pushes them. portal/awsnames: the addresses of AWS's Regions.
//   - mockidp: an identity provider for tests and demonstrations, in process or
//     as a program. Never for production. mockidp/attack: what a hostile one
//     sends. mockidp/hostile: the mock sends it. mockidp/attack/run: a tool
//     sends it, to any service provider.
//     mockidp/oktaapi: an API like Okta's and a page, to run the mock from
//     outside. mockidp/scimpush: the mock pushes its users and groups by SCIM.
//     mockidp/testkit: a browser, a clock and keys, for tests of a sign-in.
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
//	acs/storetest                     acs
//	acs/natsstore                     acs, acs/internal/storeerr
//	acs/redisstore                    acs, acs/internal/storeerr
//	acs/internal/storeerr             –
//	acs/internal/testserver           acs, mockidp/testkit
//	portal                            saml, acs, acs/sessions, portal/center,
//	                                  portal/internal/refusal
//	portal/awsnames                   –
//	portal/center                     –
//	portal/codestest                  portal
//	portal/internal/refusal           –
//	portal/replica                    portal, acs/sessions, portal/center,
//	                                  portal/internal/refusal,
//	                                  portal/replica/internal/merge,
//	                                  portal/replica/internal/integrity
//	portal/replica/internal/integrity –
//	portal/replica/internal/merge     acs/sessions, portal/center,
//	                                  portal/internal/refusal
//	portal/scim                       portal/center, portal/internal/refusal
//	portal/failover                   acs, portal/internal/refusal
//	mockidp                           –
//	mockidp/attack                    –
//	mockidp/attack/run                mockidp/attack
//	mockidp/hostile                   mockidp, mockidp/attack
//	mockidp/oktaapi                   mockidp
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
