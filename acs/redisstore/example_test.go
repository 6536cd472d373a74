package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/redisstore"
	"github.com/meridian-saml/meridian/saml"
)

// Every node of a Region opens its store on the Region's own Redis.
func Example() {
	var sp *saml.ServiceProvider // the same in every Region
	var signedIn func(http.ResponseWriter, *http.Request, *acs.Login)

	client := redis.NewClient(&redis.Options{Addr: "redis.internal:6379"})
	defer client.Close()
	store, err := redisstore.New(context.Background(), redisstore.Config{InsecurePlaintext: true,
		Client: client, Margin: 5 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	region, err := acs.NewRegion(acs.Config{SP: sp, Region: "eu-central-1", Store: store, OnLogin: signedIn})
	if err != nil {
		log.Fatal(err)
	}
	region.Mount(http.DefaultServeMux, acs.Paths{Login: "/login", Metadata: "/metadata"})
}

// New returns an error if Redis doesn't answer.
func ExampleNew() {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1}) // nothing listens there
	defer client.Close()
	_, err := redisstore.New(context.Background(), redisstore.Config{InsecurePlaintext: true, Client: client})
	var refused *redisstore.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
	}
	// Output: Unavailable
}
