package replica_test

import (
	"context"
	"fmt"
	"os"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Two Regions in one process. The second gets what the first holds, and serves
// it when the first is gone.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	virginia, err := replica.Open(ctx, replica.Config{
		Region: "us-east-1", Dir: dir + "/us", Listen: "127.0.0.1:0",
		Secret:            "sixteen bytes or more",
		InsecurePlaintext: true, // a program seals what it stores, with a Sealer
		Seed: center.Data{
			Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1", Status: center.RegionAdding}},
			Users:   []center.User{{UserName: "alice@example.com"}},
		},
	})
	if err != nil {
		panic(err)
	}
	frankfurt, err := replica.Open(ctx, replica.Config{
		Region: "eu-central-1", Primary: "us-east-1", Dir: dir + "/eu", Listen: "127.0.0.1:0",
		Secret:            "sixteen bytes or more",
		InsecurePlaintext: true, Peers: map[string]replica.Peer{"us-east-1": {URL: virginia.Addr()}},
	})
	if err != nil {
		panic(err)
	}
	defer frankfurt.Close()
	if err := frankfurt.Ready(ctx); err != nil {
		panic(err)
	}
	virginia.Close()

	alice, ok := frankfurt.View().User("alice@example.com")
	fmt.Println(alice.UserName, ok)
	err = frankfurt.View().Update(func(tx *center.Tx) error { return tx.RemoveUser(alice.ID) })
	fmt.Println(err)
	// Output:
	// alice@example.com true
	// center: NotPrimary: removal of user: want the primary Region "us-east-1", got "eu-central-1"
}
