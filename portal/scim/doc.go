// Package scim is a SCIM 2.0 service provider (RFC 7643, RFC 7644) over the instance of package center.
// Identity providers such as Okta and Entra ID push users and groups to it.
//
//	endpoint, err := scim.New(scim.Config{
//		View:    virginia, // *center.View of the primary Region
//		BaseURL: "https://scim.us-east-1.example/scim/v2",
//		Tokens:  []string{token},
//	})
//	mux.Handle("/scim/v2/", endpoint)
//
// It serves the primary Region only. In an additional Region every request, reads included, is answered with 403 and
// the name of the primary. A request without a valid bearer token is answered with 401 before any other check. The
// http.Server must use TLS, because a bearer token is only as safe as the connection.
//
// # Identity providers
//
// If the instance lists its identity providers, a token belongs to one of them (Config.TokensOf). For its client only
// the users and groups of that one exist: others' IDs are answered with 404, and their names and externalIds may be
// used again. What the client creates belongs to that identity provider. A token that belongs to none works while one
// is listed. Otherwise, and for one that isn't listed, every request is answered with 403 ([ReasonProvider]).
//
// # Supported
//
//   - /Users and /Groups: GET with filter and pages, POST; and by ID: GET, PUT, PATCH, DELETE.
//     /ServiceProviderConfig, /ResourceTypes, /Schemas: GET.
//   - Filters: all of RFC 7644 3.4.2.2, in lists and in the paths of PATCH, with up to 8 terms and brackets nested up
//     to 8 deep; and Entra ID's emails[type eq "work"].value eq "…". Strings need double quotes: `externalId eq 00u1`
//     is refused with invalidFilter. An empty filter is ignored.
//   - PATCH: add, replace and remove, in any case, with a path or without one; members[value eq "…"], emails[type eq
//     "work"].value and the like; and forms that clients send outside the specification: an object with paths as names,
//     attributes below their schema's URN, "False" for false, and the members to remove as the value.
//   - attributes and excludedAttributes.
//
// Bulk, /.search, /Me, sorting, ETags, password changes and nested groups are not supported. A request with If-Match is
// refused, unless its value is "*".
//
// # What is kept
//
// For a user: userName, externalId, displayName, name.givenName, name.familyName, active, and one address of emails,
// the primary one, shown as type "work". For a group: displayName, externalId and members, which are users. All other
// attributes of RFC 7643 and of extensions are accepted and dropped. meta has created and lastModified as far as the
// instance knows them: see center.Dates.
//
// Names, addresses, userName and externalId have at most 256 bytes, no control characters, and no space at either end.
// Values that are only displayed are trimmed. A new userName with invisible or bidirectional characters is refused with
// invalidValue.
//
// An ID is a random UUID, never changes and is never used again. Users and groups that were configured manually keep
// their IDs, and so do those from versions whose IDs were 26 letters and digits: the client remembers them. For AWS's
// clients such a user has a derived UUID (center.Snapshot.UserUUID), which is not the id here. The client can change
// and delete all of them.
//
// # Spelling
//
// A success response means that the whole request was carried out. An unknown attribute is refused as the path of a
// PATCH operation, and dropped as one of several in an object. But a name that may be a misspelling of a kept attribute
// is refused everywhere, with invalidPath in PATCH and invalidSyntax in POST and PUT: a name that RFC 7643 2.1 doesn't
// allow (" active"), a part that doesn't exist (active.value), another spelling (user_name, isActive, member), an
// object around the attribute ({"user":{"active":false}}), another core schema. An object may name an attribute that
// affects access only once.
//
// # Case
//
// SAML compares a userName byte for byte. In SCIM it is not case-exact (RFC 7643 4.1.1): a filter finds it in any case,
// and a second user whose userName differs only in case is refused with uniqueness. The same applies to group names.
// Unicode is not normalised.
//
// # Access
//
// A user who is deleted or has active false has no access from the moment of the response: the portal reads the
// instance at every request. Use [Config.OnChange] if other systems keep sessions. It also reports changes that were
// answered with 503 and may have been made. POST without active creates an active user. PUT without it leaves active
// unchanged, and null is the same as no value (RFC 7643 2.5). PATCH can't remove active, and null is refused there.
//
// A request is carried out as a whole or not at all, and an incomplete request changes nothing. A request whose
// response was lost can be repeated. The response to a repeated POST is 409 uniqueness, after which clients search for
// the user; to a repeated DELETE it is 404; to the others it is the same as before. After a 503 the client should
// repeat the request.
//
// # Cost
//
// A change costs what it changes, and concurrent changes share updates, because each update is written to disk and sent
// to the other Regions. A change of a group costs what its list of members does.
//
// Searches by eq of id, userName, externalId, emails.value, a group's displayName and members.value use indexes, also
// below and, and below or if all its terms have one. Other filters compare all users or groups, and keep the page that
// is returned; so does the first list after a change, to count. Lists are in the order of IDs.
//
// Bodies (4 MiB), queries (8 KiB), filters (2 KiB), operations of a PATCH (1,000), their attributes (10,000),
// attributes of an object (1,000, of a name 100), schemas and emails of a user (100) and resources of a page (100) are
// bounded; members of a group are not. Set deadlines for slow clients in the http.Server (ReadTimeout).
package scim
