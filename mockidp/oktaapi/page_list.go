package oktaapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// perPage is how many rows a page shows.
const perPage = 50

// listView is the part of a page that describes a list: the search and the position in it.
type listView struct {
	Search          string
	At              string // the URL of the page, without a query
	From, To, Total int
	Prev, Next      string // URLs; "" if there is none
	Known           int    // the members before the search
}

// searchText returns what the user searches for.
func (v *visit) searchText() string { return strings.TrimSpace(cut(v.r.URL.Query().Get("q"))) }

// found reports whether one of the texts contains the search text, regardless of case.
func found(search string, texts ...string) bool {
	search = strings.ToLower(search)
	for _, t := range texts {
		if strings.Contains(strings.ToLower(t), search) {
			return true
		}
	}
	return search == ""
}

// foundAll reports whether a text contains each word of the search text.
func foundAll(search, text string) bool {
	return !slices.ContainsFunc(strings.Fields(search), func(word string) bool { return !found(word, text) })
}

// shownPage returns the page of a list that the query's page names, from 1.
func shownPage[T any](v *visit, list []T, known int) ([]T, listView) {
	last := max(1, (len(list)+perPage-1)/perPage)
	n, _ := strconv.Atoi(v.r.URL.Query().Get("page"))
	n = min(max(n, 1), last)
	to := func(n int) string { return v.address(func(q url.Values) { q.Set("page", strconv.Itoa(n)) }) }
	from, until := (n-1)*perPage, min(n*perPage, len(list))
	out := listView{Search: v.searchText(), From: min(from+1, until), To: until, Total: len(list), Known: known,
		At: v.address(func(q url.Values) { clear(q) })}
	if n > 1 {
		out.Prev = to(n - 1)
	}
	if n < last {
		out.Next = to(n + 1)
	}
	return list[from:until], out
}
