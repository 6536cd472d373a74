package portal

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
)

// How much a page of a list shows. With these bounds a page stays below 100 kB, and costs about the same however much a
// user has.
const (
	maxRows = 20 // accounts, or applications
	maxSets = 60 // permission sets, of all accounts together
)

// maxTexts is how many bytes the names on a page have, as they are sent: long ones could make it too large. What a page
// can't do without, such as the names of its accounts, counts first.
const maxTexts = 56 << 10

// budget is what is left of maxTexts.
type budget int

// take takes the room of texts. If there is not enough left, it reports false.
func (b *budget) take(texts ...string) bool {
	for _, s := range texts {
		*b -= budget(len(template.HTMLEscapeString(s)))
	}
	return *b >= 0
}

// finder is the search field of a page, the links to its other pages, and, with a query, how much was found.
type finder struct {
	Path  string // of the page
	Query string
	// Accounts and Applications are how many the query found.
	Accounts, Applications int
	pager
}

// pager says which part of a list a page shows.
type pager struct {
	Total, From, To int // From and To count from one
	Page, Pages     int
	Here            string // the address of this page
	Prev, Next      string // those of its neighbors, or ""
}

// newPager returns the pager for the page that a request asks for, or for the nearest one that there is.
func newPager(r *http.Request, total, size int) pager {
	g := pager{Total: total, Pages: max(1, (total+size-1)/size)}
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		n = 1
	}
	g.Page = min(max(n, 1), g.Pages)
	g.From, g.To = (g.Page-1)*size+1, min(g.Page*size, total)
	at := func(n int) string {
		q := url.Values{}
		if text := newQuery(r.URL.Query().Get("q")); !text.empty() {
			q.Set("q", text.Text)
		}
		if n > 1 {
			q.Set("page", strconv.Itoa(n))
		}
		to := url.URL{Path: r.URL.Path, RawQuery: q.Encode()}
		return to.String()
	}
	if g.Page > 1 {
		g.Prev = at(g.Page - 1)
	}
	if g.Page < g.Pages {
		g.Next = at(g.Page + 1)
	}
	g.Here = at(g.Page)
	return g
}

// part returns the part of a list that a page shows.
func part[T any](list []T, g pager) []T { return list[g.From-1 : g.To] }
