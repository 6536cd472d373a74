package scim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

func TestFilters(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	for _, c := range []struct {
		endpoint, filter string
		want             []string
	}{
		{"/Users", `userName eq "alice@example.com"`, []string{"u-1"}},
		{"/Users", `USERNAME EQ "ALICE@example.com"`, []string{"u-1"}},
		{"/Users", `urn:ietf:params:scim:schemas:core:2.0:User:userName eq "alice@example.com"`, []string{"u-1"}},
		{"/Users", `userName eq "alice"`, nil},
		{"/Users", `userName eq ""`, nil},
		{"/Users", `userName eq "\u0061lice@example.com"`, []string{"u-1"}},
		{"/Users", `externalId eq "00u1"`, []string{"u-1"}},
		{"/Users", `externalId eq "00U1"`, nil},
		{"/Users", `id eq "u-2"`, []string{"u-2"}},
		{"/Users", `id eq "U-2"`, nil},
		{"/Users", `id eq "carol/ops@example.com"`, []string{"carol/ops@example.com"}},
		{"/Users", `displayName eq "alice adams"`, []string{"u-1"}},
		{"/Users", `emails.value eq "alice@example.com"`, []string{"u-1"}},
		{"/Users", `name.familyName eq "Adams" and name.givenName eq "Alice"`, []string{"u-1"}},
		{"/Users", `active eq true`, []string{"u-1", "u-2"}},
		{"/Users", `active eq "False"`, []string{"carol/ops@example.com"}},
		{"/Users", `active eq true and userName eq "bob@example.com"`, []string{"u-2"}},
		{"/Users", `userName eq "bob@example.com" and active eq false`, nil},
		{"/Users", `emails[type eq "work"].value eq "ALICE@example.com"`, []string{"u-1"}},
		{"/Users", `emails[type eq "home"].value eq "alice@example.com"`, nil},
		{"/Users", `emails[type eq "work" and value sw "alice@"]`, []string{"u-1"}},
		{"/Users", `emails[type eq "home" or primary eq true]`, []string{"u-1"}},
		{"/Users", `emails[type eq "home" or primary eq "True"].value eq "alice@example.com"`, []string{"u-1"}},
		{"/Users", `emails[not (type eq "home")] and active eq true`, []string{"u-1"}},
		{"/Users", `emails.type eq "WORK"`, []string{"u-1"}},
		{"/Users", `emails pr`, []string{"u-1"}},
		{"/Users", `not (emails pr)`, []string{"u-2", "carol/ops@example.com"}},
		{"/Users", `userName eq "alice@example.com" or userName eq "bob@example.com"`, []string{"u-1", "u-2"}},
		{"/Users", `userName eq "alice@example.com" or userName eq "bob@example.com" and active eq false`, []string{"u-1"}},
		{"/Users", `(userName eq "alice@example.com" or userName eq "bob@example.com") and externalId eq "00u1"`,
			[]string{"u-1"}},
		{"/Users", `not (userName eq "bob@example.com") AND active ne false`, []string{"u-1"}},
		{"/Users", `NOT(userName eq "bob@example.com") and active eq true`, []string{"u-1"}},
		{"/Users", `userName sw "BOB" or userName ew "ops@EXAMPLE.com" or displayName co "e a"`,
			[]string{"u-1", "u-2", "carol/ops@example.com"}},
		{"/Users", `userName gt "alice@example.com" and userName le "bob@example.com"`, []string{"u-2"}},
		{"/Users", `userName ge "carol" or userName lt "alice@example.org"`, []string{"u-1", "carol/ops@example.com"}},
		{"/Users", `externalId ne "00u1"`, []string{"u-2", "carol/ops@example.com"}},
		{"/Users", `displayName eq ""`, nil},
		{"/Users", `active pr`, []string{"u-1", "u-2", "carol/ops@example.com"}},
		{"/Users", `   userName   eq   "bob@example.com"   `, []string{"u-2"}},
		{"/Users", `userName eq "x) and (y]"`, nil},
		{"/Users", ``, []string{"u-1", "u-2", "carol/ops@example.com"}},
		{"/Users", `  `, []string{"u-1", "u-2", "carol/ops@example.com"}},
		{"/Groups", `members[value eq "u-2"] or displayName eq "auditors"`, []string{"g-1", "g-2"}},
		{"/Groups", `members[value eq "u-2" and type eq "user"]`, []string{"g-1"}},
		{"/Groups", `members[value eq "u-2" and type eq "group"]`, nil},
		{"/Groups", `members ne "u-2"`, []string{"g-2"}},
		{"/Groups", `members pr`, []string{"g-1"}},
		{"/Groups", ``, []string{"g-1", "g-2"}},
		{"/Groups", `displayName eq "engineers"`, []string{"g-1"}},
		{"/Groups", `externalId eq "00g1"`, []string{"g-1"}},
		{"/Groups", `members eq "u-1"`, []string{"g-1"}},
		{"/Groups", `members.value eq "u-9"`, nil},
		{"/Groups", `id eq "g-1" and members eq "u-2"`, []string{"g-1"}},
		{"/Groups", `id eq "g-2" and members eq "u-2"`, nil},
	} {
		t.Run(c.filter, func(t *testing.T) {
			list := r.ok(t, 200, "GET", c.endpoint+"?"+filter(c.filter), "")
			assert.ElementsMatch(t, c.want, found(t, list))
			assert.Equal(t, float64(len(c.want)), list["totalResults"])
			if strings.Trim(c.filter, " ") != "" { // the same without an index, in the same order
				scanned := r.ok(t, 200, "GET", c.endpoint+"?"+filter("not (not ("+c.filter+"))"), "")
				assert.Equal(t, found(t, scanned), found(t, list))
			}
		})
	}
}

// Pages of one search, with an index and without, are parts of the same list.
func TestPagesOfASearch(t *testing.T) {
	d := empty()
	for i := range 250 {
		d.Users = append(d.Users, center.User{ID: fmt.Sprintf("u-%03d", i), UserName: fmt.Sprintf("user%d", i),
			Email: "shared@example.com"})
	}
	r := newRig(t, d, "us-east-1")
	for _, query := range []string{
		"", "&" + filter(`emails.value eq "SHARED@example.com"`), "&" + filter(`userName sw "user"`),
		"&" + filter(`emails.value eq "shared@example.com" or userName eq "user7"`),
	} {
		for _, start := range []int{1, 100, 101, 102, 200, 249, 250, 251} {
			list := r.ok(t, 200, "GET", fmt.Sprintf("/Users?startIndex=%d&count=30%s", start, query), "")
			assert.Equal(t, 250.0, list["totalResults"], query)
			want := []string{}
			for i := start - 1; i < min(start+29, 250); i++ {
				want = append(want, fmt.Sprintf("u-%03d", i))
			}
			assert.Equal(t, want, found(t, list), "%q from %d", query, start)
		}
	}
}

func TestFiltersRefused(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	for want, list := range map[string][]string{
		"invalidFilter": {
			"userName", "userName eq", `userName eq "x`, `userName eq x`, `externalId eq 00u1`, `userName eq "x"y`,
			`userName eq "x" xor id eq "y"`,
			`userName eq "x" and`, `and`, `userName eq "x"and id eq "y"`, `userName is "x"`, `userName eq"x"`, `userName pr "x"`,
			`not userName eq "x"`,
			`(userName eq "x"`, `userName eq "x")`, `()`, `not ()`, `(userName eq "x")(id eq "y")`, "userName\teq\t\"x\"",
			`userName eq null`, `userName eq 1`, `userName eq true`, `userName eq {}`, `userName eq []`, `userName eq ["x"]`,
			`active eq "maybe"`, `active gt true`, `nickName eq "x"`, `members eq "u-1"`,
			`emails[type eq "work"`, `emails[]`, `emails[shoe eq "x"]`, `emails[emails.type eq "work"]`,
			`emails[value[type eq "x"] eq "x"]`, `emails[type eq "work"] eq "x"`,
			`emails[type eq "work"]. eq "x"`, `emails[type eq "work"].shoe eq "x"`, `name[givenName eq "x"]`,
			`userName[value eq "x"]`, `active eq true and emails[type eq "work"].value`,
			`us er eq "x"`, `ключ eq "x"`, "userName eq \"\xff\"", "userName eq \"\t\"", `"userName" eq "x"`,
			`urn:x:userName eq "x"`, `userName eq "\"`, "\u212a eq \"x\"",
		},
		"tooMany": {
			`userName eq "` + strings.Repeat("x", 3000) + `"`,
			strings.Repeat(`id eq "x" and `, 8) + `id eq "x"`,
			strings.Repeat("(", 1000),
			strings.Repeat("not (", 9) + `id eq "x"` + strings.Repeat(")", 9),
		},
	} {
		for _, f := range list {
			r.refused(t, 400, want, "GET", "/Users?"+filter(f), "")
		}
	}
}

func TestPages(t *testing.T) {
	d := center.Data{Regions: []center.Region{{Name: "us-east-1"}}}
	for i := range 25 {
		d.Users = append(d.Users, center.User{ID: fmt.Sprintf("u-%02d", i), UserName: fmt.Sprintf("user%d@example.com", i),
			Inactive: true})
	}
	r := newRig(t, d, "us-east-1", func(c *scim.Config) { c.MaxResults = 10 })
	for _, c := range []struct {
		query       string
		start, n    int
		first, last string
	}{
		{"", 1, 10, "u-00", "u-09"},
		{"?startIndex=1&count=100", 1, 10, "u-00", "u-09"},
		{"?startIndex=11&count=3", 11, 3, "u-10", "u-12"},
		{"?startIndex=21", 21, 5, "u-20", "u-24"},
		{"?startIndex=0&count=1", 1, 1, "u-00", "u-00"},
		{"?startIndex=-5&count=-1", 1, 0, "", ""},
		{"?count=0", 1, 0, "", ""},
		{"?startIndex=26", 26, 0, "", ""},
		{"?startIndex=9223372036854775807&count=9223372036854775807", 9223372036854775807, 0, "", ""},
	} {
		t.Run(c.query, func(t *testing.T) {
			list := r.ok(t, 200, "GET", "/Users"+c.query, "")
			assert.Equal(t, 25.0, list["totalResults"])
			assert.Equal(t, float64(c.start), list["startIndex"])
			assert.Equal(t, float64(c.n), list["itemsPerPage"])
			ids := found(t, list)
			require.Len(t, ids, c.n)
			if c.n > 0 {
				assert.Equal(t, c.first, ids[0])
				assert.Equal(t, c.last, ids[c.n-1])
			}
		})
	}
}

func TestAttributes(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	keys := func(query string) []string {
		var out []string
		for k := range r.ok(t, 200, "GET", query, "") {
			out = append(out, k)
		}
		return out
	}
	assert.ElementsMatch(t, []string{"schemas", "id", "displayName", "externalId", "meta"},
		keys("/Groups/g-1?excludedAttributes=members"))
	assert.ElementsMatch(t, []string{"schemas", "id", "members"}, keys("/Groups/g-1?attributes=members.value"))
	assert.ElementsMatch(t, []string{"schemas", "id", "userName"},
		keys("/Users/u-1?attributes=urn:ietf:params:scim:schemas:core:2.0:User:USERNAME,nothing"))
	assert.ElementsMatch(t, []string{"schemas", "id"},
		keys("/Users/u-1?attributes=userName&excludedAttributes=userName,id"))

	u := r.ok(t, 200, "GET", "/Users/u-1?attributes=name.givenName", "")
	assert.Equal(t, map[string]any{"givenName": "Alice"}, u["name"])
	u = r.ok(t, 200, "GET", "/Users/u-1?excludedAttributes=name.givenName", "")
	assert.Equal(t, map[string]any{"familyName": "Adams"}, u["name"])
	g := r.ok(t, 200, "GET", "/Groups/g-1?attributes=members.value", "")
	assert.Equal(t, map[string]any{"value": "u-1"}, g["members"].([]any)[0])
	g = r.ok(t, 200, "GET", "/Groups/g-1?excludedAttributes=members.$REF", "")
	assert.Equal(t, map[string]any{"value": "u-1", "type": "User"}, g["members"].([]any)[0])
}

// A configured ID may have any characters; its location is the user's URL.
func TestLocation(t *testing.T) {
	r := newRig(t, seed(), "us-east-1")
	list := r.ok(t, 200, "GET", "/Users?"+filter(`userName eq "carol/ops@example.com"`), "")
	at := list["Resources"].([]any)[0].(map[string]any)["meta"].(map[string]any)["location"].(string)
	require.True(t, strings.HasPrefix(at, baseURL))
	assert.Equal(t, "carol/ops@example.com", r.ok(t, 200, "GET", strings.TrimPrefix(at, baseURL), "")["id"])
}

func TestFoldIsEqualFold(t *testing.T) {
	for _, pair := range [][2]string{{"Kelvin", "\u212aelvin"}, {"straſſe", "STRASSE"}, {"ÅSA", "åsa"}, {"İ", "i"},
		{"Σ", "ς"}, {"a", "b"}} {
		assert.Equal(t, strings.EqualFold(pair[0], pair[1]), scim.Fold(pair[0]) == scim.Fold(pair[1]), "%q", pair)
	}
}
