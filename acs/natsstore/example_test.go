package natsstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/saml"
)

// Every node of a Region opens its store on the Region's own servers.
func Example() {
	var sp *saml.ServiceProvider // the same in every Region
	var signedIn func(http.ResponseWriter, *http.Request, *acs.Login)

	nc, err := nats.Connect("nats://nats-1.internal,nats://nats-2.internal,nats://nats-3.internal",
		natsstore.ConnectOptions()...)
	if err != nil {
		log.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		log.Fatal(err)
	}
	store, err := natsstore.New(context.Background(),
		natsstore.Config{InsecurePlaintext: true, JetStream: js, Replicas: 3, Margin: 5 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	region, err := acs.NewRegion(acs.Config{SP: sp, Region: "eu-central-1", Store: store, OnLogin: signedIn})
	if err != nil {
		log.Fatal(err)
	}
	region.Mount(http.DefaultServeMux, acs.Paths{Login: "/login", Metadata: "/metadata"})
}

// A Region of one node embeds a server. It writes to a directory, so a used assertion stays used when the program is
// restarted.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	embedded, err := server.NewServer(&server.Options{JetStream: true, StoreDir: dir, DontListen: true})
	if err != nil {
		log.Fatal(err)
	}
	embedded.Start()
	defer embedded.WaitForShutdown()
	defer embedded.Shutdown()
	if !embedded.ReadyForConnections(time.Minute) {
		log.Fatal("the server did not start")
	}
	nc, err := nats.Connect("", append(natsstore.ConnectOptions(), nats.InProcessServer(embedded))...)
	if err != nil {
		log.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		log.Fatal(err)
	}
	store, err := natsstore.New(context.Background(), natsstore.Config{InsecurePlaintext: true, JetStream: js})
	if err != nil {
		log.Fatal(err)
	}

	ctx, soon := context.Background(), time.Now().Add(time.Hour)
	fmt.Println(store.Add(ctx, "assertion.1", nil, soon))
	fmt.Println(errors.Is(store.Add(ctx, "assertion.1", nil, soon), acs.ErrExists))
	// Output:
	// <nil>
	// true
}
