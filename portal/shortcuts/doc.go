// Package shortcuts keeps what each user opened last in an access portal, and marked as a favorite.
//
//	list, err := store.Shortcuts(ctx, "u-1")
//	list.Open(shortcuts.Target{AccountID: "111122223333", PermissionSet: "ReadOnly"}, time.Now())
//	err = store.Put(ctx, "u-1", list)
//
// A shortcut gives no access. The portal shows it only while its target is assigned to the user.
//
// Every Region may write a user's list. A Region writes all that it knows, and replaces only what it wrote itself.
// What counts is the merged list of all Regions (see [Merge]), so the order in which lists arrive makes no difference.
// A list is bounded, so a user can't fill a store.
package shortcuts
