// Package meridian is SAML 2.0 sign-in that spans Regions: one service
// provider, one entity ID and an ordered list of assertion consumer service
// (ACS) URLs, a strict consumer behind each of them, an access portal in every
// Region, and an Okta-like mock identity provider to test it all against.
//
// There is no code here. The map:
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
// In files that aren't tests, a package imports these of the module and no others.
// Programs under examples import any. A test reads this table.
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
// All Regions are one service provider: the same entity ID, the same metadata,
// the same app at the identity provider. What differs is the ACS URL. The
// first URL on the list is the default, and that is where identity providers
// send the sign-ins that they start themselves. A sign-in that a Region starts
// names that Region's URL, and comes back there. An assertion is made for one
// URL and is worthless at every other, so a Region needs no other Region to
// verify it, and none of them has to be up.
//
// What Regions know together is written in one place and copied: an instance's
// configuration in the primary, which never changes; applications, sessions and
// revocations in the Region where they arise. Every Region serves from its own
// copy. A Region that is cut off goes on, says how old its copy is, and what
// both sides did meanwhile comes together in whatever order it arrives.
//
// # Trust
//
// A key is trusted because the identity provider's metadata, or the operator,
// says so; nothing in a message can add one. A value is believed because it
// was read from the bytes that a signature covers. A response is admitted
// because this browser asked for it here and it was not admitted before; or,
// where the operator allows sign-ins that the identity provider starts,
// because it was not admitted before. If any of that can't be known, no
// user is signed in.
package meridian
