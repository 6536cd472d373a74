package portal

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/portal/center"
)

// maxQuery is the maximum length of a query, in bytes. The rest is dropped.
const maxQuery = 100

// query is what a user looks for. It compares letters ignoring case.
type query struct {
	Text   string   // as the user wrote it
	whole  string   // in lower case, with single spaces
	words  []string // of whole
	number string   // whole without spaces and hyphens, if it has only digits besides
}

func newQuery(raw string) query {
	for len(raw) > maxQuery {
		_, n := utf8.DecodeLastRuneInString(raw)
		raw = raw[:len(raw)-n]
	}
	q := query{Text: strings.ToValidUTF8(raw, ""), words: strings.Fields(strings.ToLower(raw))}
	q.whole = strings.Join(q.words, " ")
	number := strings.NewReplacer(" ", "", "-", "").Replace(q.whole)
	if number != "" && strings.Trim(number, "0123456789") == "" {
		q.number = number
	}
	return q
}

func (q query) empty() bool { return len(q.words) == 0 }

// accountHit is an account that a query finds.
type accountHit struct {
	*center.AccountSets
	// ByName reports whether the account itself was found: otherwise only Sets are what the user looks for.
	ByName bool
	// Found are the permission sets that the query names, if it doesn't name the account.
	Found []string
	rank  int
}

// Ranks of what a query finds, the best first. Within a rank, the order is that of the directory.
const (
	rankName    = iota // its name begins with the query
	rankWord           // a word of its name does
	rankInName         // its name contains the query
	rankNumber         // its number begins with the query
	rankInfo           // its number or address contains the query
	rankSet            // a permission set's name begins with the query
	rankInSet          // a permission set's name contains the query
	rankWords          // each word is in one of these
	rankNothing        // not found
)

// accounts returns the accounts that the query finds, the best first. The empty query finds all. It makes one pass and
// keeps nothing.
func (q query) accounts(all []center.AccountSets) []accountHit {
	out := make([]accountHit, 0, len(all))
	var last []string // the permission sets of the account before, and what of them was found: most are equal
	var found []string
	var foundRank int
	var ranked [rankNothing + 1]int // how many have a lower rank
	for i := range all {
		a := &all[i]
		hit := accountHit{AccountSets: a, ByName: true}
		if !q.empty() {
			hit.rank = q.account(a.Account)
		}
		if hit.rank == rankNothing {
			if last == nil || !slices.Equal(last, a.Sets) {
				last = a.Sets
				found, foundRank = q.sets(a.Sets)
			}
			hit.ByName, hit.Found, hit.rank = false, found, foundRank
		}
		if hit.rank == rankNothing && len(q.words) > 1 {
			hit.Found, hit.rank = q.eachWord(*a)
		}
		if hit.rank != rankNothing {
			out = append(out, hit)
			for r := hit.rank + 1; r < len(ranked); r++ {
				ranked[r]++
			}
		}
	}
	sorted := make([]accountHit, len(out))
	for _, hit := range out {
		sorted[ranked[hit.rank]] = hit
		ranked[hit.rank]++
	}
	return sorted
}

func (q query) account(a center.Account) int {
	switch name := strings.ToLower(a.Name); {
	case strings.HasPrefix(name, q.whole):
		return rankName
	case beginsWord(name, q.whole):
		return rankWord
	case strings.Contains(name, q.whole):
		return rankInName
	case q.number != "" && strings.HasPrefix(a.ID, q.number):
		return rankNumber
	case q.number != "" && strings.Contains(a.ID, q.number),
		strings.Contains(strings.ToLower(a.Email), q.whole):
		return rankInfo
	}
	return rankNothing
}

// sets returns the permission sets that the query finds, and the rank of the best.
func (q query) sets(names []string) (found []string, rank int) {
	rank = rankNothing
	for _, name := range names {
		switch low := strings.ToLower(name); {
		case strings.HasPrefix(low, q.whole):
			rank = rankSet
		case strings.Contains(low, q.whole):
			rank = min(rank, rankInSet)
		default:
			continue
		}
		found = append(found, name)
	}
	return found, rank
}

// eachWord finds an account by several words, each of which names it or one of its permission sets.
func (q query) eachWord(a center.AccountSets) (found []string, rank int) {
	about := strings.ToLower(a.Account.Name + "\n" + a.Account.ID + "\n" + a.Account.Email)
	var rest []string
	for _, word := range q.words {
		if !strings.Contains(about, word) {
			rest = append(rest, word)
		}
	}
	for _, name := range a.Sets {
		low := strings.ToLower(name)
		if !slices.ContainsFunc(rest, func(word string) bool { return !strings.Contains(low, word) }) {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return nil, rankNothing
	}
	return found, rankWords
}

// applications returns the applications that the query finds, the best first.
func (q query) applications(all []center.Application) []center.Application {
	if q.empty() {
		return all
	}
	rank := func(a center.Application) int {
		switch name := strings.ToLower(a.Name); {
		case strings.HasPrefix(name, q.whole):
			return rankName
		case beginsWord(name, q.whole):
			return rankWord
		case strings.Contains(name, q.whole):
			return rankInName
		}
		about := strings.ToLower(a.Name + "\n" + a.Description + "\n" + a.Region)
		if slices.ContainsFunc(q.words, func(word string) bool { return !strings.Contains(about, word) }) {
			return rankNothing
		}
		return rankWords
	}
	ranks := make(map[string]int, len(all))
	out := slices.DeleteFunc(slices.Clone(all), func(a center.Application) bool {
		ranks[a.ID] = rank(a)
		return ranks[a.ID] == rankNothing
	})
	slices.SortStableFunc(out, func(a, b center.Application) int { return cmp.Compare(ranks[a.ID], ranks[b.ID]) })
	return out
}

// beginsWord reports whether a word of text begins with part.
func beginsWord(text, part string) bool {
	for i := 0; ; {
		at := strings.Index(text[i:], part)
		if at < 0 {
			return false
		}
		if at += i; at > 0 && strings.IndexByte(" -_./(,:&", text[at-1]) >= 0 {
			return true
		}
		i = at + 1
	}
}
