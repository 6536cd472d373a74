package configfile_test

import (
	"fmt"
	"os"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
)

// A file makes an identity provider, and a running one makes a file, which can be kept or changed.
func Example() {
	c, err := configfile.Read([]byte(`{
		"users": [{"login": "bob@example.com", "groups": ["Finance"]}],
		"apps": [{"label": "Payroll", "groups": ["Finance"], "sign": "assertion"}]
	}`))
	if err != nil {
		panic(err)
	}
	idp := mockidp.New(c)
	defer idp.Close()
	if err := idp.PutGroup(mockidp.Group{ID: "eng", Name: "Engineering"}); err != nil {
		panic(err)
	}
	now := idp.Config()
	part, err := configfile.Write(mockidp.Config{Groups: now.Groups[:1], Org: now.Org}, configfile.Options{})
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(part)

	_, err = configfile.Read([]byte("{\n  \"apps\": [{\"sign\": \"none\"}]\n}"))
	fmt.Println(err)
	// Output:
	// {
	//   "org": "Mock organisation",
	//   "groups": [
	//     {
	//       "id": "eng",
	//       "name": "Engineering"
	//     }
	//   ]
	// }
	// mockidp: line 2: apps[0].sign: want one of ["both" "response" "assertion" "artifactResponse"], got "none"
}
