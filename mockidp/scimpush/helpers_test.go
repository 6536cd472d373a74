package scimpush_test

import (
	"crypto/rsa"
	"fmt"
	"slices"
	"testing"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func rsaKey() *rsa.PrivateKey { return testkit.RSAKey("idp") }

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

// company is an organisation of n users in m groups, two groups a user.
func company(n, m int) mockidp.Config {
	c := mockidp.Config{Key: rsaKey(), Apps: []mockidp.App{{Label: "x", Groups: []string{"Group 0"}}}}
	for i := range m {
		c.Groups = append(c.Groups, mockidp.Group{Name: fmt.Sprintf("Group %d", i)})
	}
	for i := range n {
		c.Users = append(c.Users, mockidp.User{Login: fmt.Sprintf("user%d@example.com", i), FirstName: "User",
			LastName: fmt.Sprint(i),
			Groups:   slices.Compact([]string{fmt.Sprintf("Group %d", i%m), fmt.Sprintf("Group %d", (i+1)%m)})})
	}
	return c
}
