package keys_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meridian-saml/meridian/portal/keys"
)

// A key in two Regions. What one seals, the other opens, until its own copy is disabled.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	operatorKey := make([]byte, 32)
	_, _ = rand.Read(operatorKey) // never fails
	rings := map[string]*keys.Ring{}
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		rings[region], err = keys.CreateRing(keys.RingConfig{
			Path: filepath.Join(dir, region), Region: region, Key: operatorKey, // 32 random bytes, or a Passphrase
		})
		if err != nil {
			panic(err)
		}
	}
	virginia, frankfurt := rings["us-east-1"], rings["eu-central-1"]
	key, err := virginia.Create(keys.KeyConfig{Policy: keys.Allow("portal")})
	if err != nil {
		panic(err)
	}
	if _, err := virginia.Replicate(key.ID, frankfurt, nil); err != nil {
		panic(err)
	}

	open := func(r *keys.Ring, sealed []byte) {
		s, err := keys.NewSealer(keys.Config{Key: r.Use(key.ID, "portal"), Instance: "ssoins-7223aaaabbbbcccc"})
		if err != nil {
			panic(err)
		}
		plain, err := s.Open(context.Background(), sealed, keys.Bind("user", "42", "1"))
		var e *keys.Error
		if errors.As(err, &e) {
			fmt.Println(r.Region(), e.Reason)
			return
		}
		fmt.Printf("%s %s\n", r.Region(), plain)
	}
	s, err := keys.NewSealer(keys.Config{Key: virginia.Use(key.ID, "portal"), Instance: "ssoins-7223aaaabbbbcccc"})
	if err != nil {
		panic(err)
	}
	sealed, err := s.Seal(context.Background(), []byte("ada@example.com"), keys.Bind("user", "42", "1"))
	if err != nil {
		panic(err)
	}
	open(frankfurt, sealed)
	if err := frankfurt.Disable(key.ID); err != nil {
		panic(err)
	}
	open(frankfurt, sealed)
	open(virginia, sealed)
	// Output:
	// eu-central-1 ada@example.com
	// eu-central-1 KMS_DisabledException
	// us-east-1 ada@example.com
}
