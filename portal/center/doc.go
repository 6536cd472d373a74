// Package center holds the instance that every Region of a portal works from: its Regions, users, groups, permission
// sets, accounts, assignments and applications. Its main question is who may do what, where.
//
// An [Instance] is made from [Data], a plain struct that can be read from JSON. A Region uses it through a [View]:
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
// Regions are ordered. The first one is the primary, for good: it is never demoted, moved or removed. Configuration,
// identities and permissions are written only there. [View.Update] in an additional Region is refused with an [Error]
// whose Reason is [ReasonNotPrimary] and that names the primary. Reads are the same in all Regions. An application
// belongs to one Region and is managed only there, but the users that it is assigned to see it in all of them.
//
// # Consistency
//
// An instance's state is an immutable [Snapshot] behind one atomic pointer. To get consistent answers to several
// questions, ask one snapshot. An update works on a copy, is checked as a whole, and either replaces the snapshot or
// changes nothing. All types are safe for concurrent use, except [Tx].
//
// An instance that outlives its process is made with [NewJournaled]: its updates go through a [Journal] as [Record]
// values, one for each changed element, and changes made in other Regions come in through [Instance.Apply].
package center
