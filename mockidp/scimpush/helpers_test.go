package scimpush_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/meridian-saml/meridian/mockidp"
)

// Keys are dear to make, so tests share one.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func start(t *testing.T, c mockidp.Config) *mockidp.Server {
	t.Helper()
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	return idp
}

// company is an organisation of n people in m groups, two for each.
func company(n, m int) mockidp.Config {
	c := mockidp.Config{Key: rsaKey(), Apps: []mockidp.App{{Label: "x", Groups: []string{"Group 0"}}}}
	for i := range m {
		c.Groups = append(c.Groups, mockidp.Group{Name: fmt.Sprintf("Group %d", i)})
	}
	for i := range n {
		c.Users = append(c.Users, mockidp.User{Login: fmt.Sprintf("user%d@example.com", i), FirstName: "User", LastName: fmt.Sprint(i),
			Groups: slices.Compact([]string{fmt.Sprintf("Group %d", i%m), fmt.Sprintf("Group %d", (i+1)%m)})})
	}
	return c
}
