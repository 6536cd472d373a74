// Package scim receives users and groups that an identity provider pushes: a
// SCIM 2.0 service provider (RFC 7643, RFC 7644) over the instance of package
// center, for clients such as the provisioning of Okta and of Entra ID.
//
//	endpoint, err := scim.New(scim.Config{
//		View:    virginia, // *center.View of the primary Region
//		BaseURL: "https://scim.us-east-1.example/scim/v2",
//		Tokens:  []string{token},
//	})
//	mux.Handle("/scim/v2/", endpoint)
//
// # Where it serves
//
// In the primary Region, and nowhere else: in an additional Region every
// request, reads included, is answered with 403 and the name of the primary.
// A request without a good bearer token is answered with 401 before anything
// of it is looked at. TLS is the server's: a bearer token is worth what the
// connection is worth.
//
// # What it takes
//
//   - /Users and /Groups: GET with filter and pages, POST; and by ID: GET, PUT,
//     PATCH, DELETE. /ServiceProviderConfig, /ResourceTypes, /Schemas: GET.
//   - Filters: all of RFC 7644 3.4.2.2, in lists and in the paths of PATCH, with
//     up to 8 terms, and brackets nested up to 8 deep; and
//     emails[type eq "work"].value eq "…", which Entra ID writes. Strings have
//     double quotes: `externalId eq 00u1` is refused with invalidFilter. An empty
//     filter counts as none.
//   - PATCH: add, replace and remove, in any case, with a path or without one;
//     members[value eq "…"], emails[type eq "work"].value and their like; and
//     the forms that are the clients' own: an object whose names are paths, or
//     that holds the attributes below their schema's URN, "False" for false, the
//     members to remove in the value.
//   - attributes and excludedAttributes.
//
// Bulk, /.search, /Me, sorting, ETags, password changes and nested groups are
// not supported. A request with If-Match is refused, unless it says "*".
//
// # What is kept
//
// Of a user: userName, externalId, displayName, name.givenName,
// name.familyName, active, and one address of emails, the primary one, shown
// as type "work". Of a group: displayName, externalId and members, which are
// users. Everything else in RFC 7643 and in any extension is accepted, dropped
// and never shown. meta has no created and no lastModified, since the instance
// keeps no times.
//
// Names, addresses, userName and externalId have at most 256 bytes, no control
// characters, and no space at either end (it is cut off where it is only for
// people to read). A new userName with invisible or bidirectional characters is
// refused with invalidValue.
//
// An ID is random, stays when the user or the group is renamed, and is never
// used again. A user or a group that was configured by hand has the ID it has
// there, and belongs to the client like all others, for changes and deletion too.
//
// # Spelling
//
// An answer of success means that all that the request said is done. An
// attribute that no schema has is refused as the path of a PATCH operation, and
// dropped as one of several in an object. But a name that may be meant for an
// attribute that is kept, and isn't read as that, is refused everywhere, with
// invalidPath in PATCH and invalidSyntax in POST and PUT: one that RFC 7643 2.1
// doesn't allow (" active"), a part that doesn't exist (active.value), other
// spellings (user_name, isActive, member), an object around it
// ({"user":{"active":false}}), other core schemas. An attribute that says who has
// access may be named only once in an object.
//
// # Case
//
// In SAML a userName must match byte for byte. In SCIM it is not case-exact
// (RFC 7643 4.1.1): so a filter finds it in any case, and a second user whose
// userName differs in case only is refused with uniqueness. Group names are
// treated alike. Unicode normalisation is not looked at.
//
// # Who may come in
//
// A user with active false, or deleted, has no access from the moment of the
// answer: the portal asks the instance at every request, and [Config.OnChange]
// tells those who keep sessions elsewhere, also of what was answered with 503
// and may have happened. POST without active makes an active user; PUT without
// it leaves active as it was, and null is the same as without (RFC 7643 2.5). No
// PATCH can take it away: null is refused there.
//
// # All or nothing
//
// A request is done as a whole or not at all. A request that was cut off on its
// way in changes nothing. One whose answer got lost can be repeated: POST then
// says 409 uniqueness, upon which clients look the user up, DELETE says 404, and
// the others say the same as before. After a 503 the client should try again, in
// the same way.
//
// # Cost
//
// An update of the instance costs time in proportion to the instance, so
// changes that come while one is made share the next. Bodies (4 MiB), queries
// (8 KiB), filters (2 KiB), operations of a PATCH (1,000), their attributes
// (10,000), attributes of an object (1,000, of a name 100), schemas and emails
// of a user (100) and resources of a page (100) are bounded; members of a group
// are not. Deadlines for slow clients are the server's (http.Server's
// ReadTimeout).
package scim
