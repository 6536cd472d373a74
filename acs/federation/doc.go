// Package federation loads the metadata of identity providers from URLs, files,
// directories and metadata query services. It verifies the metadata, refreshes it in
// the background, and stores the last good copy on disk.
//
//	f, err := federation.Open(ctx, federation.Config{Sources: []federation.Source{{
//		URL: "https://metadata.example/federation.xml", Keys: pinned,
//		MaxValidity: 28 * 24 * time.Hour, Copy: "/var/lib/app/federation.xml",
//	}}})
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	sp, err := saml.New(saml.Config{EntityID: ours, ACS: list, IdPs: f})
//
// For one identity provider of several in the metadata, use [Federation.Source] and
// saml.Config.IdP.
//
// # Verification
//
// Metadata decides which keys are trusted, so it is verified as strictly as a
// response. The root's signature is verified with the keys pinned for that source
// only, and it covers the nodes that are then read (Metadata 3.1, 4.3.3). A URL or a
// query service without pinned keys needs [Source.InsecureUnverified]. A file or
// directory needs no keys, because write access to it is the operator's. The copy of
// a fetched document is verified again when it is loaded.
//
// A document past its validUntil is not used. With [Source.MaxValidity], a document
// without validUntil, or with a longer validity, is refused. This bounds how long an
// attacker can withhold new documents. A document older than the one in use is
// refused too. Their PublicationInfos are compared if both have one and that of the
// one in use is not in the future, and otherwise their validUntils. With
// [Federation.Reset] an operator can load an older document.
//
// An invalid entity is refused when it is requested, and doesn't affect others. The
// command examples/samlcheck metadata lists the invalid entities of a document. A
// duplicate entity ID in a source is refused, and other IDs are not affected. If
// several sources have an entity ID, the first source is used. Keys of two sources
// are never combined. A source that was never loaded has no entities, so that it
// doesn't stop sign-ins at those of later sources. Until it is loaded, later sources
// are used for its entities, too: give it a Copy if they must not be. A loaded source
// whose metadata has expired, or a service that fails, is not replaced by later ones.
//
// # Fetching
//
// Documents are fetched in the background. Lookups read memory, so no sign-in waits
// for a fetch. An unknown entity of a query service is fetched only by
// [Federation.Find], which is for the request that begins a sign-in.
// [Federation.IdP], which an assertion consumer service calls, never fetches. So a
// response never causes an outgoing request. The nodes of a Region share the
// directory [Source.Copy], so that one node knows what another has fetched.
//
// A query service's status 404 means that it doesn't have an entity. It isn't signed,
// so verified metadata in use stays in use until its validUntil, and the log has the
// 404. [Federation.Reset] removes an entity at once.
//
// Only public addresses are fetched from, unless the Source has
// AllowPrivateAddresses. The address of each connection is checked, so a name that
// later resolves to a private address is refused. Redirects must keep the
// scheme. The size of a body, before and after decompression, and the time are
// bounded. A query service has few concurrent fetches. One client may use only a
// part of them, which shrinks as fewer are free, so that the slow names of a few
// clients don't block others.
package federation
