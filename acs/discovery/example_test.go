package discovery_test

import (
	"fmt"
	"iter"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/acs/discovery"
	"github.com/meridian-saml/meridian/saml"
)

// fixed is a list that never changes. Usually it is a *federation.Federation.
type fixed []saml.Description

func (fixed) Version() uint64                            { return 1 }
func (f fixed) Descriptions() iter.Seq[saml.Description] { return slices.Values(f) }

// The page of a service provider, as a user gets it who searches for "first".
func Example() {
	page, err := discovery.New(discovery.Config{
		Providers: fixed{
			{EntityID: "https://idp.one.example", Names: []saml.LocalizedText{{Lang: "en", Text: "First University"}}},
			{EntityID: "https://idp.two.example", Names: []saml.LocalizedText{{Lang: "en", Text: "Second College"}}},
		},
		Returns: map[string][]string{"https://sp.example": {"https://sp.example/login/idp"}},
	})
	if err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequest("GET", "/choose?entityID=https://sp.example&q=first", nil))
	for _, name := range []string{"First University", "Second College"} {
		fmt.Println(name, strings.Contains(w.Body.String(), name))
	}
	// Output:
	// First University true
	// Second College false
}
