package theme_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"testing/fstest"

	"github.com/meridian-saml/meridian/acs/theme"
)

// A catalog is a file, and needs no code.
func ExampleNew() {
	look, err := theme.New(theme.Config{
		Name:   "Example sign-in",
		Colors: theme.Colors{Accent: "#7a1f5c"},
		Texts:  fstest.MapFS{"fr.json": {Data: []byte(`{"Sign in again": "Se reconnecter"}`)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Language", "fr-CA, en;q=0.5")
	fmt.Println(look.Texts(r).T("Sign in again"))
	var e *theme.Error
	if _, err = theme.New(theme.Config{Colors: theme.Colors{Accent: "#ff9900"}}); errors.As(err, &e) {
		fmt.Println(e.Reason, e.Want)
	}
	// Output:
	// Se reconnecter
	// Contrast a contrast of 4.5:1 on #ffffff, #f2f4f6 and #fff3e0
}
