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
// It serves in the primary Region only: in an additional Region every request, reads included, gets 403 and the
// name of the primary. A request without a valid bearer token gets 401 before anything else is looked at. TLS
// is the server's; a bearer token is as safe as the connection.
//
// # Supported
//
//   - /Users and /Groups: GET with filter and pages, POST; and by ID: GET, PUT, PATCH, DELETE.
//     /ServiceProviderConfig, /ResourceTypes, /Schemas: GET.
//   - Filters: all of RFC 7644 3.4.2.2, in lists and in the paths of PATCH, with up to 8 terms and brackets
//     nested up to 8 deep; and Entra ID's emails[type eq "work"].value eq "…". Strings need double quotes:
//     `externalId eq 00u1` is refused with invalidFilter. An empty filter is none.
//   - PATCH: add, replace and remove, in any case, with a path or without one; members[value eq "…"],
//     emails[type eq "work"].value and the like; and the clients' own forms: an object whose names are paths,
//     or that has the attributes below their schema's URN, "False" for false, the members to remove in the
//     value.
//   - attributes and excludedAttributes.
//
// Bulk, /.search, /Me, sorting, ETags, password changes and nested groups are not supported. A request with
// If-Match is refused, unless it is "*".
//
// # What is kept
//
// Of a user: userName, externalId, displayName, name.givenName, name.familyName, active, and one address of
// emails, the primary one, shown as type "work". Of a group: displayName, externalId and members, which are
// users. All other attributes of RFC 7643 and of extensions are accepted and dropped. meta has no created and
// no lastModified, because the instance keeps no times.
//
// Names, addresses, userName and externalId have at most 256 bytes, no control characters, and no space at
// either end (values that only people read are trimmed). A new userName with invisible or bidirectional
// characters is refused with invalidValue.
//
// An ID is random, survives renaming and is never used again. Users and groups that were configured by hand
// keep their IDs, and the client can change and delete them too.
//
// # Spelling
//
// Success means that everything in the request is done. An attribute that no schema has is refused as the path
// of a PATCH operation, and dropped as one of several in an object. But a name that may be a misspelling of an
// attribute that is kept is refused everywhere, with invalidPath in PATCH and invalidSyntax in POST and PUT: a
// name that RFC 7643 2.1 doesn't allow (" active"), a part that doesn't exist (active.value), another spelling
// (user_name, isActive, member), an object around the attribute ({"user":{"active":false}}), another core
// schema. An object may name an attribute that says who has access only once.
//
// # Case
//
// SAML compares a userName byte for byte. In SCIM it is not case-exact (RFC 7643 4.1.1): a filter finds it in
// any case, and a second user whose userName differs in case only is refused with uniqueness. So are group
// names. Unicode is not normalised.
//
// # Access
//
// A user who is deleted or has active false has no access from the moment of the answer: the portal asks the
// instance at every request. [Config.OnChange] is for those who keep sessions elsewhere; it also reports
// changes that were answered with 503 and may have been made. POST without active creates an active user. PUT
// without it leaves active unchanged, and null is the same as no value (RFC 7643 2.5). PATCH can't remove
// active, and null is refused there.
//
// A request is carried out as a whole or not at all, and one that was cut off changes nothing. A request whose
// answer was lost can be repeated: POST then gets 409 uniqueness, upon which clients search for the user,
// DELETE gets 404, and the others get the same answer. After a 503 the client should repeat the request.
//
// # Cost
//
// An update costs time in proportion to the instance, so concurrent changes share updates. Bodies (4 MiB),
// queries (8 KiB), filters (2 KiB), operations of a PATCH (1,000), their attributes (10,000), attributes of an
// object (1,000, of a name 100), schemas and emails of a user (100) and resources of a page (100) are bounded;
// members of a group are not. Deadlines for slow clients are the server's (http.Server's ReadTimeout).
package scim
