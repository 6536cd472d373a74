// Package center holds the instance that every Region of a portal works from:
// its Regions, its users and groups, the permission sets that are assigned to
// them in accounts, and its applications. It answers one question above all:
// who may do what, where.
//
// An [Instance] is made from [Data], a plain struct that can be read from
// JSON. What a Region sees of it is a [View]:
//
//	inst, err := center.New(center.Data{
//		Regions: []center.Region{
//			{Name: "us-east-1", PortalURLs: []string{"https://us-east-1.portal.example"}},
//			{Name: "eu-central-1", PortalURLs: []string{"https://eu-central-1.portal.example"}},
//		},
//		Users: []center.User{{UserName: "alice@example.com"}},
//	})
//	frankfurt, err := inst.In("eu-central-1")
//	alice, ok := frankfurt.User("alice@example.com")
//
// # The Region model
//
// Regions are ordered. The first one is the primary, and it stays the primary:
// it is never demoted, moved or removed. Configuration, identities and
// permissions are written there and nowhere else; [View.Update] through the
// view of an additional Region is refused with an [Error] whose Reason is
// [ReasonNotPrimary] and that names the primary. Reads are the same in all Regions.
// An application belongs to one Region and is managed in that Region only, but
// the people it is assigned to see it in all of them.
//
// # Consistency
//
// An instance's state is an immutable [Snapshot] behind one atomic pointer. A
// reader that asks several questions takes one snapshot and asks all of them
// there. An update works on a copy, is checked as a whole, and replaces the
// snapshot or changes nothing. Everything here is safe for concurrent use.
//
// An instance that outlives its process is made with [NewJournaled]: its
// updates go through a [Journal] as [Record] values, one for each element that
// changed, and what other Regions wrote comes in through [Instance.Apply].
package center
