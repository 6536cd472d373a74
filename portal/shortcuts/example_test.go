package shortcuts_test

import (
	"context"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// A user marks a favorite in one Region and opens a permission set in another. Both have both.
func Example() {
	ctx, now := context.Background(), time.Now()
	wiki := shortcuts.Target{Application: "wiki"}
	role := shortcuts.Target{AccountID: "111122223333", PermissionSet: "ReadOnly"}

	store := shortcuts.NewMemoryStore()
	here, _ := store.Shortcuts(ctx, "u-1")
	there := here
	here.Mark(wiki, true, now)
	there.Open(role, now)
	_ = store.Put(ctx, "u-1", here)
	_ = store.Put(ctx, "u-1", there)

	list, err := store.Shortcuts(ctx, "u-1")
	fmt.Println(list.Favorites(), list.Recent(), err)
	// Output: [{  wiki}] [{111122223333 ReadOnly }] <nil>
}
