// Package federation keeps the metadata of identity providers: from URLs, files,
// directories and metadata query services, verified, refreshed in the background,
// and with the last good copy on disk.
//
//	f, err := federation.Open(ctx, federation.Config{Sources: []federation.Source{{
//		URL: "https://metadata.example/federation.xml", Keys: pinned,
//		MaxValidity: 28 * 24 * time.Hour, Copy: "/var/lib/app/federation.xml",
//	}}})
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	idp, err := f.Source(entityID) // for saml.Config.IdP
//
// # What is believed
//
// Metadata decides which keys are trusted, so it is believed as a response is: the
// root's signature is verified with the keys pinned for that source alone, over the
// nodes that are then read (Metadata 3.1; Metadata 4.3.3). A URL or a query service
// without pinned keys needs [Source.InsecureUnverified]. A file or directory of the
// operator's needs none: who can write there can do anything anyway. The copy of a
// fetched document is verified again when it is loaded.
//
// A document past its validUntil is not used, and with [Source.MaxValidity] one
// without validUntil, or one that holds for longer, is refused: an attacker who can
// keep new documents back can then not do so for long. A document that is older than
// the one in use is refused too, by its PublicationInfo where both have one (and the
// one in use is not dated in the future), else by validUntil where both have it.
// [Federation.Reset] lets an operator go back.
//
// A broken entity is refused when it is asked for, and hurts no other. An entity ID
// that a source has twice is refused, for that name alone. Where several sources
// have an entity ID the first of them decides: keys of two sources are never joined. A
// source that could not be loaded yet has none, so for that time the next decides: give
// sources whose word must not be replaced a Copy, and list only sources you trust alike.
//
// # Who fetches
//
// Documents are fetched in the background, and no sign-in waits for that: look-ups
// read memory. An unknown entity of a query service is fetched only by
// [Federation.Find], which is for the navigation that begins a sign-in, and not by
// [Federation.IdP], which an assertion consumer asks. So a response never causes a
// request to somewhere.
//
// Fetching connects to public addresses only, unless the Source says otherwise; that
// is looked at when the connection is made, so a name that resolves to another address
// the next time gains nothing. Redirects keep the scheme. Bodies are bounded, gzip
// included, and so is the time. A query service fetches few entities at once, and of them
// only a part for one client, so that one client's slow names don't keep the others out.
package federation
