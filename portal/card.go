package portal

import (
	"html/template"
	"net/url"
	"strings"
)

const cube = `<svg class="cube" viewBox="0 0 24 24" aria-hidden="true" focusable="false">` +
	`<path d="M12 2.5 20.5 7v10L12 21.5 3.5 17V7z"/><path d="M3.5 7 12 11.5 20.5 7M12 11.5v10"/></svg>`

// Card returns an account of the home page with its permission sets. A template takes ten times as long for that, and
// the page has many.
func (pg *page) Card(row accountRow) template.HTML {
	var b strings.Builder
	write := func(parts ...string) {
		for _, s := range parts {
			b.WriteString(s)
		}
	}
	text := template.HTMLEscapeString
	id, open := text(row.ID), ""
	if row.Open {
		open = " open"
	}
	write(`<details class="card account"`, open, `><summary>`, cube,
		`<span class="title"><strong id="a`, id, `">`, text(row.Name), `</strong>`,
		`<span class="quiet owner"><span class="mono">`, id, `</span>`)
	if row.Email != "" {
		write(` <span>`, text(row.Email), `</span>`)
	}
	counts := pg.countsOf(row.Count)
	write(`</span></span><span class="count quiet">`, counts.some, "</span></summary>\n<ul>")
	to := `<li><a href="/accounts/` + text(url.PathEscape(row.ID))
	in := `<span class="hidden"> ` + string(pg.T("in %s", row.Name)) + `</span></a>`
	for _, s := range row.Sets {
		write(to, `/`, text(url.PathEscape(s.Name)), `">`, text(s.Name), in)
		if s.Description != "" {
			write(`<span class="quiet">`, text(s.Description), `</span>`)
		}
		write("</li>\n")
	}
	if row.More {
		write(to, `" class="all" aria-describedby="a`, id, `">`, counts.all, "</a></li>\n")
	}
	write(`</ul></details>`)
	return template.HTML(b.String())
}

// counts are the texts that say how many permission sets there are. A plural costs more than the rest of a card.
type counts struct {
	n         int
	some, all string
}

// countsOf returns the texts for n. Most accounts have as many as the one before.
func (pg *page) countsOf(n int) counts {
	if pg.counts.some == "" || pg.counts.n != n {
		pg.counts = counts{n, string(pg.T("%d permission sets", n)), string(pg.T("All %d permission sets", n))}
	}
	return pg.counts
}
