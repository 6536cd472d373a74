package portal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

func accountsToFind() []center.AccountSets {
	of := func(id, name, email string, sets ...string) center.AccountSets {
		return center.AccountSets{Account: center.Account{ID: id, Name: name, Email: email}, Sets: sets}
	}
	return []center.AccountSets{
		of("111122223333", "Customer billing", "finance@example.com", "Admin", "ReadOnly"),
		of("222233334444", "Billing", "bills@example.com", "Admin", "ReadOnly"),
		of("333344445555", "Rebilling tests", "", "BillingViewer"),
		of("444455556666", "Lab", "lab+bil@example.com", "Admin"),
		of("555566667777", "Ödland", "", "Admin", "BillingViewer", "ViewBilling"),
	}
}

func TestQueryFindsAccounts(t *testing.T) {
	for query, want := range map[string][]string{
		"":                  {"1", "2", "3", "4", "5"},
		"   ":               {"1", "2", "3", "4", "5"},
		"bil":               {"2", "1", "3", "4", "5"}, // begins the name, begins a word, in it, address, permission set
		"BIL":               {"2", "1", "3", "4", "5"},
		"4444":              {"4", "2", "3"}, // begins the number, in it
		"1111-2222-3333":    {"1"},
		"1111 2222 3333":    {"1"},
		"finance@":          {"1"},
		"ö":                 {"5"},
		"Ö":                 {"5"},
		"customer  BILLING": {"1"},
		"billing customer":  {"1"}, // each word, in any order
		"ödland view":       {"5"},
		"lab readonly":      nil, // the permission set isn't in that account
		"nothing":           nil,
		"billingviewer":     {"3", "5"},
		"\xff\x00":          nil,
	} {
		var got []string
		for _, f := range portal.Find(query, accountsToFind()) {
			got = append(got, f.ID[:1])
		}
		assert.Equal(t, want, got, "%q", query)
	}
}

func TestQueryNamesThePermissionSetsThatItFinds(t *testing.T) {
	found := func(query string) map[string][]string {
		out := map[string][]string{}
		for _, f := range portal.Find(query, accountsToFind()) {
			if !f.ByName {
				out[f.ID[:1]] = f.Sets
			}
		}
		return out
	}
	assert.Equal(t, map[string][]string{"3": {"BillingViewer"}, "5": {"BillingViewer", "ViewBilling"}}, found("view"))
	assert.Equal(t, map[string][]string{"5": {"BillingViewer", "ViewBilling"}}, found("ödland view"))
	assert.Empty(t, found("bills@"), "the account itself")
}

// An account whose name begins with the query comes before all others, and all that is found contains the query.
func TestQueryPutsTheAccountFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []center.AccountSets
		word := rapid.StringMatching(`[a-c]{1,4}`)
		for i := range rapid.IntRange(1, 12).Draw(t, "accounts") {
			name := word.Draw(t, "first") + " " + word.Draw(t, "second")
			sets := rapid.SliceOfNDistinct(word, 1, 3, rapid.ID).Draw(t, "sets")
			all = append(all, center.AccountSets{Account: center.Account{ID: fmt.Sprintf("%012d", i), Name: name}, Sets: sets})
		}
		query := word.Draw(t, "query")
		begins := func(f portal.Found) bool {
			i := slices.IndexFunc(all, func(a center.AccountSets) bool { return a.Account.ID == f.ID })
			return strings.HasPrefix(all[i].Account.Name, query)
		}
		last := true
		for _, f := range portal.Find(query, all) {
			if begins(f) {
				assert.True(t, last, "an account that begins with the query comes after another one")
			}
			last = begins(f)
			for _, set := range f.Sets {
				assert.Contains(t, set, query)
			}
		}
		want := 0
		for _, a := range all {
			if strings.Contains(a.Account.Name, query) || strings.Contains(strings.Join(a.Sets, " "), query) {
				want++
			}
		}
		assert.Len(t, portal.Find(query, all), want)
	})
}

func TestQueryIsBounded(t *testing.T) {
	long := strings.Repeat("ö", 10_000)
	assert.Empty(t, portal.Find(long, accountsToFind()))
	assert.True(t, utf8.ValidString(portal.QueryText(long)))
	assert.LessOrEqual(t, len(portal.QueryText(long)), 100)
}

func TestQueryFindsApplications(t *testing.T) {
	d := data()
	d.Applications[1].Description = "The wiki's farm"
	for query, want := range map[string][]string{
		"": {"Wiki", "Farm"}, "wik": {"Wiki", "Farm"}, "far": {"Farm"}, "eu-central": {"Farm"}, "farm wiki": {"Farm"}, "x": nil,
	} {
		assert.Equal(t, want, portal.FindApplications(query, d.Applications), "%q", query)
	}
	inst, err := center.New(d)
	require.NoError(t, err)
	all := inst.Snapshot().Applications("alice@example.com")
	assert.Equal(t, []string{"Wiki", "Farm"}, portal.FindApplications("w", all), "Wiki begins with it")
}
