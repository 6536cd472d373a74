// Package center holds the instance: the Regions, users, groups, permission sets, accounts, assignments and
// applications of a portal. All Regions share it. Its main purpose is to look up a user's access.
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
// Regions are ordered. The first one is the primary. It is never demoted, moved or removed. Configuration, identities
// and permissions are written only there. In an additional Region, [View.Update] returns an [Error] with
// [ReasonNotPrimary] and the name of the primary. Reads are the same in all Regions. An application belongs to one
// Region and is managed only there. Its users see it in all Regions.
//
// [Tasks] is the table of what may be done where. Everything that changes the instance asks it, with an [Attempt].
//
// # Adding and removing Regions
//
// [Control] adds and removes Regions for an operator, with the conditions of AWS IAM Identity Center: the instance is
// an organization's, has an external identity provider and a customer-managed multi-Region key, and the key has a
// usable copy in the new Region ([Admission]). One Region at a time has the status ADDING or REMOVING.
// [Admission.Candidates] has the reason of each Region that can't be added, and [Admission.Advise] ranks them. When a
// Region is removed, its applications are parked ([Snapshot.ParkedApplications]), and come back if it is added again.
//
// # Identity providers
//
// A user belongs to the identity provider that vouches for them, and no other can assert them ([Snapshot.UserOf]).
// Two identity providers may have users with the same userName, and groups with the same name. A group's members are
// users of its own identity provider.
//
// A [Federation] is the metadata and policy of an identity provider. All Regions take it from the instance.
//
// An instance for one identity provider doesn't list it, and users don't name it. Before a second one is added,
// [Tx.AdoptIdentityProvider] lists the first and makes all users and groups belong to it.
//
// # Identifiers
//
// [Snapshot.Metadata] describes the instance: its ARN, identity store, owner and key. Users, groups and memberships
// have UUIDs ([Snapshot.UserUUID]), permission sets have IDs, and a permission set in an account is a role with a name
// ([Snapshot.RoleOf]). None of them needs to be stored: what isn't given is derived from the ID of the instance, the
// directory's ID and the name, and is the same on every node of every Region, also for an instance from before there
// were such IDs. An ID that was handed out never changes. Only the first [Tx.PutInstanceMetadata] with an ID changes
// those that are derived.
//
// The primary's clock dates what an update creates and changes ([Dates]). What isn't known has no date.
//
// These fields are records of their own kinds, which versions from before them keep and pass on: see [KindDetails].
//
// # Reads
//
// A Snapshot has every list in the order of its IDs, from any ID on, for pages: [Snapshot.Users], [Snapshot.Groups],
// [Snapshot.PermissionSets], [Snapshot.AllAccounts], [Snapshot.Members], [Snapshot.MembershipsOf],
// [Snapshot.AssignmentsIn], [Snapshot.AssignmentsOf]. It finds users and groups by ID, by UUID, and within an identity
// provider by name and by externalId, and users by e-mail address. Names and externalIds are compared byte for byte, as
// at sign-in, and addresses ignoring case.
//
// # Consistency
//
// An instance's state is an immutable [Snapshot] behind one atomic pointer. For several consistent reads, use one
// snapshot. An update makes another snapshot, which shares what doesn't change, and either replaces the first one or
// changes nothing. The result is valid as a whole: what the update touched is checked, with all that refers to it. So
// the cost of an update depends on what it changes, and not on the size of the instance. All types are safe for
// concurrent use, except [Tx].
//
// [NewJournaled] makes an instance that is stored. Its updates are passed to a [Journal] as [Record] values, one for
// each changed element. [Instance.Apply] applies changes from other Regions.
package center
