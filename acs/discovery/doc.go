// Package discovery is the page on which a user chooses an identity provider. It is a
// discovery service (SAML V2.0 Identity Provider Discovery Service Protocol and
// Profile) for the service providers that it is configured with, such as the one of
// package acs in the same program.
//
//	page, err := discovery.New(discovery.Config{
//		Providers: f, // a *federation.Federation
//		Returns:   map[string][]string{sp.EntityID(): {"https://app.example/login/idp"}},
//	})
//	mux.Handle("/choose", page)
//	mux.Handle("/choose/feed.json", page.Feed())
//	region, err := acs.NewRegion(acs.Config{SP: sp, DiscoveryURL: "/choose", DiscoveredPath: "/login/idp", …})
//
// The page needs no script. It has a search and pages of results, and finds one of
// 10,000 identity providers in milliseconds: the list is indexed when it changes. The
// browser remembers the last choice in a cookie.
//
// The page is in Config.Theme and in the browser's language. The names and logos are
// those of the metadata (MDUI), so the identity providers write them. Names are bounded
// and escaped. Logos are loaded by the browser, from https addresses of the identity
// providers or from data in the metadata, unless Config.NoLogos is set.
//
// The page sends the user only to the addresses in Config.Returns. A choice is made by a
// link of the page itself: other sites can link to the page, but can't choose.
package discovery
