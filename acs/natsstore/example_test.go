package natsstore_test

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/saml"
)

// Every node of a Region does this, against the Region's own servers.
func Example() {
	var sp *saml.ServiceProvider // the same in every Region
	var signedIn func(http.ResponseWriter, *http.Request, *acs.Login)

	nc, err := nats.Connect("nats://nats-1.internal,nats://nats-2.internal,nats://nats-3.internal", natsstore.ConnectOptions()...)
	if err != nil {
		log.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		log.Fatal(err)
	}
	store, err := natsstore.New(context.Background(), natsstore.Config{JetStream: js, Replicas: 3, Margin: 5 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	region, err := acs.NewRegion(acs.Config{SP: sp, Region: "eu-central-1", Store: store, OnLogin: signedIn})
	if err != nil {
		log.Fatal(err)
	}
	region.Mount(http.DefaultServeMux, acs.Paths{Login: "/login", Metadata: "/metadata"})
}
