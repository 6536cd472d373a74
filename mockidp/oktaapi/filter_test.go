package oktaapi_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// sample is the user of the tables.
var sample = map[string][]string{
	"status": {"ACTIVE"}, "profile.lastName": {"Smith"}, "profile.level": {"7"}, "profile.tags": {"red", "Blue"},
	"profile.boss": {"true"}, "profile.empty": {""}, "profile.none": nil, "profile.quote": {`say "é"`},
	"lastUpdated": {"2026-01-01T12:00:00.123Z"}, "activated": nil,
}

func TestFilters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`status eq "ACTIVE"`:                             true,
		`status EQ "ACTIVE"`:                             true,
		`status eq "active"`:                             false,
		`status ne "ACTIVE"`:                             false,
		`status ne "STAGED"`:                             true,
		`profile.lastName sw "Sm"`:                       true,
		`profile.lastName ew "ith"`:                      true,
		`profile.lastName ew "Smi"`:                      false,
		`profile.lastName co "mit"`:                      true,
		`profile.lastName gt "Smit"`:                     true,
		`profile.lastName lt "Smit"`:                     false,
		`profile.lastName ge "Smith"`:                    true,
		`profile.lastName le "Smith"`:                    true,
		`profile.level gt 6.5`:                           true,
		`profile.level lt 1e1`:                           true,
		`profile.level ge 7`:                             true,
		`profile.level eq 7.0`:                           true,
		`profile.level gt "10"`:                          true, // as text
		`profile.level gt 10`:                            false,
		`profile.lastName gt 1`:                          false, // no number
		`profile.boss eq true`:                           true,
		`profile.boss eq false`:                          false,
		`profile.tags eq "Blue"`:                         true, // one of them
		`profile.tags ne "Blue"`:                         false,
		`profile.tags pr`:                                true,
		`profile.none pr`:                                false,
		`profile.empty pr`:                               false,
		`profile.none eq null`:                           true,
		`profile.none ne null`:                           false,
		`profile.none ne "x"`:                            true,
		`profile.none lt "x"`:                            false,
		`profile.quote eq "say \"\u00e9\""`:              true,
		`lastUpdated gt "2026-01-01T12:00:00.122Z"`:      true,
		`lastUpdated gt "2026-01-01T12:00:00.123Z"`:      false,
		`lastUpdated ge "2026-01-01T12:00:00.123Z"`:      true,
		`lastUpdated eq "2026-01-01T13:00:00.123+01:00"`: true,
		`lastUpdated lt "2026-01-01T12:00:01Z"`:          true,
		`lastUpdated le "2025-12-31T23:59:59Z"`:          false,
		`lastUpdated ne "2026-01-01T12:00:00.123Z"`:      false,
		`lastUpdated pr`:                                 true,
		`activated pr`:                                   false,
		`activated eq null`:                              true,
		`activated lt "2026-01-01T12:00:00Z"`:            false,
		// Precedence (RFC 7644, 3.4.2.2): grouping, then not, then and, then or.
		`status eq "ACTIVE" or status eq "x" and status eq "y"`:   true,
		`(status eq "ACTIVE" or status eq "x") and status eq "y"`: false,
		`status eq "y" and status eq "x" or status eq "ACTIVE"`:   true,
		`status eq "y" and (status eq "x" or status eq "ACTIVE")`: false,
		`not (status eq "ACTIVE") or status eq "ACTIVE"`:          true,
		`not (status eq "ACTIVE" or status eq "x")`:               false,
		`not(status eq "x") AND not(status eq "y")`:               true,
		`not (not (status eq "ACTIVE"))`:                          true,
		`((status eq "x")OR(status eq "ACTIVE"))`:                 true,
		`status eq "ACTIVE"and status pr`:                         true,
		"\t status eq  \"ACTIVE\" ":                               true,
	} {
		got, err := oktaapi.MatchFilter(text, sample, false)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]bool{`status eq "active"`: true, `profile.tags co "LU"`: true,
		`profile.lastName gt "smit"`: true, `profile.lastName ew "X"`: false} {
		got, err := oktaapi.MatchFilter(text, sample, true)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, "a search: %s", text)
	}
}

func TestFiltersRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("(", 17) + `status pr` + strings.Repeat(")", 17)
	_, err := oktaapi.MatchFilter(deep[1:len(deep)-1], sample, false)
	require.NoError(t, err)
	_, err = oktaapi.MatchFilter(strings.Repeat(`(status pr) or `, 40)+`status pr`, sample, false)
	require.NoError(t, err)
	_, err = oktaapi.MatchFilter(strings.Repeat(`status pr or `, 49)+`status pr`, sample, false)
	require.NoError(t, err)
	for _, text := range []string{
		" ", "status", "status eq", "eq", `status eq ACTIVE`, `status is "x"`, `status eq "x`, `status eq "\q"`,
		`status eq 'x'`, `"status" eq "x"`,
		`status eq "x" status`, `status eq "x" and`, `and status eq "x"`, `status eq "x" or or status pr`, `status pr pr`,
		`status pr "x"`,
		`(status eq "x"`, `status eq "x")`, `()`, `(`, `)`, `not`, `not status pr`, `not (status pr`, `status eq (`,
		`status eq [1]`, `status eq {}`, `status[type eq "x"]`,
		`status co 1`, `status sw null`, `status gt true`, `status lt null`, `status gt NaN`, `status eq 0x1`, `status eq 01`,
		`status eq tru`,
		`shoe eq "1"`, `status pr or shoe eq "1"`, `Status eq "ACTIVE"`, `lastUpdated gt 5`, `lastUpdated co "2026"`,
		`lastUpdated gt "yesterday"`, `lastUpdated eq true`,
		"status eq \"\xff\"", "status eq \"a\x00\"", deep, strings.Repeat(`status pr or `, 50) + `status pr`,
		`status eq "` + strings.Repeat("x", 2048) + `"`,
	} {
		_, err := oktaapi.MatchFilter(text, sample, false)
		require.ErrorContains(t, err, "E0000031", "%q", text)
	}
}

// A filter is parsed or refused, and a parsed one has the same meaning when it is
// printed with all parentheses.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{`status eq "ACTIVE"`, `not (a pr) and b gt 1 or c eq null`,
		`((lastUpdated gt "2026-01-01T00:00:00Z"))`, `profile.x co "\u0041\\" AND y le -1.5e3`, "(", `"`, ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, terms, depth, ok := oktaapi.WriteFilter(text)
		if !ok {
			return
		}
		require.LessOrEqual(t, len(text), 2048)
		require.LessOrEqual(t, terms, 50)
		require.LessOrEqual(t, depth, 60)
		if len(out) <= 2048 && depth < 8 { // the parentheses count against the limits
			again, _, _, ok := oktaapi.WriteFilter(out)
			require.True(t, ok, "%q became %q", text, out)
			require.Equal(t, out, again)
		}
		got, err := oktaapi.MatchFilter(text, sample, true)
		if err != nil {
			require.False(t, got)
			require.ErrorContains(t, err, "E0000031")
		}
	})
}

func TestListsTakeFilters(t *testing.T) {
	t.Parallel()
	c := company(45, 3)
	for i := range c.Users {
		c.Users[i].Attributes = map[string][]string{"level": {strconv.Itoa(i % 10)}}
	}
	a := newAPI(t, stoppedClock(c))
	users := func(filter string) []string {
		t.Helper()
		return a.list("/api/v1/users?limit=7&search="+url.QueryEscape(filter), "profile.login")
	}
	assert.Len(t, users(`profile.level ge 8`), 8)
	assert.Len(t, users(`profile.level ge 8 and not (profile.lastName ew "9")`), 4)
	assert.Len(t, users(`profile.department pr`), 0)
	assert.Empty(t, a.list("/api/v1/users?filter="+url.QueryEscape(`status eq "active"`), "id"),
		"a filter is case-sensitive")
	assert.Equal(t, []string{"user13@example.com", "user3@example.com"},
		users(`(profile.lastName eq "3" or profile.lastName eq "13") and status eq "active"`))
	assert.Len(t, users(`created gt "2025-01-01T00:00:00.000Z"`), 45)
	a.refused(400, "E0000031", "GET", "/api/v1/users?filter="+url.QueryEscape(`lastLogin pr`), nil)
	a.refused(400, "E0000031", "GET", "/api/v1/groups?filter="+url.QueryEscape(`profile.shoe pr`), nil)
	a.refused(400, "E0000031", "GET", "/api/v1/apps?filter="+url.QueryEscape(`settings pr`), nil)

	groups := func(search string) []string {
		t.Helper()
		return a.list("/api/v1/groups?search="+url.QueryEscape(search), "profile.name")
	}
	assert.Equal(t, []string{"Group 0", "Group 1", "Group 2"}, groups(`profile.name sw "group"`))
	assert.Equal(t, []string{"Everyone"}, groups(`not (type eq "OKTA_GROUP")`))
	assert.Empty(t, groups(`lastMembershipUpdated gt "2026-06-01T00:00:00.000Z"`))

	mark := text2(a.ok(200, "POST", "/api/v1/apps?activate=false",
		object{"name": "bookmark", "label": "Wiki", "signOnMode": "BOOKMARK",
			"settings": object{"app": object{"url": "https://wiki.example/"}}})["id"])
	apps := func(filter string) []string {
		t.Helper()
		return a.list("/api/v1/apps?filter="+url.QueryEscape(filter), "label")
	}
	user, _ := a.idp.User("user1@example.com")
	assert.Equal(t, []string{"x"}, apps(`status eq "ACTIVE"`))
	assert.Equal(t, []string{"Wiki"}, apps(`name eq "bookmark"`))
	assert.Equal(t, []string{"Wiki"}, apps(`id eq "`+mark+`"`))
	assert.Equal(t, []string{"x"}, apps(`group.id eq "`+a.idp.Groups()[0].ID+`"`))
	assert.Empty(t, apps(`user.id eq "`+user.ID+`"`))
	other, _ := a.idp.User("user0@example.com")
	assert.Equal(t, []string{"x"}, apps(`user.id eq "`+other.ID+`"`))
	assert.Equal(t, []string{"x"}, apps(`credentials.signing.kid eq "`+a.idp.Keys()[0].ID+`"`))
}

// Sorting applies to a search, over all pages.
func TestListsAreSorted(t *testing.T) {
	t.Parallel()
	c := company(45, 3)
	for i := range c.Users {
		c.Users[i].FirstName = []string{"b", "A", "c"}[i%3]
	}
	a := newAPI(t, c)
	page := func(query string) []string {
		t.Helper()
		return a.list("/api/v1/users?limit=4&search="+url.QueryEscape(`status eq "ACTIVE"`)+"&sortBy=profile.firstName"+query,
			"profile.firstName")
	}
	up := page("")
	require.Len(t, up, 45)
	assert.Equal(t, strings.Repeat("A", 15)+strings.Repeat("b", 15)+strings.Repeat("c", 15), strings.Join(up, ""))
	assert.Equal(t, strings.Repeat("c", 15)+strings.Repeat("b", 15)+strings.Repeat("A", 15),
		strings.Join(page("&sortOrder=desc"), ""))
	a.idp.Advance(1e9)
	a.ok(200, "POST", "/api/v1/users/user7@example.com", object{"profile": object{"lastName": "New"}})
	assert.Equal(t, "user7@example.com", a.list("/api/v1/users?search=status+pr&sortBy=lastUpdated&sortOrder=desc",
		"profile.login")[0])
	assert.Equal(t, []string{"Group 2", "Group 1", "Group 0", "Everyone"},
		a.list("/api/v1/groups?limit=1&search=id+pr&sortBy=profile.name&sortOrder=desc", "profile.name"))
	a.refused(400, "E0000031", "GET", "/api/v1/users?search=status+pr&sortBy=shoe", nil)
	a.refused(400, "E0000001", "GET", "/api/v1/users?search=status+pr&sortBy=status&sortOrder=up", nil)
	assert.Equal(t, "user0@example.com", a.list("/api/v1/users?sortBy=shoe", "profile.login")[0],
		"without a search it is ignored")
}
