package acs_test

import (
	"cmp"
	"fmt"

	"github.com/meridian-saml/meridian/acs"
)

// A handler of the application that redirects users, such as after a form.
func ExampleLocalPath() {
	for _, next := range []string{"/reports?year=2026", "https://evil.example/", "//evil.example/", `/\evil.example/`} {
		fmt.Println(cmp.Or(acs.LocalPath(next), "/"))
	}
	// Output:
	// /reports?year=2026
	// /
	// /
	// /
}
